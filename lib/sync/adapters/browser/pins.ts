import { Dexie } from 'dexie';
import type { EntryId } from '../../model/ids';
import type { EntryRow, OfflineRow, SatchelDatabase } from './database';

/** Row of `settings`: bytes that files may fill that were only seen. */
export const SEEN_BYTES_KEY = 'offline-seen-bytes';
/** Used until the person says otherwise. */
export const SEEN_BYTES_DEFAULT = 1_000_000_000;

/** Bytes that files may fill which were only seen, as the person set it. */
export async function seenBytes(database: SatchelDatabase): Promise<number> {
  const value = (await database.settings.get(SEEN_BYTES_KEY))?.value;
  return typeof value === 'number' && value >= 0 ? value : SEEN_BYTES_DEFAULT;
}

export async function setSeenBytes(database: SatchelDatabase, bytes: number): Promise<void> {
  await database.settings.put({ key: SEEN_BYTES_KEY, value: bytes });
}

/** Keeps these entries for offline use, folders with everything in them, now and later. Durable when it resolves; fetching follows. */
export async function pin(database: SatchelDatabase, entryIds: readonly EntryId[], now: number): Promise<void> {
  await database.pins.bulkPut(entryIds.map((entryId) => ({ entryId, pinnedAt: now })));
  // Here too, and not only where it is fetched: what waits is shown at once.
  await applyPins(database, now);
}

/**
 * Lets go of these entries, and of what was pinned by itself below them. What stands in a folder that stays pinned is kept all the
 * same: the answer names the first such folder, null when there is none.
 */
export async function unpin(database: SatchelDatabase, entryIds: readonly EntryId[], now: number): Promise<EntryRow | null> {
  const asked = new Set(entryIds);
  const gone: EntryId[] = [];
  let keptBy: EntryRow | null = null;
  const above = new Ancestors(database);
  for (const { entryId } of await database.pins.toArray()) {
    const path = await above.of(entryId);
    if (asked.has(entryId) || path.some(({ id }) => asked.has(id))) gone.push(entryId);
  }
  await database.pins.bulkDelete(gone);
  const left = new Set((await database.pins.toCollection().primaryKeys()) as EntryId[]);
  for (const entryId of entryIds) keptBy ??= (await above.of(entryId)).find(({ id }) => left.has(id)) ?? null;
  await applyPins(database, now);
  return keptBy;
}

/** Folders above entries, each read once. */
export class Ancestors {
  private readonly rows = new Map<EntryId, Promise<EntryRow | undefined>>();

  constructor(private readonly database: SatchelDatabase) {}

  /** The folders above an entry, nearest first; the namespace's root has no row and is left out. */
  async of(entryId: EntryId): Promise<readonly EntryRow[]> {
    const row = await this.row(entryId);
    return row === undefined ? [] : this.above(row);
  }

  /** As `of`, for an entry that was read already. */
  async above(entry: EntryRow): Promise<readonly EntryRow[]> {
    const path: EntryRow[] = [];
    for (let row = await this.row(entry.parentId); row !== undefined; row = await this.row(row.parentId)) {
      // A tree that is torn for a moment (a page of the journal is half applied) must not turn this into a circle.
      if (path.includes(row)) break;
      path.push(row);
    }
    return path;
  }

  /** True when neither the entry nor a folder above it is deleted. */
  async isLive(entry: EntryRow): Promise<boolean> {
    return entry.live === 1 && (await this.above(entry)).every(({ live }) => live === 1);
  }

  private row(id: EntryId): Promise<EntryRow | undefined> {
    const known = this.rows.get(id) ?? this.database.entries.get(id);
    this.rows.set(id, known);
    return known;
  }
}

/** Every live file that is to be kept: the pinned ones, and those in pinned folders. Pins of entries that no longer exist go. */
export async function pinnedFiles(database: SatchelDatabase): Promise<readonly EntryRow[]> {
  const ids = (await database.pins.toCollection().primaryKeys()) as EntryId[];
  if (ids.length === 0) return [];
  const rows = await database.entries.bulkGet(ids);
  await database.pins.bulkDelete(ids.filter((_, index) => rows[index] === undefined));
  const above = new Ancestors(database);
  const files = new Map<EntryId, EntryRow>();
  const folders = new Set<EntryId>();
  const open: EntryRow[] = [];
  // Deleted entries keep their pins while they are in the trash: restored, they are kept again.
  for (const row of rows) if (row !== undefined && (await above.isLive(row))) open.push(row);
  for (let row = open.pop(); row !== undefined; row = open.pop()) {
    if (row.kind === 'file') files.set(row.id, row);
    else if (!folders.has(row.id)) {
      folders.add(row.id);
      const live = database.entries.where('[parentId+live+rank+sortKey]');
      open.push(...(await live.between([row.id, 1, Dexie.minKey, Dexie.minKey], [row.id, 1, Dexie.maxKey, Dexie.maxKey]).toArray()));
    }
  }
  return [...files.values()];
}

/** Makes `offline` say what pins ask for: files that came into a pinned folder are wanted, those that left it are as any other. */
export async function applyPins(database: SatchelDatabase, now: number): Promise<void> {
  const files = new Map((await pinnedFiles(database)).map((row) => [row.id, row]));
  await database.transaction('rw', database.offline, async (transaction) => {
    const offline = transaction.table<OfflineRow, EntryId>('offline');
    const rows = await offline.toArray();
    const known = new Map(rows.map((row) => [row.entryId, row]));
    const put: OfflineRow[] = [];
    const gone: EntryId[] = [];
    for (const { id: entryId, namespaceId, contentRevision, size: bytes } of files.values()) {
      const row = known.get(entryId);
      if (row === undefined) put.push({ entryId, namespaceId, contentRevision, bytes, pinned: 1, state: 'wanted', usedAt: now });
      else if (row.pinned === 0) put.push({ ...row, pinned: 1 });
    }
    for (const row of rows) {
      if (row.pinned === 0 || files.has(row.entryId)) continue;
      // Present, it is as one that was seen: it goes when its room is needed.
      if (row.state === 'present') put.push({ ...row, pinned: 0 });
      else gone.push(row.entryId);
    }
    await offline.bulkPut(put);
    await offline.bulkDelete(gone);
  });
}

/** How far a pin is kept: how many files it stands for, their bytes, and how many of them are not here yet, or have no room. */
export interface PinSummary {
  readonly files: number;
  readonly bytes: number;
  readonly waiting: number;
  readonly tooBig: number;
}

/** Every pin of a live entry, in order of names; files below two pins count for both. */
export async function pinSummaries(database: SatchelDatabase): Promise<ReadonlyMap<EntryId, PinSummary>> {
  const above = new Ancestors(database);
  const ids = (await database.pins.toCollection().primaryKeys()) as EntryId[];
  const pins = (await database.entries.bulkGet(ids)).filter((row): row is EntryRow => row !== undefined);
  const sums = new Map<EntryId, { files: number; bytes: number; waiting: number; tooBig: number }>();
  for (const row of pins.sort((a, b) => a.rank - b.rank || (a.sortKey < b.sortKey ? -1 : 1))) {
    if (await above.isLive(row)) sums.set(row.id, { files: 0, bytes: 0, waiting: 0, tooBig: 0 });
  }
  const rows = await database.offline.where('pinned').equals(1).toArray();
  const files = await database.entries.bulkGet(rows.map(({ entryId }) => entryId));
  for (const [index, { bytes, state }] of rows.entries()) {
    const file = files[index];
    if (file === undefined) continue;
    for (const { id } of [file, ...(await above.above(file))]) {
      const sum = sums.get(id);
      if (sum === undefined) continue;
      sum.files += 1;
      sum.bytes += bytes;
      if (state === 'wanted') sum.waiting += 1;
      if (state === 'too_big') sum.tooBig += 1;
    }
  }
  return sums;
}

/** Bytes kept for offline use on this device. */
export interface OfflineRoom {
  readonly pinnedBytes: number;
  readonly seenBytes: number;
  /** Pinned, but not here: they do not fit. */
  readonly tooBigBytes: number;
}

export async function offlineRoom(database: SatchelDatabase): Promise<OfflineRoom> {
  const room = { pinnedBytes: 0, seenBytes: 0, tooBigBytes: 0 };
  await database.offline.each(({ pinned, state, bytes }) => {
    if (state === 'too_big') room.tooBigBytes += bytes;
    else if (state === 'present') room[pinned === 1 ? 'pinnedBytes' : 'seenBytes'] += bytes;
  });
  return room;
}
