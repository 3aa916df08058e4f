import type { EntryId } from '../model/ids';
import { nameKey } from '../model/names';
import { type Arrival, type ArrivalAction, type LocalTree, planArrivals } from '../planning/plan-arrival';
import type { Clock, Random } from '../ports/clock';
import type { LocalEntry, LocalReading, LocalWriting, QueuedRequest } from '../ports/local-store';
import type { Change, Operation } from '../protocol/commit';
import { changedRow, entriesIn, freeNameIn, remoteOf, settledRow } from './local-tree';
import type { OwnDeletions } from './own-deletions';
import { addRequest } from './transfer-commits';

export interface ArrivalContext {
  readonly random: Random;
  readonly clock: Clock;
  readonly deletions: OwnDeletions;
  /** Named in conflict copies. */
  readonly deviceName: string;
}

/** States of transfers whose file only this device knows, or in its newest form. */
const UNSENT = ['staging', 'staged', 'sending', 'durable', 'failed'] as const;

type Rows = ReadonlyMap<EntryId, LocalEntry>;

/** The rows of these entries and of every folder above them. */
async function withFoldersAbove(reading: LocalReading, changes: readonly Change[]): Promise<Rows> {
  const rows = new Map<EntryId, LocalEntry>();
  const asked = new Set<EntryId>();
  let open = new Set(changes.flatMap(({ id, parentId }) => [id, parentId]));
  while (open.size > 0) {
    for (const id of open) asked.add(id);
    const found = await reading.entries([...open]);
    open = new Set();
    for (const row of found) {
      if (row === undefined) continue;
      rows.set(row.id, row);
      for (const id of [row.parentId, remoteOf(row)?.parentId]) if (id !== undefined && !asked.has(id)) open.add(id);
    }
  }
  return rows;
}

/** The local tree as it would be after the changes: rows without own changes follow the server. */
function treeAfter(
  rows: Rows,
  changes: readonly Change[],
  known: {
    readonly pending: ReadonlySet<EntryId>;
    readonly kinds: ReadonlyMap<EntryId, ReadonlySet<string>>;
    readonly deletions: OwnDeletions;
    readonly twins: ReadonlyMap<EntryId, readonly LocalEntry[]>;
  },
): LocalTree {
  const { pending, kinds, deletions, twins } = known;
  const arriving = new Map(changes.filter(({ id }) => !pending.has(id)).map((change) => [change.id, change]));
  const newest = new Map(changes.map((change) => [change.id, change]));
  const row = (id: EntryId) => arriving.get(id) ?? rows.get(id);
  const ownMove = (id: EntryId) => kinds.get(id)?.has('move') === true || kinds.get(id)?.has('restore') === true;
  const settledParent = (id: EntryId): EntryId | undefined => {
    const own = rows.get(id);
    const remote = newest.get(id) ?? (own === undefined ? undefined : remoteOf(own));
    if (own === undefined || remote === null || remote === undefined) return remote?.parentId ?? own?.parentId;
    return ownMove(id) && remote.placeRevision <= own.placeRevision ? own.parentId : remote.parentId;
  };
  return {
    row,
    settledParent,
    ownDeletion: (id) => rows.get(id)?.deletedAt != null && (kinds.get(id)?.has('delete') === true || deletions.has(id)),
    ownMove,
    ownTwins: ({ id }) => twins.get(id) ?? [],
  };
}

/** The kinds of operations that wait on each entry. */
function kindsOf(queue: readonly QueuedRequest[]): ReadonlyMap<EntryId, ReadonlySet<string>> {
  const kinds = new Map<EntryId, Set<string>>();
  for (const { operations } of queue) {
    for (const { entryId, kind } of operations) {
      const set = kinds.get(entryId) ?? new Set();
      kinds.set(entryId, set.add(kind));
    }
  }
  return kinds;
}

/** Takes operations out of requests that were never sent; what was sent may have been applied. Returns how many are left elsewhere. */
async function dropUnsent(writing: LocalWriting, entryId: EntryId, kinds: readonly Operation['kind'][]): Promise<number> {
  const concerned = (operation: Operation) => operation.entryId === entryId && kinds.includes(operation.kind);
  let left = 0;
  for (const request of await writing.requests()) {
    const found = request.operations.filter(concerned).length;
    if (found === 0) continue;
    if (request.attempts > 0) {
      left += found;
      continue;
    }
    const operations = request.operations.filter((operation) => !concerned(operation));
    if (operations.length === 0) await writing.removeRequest(request.order);
    else await writing.putRequest({ ...request, operations });
  }
  return left;
}

async function waitsStill(reading: LocalReading, row: LocalEntry): Promise<boolean> {
  return row.transferId !== undefined || entriesIn(await reading.requests()).has(row.id);
}

async function takeBackDeletion(writing: LocalWriting, row: LocalEntry, context: ArrivalContext): Promise<void> {
  const remote = remoteOf(row);
  const sent = await dropUnsent(writing, row.id, ['delete']);
  if (sent > 0 || context.deletions.has(row.id)) {
    // It is on its way or through: what follows it brings the entry back, and does nothing if it never arrives.
    const { id: entryId, placeRevision: baseRevision, parentId, name, namespaceId } = row;
    await writing.putEntries([changedRow(row, { deletedAt: null })]);
    await addRequest(writing, context, namespaceId, [{ kind: 'restore', entryId, baseRevision, parentId, name }]);
    return;
  }
  const settled = remote !== null && !(await waitsStill(writing, row));
  await writing.putEntries([settled ? settledRow(remote, row.namespaceId) : { ...row, deletedAt: null }]);
}

async function takeBackMove(writing: LocalWriting, row: LocalEntry): Promise<void> {
  const remote = remoteOf(row);
  if (remote === null) return;
  await dropUnsent(writing, row.id, ['move', 'restore']);
  const { parentId, name, placeRevision } = remote;
  const back = (await waitsStill(writing, row))
    ? { ...row, parentId, name, placeRevision, revision: Math.max(placeRevision, row.contentRevision) }
    : { ...settledRow(remote, row.namespaceId), state: 'failed' as const, reason: 'would_cycle' as const };
  await writing.putEntries([back]);
}

/** Entries made on this device that stand under the name of an arriving one, and that the server cannot have heard of yet. */
async function twinsOf(
  reading: LocalReading,
  arrivals: readonly Arrival[],
  queue: readonly QueuedRequest[],
  { pending, deleted }: { readonly pending: ReadonlySet<EntryId>; readonly deleted: (id: EntryId) => boolean },
) {
  const twins = new Map<EntryId, readonly LocalEntry[]>();
  const sent = entriesIn(queue.filter(({ attempts }) => attempts > 0));
  for (const { before, after } of arrivals) {
    const isNew = before === null || before.parentId !== after.parentId || before.name !== after.name || before.deletedAt !== null;
    // What only waits to be deleted here has its name on the server still.
    const named = pending.has(after.id) && !deleted(after.id);
    if (!isNew || after.deletedAt !== null || named) continue;
    const standing = await reading.liveByName(after.parentId, nameKey(after.name));
    const ours = standing.filter((row) => row.id !== after.id && row.remote === null && !sent.has(row.id));
    if (ours.length > 0) twins.set(after.id, ours);
  }
  return twins;
}

/** The row takes another name, and with it what waits to tell the server of the one it had. */
async function giveWay(writing: LocalWriting, row: LocalEntry, wanted: string): Promise<void> {
  const { id, parentId } = row;
  const name = await freeNameIn(writing, { parentId, name: wanted, except: id, taken: new Set([nameKey(row.name)]) });
  await writing.putEntries([{ ...row, name }]);
  const isIts = (operation: Operation) =>
    operation.entryId === id && 'name' in operation && operation.parentId === parentId && operation.name === row.name;
  for (const request of await writing.requests()) {
    if (!request.operations.some(isIts)) continue;
    const operations = request.operations.map((operation) => (isIts(operation) ? { ...operation, name } : operation));
    await writing.putRequest({ ...request, operations });
  }
}

async function carryOut(writing: LocalWriting, action: ArrivalAction, context: ArrivalContext): Promise<void> {
  const [row] = await writing.entries([action.entryId]);
  if (row === undefined) return;
  if (action.do === 'take_back_deletion') await takeBackDeletion(writing, row, context);
  else if (action.do === 'take_back_move') await takeBackMove(writing, row);
  else await giveWay(writing, row, action.name);
}

/**
 * Before changes of other devices are adopted: plans what they mean for own waiting changes and carries it out. Returns the queue as it
 * is then, and the rows it changed.
 */
export async function beforeAdoption(
  writing: LocalWriting,
  changes: readonly Change[],
  queue: readonly QueuedRequest[],
  context: ArrivalContext,
): Promise<{ readonly queue: readonly QueuedRequest[]; readonly changed: readonly EntryId[] }> {
  if (changes.length === 0) return { queue, changed: [] };
  const { deletions, deviceName, clock } = context;
  const kinds = kindsOf(queue);
  const pending = entriesIn(queue);
  const busy = queue.length > 0 || !deletions.isEmpty;
  if (!busy && (await writing.transfersIn(UNSENT, 1)).length === 0) return { queue, changed: [] };
  const rows = await withFoldersAbove(writing, changes);
  const arrivals: Arrival[] = changes.map((after) => {
    const row = rows.get(after.id);
    return { before: row === undefined ? null : remoteOf(row), after };
  });
  const deleted = (id: EntryId) => rows.get(id)?.deletedAt != null && kinds.get(id)?.has('delete') === true;
  const twins = await twinsOf(writing, arrivals, queue, { pending, deleted });
  const tree = treeAfter(rows, changes, { pending, kinds, deletions, twins });
  const actions = planArrivals(arrivals, tree, { deviceName, now: clock.now() });
  for (const action of actions) await carryOut(writing, action, context);
  if (actions.length === 0) return { queue, changed: [] };
  return { queue: await writing.requests(), changed: actions.map(({ entryId }) => entryId) };
}
