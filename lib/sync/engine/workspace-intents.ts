import type { EntryId } from '../model/ids';
import { DEPTH_MAX } from '../model/limits';
import { nameKey } from '../model/names';
import type { Operation } from '../protocol/commit';
import { ancestors, folderNamespace, type IntentContext, queueOperations, refuse, type Wish, wish } from './intents';
import { changedRow, entriesIn, newRow } from './local-tree';

export interface NewFolder {
  readonly entryId: EntryId;
  readonly parentId: EntryId;
  /** Checked before. */
  readonly name: string;
}

/** Makes many folders in one transaction and as few requests as possible. Those whose name is taken meanwhile are left out of the result. */
export function createFolders(context: IntentContext, folders: readonly NewFolder[]): Promise<Wish> {
  return wish(context, async (writing) => {
    const mtime = context.clock.now();
    const made: EntryId[] = [];
    const operations: { namespaceId: Parameters<typeof queueOperations>[2][number]['namespaceId']; operation: Operation }[] = [];
    for (const { entryId, parentId, name } of folders) {
      const namespaceId = await folderNamespace(writing, context, parentId);
      if ((await writing.liveByName(parentId, nameKey(name))).length > 0) continue;
      if ((await ancestors(writing, parentId)).length + 1 >= DEPTH_MAX) continue;
      await writing.putEntries([newRow({ id: entryId, namespaceId, parentId, name, kind: 'folder', mtime })]);
      operations.push({ namespaceId, operation: { kind: 'create_folder', entryId, parentId, name, mtime } });
      made.push(entryId);
    }
    await queueOperations(writing, context, operations);
    return made;
  });
}

/** Puts an entry into a folder under a name, as one move. Refused when the name is taken or the folder stands in the entry itself. */
export function placeEntry(
  context: IntentContext,
  entryId: EntryId,
  place: { readonly parentId: EntryId; readonly name: string },
): Promise<Wish> {
  const { parentId, name } = place;
  return wish(context, async (writing) => {
    const namespaceId = await folderNamespace(writing, context, parentId);
    const [row] = await writing.entries([entryId]);
    if (row === undefined || row.deletedAt !== null) return refuse('This is not there any more.');
    if (row.namespaceId !== namespaceId) refuse('This cannot be moved there.');
    if (row.kind === 'folder' && [parentId, ...(await ancestors(writing, parentId))].includes(entryId))
      refuse('A folder cannot be moved into itself.');
    const standing = await writing.liveByName(parentId, nameKey(name));
    if (standing.some(({ id }) => id !== entryId)) refuse(`“${name}” is already there.`);
    const onlyInTransfer = row.remote === null && row.transferId !== undefined && !entriesIn(await writing.requests()).has(entryId);
    await writing.putEntries([changedRow(row, { parentId, name })]);
    const operation = { kind: 'move', entryId, baseRevision: row.placeRevision, parentId, name } as const;
    // The transfer's own request will say where.
    if (!onlyInTransfer) await queueOperations(writing, context, [{ namespaceId, operation }]);
    return [entryId];
  });
}
