/**
 * The guard against deleting or emptying much by mistake: a folder on disk that vanished, a program gone wild. Such requests are held
 * until the person has said that it is meant. Everything that does not build on them goes on.
 */
import type { NamespaceId } from '../model/ids';
import { MASS_DELETION_ENTRIES_MIN } from '../model/limits';
import { isMassDeletion } from '../planning/mass-deletion';
import type { LocalEntry, LocalReading, LocalStore, LocalTransfer, LocalWriting, QueuedRequest } from '../ports/local-store';
import type { Operation } from '../protocol/commit';
import { entriesIn, remoteOf, settledRow } from './local-tree';

/** Live entries of a namespace, as far as their own rows say. */
async function liveEntries(reading: LocalReading, namespaceId: NamespaceId): Promise<number> {
  const rows = await reading.entries(await reading.entryIds(namespaceId));
  return rows.filter((row) => row !== undefined && (remoteOf(row) ?? row).deletedAt === null).length;
}

/** Whether losing so many entries of a namespace at once is for the person to confirm. */
export async function mustBeHeld(reading: LocalReading, namespaceId: NamespaceId, entries: number): Promise<boolean> {
  if (entries <= MASS_DELETION_ENTRIES_MIN) return false;
  return isMassDeletion(entries, await liveEntries(reading, namespaceId));
}

/** Files of the server that these operations would leave without a byte. */
export async function emptied(reading: LocalReading, operations: readonly Operation[]): Promise<number> {
  const ids = operations.flatMap((operation) => (operation.kind === 'write_file' && operation.size === 0 ? [operation.entryId] : []));
  if (ids.length <= MASS_DELETION_ENTRIES_MIN) return 0;
  return (await reading.entries(ids)).filter((row) => row !== undefined && (remoteOf(row)?.size ?? 0) > 0).length;
}

/** The person means it: held requests go on in their places. Returns how many there were. */
export function confirmHeld(store: LocalStore): Promise<number> {
  return store.write(async (writing) => {
    const held = (await writing.requests()).filter((request) => request.held !== undefined);
    for (const { held: _, ...request } of held) await writing.putRequest(request);
    return held.length;
  });
}

function takesAway(operation: Operation): boolean {
  return operation.kind === 'delete' || (operation.kind === 'write_file' && operation.size === 0);
}

/** The row without what was taken back: other waiting changes stay. */
function broughtBack(row: LocalEntry, waits: boolean): LocalEntry {
  const remote = remoteOf(row);
  if (!waits && remote !== null) return settledRow(remote, row.namespaceId);
  const { transferId: _, ...rest } = row;
  const content = remote === null ? {} : { size: remote.size, digest: remote.digest, mtime: remote.mtime };
  return { ...rest, ...content, deletedAt: null };
}

/**
 * The person did not mean it: deletions and emptyings that are held leave the queue, and the rows are as they were. Returns the
 * transfers that ended with them.
 */
export function discardHeld(store: LocalStore): Promise<readonly string[]> {
  return store.write(async (writing) => {
    const held = (await writing.requests()).filter((request) => request.held !== undefined);
    const dropped = new Map(held.flatMap(({ operations }) => operations.filter(takesAway)).map((each) => [each.entryId, each]));
    for (const { held: _, ...request } of held) await without(writing, request);
    const waiting = entriesIn(await writing.requests());
    const rows = await writing.entries([...dropped.keys()]);
    const back = rows.flatMap((row) => (row === undefined ? [] : [broughtBack(row, waiting.has(row.id))]));
    await writing.putEntries(back);
    return endEmptying(writing, [...dropped.values()]);
  });
}

async function without(writing: LocalWriting, request: QueuedRequest): Promise<void> {
  const operations = request.operations.filter((operation) => !takesAway(operation));
  if (operations.length === 0) await writing.removeRequest(request.order);
  else await writing.putRequest({ ...request, operations });
}

async function endEmptying(writing: LocalWriting, dropped: readonly Operation[]): Promise<readonly string[]> {
  const ids = dropped.filter(({ kind }) => kind === 'write_file').map(({ entryId }) => entryId);
  const over = new Set<LocalTransfer['state']>(['done', 'cancelled']);
  const transfers = (await writing.transfersOf(ids)).filter(({ size, state }) => size === 0 && !over.has(state));
  await writing.updateTransfers(transfers.map(({ id }) => ({ id, changes: { state: 'cancelled' } })));
  return transfers.map(({ id }) => id);
}
