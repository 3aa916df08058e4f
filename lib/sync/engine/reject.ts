import type { Entry } from '../model/entry';
import { type EntryId, rootOf } from '../model/ids';
import { DEPTH_MAX } from '../model/limits';
import { planRefused, type RefusedCase } from '../planning/plan-refused';
import type { Wanted } from '../planning/trees';
import type { Random } from '../ports/clock';
import type { LocalEntry, LocalReading, LocalTransfer, LocalWriting, QueuedRequest } from '../ports/local-store';
import type { CommitReply, Operation } from '../protocol/commit';
import { act, type Refused } from './act-on-refusal';
import { adopt, remoteOf, writesContent } from './local-tree';

export interface RejectContext {
  readonly random: Random;
  readonly deviceName: string;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  /** What became of merging the texts; absent: it was not tried, or cannot be. */
  readonly merged?: MergedText;
}

/** A merge of two texts that was made outside the store's transactions: staged, or nothing new beside what the server has. */
export interface MergedText {
  /** The revision of the server's content that went into it. */
  readonly remoteRevision: number;
  /** null: the result is what the server has already. */
  readonly transferId: string | null;
}

/** What a rejection changed besides the tree: transfers that others must look at again. */
export interface Rejected {
  readonly transfers: readonly string[];
}

export type Refusal = Extract<CommitReply, { ok: false }>;

/** What the server is known to have of a folder; own new folders count as they are. */
function known(row: LocalEntry): Pick<Entry, 'parentId' | 'deletedAt'> {
  return remoteOf(row) ?? row;
}

/** `folderId` if it and everything above it is live as far as this device knows, else the nearest folder above that is. `here`: nor deleted by the person. */
async function liveFolder(reading: LocalReading, folderId: EntryId, root: EntryId, here = false): Promise<EntryId> {
  let nearest = folderId;
  let id = folderId;
  for (let depth = 0; id !== root; depth++) {
    const [row] = await reading.entries([id]);
    if (row === undefined || depth > DEPTH_MAX) return root;
    const { parentId, deletedAt } = known(row);
    const gone = deletedAt !== null || (here && row.deletedAt !== null);
    if (gone || row.kind !== 'folder') nearest = parentId;
    id = parentId;
  }
  return nearest;
}

/** The nearest live folder strictly above `folderId`. */
async function liveFolderAbove(reading: LocalReading, folderId: EntryId, root: EntryId): Promise<EntryId> {
  if (folderId === root) return root;
  const [row] = await reading.entries([folderId]);
  return row === undefined ? root : liveFolder(reading, known(row).parentId, root);
}

async function transferOf(reading: LocalReading, operation: Operation): Promise<LocalTransfer | undefined> {
  if (!writesContent(operation)) return undefined;
  const transfers = await reading.transfersOf([operation.entryId]);
  return transfers.find(({ state, digest }) => state === 'durable' && digest === operation.digest);
}

function bytesOf(operation: Operation, transfer: LocalTransfer | undefined): RefusedCase['bytes'] {
  if (transfer !== undefined) return 'staged';
  return writesContent(operation) && operation.content.from !== 'splices' ? 'copied' : 'none';
}

/** The person has deleted the entry, and the deletion waits here. */
async function goes(reading: LocalReading, entry: Entry | undefined): Promise<boolean> {
  if (entry === undefined) return false;
  const [row] = await reading.entries([entry.id]);
  if (row?.deletedAt == null) return false;
  const waits = (each: Operation) => each.kind === 'delete' && each.entryId === entry.id;
  return (await reading.requests()).some(({ operations }) => operations.some(waits));
}

/** Everything the planner has to know about a refused operation. */
export async function refusedCase(
  reading: LocalReading,
  { request, operation, refusal, row, transfer }: Omit<Refused, 'writing' | 'context'>,
  author: Pick<RejectContext, 'deviceName' | 'now' | 'merged'>,
): Promise<RefusedCase> {
  const root = rootOf(request.namespaceId);
  const remote = refusal.entry?.id === operation.entryId ? refusal.entry : row === undefined ? null : remoteOf(row);
  const parentId = 'parentId' in operation ? operation.parentId : (row?.parentId ?? root);
  const remoteFolder = remote?.parentId ?? root;
  const standsIn = await liveFolder(reading, remoteFolder, root);
  const carries = row?.transferId === undefined || row.transferId === transfer?.id || row.transferId === author.merged?.transferId;
  const [newer] = carries ? [] : await reading.transfers([row.transferId as string]);
  // The server says that something above is deleted, and this device has not heard of it: at least one folder up.
  const unheard = refusal.reason === 'entry_deleted' && remote?.deletedAt === null && standsIn === remoteFolder;
  return {
    wanted: operation,
    reason: refusal.reason,
    trees: {
      synced: row === undefined || row.remote === null ? null : row,
      local: row ?? null,
      remote,
    },
    standing: refusal.entry !== undefined && refusal.entry.id !== operation.entryId ? refusal.entry : null,
    standingGoes: await goes(reading, refusal.entry),
    bytes: bytesOf(operation, transfer),
    newerDigest: newer?.digest,
    root,
    refuge: await liveFolderAbove(reading, parentId, root),
    // Not into a folder whose deletion waits here: what is kept would go with it.
    remoteRefuge: await liveFolder(reading, unheard ? await liveFolderAbove(reading, remoteFolder, root) : standsIn, root, true),
    wantedFolderLive: (await liveFolder(reading, parentId, root)) === parentId,
    // Newer bytes of our own are on their way: merging the older ones would only be in their way. What was merged may show already.
    canMerge: transfer !== undefined && row?.transferId !== undefined && carries,
    author,
  };
}

/** The refused operation and what this device has about it; null when the request is not in the queue any more. */
export async function findRefused(
  reading: LocalReading,
  sent: QueuedRequest,
  refusal: Refusal,
): Promise<Omit<Refused, 'writing' | 'context'> | null> {
  const request = (await reading.requests()).find(({ requestId }) => requestId === sent.requestId);
  const operation = request?.operations[refusal.operation];
  if (request === undefined || operation === undefined) return null;
  const [row] = await reading.entries([operation.entryId]);
  return { request, refusal, operation, row, transfer: await transferOf(reading, operation) };
}

/**
 * The server refused one operation of a request, and so the whole request. Lets the planner decide what becomes of that operation,
 * changes tree and queue in the same transaction, and leaves the rest to be tried again under a new request id (the refused one was
 * not applied). Bytes a person gave us always keep an entry or a transfer that can be retried.
 */
export async function reject(writing: LocalWriting, sent: QueuedRequest, refusal: Refusal, context: RejectContext): Promise<Rejected> {
  if (refusal.entry !== undefined) await adopt(writing, sent.namespaceId, [refusal.entry], await writing.requests());
  const found = await findRefused(writing, sent, refusal);
  if (found === null) return { transfers: [] };
  const one: Refused = { ...found, writing, context };
  const { merged } = context;
  const planned = await refusedCase(writing, found, context);
  const [action] = planRefused(planned);
  const [instead] = action?.do === 'merge_text' && merged === undefined ? planRefused({ ...planned, canMerge: false }) : [action];
  if (instead === undefined) return { transfers: [] };
  const { operations: next, transfers = [] } = await act(one, instead);
  // Carrying out an action may have changed the request's other operations.
  const standing = (await writing.requests()).find(({ order }) => order === found.request.order) ?? found.request;
  const operations = standing.operations.flatMap((each) => (isSame(each, found.operation) ? next : [each]));
  if (operations.length === 0) await writing.removeRequest(standing.order);
  else {
    const requestId = context.random.uuid() as QueuedRequest['requestId'];
    await writing.putRequest({ ...standing, requestId, operations, attempts: 0 });
  }
  return { transfers };
}

/** Reading a request again gives new objects; within one request these fields tell operations apart. */
function isSame(one: Operation, other: Operation): boolean {
  const key = (each: Operation) => {
    const { kind, entryId, parentId, name, baseRevision, digest }: Wanted = each;
    return JSON.stringify([kind, entryId, parentId, name, baseRevision, digest]);
  };
  return one === other || (one.entryId === other.entryId && key(one) === key(other));
}
