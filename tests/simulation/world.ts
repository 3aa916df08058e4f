import { createHash } from 'node:crypto';
import type { ChunkId, Digest } from '@/lib/sync/model/ids';
import { encodeManifest, type Manifest } from '@/lib/sync/model/manifest';
import type { Hasher } from '@/lib/sync/ports/hasher';
import { Chance } from './chance';
import type { PlantName } from './plants';
import { Timeline } from './timeline';

/** SHA-256, at once. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export const hasher: Hasher = { sha256: async (bytes) => sha256(bytes) as ChunkId };

/** 1 January 2026, where virtual time begins. */
export const BEGINNING = Date.UTC(2026, 0, 1);
const LINES_PER_CHUNK = 3;

/** Bytes of a text, cut into chunks of a few lines, as the chunker would cut large files. */
export function chunksOf(text: string): readonly { readonly id: ChunkId; readonly bytes: Uint8Array<ArrayBuffer> }[] {
  const lines = text.split(/(?<=\n)/).filter((line) => line !== '');
  const chunks: { id: ChunkId; bytes: Uint8Array<ArrayBuffer> }[] = [];
  for (let at = 0; at < lines.length; at += LINES_PER_CHUNK) {
    const bytes = new TextEncoder().encode(lines.slice(at, at + LINES_PER_CHUNK).join(''));
    chunks.push({ id: sha256(bytes) as ChunkId, bytes });
  }
  return chunks;
}

export function manifestOf(text: string): Manifest {
  return chunksOf(text).map(({ id, bytes }) => ({ id, size: bytes.length }));
}

export function digestOf(manifest: Manifest): Digest {
  return sha256(encodeManifest(manifest)) as Digest;
}

/** What a person gave to a device and was told is safe there. */
export interface Accepted {
  readonly device: string;
  readonly transferId: string;
  readonly text: string;
  readonly digest: Digest;
  /** What the person saw in the file when writing; null for a new file. */
  readonly base: Digest | null;
  /** A line that no other writing holds; null where somebody may well write the same. */
  readonly mark: string | null;
  /** The person wished it to be deleted or not to be sent: it need not be found if its transfer was ended. */
  takenBack: boolean;
}

/** What everything in one run shares: time, chance, the trace, and what people did. */
export class World {
  readonly timeline = new Timeline();
  readonly chance: Chance;
  readonly trace: string[] = [];
  readonly accepted = new Map<string, Accepted>();
  /** Every text that was ever written, by digest. */
  readonly texts = new Map<Digest, string>();
  /** How often people copied a content. */
  readonly copies = new Map<Digest, number>();
  /** What people wrote over on their own devices: device and digest. */
  readonly overwritten = new Set<string>();
  /** Promises that broke while it ran. */
  readonly broken: string[] = [];

  constructor(
    seed: number,
    readonly plant: PlantName | null,
  ) {
    this.chance = new Chance(`seed ${seed}`);
  }

  say(who: string, what: string): void {
    this.trace.push(`${(this.timeline.now / 1000).toFixed(3).padStart(9)} ${who.padEnd(8)} ${what}`);
  }

  breaks(what: string): void {
    this.say('CHECK', what);
    this.broken.push(what);
  }
}
