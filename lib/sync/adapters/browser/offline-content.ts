import { liveQuery } from 'dexie';
import type { Clock } from '../../ports/clock';
import type { Log } from '../../ports/log';
import { contentAddress } from '../../protocol/routes';
import { type EntryRow, OFFLINE_CACHE, type OfflineRow, type SatchelDatabase } from './database';
import { isQuotaError } from './opfs-staging';

/** Files up to this size are kept once they were looked at. */
const SEEN_BYTES_MAX = 64 * 1024 * 1024;
/** All files that were only seen may fill this much, and this part of what the browser gives us. */
const SEEN_BUDGET_BYTES_MAX = 2 * 1024 * 1024 * 1024;
const SEEN_BUDGET_QUOTA_PART = 0.2;
const FETCHES_AT_ONCE = 2;
const RETRY_MILLISECONDS = 15_000;
const REFRESH_MILLISECONDS = 30_000;

export interface OfflineContentDeps {
  readonly database: SatchelDatabase;
  readonly clock: Clock;
  readonly log: Log;
  readonly fetch?: typeof globalThis.fetch;
}

/** The viewer shows this file's bytes: keep them for later, and remember that they were used. Cheap; waits for no network. */
export async function noteSeen(database: SatchelDatabase, entry: EntryRow, now: number): Promise<void> {
  if (entry.kind !== 'file' || entry.transferId !== undefined || entry.size > SEEN_BYTES_MAX) return;
  const { id: entryId, namespaceId, contentRevision, size: bytes } = entry;
  const replaced = await database.transaction('rw', database.offline, async () => {
    const row = await database.offline.get(entryId);
    if (row?.contentRevision === contentRevision) await database.offline.put({ ...row, usedAt: now });
    // A pinned file is brought up to date by whoever holds the lease, and stays pinned.
    if (row !== undefined && (row.pinned === 1 || row.contentRevision === contentRevision)) return null;
    await database.offline.put({ entryId, namespaceId, contentRevision, bytes, pinned: 0, state: 'wanted', usedAt: now });
    return row ?? null;
  });
  if (replaced !== null) await dropCached(replaced);
}

/**
 * Fetches what is `wanted` for offline use into the cache, follows pinned files to new revisions, and lets go of what nobody pinned
 * and nobody used for long. Runs in the worker that holds the lease; sees wishes by watching `offline`.
 */
export class OfflineContent {
  private kicked: () => void = () => undefined;

  constructor(private readonly deps: OfflineContentDeps) {}

  async run(lost: AbortSignal): Promise<void> {
    const watching = liveQuery(() => this.deps.database.offline.where('state').equals('wanted').count()).subscribe({
      next: () => this.kicked(),
      error: (error: unknown) => this.deps.log.warn('offline.watch_ended', { error: String(error) }),
    });
    const stop = (): void => this.kicked();
    lost.addEventListener('abort', stop, { once: true });
    try {
      while (!lost.aborted) {
        const kick = new AbortController();
        this.kicked = () => kick.abort();
        const all = await this.turn(lost);
        if (!lost.aborted) await this.deps.clock.sleep(all ? REFRESH_MILLISECONDS : RETRY_MILLISECONDS, kick.signal);
      }
    } finally {
      watching.unsubscribe();
      lost.removeEventListener('abort', stop);
    }
  }

  /** True when everything wanted is present. */
  private async turn(lost: AbortSignal): Promise<boolean> {
    const { database } = this.deps;
    await this.follow();
    await this.evict(await seenBudget());
    const wanted = await database.offline.where('state').equals('wanted').toArray();
    // What a person asked for comes before what was only seen.
    const queue = wanted.sort((a, b) => b.pinned - a.pinned || a.bytes - b.bytes);
    let all = true;
    const work = async (): Promise<void> => {
      for (let row = queue.shift(); row !== undefined && !lost.aborted; row = queue.shift()) {
        if (!(await this.bring(row, lost))) all = false;
      }
    };
    await Promise.all(Array.from({ length: FETCHES_AT_ONCE }, work));
    return all;
  }

  /** Rows whose file changed or went: pinned files are wanted anew, seen ones are let go. */
  private async follow(): Promise<void> {
    const { database } = this.deps;
    const rows = await database.offline.toArray();
    const entries = await database.entries.bulkGet(rows.map((row) => row.entryId));
    for (const [index, row] of rows.entries()) {
      const entry = entries[index];
      const gone = entry === undefined || entry.live === 0;
      if (!gone && (entry.contentRevision === row.contentRevision || entry.transferId !== undefined)) continue;
      await dropCached(row);
      if (gone || row.pinned === 0) await database.offline.delete(row.entryId);
      else await database.offline.put({ ...row, contentRevision: entry.contentRevision, bytes: entry.size, state: 'wanted' });
    }
  }

  /** Fetches one file; false when it has to be tried again later. */
  private async bring(row: OfflineRow, lost: AbortSignal): Promise<boolean> {
    const { database, log } = this.deps;
    const entry = await database.entries.get(row.entryId);
    // Its bytes are still on their way up; until they are there the staged ones serve.
    if (entry === undefined || entry.transferId !== undefined) return true;
    const address = contentAddress(row);
    try {
      const response = await (this.deps.fetch ?? globalThis.fetch)(address, { signal: lost, credentials: 'same-origin' });
      if (response.status === 404) {
        await database.offline.delete(row.entryId);
        return true;
      }
      if (!response.ok || response.body === null) return false;
      const expected = entry.contentRevision === row.contentRevision && entry.digest !== null ? `"${entry.digest}"` : null;
      if (expected !== null && response.headers.get('etag') !== expected) {
        log.warn('offline.etag', { bytes: row.bytes });
        return false;
      }
      const cache = await caches.open(OFFLINE_CACHE);
      const counted = countBytes(response.body);
      await cache.put(address, new Response(counted.body, { headers: response.headers }));
      if (counted.bytes() !== row.bytes) {
        await cache.delete(address);
        return false;
      }
      return await this.settle(row);
    } catch (error) {
      if (isQuotaError(error)) {
        log.warn('offline.quota', { bytes: row.bytes });
        await this.evict(0);
      }
      return false;
    }
  }

  private async settle(row: OfflineRow): Promise<boolean> {
    const { database } = this.deps;
    const kept = await database.offline
      .where('entryId')
      .equals(row.entryId)
      .and((now) => now.contentRevision === row.contentRevision)
      .modify({ state: 'present' });
    if (kept === 0) await dropCached(row);
    return true;
  }

  /** Lets go of seen files, longest unused first, until they fit `budget`. */
  private async evict(budget: number): Promise<void> {
    const { database } = this.deps;
    const seen = (await database.offline.where('pinned').equals(0).toArray()).sort((a, b) => b.usedAt - a.usedAt);
    let bytes = 0;
    for (const row of seen) {
      bytes += row.bytes;
      if (bytes <= budget) continue;
      await dropCached(row);
      await database.offline.delete(row.entryId);
    }
  }
}

async function dropCached(row: OfflineRow): Promise<void> {
  await (await caches.open(OFFLINE_CACHE)).delete(contentAddress(row));
}

async function seenBudget(): Promise<number> {
  const quota = await navigator.storage.estimate().then(
    (estimate) => estimate.quota ?? 0,
    () => 0,
  );
  return Math.min(SEEN_BUDGET_BYTES_MAX, quota * SEEN_BUDGET_QUOTA_PART);
}

function countBytes(body: ReadableStream<Uint8Array<ArrayBuffer>>): { body: ReadableStream<Uint8Array<ArrayBuffer>>; bytes(): number } {
  let bytes = 0;
  const counter = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(piece, controller) {
      bytes += piece.length;
      controller.enqueue(piece);
    },
  });
  return { body: body.pipeThrough(counter), bytes: () => bytes };
}
