import type { Entry } from '../model/entry';
import { type EntryId, rootOf } from '../model/ids';
import { nameKey } from '../model/names';
import { conflictName } from '../planning/conflict-name';
import type { Random } from '../ports/clock';
import type { LocalEntry, LocalTransfer, LocalWriting, QueuedRequest } from '../ports/local-store';
import type { CommitReply, Operation } from '../protocol/commit';
import type { ErrorCode } from '../protocol/error-codes';
import { adopt, freeNameIn, newRow, remoteOf, settledRow, writesContent } from './local-tree';

export interface RejectContext {
  readonly random: Random;
  readonly deviceName: string;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
}

/** What a rejection changed besides the tree: transfers that others must look at again. */
export interface Rejected {
  readonly transfers: readonly string[];
}

type Refusal = Extract<CommitReply, { ok: false }>;

/** One refused operation with what is known around it. `operations` becomes the request that is tried again. */
interface Case {
  readonly writing: LocalWriting;
  readonly request: QueuedRequest;
  readonly refusal: Refusal;
  readonly operation: Operation;
  readonly row: LocalEntry | undefined;
  /** The transfer that carries the operation's bytes. */
  readonly transfer: LocalTransfer | undefined;
  readonly context: RejectContext;
}
/** What stands in the operation's place when the request is tried again; null: nothing. */
type Instead = { readonly operation: Operation | null; readonly transfers?: readonly string[] };

/** A name that is free here and is not the one the server refused. */
async function anotherName({ writing, refusal, operation }: Case, parentId: EntryId, name: string): Promise<string> {
  const taken = new Set<string>();
  if (refusal.reason === 'name_taken') taken.add(nameKey(name));
  return freeNameIn(writing, { parentId, name, except: operation.entryId, taken });
}

/** The same operation at another place or under another name; the row follows unless it was moved on since. */
async function placed(one: Case, operation: Extract<Operation, { parentId: EntryId }>, parentId: EntryId, name: string): Promise<Instead> {
  const { row, writing } = one;
  if (row !== undefined && row.parentId === operation.parentId && row.name === operation.name) {
    await writing.putEntries([{ ...row, parentId, name }]);
  }
  return { operation: { ...operation, parentId, name } };
}

/** Two devices made the same folder: ours becomes theirs, with everything that was put into ours. */
async function mergeFolder({ writing, request, operation }: Case, standing: Entry): Promise<Instead> {
  const from = operation.entryId;
  const children = await writing.children(from);
  await writing.putEntries(children.map((child) => ({ ...child, parentId: standing.id })));
  for (const waiting of await writing.requests()) {
    if (waiting.order === request.order || !waiting.operations.some((each) => concerns(each, from))) continue;
    const operations = mergedOperations(waiting.operations, from, standing.id);
    if (operations.length === 0) await writing.removeRequest(waiting.order);
    else await writing.putRequest({ ...waiting, operations });
  }
  const unstaged = await writing.transfersIn(['queued', 'staging']);
  const moved = unstaged.filter(({ parentId }) => parentId === from);
  await writing.updateTransfers(moved.map(({ id }) => ({ id, changes: { parentId: standing.id } })));
  await writing.removeEntries([from]);
  return { operation: null };
}

function concerns(operation: Operation, folder: EntryId): boolean {
  return operation.entryId === folder || ('parentId' in operation && operation.parentId === folder);
}

/** Operations on the vanished folder itself are dropped: a deletion meant our empty folder, not what others keep in theirs. */
function mergedOperations(operations: readonly Operation[], from: EntryId, into: EntryId): Operation[] {
  return operations
    .filter(({ entryId }) => entryId !== from)
    .map((operation) => ('parentId' in operation && operation.parentId === from ? { ...operation, parentId: into } : operation));
}

/** The losing bytes get an entry of their own, named by the fixed rule, beside the one that won. */
async function conflictCopy(one: Case, operation: Extract<Operation, { kind: 'write_file' | 'create_file' }>): Promise<Instead> {
  const { writing, row, transfer, request, context, refusal } = one;
  const winner = refusal.entry ?? (row === undefined ? undefined : (remoteOf(row) ?? undefined));
  const place = winner ?? row;
  const parentId = place?.parentId ?? rootOf(request.namespaceId);
  const original = place?.name ?? transfer?.name ?? 'file';
  const name = await freeNameIn(writing, { parentId, name: conflictName(original, context.deviceName, context.now) });
  const { kind: _, entryId: __, ...bytes } = operation;
  const id = context.random.uuid() as EntryId;
  const { size, digest, mtime, content } = bytes;
  if (content.from === 'splices') return drop(one, 'failed');
  const copy = { id, namespaceId: request.namespaceId, parentId, name, kind: 'file', size, digest, mtime } as const;
  const rows: LocalEntry[] = [newRow({ ...copy, ...(transfer === undefined ? {} : { transferId: transfer.id }) })];
  if (row !== undefined && winner !== undefined) rows.push(settledRow(winner, request.namespaceId));
  if (transfer !== undefined)
    await writing.updateTransfers([{ id: transfer.id, changes: { entryId: id, parentId, name, baseRevision: null } }]);
  if (row !== undefined && winner === undefined) await writing.removeEntries([row.id]);
  await writing.putEntries(rows);
  return { operation: { kind: 'create_file', entryId: id, parentId, name, size, digest, mtime, content } };
}

/** Takes the operation out and the row back to what the server has; `failed` tells the person why. */
async function drop({ writing, row, request, refusal, transfer, operation }: Case, mode: 'quiet' | 'failed'): Promise<Instead> {
  const truth = refusal.entry?.id === operation.entryId ? refusal.entry : row === undefined ? null : remoteOf(row);
  if (transfer !== undefined) {
    await writing.updateTransfers([{ id: transfer.id, changes: { state: 'failed', reason: refusal.reason } }]);
    // The bytes stay staged and the row visible: nobody else has them.
    if (row !== undefined) await writing.putEntries([{ ...row, state: 'failed', reason: refusal.reason }]);
    return { operation: null, transfers: [transfer.id] };
  }
  if (row === undefined) return { operation: null };
  const waiting = (await writing.requests()).filter(({ order }) => order !== request.order);
  if (waiting.some(({ operations }) => operations.some(({ entryId }) => entryId === row.id))) return { operation: null };
  if (truth === null) await writing.removeEntries([row.id]);
  else {
    const settled = settledRow(truth, request.namespaceId);
    await writing.putEntries([mode === 'failed' ? { ...settled, state: 'failed', reason: refusal.reason } : settled]);
  }
  return { operation: null };
}

/** The server misses chunks it once had or should have had: they are asked for and sent anew. */
async function sendAgain(one: Case): Promise<Instead> {
  const { writing, transfer } = one;
  if (transfer === undefined) return drop(one, 'failed');
  await writing.updateTransfers([{ id: transfer.id, changes: { state: 'staged', sentBytes: 0 } }]);
  return { operation: null, transfers: [transfer.id] };
}

async function onNameTaken(one: Case): Promise<Instead> {
  const { operation, refusal } = one;
  if (!('parentId' in operation)) return drop(one, 'failed');
  const standing = refusal.entry;
  const live = standing !== undefined && standing.deletedAt === null;
  if (operation.kind === 'create_file' && live && standing.kind === 'file' && standing.digest === operation.digest)
    return alreadyThere(one);
  if (operation.kind === 'create_folder' && live && standing.kind === 'folder') return mergeFolder(one, standing);
  return placed(one, operation, operation.parentId, await anotherName(one, operation.parentId, operation.name));
}

async function onParentGone(one: Case): Promise<Instead> {
  const { operation, request } = one;
  const root = rootOf(request.namespaceId);
  // A move stays undone; what would exist nowhere else goes to the top.
  if (!('parentId' in operation) || operation.kind === 'move' || operation.parentId === root) return drop(one, 'failed');
  return placed(one, operation, root, await anotherName(one, root, operation.name));
}

/** Another device put the same bytes under the same name: there is nothing to add. */
async function alreadyThere({ writing, row, transfer, context }: Case): Promise<Instead> {
  if (row !== undefined) await writing.removeEntries([row.id]);
  if (transfer === undefined) return { operation: null };
  await writing.updateTransfers([{ id: transfer.id, changes: { state: 'done', sentBytes: transfer.size, finishedAt: context.now } }]);
  return { operation: null, transfers: [transfer.id] };
}

async function onEntryExists(one: Case): Promise<Instead> {
  const { operation, refusal, transfer } = one;
  const same = refusal.entry === undefined || !writesContent(operation) || refusal.entry.digest === operation.digest;
  if (!same && writesContent(operation)) return conflictCopy(one, operation);
  if (transfer === undefined) return drop(one, 'quiet');
  // Our own entry from a request whose reply we never saw.
  const { writing, row, request } = one;
  await writing.updateTransfers([{ id: transfer.id, changes: { state: 'done', finishedAt: one.context.now } }]);
  if (row !== undefined && refusal.entry !== undefined) await writing.putEntries([settledRow(refusal.entry, request.namespaceId)]);
  return { operation: null, transfers: [transfer.id] };
}

function settle(one: Case): Promise<Instead> {
  const { operation, refusal, transfer } = one;
  const reason: ErrorCode = refusal.reason;
  if (reason === 'name_taken') return onNameTaken(one);
  if (reason === 'chunk_missing') return sendAgain(one);
  if (reason === 'entry_exists') return onEntryExists(one);
  if (reason === 'parent_missing' || reason === 'not_a_folder' || reason === 'too_deep') return onParentGone(one);
  const outdated = reason === 'stale_base' || reason === 'entry_deleted' || reason === 'not_found' || reason === 'not_a_file';
  if (outdated && operation.kind === 'write_file') return conflictCopy(one, operation);
  if (reason === 'entry_deleted' && operation.kind === 'create_file' && transfer !== undefined) return onParentGone(one);
  // Deleting what is gone is what was wanted.
  return drop(one, reason === 'entry_deleted' && operation.kind === 'delete' ? 'quiet' : 'failed');
}

/**
 * The server refused one operation of a request, and so the whole request. Decides what becomes of that operation, changes tree and
 * queue in the same transaction, and leaves the rest to be tried again under a new request id (the refused one was not applied).
 * Bytes a person gave us always keep an entry or a transfer that can be retried.
 */
export async function reject(writing: LocalWriting, sent: QueuedRequest, refusal: Refusal, context: RejectContext): Promise<Rejected> {
  const queue = await writing.requests();
  const request = queue.find(({ requestId }) => requestId === sent.requestId);
  const operation = request?.operations[refusal.operation];
  if (request === undefined || operation === undefined) return { transfers: [] };
  if (refusal.entry !== undefined) await adopt(writing, request.namespaceId, [refusal.entry], queue);
  const [row] = await writing.entries([operation.entryId]);
  const transfer = writesContent(operation) ? await transferOf(writing, operation) : undefined;
  const { operation: instead, transfers = [] } = await settle({ writing, request, refusal, operation, row, transfer, context });
  let operations = request.operations.flatMap((each, index) =>
    index === refusal.operation ? (instead === null ? [] : [instead]) : [each],
  );
  if (instead === null && operation.kind === 'create_folder' && refusal.reason === 'name_taken' && refusal.entry !== undefined) {
    operations = mergedOperations(operations, operation.entryId, refusal.entry.id);
  }
  if (operations.length === 0) await writing.removeRequest(request.order);
  else {
    const requestId = context.random.uuid() as QueuedRequest['requestId'];
    await writing.putRequest({ ...request, requestId, operations, attempts: 0 });
  }
  return { transfers };
}

async function transferOf(
  writing: LocalWriting,
  operation: Extract<Operation, { kind: 'write_file' | 'create_file' }>,
): Promise<LocalTransfer | undefined> {
  const transfers = await writing.transfersOf([operation.entryId]);
  return transfers.find(({ state, digest }) => state === 'durable' && digest === operation.digest);
}
