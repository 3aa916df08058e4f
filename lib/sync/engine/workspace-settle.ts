import type { DiskRecord } from '../model/disk';
import type { EntryId } from '../model/ids';
import type { LocalEntry, LocalStore, LocalTransfer } from '../ports/local-store';

export interface Settled {
  readonly put: readonly DiskRecord[];
  readonly remove: readonly EntryId[];
  /** Transfers that are of no use any more. */
  readonly cancel: readonly string[];
}

/** `keep`: nothing to say yet. */
type Outcome = 'keep' | { readonly record: DiskRecord | null; readonly cancel?: string };

const SAFE: ReadonlySet<LocalTransfer['state']> = new Set(['staged', 'sending', 'durable', 'done', 'failed']);

function outcome(record: DiskRecord, transfer: LocalTransfer | undefined, row: LocalEntry | undefined): Outcome {
  const { uploading, ...rest } = record;
  if (uploading === undefined) return 'keep';
  const isLive = row !== undefined && row.deletedAt === null;
  // Without its upload, a file the tree never saw is a new one again.
  const before = isLive || record.digest !== null ? rest : null;
  if (transfer === undefined) return { record: before };
  const { state, reason, digest } = transfer;
  if (state === 'cancelled') {
    const { size, mtime } = uploading;
    // Cancelled together with the entry it was for: what is on the disk then counts as new.
    return {
      record:
        row === undefined
          ? record.digest === null
            ? { ...rest, skipped: { size, mtime } }
            : null
          : isLive
            ? { ...rest, skipped: { size, mtime } }
            : null,
    };
  }
  if (state === 'lost') return { record: before, cancel: transfer.id };
  if (state === 'failed' && digest === undefined) {
    return reason === 'changed_while_reading' || reason === 'unreadable' ? { record: before, cancel: transfer.id } : 'keep';
  }
  // Bytes that are only named, not copied, could still change under us: the record must not call them safe.
  if (digest === undefined || !SAFE.has(state)) return 'keep';
  if (row === undefined) return state === 'done' || transfer.entryId !== record.entryId ? { record: null } : 'keep';
  const shown = row.transferId === transfer.id || row.digest === digest || state === 'done' || transfer.entryId !== record.entryId;
  if (!shown) return 'keep';
  const contentRevision = row.digest === digest && row.transferId === undefined ? row.contentRevision : record.contentRevision;
  return { record: { ...rest, size: uploading.size, mtime: uploading.mtime, digest, contentRevision } };
}

/**
 * What became of uploads. Once intake has a file's bytes (and the tree shows them, or a conflict copy keeps them), the record says
 * that disk and tree agree on them; only then may the tree's next change replace the file on the disk.
 */
export async function settleUploads(store: LocalStore, records: ReadonlyMap<EntryId, DiskRecord>): Promise<Settled> {
  const open = [...records.values()].filter(({ uploading }) => uploading !== undefined);
  if (open.length === 0) return { put: [], remove: [], cancel: [] };
  const { transfers, rows } = await store.read(async (reading) => ({
    transfers: await reading.transfers(open.map(({ uploading }) => uploading?.transferId ?? '')),
    rows: await reading.entries(open.map(({ entryId }) => entryId)),
  }));
  const put: DiskRecord[] = [];
  const remove: EntryId[] = [];
  const cancel: string[] = [];
  open.forEach((record, index) => {
    const result = outcome(record, transfers[index], rows[index]);
    if (result === 'keep') return;
    if (result.record === null) remove.push(record.entryId);
    else put.push(result.record);
    if (result.cancel !== undefined) cancel.push(result.cancel);
  });
  return { put, remove, cancel };
}
