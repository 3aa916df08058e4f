/** Carries out what the planner decided about a refused operation, inside one transaction of the local store. */
import { unreachable } from '../model/assert';
import type { Entry } from '../model/entry';
import type { EntryId } from '../model/ids';
import { nameKey } from '../model/names';
import type { RefusedAction } from '../planning/plan-refused';
import type { LocalEntry, LocalTransfer, LocalWriting, QueuedRequest } from '../ports/local-store';
import type { Operation } from '../protocol/commit';
import { changedRow, freeNameIn, newRow, remoteOf, settledRow, writesContent } from './local-tree';
import { mergeFolder, redirectFile } from './merge-entries';
import type { Refusal, RejectContext } from './reject';

/** One refused operation with what is known around it. */
export interface Refused {
  readonly writing: LocalWriting;
  readonly request: QueuedRequest;
  readonly refusal: Refusal;
  readonly operation: Operation;
  readonly row: LocalEntry | undefined;
  /** The transfer that carries the operation's bytes. */
  readonly transfer: LocalTransfer | undefined;
  readonly context: RejectContext;
}

/** What stands in the operation's place when the request is tried again. */
export interface Instead {
  readonly operations: readonly Operation[];
  readonly transfers?: readonly string[];
}
const NOTHING: Instead = { operations: [] };

/** Carries out one action. The other operations of the request may be changed in the store; the refused one is left to the caller. */
export function act(one: Refused, action: RefusedAction): Promise<Instead> {
  const { operation } = one;
  switch (action.do) {
    case 'adopt_remote':
      return adoptRemote(one, action.tell);
    case 'settle':
      return settle(one);
    case 'place':
      return place(one, action.parentId, action.name);
    case 'rebase':
      return rebase(one, action.baseRevision);
    case 'restore_at_goal':
      if (operation.kind !== 'move') return giveUp(one);
      return Promise.resolve({ operations: [{ ...operation, kind: 'restore', baseRevision: action.baseRevision }] });
    case 'restore_first':
      return restoreFirst(one, action);
    case 'conflict_copy':
      return conflictCopy(one, action);
    case 'merge_text':
      return takeMerged(one);
    case 'merge_folder':
      return mergeFolder(one.writing, operation.entryId, action.into).then(() => NOTHING);
    case 'same_file':
      return sameFile(one, action.into);
    case 'send_again':
      return sendAgain(one);
    case 'give_up':
      return giveUp(one);
    default:
      return unreachable(action);
  }
}

function truthOf({ refusal, operation, row }: Refused): Entry | null {
  if (refusal.entry?.id === operation.entryId) return refusal.entry;
  return row === undefined ? null : remoteOf(row);
}

/** What else waits on the entry, in this request and the others. */
async function others({ writing, request, operation }: Refused): Promise<readonly Operation[]> {
  const requests = await writing.requests();
  return requests
    .flatMap((each) => (each.order === request.order ? request.operations.filter((own) => own !== operation) : each.operations))
    .filter(({ entryId }) => entryId === operation.entryId);
}

async function adoptRemote(one: Refused, tell: boolean): Promise<Instead> {
  const { writing, row, refusal, request } = one;
  if (row === undefined) return NOTHING;
  const truth = truthOf(one);
  const waiting = await others(one);
  if (waiting.length > 0 || row.transferId !== undefined) {
    // Other own changes go on; the place is the server's again unless one of them is about the place.
    if (truth !== null && waiting.every(writesContent)) {
      const { parentId, name, deletedAt, placeRevision } = truth;
      const revision = Math.max(row.contentRevision, placeRevision);
      await writing.putEntries([{ ...row, parentId, name, deletedAt, placeRevision, revision, remote: truth }]);
    }
    return NOTHING;
  }
  if (truth === null) await writing.removeEntries([row.id]);
  else {
    const settled = settledRow(truth, request.namespaceId);
    await writing.putEntries([tell ? { ...settled, state: 'failed', reason: refusal.reason } : settled]);
  }
  return NOTHING;
}

async function finish({ writing, transfer, context }: Refused): Promise<readonly string[]> {
  if (transfer === undefined) return [];
  await writing.updateTransfers([{ id: transfer.id, changes: { state: 'done', sentBytes: transfer.size, finishedAt: context.now } }]);
  return [transfer.id];
}

async function settle(one: Refused): Promise<Instead> {
  const { row, transfer, writing } = one;
  const transfers = await finish(one);
  const { transferId, ...rest } = row ?? {};
  const through = row !== undefined && transferId !== undefined && transferId === transfer?.id ? (rest as LocalEntry) : row;
  if (through !== undefined && through !== row) await writing.putEntries([through]);
  await adoptRemote({ ...one, row: through }, false);
  return { operations: [], transfers };
}

/** A name that is free here and is not the one the server refused. */
async function freeName({ writing, refusal, operation }: Refused, parentId: EntryId, name: string): Promise<string> {
  const refused =
    refusal.reason === 'name_taken' && 'name' in operation && operation.parentId === parentId ? [nameKey(operation.name)] : [];
  return freeNameIn(writing, { parentId, name, except: operation.entryId, taken: new Set(refused) });
}

/** The same operation at another place or under another name; the row follows unless it was moved on since. */
async function place(one: Refused, parentId: EntryId, wantedName: string): Promise<Instead> {
  const { row, writing, operation } = one;
  if (!('parentId' in operation)) return giveUp(one);
  const name = await freeName(one, parentId, wantedName);
  if (row !== undefined && row.parentId === operation.parentId && row.name === operation.name) {
    await writing.putEntries([{ ...row, parentId, name }]);
  }
  return { operations: [{ ...operation, parentId, name }] };
}

async function rebase(one: Refused, baseRevision: number): Promise<Instead> {
  const { operation } = one;
  // The server was just asked with this very base.
  if (!('baseRevision' in operation) || operation.baseRevision === baseRevision) return giveUp(one);
  return { operations: [{ ...operation, baseRevision }] };
}

async function restoreFirst(one: Refused, action: Extract<RefusedAction, { do: 'restore_first' }>): Promise<Instead> {
  const { writing, operation, row } = one;
  const { parentId, baseRevision } = action;
  const name = await freeName(one, parentId, action.name);
  const waiting = await others(one);
  if (row !== undefined && waiting.every(writesContent)) await writing.putEntries([{ ...row, parentId, name, deletedAt: null }]);
  return { operations: [{ kind: 'restore', entryId: operation.entryId, baseRevision, parentId, name }, operation] };
}

/** The losing bytes get an entry of their own; what else waits on the original stays with it. */
async function conflictCopy(one: Refused, action: Extract<RefusedAction, { do: 'conflict_copy' }>): Promise<Instead> {
  const { writing, row, transfer, request, context, operation } = one;
  if (!writesContent(operation) || operation.content.from === 'splices') return giveUp(one);
  const { parentId } = action;
  const { size, digest, mtime, content } = operation;
  const truth = truthOf(one);
  // Where nothing stands in its way, the entry itself may keep its name in the copy.
  const except = truth === null ? { except: operation.entryId } : {};
  const name = await freeNameIn(writing, { parentId, name: action.name, ...except });
  const id = context.random.uuid() as EntryId;
  const copy = { id, namespaceId: request.namespaceId, parentId, name, kind: 'file', size, digest, mtime } as const;
  if (transfer !== undefined)
    await writing.updateTransfers([{ id: transfer.id, changes: { entryId: id, parentId, name, baseRevision: null } }]);
  if (row !== undefined) await withoutContent(one, row, truth);
  await writing.putEntries([newRow({ ...copy, ...(transfer === undefined ? {} : { transferId: transfer.id }) })]);
  return { operations: [{ kind: 'create_file', entryId: id, parentId, name, size, digest, mtime, content }] };
}

/** The original after its bytes went into a copy: its content is the server's, its other changes wait on. */
async function withoutContent(one: Refused, row: LocalEntry, truth: Entry | null): Promise<void> {
  const { writing, request, transfer } = one;
  const waiting = await others(one);
  const newer = row.transferId !== undefined && row.transferId !== transfer?.id;
  if (truth === null) {
    if (!newer) await writing.removeEntries([row.id]);
    return;
  }
  if (waiting.length === 0 && !newer) {
    await writing.putEntries([settledRow(truth, request.namespaceId)]);
    return;
  }
  if (newer) return;
  const { transferId: _, ...rest } = row;
  const { size, digest, mtime, contentRevision } = truth;
  await writing.putEntries([{ ...rest, size, digest, mtime, contentRevision, remote: truth }]);
}

/** The merged text, staged already, takes the place of the bytes that were refused. */
async function takeMerged(one: Refused): Promise<Instead> {
  const { writing, row, transfer, context } = one;
  const { merged } = context;
  const truth = truthOf(one);
  if (merged === undefined || row === undefined || truth === null || transfer === undefined) return giveUp(one);
  if (merged.transferId === null) return settle(one);
  const [next] = await writing.transfers([merged.transferId]);
  if (next?.digest === undefined) return giveUp(one);
  const contentRevision = merged.remoteRevision;
  const { size, mtime, digest, id: transferId } = next;
  const based = { ...row, contentRevision, revision: Math.max(contentRevision, row.placeRevision), remote: truth };
  await writing.putEntries([changedRow(based, { size, mtime, digest, transferId })]);
  await writing.updateTransfers([{ id: transferId, changes: { baseRevision: contentRevision } }]);
  return { operations: [], transfers: [...(await finish(one)), transferId] };
}

/** Another device put the same bytes under the same name: there is nothing to add. */
async function sameFile(one: Refused, into: EntryId): Promise<Instead> {
  const transfers = await finish(one);
  await redirectFile(one.writing, one.operation.entryId, into, transfers);
  return { operations: [], transfers };
}

/** The server misses chunks it once had or should have had: they are asked for and sent anew, unless the person has overwritten them. */
async function sendAgain(one: Refused): Promise<Instead> {
  const { writing, row, transfer } = one;
  if (transfer === undefined) return giveUp(one);
  if (row?.transferId !== undefined && row.transferId !== transfer.id) {
    // Sent again they would come behind the newer bytes, and over them. Those take their place where they would have made the file.
    const heir = transfer.baseRevision === null ? [{ id: row.transferId, changes: { baseRevision: null } }] : [];
    await writing.updateTransfers([{ id: transfer.id, changes: { state: 'cancelled' } }, ...heir]);
    return { operations: [], transfers: [transfer.id] };
  }
  await writing.updateTransfers([{ id: transfer.id, changes: { state: 'staged', sentBytes: 0 } }]);
  return { operations: [], transfers: [transfer.id] };
}

/** Takes the operation out and tells the person why. Bytes stay staged and their row visible: nobody else has them. */
async function giveUp(one: Refused): Promise<Instead> {
  const { writing, row, refusal, transfer } = one;
  if (transfer === undefined) return adoptRemote(one, true);
  await writing.updateTransfers([{ id: transfer.id, changes: { state: 'failed', reason: refusal.reason } }]);
  if (row !== undefined) await writing.putEntries([{ ...row, state: 'failed', reason: refusal.reason }]);
  return { operations: [], transfers: [transfer.id] };
}
