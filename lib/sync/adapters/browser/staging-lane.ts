import { assert } from '../../model/assert';
import type { Digest } from '../../model/ids';
import type { ChunkRef } from '../../model/manifest';
import { encodeManifest } from '../../model/manifest';
import { bulkRead } from './bulk-read';
import type { SatchelDatabase, StagedPart, StagedRow, TransferRow } from './database';
import type { OpenSegment, OpfsStaging } from './opfs-staging';
import type { TransferChannel } from './transfer-channel';

/** A staging file is closed at the first chunk boundary behind this; a pack's worth, so that sending begins early. */
const SEGMENT_BYTES_TARGET = 15 * 1024 * 1024;
/** Empty and tiny files need no bytes in a segment, but their rows are written together all the same. */
const SEGMENT_TRANSFERS_MAX = 2000;

/** What one transfer has in the segment that is open. */
interface Part {
  readonly row: StagedPart | null;
  readonly stagedBytes: number;
  /** Known once its last chunk is in. */
  readonly digest: Digest | undefined;
}

export interface LaneDeps {
  readonly database: SatchelDatabase;
  readonly staging: OpfsStaging;
  readonly channel: TransferChannel;
  /** A name for the next staging file. */
  segmentName(): string;
  /** These transfers' bytes are safe now. */
  onStaged(ids: readonly string[]): void;
  /** The segment could not be written or recorded; nothing of it is left. */
  onRefused(ids: readonly string[], error: unknown): Promise<void>;
}

/** One chunk run to be placed in a segment: `bytes` holds `chunks` one after the other. */
export interface ChunkRun {
  readonly transferId: string;
  readonly part: number;
  readonly bytes: Uint8Array;
  readonly chunks: readonly ChunkRef[];
  /** Bytes of the transfer that are placed with this run. */
  readonly stagedBytes: number;
}

/**
 * Fills one segment after the other. Bytes are flushed and the file closed before any row names it; rows of a segment and the
 * states of its transfers are one transaction.
 */
export class StagingLane {
  private segment: OpenSegment | null = null;
  private parts = new Map<string, Part>();
  /** The commit under way: at most one, so that reading goes on beside it but never far ahead. */
  private committing: Promise<void> = Promise.resolve();

  constructor(private readonly deps: LaneDeps) {}

  /** Places a run of chunks; a transfer's runs in one segment must follow each other. Throws QuotaExceededError. */
  async place(run: ChunkRun): Promise<void> {
    this.segment ??= await this.deps.staging.create(this.deps.segmentName());
    const offset = this.segment.bytes();
    this.segment.write(run.bytes);
    const before = this.parts.get(run.transferId)?.row;
    const chunks = encodeManifest(run.chunks);
    assert(!before || before.part === run.part, 'one part of a transfer in one segment');
    const row: StagedPart = before
      ? { ...before, chunks: concat(before.chunks, chunks) }
      : { transferId: run.transferId, part: run.part, offset, chunks };
    this.parts.set(run.transferId, { row, stagedBytes: run.stagedBytes, digest: undefined });
  }

  /** The transfer's last chunk is placed (none, when it is empty). */
  finish(transferId: string, stagedBytes: number, digest: Digest): void {
    this.parts.set(transferId, { row: this.parts.get(transferId)?.row ?? null, stagedBytes, digest });
  }

  isFull(): boolean {
    return (this.segment?.bytes() ?? 0) >= SEGMENT_BYTES_TARGET || this.parts.size >= SEGMENT_TRANSFERS_MAX;
  }

  /** Forgets what a transfer has in the open segment; its bytes there stay unused. */
  drop(transferId: string): void {
    this.parts.delete(transferId);
  }

  /** Closes the segment and records it, beside what comes next. Resolves when the commit before it is through. */
  async cut(): Promise<void> {
    const { segment, parts } = this;
    this.segment = null;
    this.parts = new Map();
    await this.committing;
    if (parts.size === 0) await segment?.discard();
    else this.committing = this.commit(segment, parts);
  }

  /** Cuts, and resolves when everything placed is durable. */
  async flush(): Promise<void> {
    await this.cut();
    await this.committing;
  }

  private async commit(segment: OpenSegment | null, parts: ReadonlyMap<string, Part>): Promise<void> {
    try {
      segment?.close();
      const kept = await record(this.deps.database, segment?.name ?? null, parts);
      if (kept.length === 0 && segment !== null) await this.deps.staging.remove([segment.name]);
      this.deps.onStaged(kept.filter((id) => parts.get(id)?.digest !== undefined));
      const bare = kept.filter((id) => parts.get(id)?.row === null);
      this.deps.channel.say({ kind: 'staged', segment: segment?.name ?? null, ids: kept, bare });
    } catch (error) {
      if (segment !== null) await this.deps.staging.remove([segment.name]);
      await this.deps.onRefused([...parts.keys()], error);
    }
  }
}

/** Writes the rows; leaves out transfers that were cancelled or forgotten meanwhile. Returns the ids that stay. */
async function record(database: SatchelDatabase, segment: string | null, parts: ReadonlyMap<string, Part>): Promise<string[]> {
  return database.transaction('rw', database.transfers, database.staged, async () => {
    const rows = await bulkRead(database.transfers, [...parts.keys()]);
    const transfers: TransferRow[] = [];
    const staged: StagedPart[] = [];
    const spanning: string[] = [];
    for (const row of rows) {
      if (row === undefined || row.state === 'cancelled') continue;
      const part = parts.get(row.id) as Part;
      const { reason: _, ...clean } = row;
      const whole = part.digest !== undefined && part.row?.part === 0 && segment !== null;
      const at = { ...clean, stagedBytes: part.stagedBytes, ...(whole ? { staged: segment } : {}) };
      transfers.push(part.digest === undefined ? { ...at, state: 'staging' } : { ...at, state: 'staged', digest: part.digest });
      if (part.row === null) continue;
      staged.push(part.row);
      if (!whole) spanning.push(row.id);
    }
    await database.transfers.bulkPut(transfers);
    if (segment !== null && staged.length > 0) {
      const row: StagedRow = { id: segment, segment, parts: staged, spanning };
      await database.staged.put(row);
    }
    return transfers.map((row) => row.id);
  });
}

/** Two byte runs behind each other. */
export function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
