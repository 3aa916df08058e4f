import type { Entry } from '../model/entry';
import type { EntryId, NamespaceId } from '../model/ids';
import { freeName, nameKey } from '../model/names';
import type { LocalEntry, LocalReading, LocalWriting, QueuedRequest } from '../ports/local-store';
import type { Operation } from '../protocol/commit';

/** The row of an entry about which server and device agree. */
export function settledRow(entry: Entry, namespaceId: NamespaceId): LocalEntry {
  const { id, parentId, name, kind, revision, contentRevision, placeRevision, size, digest, mtime, deletedAt } = entry;
  return {
    id,
    parentId,
    name,
    kind,
    revision,
    contentRevision,
    placeRevision,
    size,
    digest,
    mtime,
    deletedAt,
    namespaceId,
    state: 'synced',
  };
}

/** Just the entry of a row, as the server would tell it. */
export function entryOf(row: LocalEntry): Entry {
  const { id, parentId, name, kind, revision, contentRevision, placeRevision, size, digest, mtime, deletedAt } = row;
  return { id, parentId, name, kind, revision, contentRevision, placeRevision, size, digest, mtime, deletedAt };
}

/** What the server is known to have of an entry: null when it does not know it. */
export function remoteOf(row: LocalEntry): Entry | null {
  return row.remote === undefined ? entryOf(row) : row.remote;
}

/** A row with an own change on it: shows as waiting, and remembers the server's state. */
export function changedRow(row: LocalEntry, change: Partial<LocalEntry>): LocalEntry {
  const { reason: _, ...rest } = row;
  return { ...rest, ...change, state: 'waiting', remote: remoteOf(row) };
}

/** A row the server does not know yet. The server gives a new entry the revision 1. */
export function newRow(args: {
  readonly id: EntryId;
  readonly namespaceId: NamespaceId;
  readonly parentId: EntryId;
  readonly name: string;
  readonly kind: 'file' | 'folder';
  readonly size?: number;
  readonly digest?: Entry['digest'];
  readonly mtime: number;
  readonly transferId?: string;
}): LocalEntry {
  const { transferId, size = 0, digest = null, ...entry } = args;
  return {
    ...entry,
    size,
    digest,
    revision: 1,
    contentRevision: 1,
    placeRevision: 1,
    deletedAt: null,
    state: 'waiting',
    remote: null,
    ...(transferId === undefined ? {} : { transferId }),
  };
}

/** `name`, or the first `name (n)` that no live entry of the folder but `except` has and that is none of `taken` (name keys). */
export async function freeNameIn(
  reading: LocalReading,
  args: { readonly parentId: EntryId; readonly name: string; readonly except?: EntryId; readonly taken?: ReadonlySet<string> },
): Promise<string> {
  const taken = new Set(args.taken);
  for (;;) {
    const candidate = freeName(args.name, (key) => taken.has(key));
    const key = nameKey(candidate);
    const standing = await reading.liveByName(args.parentId, key);
    if (standing.every((row) => row.id === args.except)) return candidate;
    taken.add(key);
  }
}

/** Ids of entries that requests of the queue are about. */
export function entriesIn(requests: readonly QueuedRequest[]): Set<EntryId> {
  const ids = new Set<EntryId>();
  for (const request of requests) for (const operation of request.operations) ids.add(operation.entryId);
  return ids;
}

/** True for operations that bring content. */
export function writesContent(operation: Operation): operation is Extract<Operation, { kind: 'create_file' | 'write_file' }> {
  return operation.kind === 'create_file' || operation.kind === 'write_file';
}

function newer(a: Entry | null | undefined, b: Entry): Entry {
  return a !== null && a !== undefined && a.revision > b.revision ? a : b;
}

/** The newest state of each entry among `changes`. */
function latestOf(changes: readonly Entry[]): Map<EntryId, Entry> {
  const latest = new Map<EntryId, Entry>();
  for (const change of changes) latest.set(change.id, newer(latest.get(change.id), change));
  return latest;
}

/**
 * The row an entry gets when the server tells its state. A row with changes of our own (`pending`) keeps them and only remembers the
 * server's state; null when the row knows this state or a newer one (a write costs a hundred times a look). `anew`: see `adopt`.
 */
export function adoptedRow(
  row: LocalEntry | undefined,
  entry: Entry,
  { namespaceId, pending, anew }: { readonly namespaceId: NamespaceId; readonly pending: boolean; readonly anew: boolean },
): LocalEntry | null {
  if (row === undefined) return settledRow(entry, namespaceId);
  if (pending || row.transferId !== undefined) {
    const remote = remoteOf(row);
    const known = remote !== null && (anew ? remote.revision === entry.revision : remote.revision >= entry.revision);
    return known ? null : { ...row, remote: entry };
  }
  const truth = anew ? entry : newer(row.remote, entry);
  const known = row.remote === undefined && (anew ? truth.revision === row.revision : truth.revision <= row.revision);
  return known ? null : settledRow(truth, namespaceId);
}

/**
 * Brings what the server says of entries into the local tree. `anew`: the journal is read from its beginning because the server's
 * history is not the one we knew; its word then counts even when its revision is lower. Returns the ids of rows that changed.
 */
export async function adopt(
  writing: LocalWriting,
  namespaceId: NamespaceId,
  changes: readonly Entry[],
  queue: readonly QueuedRequest[],
  anew = false,
): Promise<readonly EntryId[]> {
  const latest = latestOf(changes);
  const ids = [...latest.keys()];
  const known = (await writing.isEmpty()) ? [] : await writing.entries(ids);
  const pending = entriesIn(queue);
  const next: LocalEntry[] = [];
  ids.forEach((id, index) => {
    const row = adoptedRow(known[index], latest.get(id) as Entry, { namespaceId, pending: pending.has(id), anew });
    if (row !== null) next.push(row);
  });
  if (next.length > 0) await writing.putEntries(next);
  return next.map((row) => row.id);
}
