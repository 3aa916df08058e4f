/** Two devices made the same thing: ours becomes theirs, with everything that hangs on it. */
import type { EntryId } from '../model/ids';
import type { LocalTransfer, LocalWriting } from '../ports/local-store';
import type { Operation } from '../protocol/commit';
import { changedRow } from './local-tree';

const OVER: ReadonlySet<LocalTransfer['state']> = new Set(['done', 'cancelled']);

/** Replaces every mention of `from` in the queue. Operations on the vanished entry itself are dropped: what was wanted of it meant ours alone. */
async function redirectQueue(writing: LocalWriting, from: EntryId, change: (operation: Operation) => Operation): Promise<void> {
  for (const request of await writing.requests()) {
    let touched = false;
    const operations = request.operations.flatMap((operation) => {
      // The refused creation itself is its caller's.
      const creates = operation.kind === 'create_folder' || operation.kind === 'create_file';
      if (operation.entryId === from && !creates) {
        touched = true;
        return [];
      }
      const next = change(operation);
      touched ||= next !== operation;
      return [next];
    });
    if (!touched) continue;
    if (operations.length === 0) await writing.removeRequest(request.order);
    else await writing.putRequest({ ...request, operations });
  }
}

/** The folder `from`, which only this device has, becomes `into`: its children, what waits for them, and uploads on their way into it. */
export async function mergeFolder(writing: LocalWriting, from: EntryId, into: EntryId): Promise<void> {
  const children = await writing.children(from);
  await writing.putEntries(children.map((child) => ({ ...child, parentId: into })));
  await redirectQueue(writing, from, (operation) =>
    'parentId' in operation && operation.parentId === from ? { ...operation, parentId: into } : operation,
  );
  const unstaged = await writing.transfersIn(['queued', 'staging', 'staged', 'sending', 'durable', 'failed']);
  const moved = unstaged.filter(({ parentId }) => parentId === from);
  await writing.updateTransfers(moved.map(({ id }) => ({ id, changes: { parentId: into } })));
  await writing.removeEntries([from]);
}

/** The file `from`, which only this device has, becomes `into`, which has the same bytes. Newer bytes on their way to it go on there; those of `finished` are through. */
export async function redirectFile(writing: LocalWriting, from: EntryId, into: EntryId, finished: readonly string[]): Promise<void> {
  const [ours, theirs] = await writing.entries([from, into]);
  const contentRevision = theirs?.remote?.contentRevision ?? theirs?.contentRevision;
  await redirectQueue(writing, from, (operation) => {
    const copies = 'content' in operation && operation.content.from === 'copy' && operation.content.entryId === from;
    if (!copies || contentRevision === undefined) return operation;
    return { ...operation, content: { from: 'copy', entryId: into, contentRevision } };
  });
  const later = (await writing.transfersOf([from])).filter(({ id, state }) => !OVER.has(state) && !finished.includes(id));
  if (contentRevision !== undefined) {
    await writing.updateTransfers(later.map(({ id }) => ({ id, changes: { entryId: into, baseRevision: contentRevision } })));
    const newest = later.find(({ id }) => id === ours?.transferId);
    if (ours !== undefined && theirs !== undefined && newest !== undefined) {
      const { size, digest, mtime } = ours;
      await writing.putEntries([changedRow(theirs, { size, digest, mtime, transferId: newest.id })]);
    }
  }
  await writing.removeEntries([from]);
}
