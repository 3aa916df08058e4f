import { Dexie } from 'dexie';
import type { EntryRow, SatchelDatabase } from '@/lib/sync/adapters/browser/database';
import type { EntryId } from '@/lib/sync/model/ids';

/** Folders shown under one parent in a tree. */
const FOLDERS_MAX = 500;

/** A folder's live subfolders in natural order. */
export function subfolders(database: SatchelDatabase, parentId: EntryId): Promise<EntryRow[]> {
  return database.entries
    .where('[parentId+live+rank+sortKey]')
    .between([parentId, 1, 0, Dexie.minKey], [parentId, 1, 0, Dexie.maxKey])
    .limit(FOLDERS_MAX)
    .toArray();
}

/** Ids of a folder's entries whose name key begins with `prefix`, at most 500. Deleted ones may be among them. */
export function idsByPrefix(database: SatchelDatabase, parentId: EntryId, prefix: string): Promise<EntryId[]> {
  return database.entries
    .where('[parentId+nameKey]')
    .between([parentId, prefix], [parentId, `${prefix}\uffff`])
    .limit(500)
    .primaryKeys() as unknown as Promise<EntryId[]>;
}

/** True when both lists name the same ids in the same order. */
export function sameIds(a: readonly EntryId[], b: readonly EntryId[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index]);
}
