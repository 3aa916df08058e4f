import type { ChunkId, NamespaceId } from '@/lib/sync/model/ids';
import type { PackedChunk } from '@/lib/sync/protocol/pack-format';
import { decodePackHeader, ENCODINGS, packHeaderBytes } from '@/lib/sync/protocol/pack-format';
import type { ChunkIndex, ChunkPlace } from './chunk-index';
import type { ChunkStore } from './chunk-store';
import { StoreFull } from './chunk-store';

/** A pack whose last byte has come in, not yet looked at. */
export interface StagedPack {
  readonly bytes: number;
  /** The first `length` bytes, fewer when the pack is shorter. */
  head(length: number): Promise<Uint8Array>;
  /** The first of `chunks` whose payload does not have its digest, or null when all are right. */
  firstMismatch(chunks: readonly PackedChunk[]): Promise<ChunkId | null>;
  /** A second name of the whole pack, for a chunk store to take over. The staged pack stays. */
  whole(): Promise<string>;
  /** A new file: a pack of only these chunks, in this order. Throws StoreFull. */
  only(chunks: readonly PackedChunk[]): Promise<string>;
}

export type IntakeOutcome =
  | { readonly ok: true; readonly stored: number }
  /** The bytes are wrong: sending them again can help, going on cannot. */
  | { readonly ok: false; readonly code: 'bad_pack'; readonly detail: { readonly problem: string } }
  | { readonly ok: false; readonly code: 'chunk_mismatch'; readonly detail: { readonly chunkId: ChunkId } }
  /** The bytes are right; the same call may succeed later. */
  | { readonly ok: false; readonly code: 'insufficient_storage' | 'unavailable'; readonly cause: unknown };

export interface Intake {
  readonly staged: StagedPack;
  readonly namespaceId: NamespaceId;
  /** Never used before: a pack whose record failed may lie in the store with other bytes. */
  readonly packId: string;
  readonly index: ChunkIndex;
  readonly store: ChunkStore;
}

/**
 * Takes in a complete pack: every chunk is verified, those known already are dropped, the rest is made durable, and only
 * then recorded and granted to the namespace (nothing may refer to what is not durable). Safe to repeat.
 */
export async function takeInPack(intake: Intake): Promise<IntakeOutcome> {
  const header = await headerOf(intake.staged);
  if (!header.ok) return { ok: false, code: 'bad_pack', detail: { problem: header.problem } };
  const wrong = await intake.staged.firstMismatch(header.chunks);
  if (wrong !== null) return { ok: false, code: 'chunk_mismatch', detail: { chunkId: wrong } };
  try {
    return { ok: true, stored: await storeAndRecord(intake, header.chunks) };
  } catch (cause) {
    return { ok: false, code: cause instanceof StoreFull ? 'insufficient_storage' : 'unavailable', cause };
  }
}

type Header = { readonly ok: true; readonly chunks: readonly PackedChunk[] } | { readonly ok: false; readonly problem: string };

async function headerOf(staged: StagedPack): Promise<Header> {
  let wanted = 64 * 1024;
  for (;;) {
    const header = decodePackHeader(await staged.head(wanted));
    if (header.ok) {
      if (header.packBytes !== staged.bytes)
        return { ok: false, problem: `${staged.bytes} bytes came, the header says ${header.packBytes}` };
      return header;
    }
    if ('problem' in header) return header;
    if (header.needed > staged.bytes) return { ok: false, problem: 'the header is cut off' };
    wanted = header.needed;
  }
}

/** Returns how many chunks were new. */
async function storeAndRecord({ staged, namespaceId, packId, index, store }: Intake, chunks: readonly PackedChunk[]): Promise<number> {
  const byId = new Map(chunks.map((chunk) => [chunk.id, chunk]));
  const granted = [...byId.keys()];
  const known = await index.known(granted);
  const fresh = [...byId.values()].filter((chunk) => !known.has(chunk.id));
  if (fresh.length === 0) {
    await index.record({ pack: null, places: [], namespaceId, granted });
    return 0;
  }
  const everything = fresh.length === chunks.length;
  await store.put(packId, everything ? await staged.whole() : await staged.only(fresh));
  const places = everything ? placesOf(packId, fresh) : placesOf(packId, repacked(fresh));
  const last = places[places.length - 1] as ChunkPlace;
  await index.record({ pack: { id: packId, bytes: last.offset + last.stored }, places, namespaceId, granted });
  return fresh.length;
}

/** The chunks with the offsets they have in a pack of only them. */
export function repacked(chunks: readonly PackedChunk[]): readonly PackedChunk[] {
  let offset = packHeaderBytes(chunks.length);
  return chunks.map((chunk) => {
    const moved = { ...chunk, offset };
    offset += chunk.stored;
    return moved;
  });
}

function placesOf(packId: string, chunks: readonly PackedChunk[]): readonly ChunkPlace[] {
  return chunks.map(({ id, size, offset, stored, encoding }) => ({
    id,
    size,
    packId,
    offset,
    stored,
    encoding: ENCODINGS.indexOf(encoding),
  }));
}
