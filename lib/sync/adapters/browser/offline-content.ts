import { liveQuery } from 'dexie';
import type { Clock } from '../../ports/clock';
import type { Log } from '../../ports/log';
import { contentAddress } from '../../protocol/routes';
import { type EntryRow, OFFLINE_CACHE, type OfflineRow, type SatchelDatabase } from './database';
import { isQuotaError } from './opfs-staging';
import { Ancestors, applyPins, SEEN_BYTES_DEFAULT, SEEN_BYTES_KEY, seenBytes } from './pins';

/** Files up to this size are kept once they were looked at. */
const SEEN_BYTES_MAX = 64 * 1024 * 1024;
/** Files that were only seen never fill more than this part of what the browser gives us, whatever the person set. */
const SEEN_BUDGET_QUOTA_PART = 0.2;
/** Left free for staging, rows and the shell. */
const SPARE_BYTES = 64 * 1024 * 1024;
/** Between two looks at everything that is kept, however much happens meanwhile. */
const REST_MILLISECONDS = 500;
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
 * Fetches what is pinned or `wanted` into the cache, follows it to new revisions, and lets go of what nobody pinned and nobody used for
 * long, and of what nobody can reach any more. Runs in the worker that holds the lease; sees wishes by watching the database.
 */
export class OfflineContent {
  private dirty = false;
  private waiting: AbortController | null = null;

  constructor(private readonly deps: OfflineContentDeps) {}

  /** Entries changed: looks soon. Cheap; may be called for every change. */
  kick(): void {
    this.dirty = true;
    this.waiting?.abort();
  }

  async run(lost: AbortSignal): Promise<void> {
    const { database, clock, log } = this.deps;
    const wishes = async (): Promise<unknown> => [
      await database.offline.where('state').equals('wanted').count(),
      await database.pins.toCollection().primaryKeys(),
      await database.settings.get(SEEN_BYTES_KEY),
    ];
    const watching = liveQuery(wishes).subscribe({
      next: () => this.kick(),
      error: (error: unknown) => log.warn('offline.watch_ended', { error: String(error) }),
    });
    const stop = (): void => this.waiting?.abort();
    lost.addEventListener('abort', stop, { once: true });
    try {
      while (!lost.aborted) {
        this.dirty = false;
        const all = await this.turn(lost);
        await clock.sleep(REST_MILLISECONDS, lost);
        if (this.dirty || lost.aborted) continue;
        this.waiting = new AbortController();
        await clock.sleep(all ? REFRESH_MILLISECONDS : RETRY_MILLISECONDS, this.waiting.signal);
        this.waiting = null;
      }
    } finally {
      watching.unsubscribe();
      lost.removeEventListener('abort', stop);
    }
  }

  /** True when everything wanted is present. */
  private async turn(lost: AbortSignal): Promise<boolean> {
    const { database, clock } = this.deps;
    await applyPins(database, clock.now());
    await this.follow();
    await this.evict(Math.min(await seenBytes(database), (await room()).quota * SEEN_BUDGET_QUOTA_PART));
    const wanted = await database.offline.where('state').anyOf('wanted', 'too_big').toArray();
    // What a person asked for comes before what was only seen; small before large, so that as many as can be are kept.
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
    const above = new Ancestors(database);
    for (const [index, row] of rows.entries()) {
      const entry = entries[index];
      const reachable = entry !== undefined && (await above.isLive(entry));
      if (reachable && (entry.contentRevision === row.contentRevision || entry.transferId !== undefined)) continue;
      await dropCached(row);
      if (!reachable || row.pinned === 0) await database.offline.delete(row.entryId);
      else await database.offline.put({ ...row, contentRevision: entry.contentRevision, bytes: entry.size, state: 'wanted' });
    }
  }

  /** Makes room by letting go of seen files; false when there is none even so, which the row then says. */
  private async fits(row: OfflineRow): Promise<boolean> {
    const needed = row.bytes + SPARE_BYTES;
    const before = await room();
    if (before.known && needed > before.free && row.pinned === 1) await this.evict(0);
    const { known, free } = await room();
    const fits = !known || needed <= free;
    if (!fits) await this.refuse(row);
    return fits;
  }

  /** There is no room for it: a pinned file says so, one that was only seen is forgotten. */
  private async refuse(row: OfflineRow): Promise<void> {
    if (row.pinned === 1) await this.mark(row, 'too_big');
    else await this.deps.database.offline.delete(row.entryId);
  }

  private async mark(row: OfflineRow, state: OfflineRow['state']): Promise<number> {
    const { offline } = this.deps.database;
    const same = offline.where('entryId').equals(row.entryId);
    return same.and((now) => now.contentRevision === row.contentRevision).modify({ state });
  }

  /** Fetches one file; false when it has to be tried again later. */
  private async bring(row: OfflineRow, lost: AbortSignal): Promise<boolean> {
    const { database, log } = this.deps;
    const entry = await database.entries.get(row.entryId);
    // Its bytes are still on their way up; until they are there the staged ones serve.
    if (entry === undefined || entry.transferId !== undefined) return true;
    if (!(await this.fits(row))) return false;
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
        await dropCached(row);
        await this.refuse(row);
        await this.evict(0);
      }
      return false;
    }
  }

  private async settle(row: OfflineRow): Promise<boolean> {
    if ((await this.mark(row, 'present')) === 0) await dropCached(row);
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

/** What the browser says about its storage, in bytes. Not `known`: it says nothing, so only writing shows. */
async function room(): Promise<{ readonly known: boolean; readonly quota: number; readonly free: number }> {
  try {
    const { quota, usage = 0 } = await navigator.storage.estimate();
    if (quota !== undefined) return { known: true, quota, free: Math.max(0, quota - usage) };
  } catch {
    // Some private modes refuse the question.
  }
  return { known: false, quota: SEEN_BYTES_DEFAULT, free: 0 };
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
