import type { Entry } from '../model/entry';
import type { EntryId } from '../model/ids';
import type { LocalEntry, LocalTransfer, LocalWriting, QueuedRequest, TransferChange } from '../ports/local-store';
import type { Operation } from '../protocol/commit';
import { adoptedRow, entriesIn, writesContent } from './local-tree';

/** What a confirmed request means for the bytes kept on this device. */
export interface Confirmed {
  /** Transfers that are through; the pack sender removes their staged bytes. */
  readonly finished: readonly string[];
  /** It was still in the queue. */
  readonly known: boolean;
}

/** The rows the confirmed request is about, changed in memory and written once: a write costs more than everything else here. */
type Rows = Map<EntryId, LocalEntry>;

/**
 * Transfers of the files whose content was committed. A row names its newest one; older ones and ones still on their way are looked
 * up by entry, which costs a millisecond each, only where they can exist.
 */
async function transfersBehind(writing: LocalWriting, operations: readonly Operation[], rows: Rows): Promise<readonly LocalTransfer[]> {
  const named: string[] = [];
  for (const { entryId } of operations) {
    const transferId = rows.get(entryId)?.transferId;
    if (transferId !== undefined) named.push(transferId);
  }
  const byName = new Map((await writing.transfers(named)).map((transfer) => [transfer?.entryId, transfer]));
  const several = operations.filter((operation) => {
    const transfer = byName.get(operation.entryId);
    return (
      operation.kind === 'write_file' ||
      (operation.kind === 'create_file' && transfer?.digest !== operation.digest && transfer !== undefined)
    );
  });
  const others = await writing.transfersOf(several.map(({ entryId }) => entryId));
  const all = new Map(others.map((transfer) => [transfer.id, transfer]));
  for (const transfer of byName.values()) if (transfer !== undefined) all.set(transfer.id, transfer);
  return [...all.values()];
}

/** Finishes the transfers whose bytes were just committed; those still on their way for the same file get their new base. */
async function settleTransfers(
  writing: LocalWriting,
  request: QueuedRequest,
  states: ReadonlyMap<EntryId, Entry>,
  { rows, at }: { readonly rows: Rows; readonly at: number },
): Promise<readonly string[]> {
  const written = new Map(request.operations.filter(writesContent).map((operation) => [operation.entryId, operation]));
  if (written.size === 0) return [];
  const changes: TransferChange[] = [];
  const finished: string[] = [];
  for (const { id, state, entryId, digest, size, baseRevision } of await transfersBehind(writing, [...written.values()], rows)) {
    const operation = written.get(entryId);
    const entry = states.get(entryId);
    if (operation === undefined || state === 'done' || state === 'cancelled') continue;
    if (state === 'durable' && digest === operation.digest) {
      finished.push(id);
      changes.push({ id, changes: { state: 'done', sentBytes: size, finishedAt: at } });
      const row = rows.get(entryId);
      if (row?.transferId === id) rows.set(entryId, { ...row, transferId: undefined });
    } else if (entry !== undefined && baseRevision === (operation.kind === 'write_file' ? operation.baseRevision : null)) {
      changes.push({ id, changes: { baseRevision: entry.contentRevision } });
    }
  }
  if (changes.length > 0) await writing.updateTransfers(changes);
  return finished;
}

/** A later operation of our own on the entry, held against what the server now has, unless somebody else's change lies between. */
function rebased(later: Operation, confirmed: Confirming, entry: Entry, row: LocalEntry | undefined): Operation {
  if (!('baseRevision' in later)) return later;
  const { content, place } = confirmed;
  if (later.kind === 'write_file') return content ? { ...later, baseRevision: entry.contentRevision } : later;
  if (later.kind === 'delete') {
    const foreign = (!place && entry.placeRevision !== row?.placeRevision) || (!content && entry.contentRevision !== row?.contentRevision);
    return foreign ? later : { ...later, baseRevision: entry.revision };
  }
  return place ? { ...later, baseRevision: entry.placeRevision } : later;
}

/** What the operations of one request did to an entry. */
interface Confirming {
  readonly content: boolean;
  readonly place: boolean;
}

function confirming(operations: readonly Operation[]): ReadonlyMap<EntryId, Confirming> {
  const all = new Map<EntryId, Confirming>();
  for (const operation of operations) {
    const { content, place } = all.get(operation.entryId) ?? { content: false, place: false };
    all.set(operation.entryId, {
      content: content || writesContent(operation),
      place: place || operation.kind !== 'write_file',
    });
  }
  return all;
}

/** What waits behind the confirmed request names revisions from before it: brought up to date here. */
async function rebaseLater(
  writing: LocalWriting,
  request: QueuedRequest,
  states: ReadonlyMap<EntryId, Entry>,
  { rows, later }: { readonly rows: Rows; readonly later: readonly QueuedRequest[] },
): Promise<void> {
  const confirmed = confirming(request.operations);
  for (const waiting of later) {
    let changed = false;
    const operations = waiting.operations.map((operation) => {
      const before = confirmed.get(operation.entryId);
      const entry = states.get(operation.entryId);
      if (before === undefined || entry === undefined) return operation;
      const next = rebased(operation, before, entry, rows.get(operation.entryId));
      changed ||= next !== operation;
      return next;
    });
    if (changed) await writing.putRequest({ ...waiting, operations });
  }
}

/** A row with more changes of our own waiting still learns which revision of the server they are based on now. */
function renumbered(row: LocalEntry, { content, place }: Confirming, entry: Entry): LocalEntry {
  const contentRevision = content ? entry.contentRevision : row.contentRevision;
  const placeRevision = place ? entry.placeRevision : row.placeRevision;
  return { ...row, contentRevision, placeRevision, revision: Math.max(contentRevision, placeRevision) };
}

/**
 * One of our requests is part of the journal: by its reply, or recognised there by its request id. Takes it out of the queue, makes
 * the rows what the server has, and brings later requests of ours up to date. Doing it twice does nothing the second time.
 */
export async function confirm(writing: LocalWriting, request: QueuedRequest, changes: readonly Entry[], at: number): Promise<Confirmed> {
  const queue = await writing.requests();
  if (!queue.some(({ requestId }) => requestId === request.requestId)) return { finished: [], known: false };
  await writing.removeRequest(request.order);
  const { namespaceId, operations } = request;
  const states = new Map(changes.map((entry) => [entry.id, entry]));
  const rows: Rows = new Map();
  for (const row of await writing.entries([...states.keys()])) if (row !== undefined) rows.set(row.id, row);
  const later = queue.filter(({ order }) => order !== request.order);
  await rebaseLater(writing, request, states, { rows, later });
  const finished = await settleTransfers(writing, request, states, { rows, at });
  const waiting = entriesIn(later);
  const byEntry = confirming(operations);
  const next: LocalEntry[] = [];
  for (const [id, entry] of states) {
    const row = rows.get(id);
    const operation = byEntry.get(id);
    const pending = waiting.has(id);
    const based =
      row !== undefined && operation !== undefined && (pending || row.transferId !== undefined) ? renumbered(row, operation, entry) : row;
    const adopted = adoptedRow(based, entry, { namespaceId, pending, anew: false }) ?? based;
    if (adopted !== undefined && adopted !== row) next.push(adopted);
  }
  if (next.length > 0) await writing.putEntries(next);
  return { finished, known: true };
}
