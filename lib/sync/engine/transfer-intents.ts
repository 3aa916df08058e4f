import type { LocalEntry, LocalStore, LocalTransfer, LocalWriting, TransferChange } from '../ports/local-store';
import { entriesIn, settledRow } from './local-tree';

type State = LocalTransfer['state'];
const UNFINISHED: readonly State[] = ['queued', 'staging', 'staged', 'sending', 'durable', 'failed'];

async function chosen(writing: LocalWriting, ids: readonly string[] | 'all', states: readonly State[]): Promise<LocalTransfer[]> {
  if (ids === 'all') return [...(await writing.transfersIn(states))];
  const transfers = await writing.transfers(ids);
  return transfers.filter((transfer): transfer is LocalTransfer => transfer !== undefined && states.includes(transfer.state));
}

/** Stops or goes on sending. Returns the ids that changed. */
export function pauseTransfers(store: LocalStore, ids: readonly string[] | 'all', paused: 0 | 1): Promise<readonly string[]> {
  return store.write(async (writing) => {
    const transfers = (await chosen(writing, ids, UNFINISHED)).filter((transfer) => transfer.paused !== paused);
    await writing.updateTransfers(transfers.map(({ id }) => ({ id, changes: { paused } })));
    return transfers.map(({ id }) => id);
  });
}

/** Ends transfers and takes their bytes out of the tree again. One whose commit is already queued cannot be called back and is left alone. */
export function cancelTransfers(store: LocalStore, ids: readonly string[] | 'all'): Promise<readonly string[]> {
  return store.write(async (writing) => {
    const queued = entriesIn(await writing.requests());
    const transfers = (await chosen(writing, ids, [...UNFINISHED, 'lost'])).filter(
      ({ state, entryId }) => state !== 'durable' || !queued.has(entryId),
    );
    const rows = await writing.entries(transfers.map(({ entryId }) => entryId));
    const kept: LocalEntry[] = [];
    const gone: LocalEntry[] = [];
    transfers.forEach(({ id }, index) => {
      const row = rows[index];
      if (row === undefined || row.transferId !== id) return;
      if (row.remote === null && !queued.has(row.id)) gone.push(row);
      else if (row.remote !== null && row.remote !== undefined && !queued.has(row.id)) kept.push(settledRow(row.remote, row.namespaceId));
      else kept.push(withoutTransfer(row));
    });
    await writing.putEntries(kept);
    await writing.removeEntries(gone.map(({ id }) => id));
    await writing.updateTransfers(transfers.map(({ id }) => ({ id, changes: { state: 'cancelled', reason: undefined } })));
    return transfers.map(({ id }) => id);
  });
}

/** The row keeps its other waiting changes; its content is the server's again. */
function withoutTransfer(row: LocalEntry): LocalEntry {
  const { transferId: _, ...rest } = row;
  if (row.remote === null || row.remote === undefined) return rest;
  const { size, digest, mtime, contentRevision } = row.remote;
  return { ...rest, size, digest, mtime, contentRevision };
}

/** Tries failed transfers again from where their bytes are. Those that were lost need the person. */
export function retryTransfers(store: LocalStore, ids: readonly string[] | 'all'): Promise<readonly string[]> {
  return store.write(async (writing) => {
    const transfers = await chosen(writing, ids, ['failed']);
    const changes: TransferChange[] = transfers.map(({ id, digest }) => ({
      id,
      changes: { state: digest === undefined ? 'queued' : 'staged', reason: undefined, paused: 0, sentBytes: 0 },
    }));
    await writing.updateTransfers(changes);
    const rows = await writing.entries(transfers.map(({ entryId }) => entryId));
    const waiting: LocalEntry[] = [];
    for (const row of rows) if (row?.state === 'failed') waiting.push({ ...row, state: 'waiting', reason: undefined });
    await writing.putEntries(waiting);
    return transfers.map(({ id }) => id);
  });
}
