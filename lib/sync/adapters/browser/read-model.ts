import { Dexie } from 'dexie';
import type { EntryId } from '../../model/ids';
import { nameKey } from '../../model/names';
import type { EntryRow, SatchelDatabase, TransferRow } from './database';

export type SortBy = 'name' | 'mtime' | 'size';
export interface Sort {
  readonly by: SortBy;
  readonly descending: boolean;
}

const INDEX: Readonly<Record<SortBy, string>> = {
  name: '[parentId+live+rank+sortKey]',
  mtime: '[parentId+live+rank+mtime]',
  size: '[parentId+live+rank+size]',
};

/** Ids of a folder's live entries in order, folders first. Reads keys only: 100,000 entries cost one index walk, the rows are read as they come into view. */
export async function folderIds(database: SatchelDatabase, parentId: EntryId, sort: Sort): Promise<readonly EntryId[]> {
  const rank = async (value: 0 | 1): Promise<EntryId[]> => {
    const keys = (await database.entries
      .where(INDEX[sort.by])
      .between([parentId, 1, value, Dexie.minKey], [parentId, 1, value, Dexie.maxKey])
      .primaryKeys()) as EntryId[];
    return sort.descending ? keys.reverse() : keys;
  };
  const [folders, files] = await Promise.all([rank(0), rank(1)]);
  return folders.concat(files);
}

/** Rows in the order of `ids`; those that are gone are left out. */
export async function entriesByIds(database: SatchelDatabase, ids: readonly EntryId[]): Promise<readonly EntryRow[]> {
  const rows = await database.entries.bulkGet([...ids]);
  return rows.filter((row): row is EntryRow => row !== undefined);
}

/** The folders above `entryId`, topmost first, the entry itself last; empty when it is unknown. The namespace's root has no row and is left out. */
export async function pathTo(database: SatchelDatabase, entryId: EntryId): Promise<readonly EntryRow[]> {
  const path: EntryRow[] = [];
  let row = await database.entries.get(entryId);
  while (row !== undefined && !path.some((seen) => seen.id === row?.id)) {
    path.unshift(row);
    row = await database.entries.get(row.parentId);
  }
  return path;
}

/** True when neither the entry nor a folder above it is deleted. */
export async function isLive(database: SatchelDatabase, entryId: EntryId): Promise<boolean> {
  const path = await pathTo(database, entryId);
  return path.length > 0 && path.every((row) => row.live === 1);
}

/** Live entries whose name contains every word of `query`, at most `limit`; best (prefix) matches first. */
export async function searchNames(database: SatchelDatabase, query: string, limit: number): Promise<readonly EntryRow[]> {
  const words = nameKey(query)
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return [];
  const found: EntryRow[] = [];
  await database.entries
    .filter((row) => row.live === 1 && words.every((word) => row.nameKey.includes(word)))
    .until(() => found.length >= limit * 4)
    .each((row) => {
      found.push(row);
    });
  const live: EntryRow[] = [];
  const first = words[0] as string;
  found.sort((a, b) => Number(b.nameKey.startsWith(first)) - Number(a.nameKey.startsWith(first)) || (a.sortKey < b.sortKey ? -1 : 1));
  for (const row of found) {
    if (live.length >= limit) break;
    if (await isLive(database, row.id)) live.push(row);
  }
  return live;
}

/** What is in the trash, newest first: deleted entries themselves, not what stands in deleted folders. */
export async function deletedEntries(database: SatchelDatabase, limit: number): Promise<readonly EntryRow[]> {
  return database.entries.where('deletedAt').above(0).reverse().limit(limit).toArray();
}

/** Transfers the tray shows, newest batch last. */
export async function transfers(database: SatchelDatabase): Promise<readonly TransferRow[]> {
  return (await database.transfers.toArray()).sort((a, b) => a.createdAt - b.createdAt);
}
