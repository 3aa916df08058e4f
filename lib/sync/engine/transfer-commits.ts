import type { Digest, EntryId, NamespaceId, RequestId } from '../model/ids';
import { COMMIT_OPERATIONS_MAX } from '../model/limits';
import type { Manifest } from '../model/manifest';
import type { Clock, Random } from '../ports/clock';
import type { LocalEntry, LocalStore, LocalTransfer, LocalWriting, QueuedRequest, TransferChange } from '../ports/local-store';
import type { Operation } from '../protocol/commit';
import { emptied, mustBeHeld } from './held';
import { changedRow, entriesIn, newRow, writesContent } from './local-tree';
import { sendable } from './next-request';

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
  // Deleted by somebody else meanwhile: shown, and the server's refusal decides where the bytes go.
  return { row: changedRow(row, { size, digest, mtime, transferId: id, deletedAt: null }), base };
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
  // Only requests that bring content count: one that moves the file says nothing of an older transfer.
  const queued = replacing ? contentIn(await writing.requests()) : new Map<EntryId, ReadonlySet<Digest>>();
  const changes: TransferChange[] = [];
  const rows = new Map<EntryId, LocalEntry>();
  for (const transfer of transfers) {
    const before = rows.get(transfer.entryId) ?? known.get(transfer.entryId);
    if (before?.transferId === transfer.id) continue;
    // Its commit waits already, so it was shown: what is shown now came after it.
    if (before?.transferId !== undefined && transfer.digest !== undefined && queued.get(transfer.entryId)?.has(transfer.digest)) continue;
    // Deleted here while its bytes were read: the wish to delete came later and wins.
    if (before !== undefined && before.deletedAt !== null && before.remote !== undefined) {
      changes.push({ id: transfer.id, changes: { state: 'cancelled' } });
      continue;
    }
    if (transfer.shown === true && before?.transferId !== undefined) {
      changes.push(...overwritten(transfer, before.transferId, queued));
      continue;
    }
    const { row, base } = stagedRow(before, transfer, queued.has(transfer.entryId));
    const isQueued = before?.digest != null && queued.get(transfer.entryId)?.has(before.digest) === true;
    // What the person has overwritten ends, unless its commit waits already; left over, it would come back over the newer bytes.
    if (before?.transferId !== undefined && !isQueued) {
      changes.push({ id: before.transferId, changes: { state: 'cancelled' } });
    }
    changes.push({ id: transfer.id, changes: { shown: true, ...(base === transfer.baseRevision ? {} : { baseRevision: base }) } });
    rows.set(row.id, row);
  }
  if (rows.size > 0) await writing.putEntries([...rows.values()]);
  if (changes.length > 0) await writing.updateTransfers(changes);
}

/**
 * Bytes that were shown once and were replaced by the newer ones of `by`: they never come back over them. Unless their commit waits
 * already they end, and the newer ones take their place where they would have made the file.
 */
function overwritten(transfer: LocalTransfer, by: string, queued: ReadonlyMap<EntryId, ReadonlySet<Digest>>): readonly TransferChange[] {
  const { id, entryId, digest, baseRevision } = transfer;
  if (digest !== undefined && queued.get(entryId)?.has(digest) === true) return [];
  const end: TransferChange = { id, changes: { state: 'cancelled' } };
  return baseRevision === null ? [end, { id: by, changes: { baseRevision: null } }] : [end];
}

/** Digests of the contents that wait in the queue, by file. */
function contentIn(requests: readonly QueuedRequest[]): ReadonlyMap<EntryId, ReadonlySet<Digest>> {
  const contents = new Map<EntryId, Set<Digest>>();
  for (const { entryId, digest } of requests.flatMap(({ operations }) => operations.filter(writesContent))) {
    contents.set(entryId, (contents.get(entryId) ?? new Set()).add(digest));
  }
  return contents;
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
 * To be called while nothing of the queue may be sent: entries about which something waits there have their request already, or come
 * after it. Many emptied files at once are held. Returns whether there is something to send or to look at again.
 */
export async function queueDurableTransfers(
  store: LocalStore,
  context: { readonly random: Random; readonly clock: Clock },
): Promise<boolean> {
  return store.write(async (writing) => {
    const queue = await writing.requests();
    if ((await sendable(writing, queue)).length > 0) return true;
    // What is held may concern thousands of transfers: behind them there may be others.
    const durable = await writing.transfersIn(['durable'], queue.length === 0 ? COMMIT_OPERATIONS_MAX : undefined);
    const queued = entriesIn(queue);
    const free = durable.filter(({ entryId }) => !queued.has(entryId)).slice(0, COMMIT_OPERATIONS_MAX);
    const namespaceId = free[0]?.namespaceId;
    if (namespaceId === undefined) return false;
    const ours = free.filter((transfer) => transfer.namespaceId === namespaceId);
    const operations = await operationsOf(writing, ours);
    if (operations.length === 0) return (await writing.transfersIn(['durable'])).length < durable.length;
    const held = await mustBeHeld(writing, namespaceId, await emptied(writing, operations));
    await addRequest(writing, context, namespaceId, operations, held);
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

/** Puts operations at the end of the queue as one request; `held`: to wait there for the person's word. */
export async function addRequest(
  writing: LocalWriting,
  { random, clock }: { readonly random: Random; readonly clock: Clock },
  namespaceId: NamespaceId,
  operations: readonly Operation[],
  held = false,
): Promise<void> {
  const requestId = random.uuid() as RequestId;
  const hold = held ? { held: 'mass_deletion' as const } : {};
  await writing.addRequest({ requestId, namespaceId, operations, createdAt: clock.now(), attempts: 0, ...hold });
}
