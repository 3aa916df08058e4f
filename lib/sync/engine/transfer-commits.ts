import type { EntryId, NamespaceId, RequestId } from '../model/ids';
import { COMMIT_OPERATIONS_MAX } from '../model/limits';
import type { Manifest } from '../model/manifest';
import type { Clock, Random } from '../ports/clock';
import type { LocalEntry, LocalStore, LocalTransfer, LocalWriting, TransferChange } from '../ports/local-store';
import type { Operation } from '../protocol/commit';
import { changedRow, entriesIn, newRow } from './local-tree';

/** Chunks named in one request: about 95 bytes of JSON each, and a request holds 8 MiB. */
const REQUEST_CHUNKS_MAX = 60_000;

/** Makes one file's staged bytes visible in the tree. `committed`: a request for the row's older transfer is already in the queue. */
function stagedRow(row: LocalEntry | undefined, transfer: LocalTransfer, committed: boolean): { row: LocalEntry; base: number | null } {
  const { id, entryId, namespaceId, parentId, name, size, mtime, digest = null } = transfer;
  if (row === undefined) {
    const file = { id: entryId, namespaceId, parentId, name, kind: 'file', size, digest, mtime, transferId: id } as const;
    return { row: newRow(file), base: null };
  }
  const unknown = row.remote === null && !committed;
  const base = unknown ? null : (transfer.baseRevision ?? row.contentRevision);
  return { row: changedRow(row, { size, digest, mtime, transferId: id }), base };
}

/**
 * Makes files whose bytes are safe on this device visible: new rows, or new content for rows that are replaced. To be called by intake in
 * bulk (1,000 at a time is one transaction of two reads and two writes). Applying a transfer twice changes nothing.
 */
export async function applyStagedTransfers(store: LocalStore, transferIds: readonly string[]): Promise<void> {
  for (let at = 0; at < transferIds.length; at += COMMIT_OPERATIONS_MAX) {
    await store.write((writing) => applySlice(writing, transferIds.slice(at, at + COMMIT_OPERATIONS_MAX)));
  }
}

async function applySlice(writing: LocalWriting, transferIds: readonly string[]): Promise<void> {
  const transfers = (await writing.transfers(transferIds)).filter(
    (transfer): transfer is LocalTransfer => transfer?.digest !== undefined && transfer.state !== 'cancelled' && transfer.state !== 'done',
  );
  const known = new Map((await writing.entries(transfers.map(({ entryId }) => entryId))).map((row) => [row?.id, row]));
  const replacing = transfers.some(({ entryId }) => known.get(entryId) !== undefined);
  const queued = replacing ? entriesIn(await writing.requests()) : new Set<EntryId>();
  const changes: TransferChange[] = [];
  const rows = new Map<EntryId, LocalEntry>();
  for (const transfer of transfers) {
    const before = rows.get(transfer.entryId) ?? known.get(transfer.entryId);
    if (before?.transferId === transfer.id) continue;
    // Deleted here while its bytes were read: the wish to delete came later and wins, unless it is not the same file any more.
    if (before !== undefined && before.deletedAt !== null) {
      changes.push({ id: transfer.id, changes: { state: 'cancelled' } });
      continue;
    }
    const { row, base } = stagedRow(before, transfer, queued.has(transfer.entryId));
    if (before?.transferId !== undefined && !queued.has(transfer.entryId)) {
      changes.push({ id: before.transferId, changes: { state: 'cancelled' } });
    }
    if (base !== transfer.baseRevision) changes.push({ id: transfer.id, changes: { baseRevision: base } });
    rows.set(row.id, row);
  }
  if (rows.size > 0) await writing.putEntries([...rows.values()]);
  if (changes.length > 0) await writing.updateTransfers(changes);
}

function operationOf(transfer: LocalTransfer, row: LocalEntry, manifest: Manifest): Operation {
  const { entryId, size, mtime, digest, baseRevision } = transfer;
  if (digest === undefined) throw new Error(`a durable transfer without a digest: ${transfer.id}`);
  const bytes = { size, digest, mtime, content: { from: 'chunks' as const, chunks: [...manifest] } };
  if (baseRevision === null) return { kind: 'create_file', entryId, parentId: row.parentId, name: row.name, ...bytes };
  return { kind: 'write_file', entryId, baseRevision, ...bytes };
}

/**
 * Turns transfers whose chunks are all on the server into one request at the end of the queue, behind the folders they belong in.
 * To be called while the queue is empty: nothing else says that a transfer has its request already. Returns whether there is something to send or to look at again.
 */
export async function queueDurableTransfers(
  store: LocalStore,
  context: { readonly random: Random; readonly clock: Clock },
): Promise<boolean> {
  return store.write(async (writing) => {
    if ((await writing.firstRequest()) !== undefined) return true;
    const durable = await writing.transfersIn(['durable'], COMMIT_OPERATIONS_MAX);
    const namespaceId = durable[0]?.namespaceId;
    if (namespaceId === undefined) return false;
    const ours = durable.filter((transfer) => transfer.namespaceId === namespaceId);
    const operations = await operationsOf(writing, ours);
    if (operations.length === 0) return (await writing.transfersIn(['durable'], COMMIT_OPERATIONS_MAX)).length < durable.length;
    await addRequest(writing, context, namespaceId, operations);
    return true;
  });
}

async function operationsOf(writing: LocalWriting, transfers: readonly LocalTransfer[]): Promise<Operation[]> {
  const { visible, rows } = await visibleTransfers(writing, transfers);
  const manifests = await writing.stagedManifests(visible);
  const operations: Operation[] = [];
  const seen = new Set<EntryId>();
  const changes: TransferChange[] = [];
  let chunks = 0;
  for (const [index, transfer] of visible.entries()) {
    const row = rows.get(transfer.entryId);
    const manifest = manifests[index];
    // Two contents of one file go into two requests, so that the second can name the first as its base.
    if (row === undefined || seen.has(transfer.entryId)) continue;
    if (manifest === null || manifest === undefined) {
      changes.push({ id: transfer.id, changes: { state: 'failed', reason: 'unreadable' } });
      continue;
    }
    if (operations.length > 0 && chunks + manifest.length > REQUEST_CHUNKS_MAX) break;
    chunks += manifest.length;
    seen.add(transfer.entryId);
    operations.push(operationOf(transfer, row, manifest));
  }
  if (changes.length > 0) await writing.updateTransfers(changes);
  return operations;
}

/** Sending may be quicker than intake's word that the bytes are safe: the rows must be there first. */
async function visibleTransfers(
  writing: LocalWriting,
  transfers: readonly LocalTransfer[],
): Promise<{ readonly visible: readonly LocalTransfer[]; readonly rows: ReadonlyMap<EntryId | undefined, LocalEntry | undefined> }> {
  const entryIds = transfers.map(({ entryId }) => entryId);
  const rows = new Map((await writing.entries(entryIds)).map((row) => [row?.id, row]));
  const hidden = transfers.filter(({ id, entryId }) => rows.get(entryId)?.transferId !== id).map(({ id }) => id);
  if (hidden.length === 0) return { visible: transfers, rows };
  await applySlice(writing, hidden);
  const again = await writing.transfers(transfers.map(({ id }) => id));
  const visible = again.filter((transfer): transfer is LocalTransfer => transfer?.state === 'durable');
  return { visible, rows: new Map((await writing.entries(entryIds)).map((row) => [row?.id, row])) };
}

/** Puts operations at the end of the queue as one request. */
export async function addRequest(
  writing: LocalWriting,
  { random, clock }: { readonly random: Random; readonly clock: Clock },
  namespaceId: NamespaceId,
  operations: readonly Operation[],
): Promise<void> {
  const requestId = random.uuid() as RequestId;
  await writing.addRequest({ requestId, namespaceId, operations, createdAt: clock.now(), attempts: 0 });
}
