import type { TransferRow, TransferState } from '@/lib/sync/adapters/browser/database';

/** What the tray says about all transfers together. */
export interface TransferTotals {
  readonly files: number;
  readonly done: number;
  readonly failed: number;
  /** Neither finished nor failed nor paused. */
  readonly active: number;
  readonly paused: number;
  readonly bytes: number;
  /** Bytes the server has. */
  readonly sentBytes: number;
  /** Files that would be lost if the page closed now. */
  readonly unsafe: number;
}

const FINISHED: ReadonlySet<TransferState> = new Set<TransferState>(['done', 'cancelled', 'failed', 'lost']);
const BROKEN: ReadonlySet<TransferState> = new Set<TransferState>(['failed', 'lost']);

export function isFinished(row: TransferRow): boolean {
  return FINISHED.has(row.state);
}

/** Cancelled files count nowhere: the person took them back. */
export function totalsOf(rows: readonly TransferRow[]): TransferTotals {
  const totals = { files: 0, done: 0, failed: 0, active: 0, paused: 0, bytes: 0, sentBytes: 0, unsafe: 0 };
  for (const row of rows) {
    if (row.state === 'cancelled') continue;
    totals.files++;
    if (BROKEN.has(row.state)) {
      totals.failed++;
      continue;
    }
    totals.bytes += row.size;
    if (row.state === 'done') {
      totals.done++;
      totals.sentBytes += row.size;
      continue;
    }
    totals.sentBytes += Math.min(row.sentBytes, row.size);
    if (row.paused === 1) totals.paused++;
    else totals.active++;
    if (row.state === 'queued' || row.state === 'staging') totals.unsafe++;
  }
  return totals;
}

/** Share of the bytes that are through, 0 to 1; files without bytes count as files. */
export function progressOf(totals: TransferTotals): number {
  if (totals.bytes === 0) return totals.files === 0 ? 0 : totals.done / totals.files;
  return totals.sentBytes / totals.bytes;
}

/** When what waits for the network goes on. `alone`: also with every tab closed. */
export function waitingSentence(alone: boolean): string {
  return alone
    ? 'goes on by itself when the network is back, also with Satchel closed'
    : 'goes on when Satchel is open and the network is back';
}

/** What one transfer is doing, in words. */
export function transferSentence(row: TransferRow, online: boolean): string {
  if (row.state === 'failed') return FAILURES[row.reason ?? ''] ?? 'Could not be sent';
  if (row.paused === 1 && !isFinished(row)) return 'Paused';
  const words: Readonly<Record<TransferState, string>> = {
    queued: 'Queued',
    staging: 'Saving to this browser',
    staged: online ? 'Waiting to be sent' : 'Waiting for the network',
    sending: online ? 'Sending' : 'Waiting for the network',
    durable: 'Finishing',
    done: 'Done',
    failed: 'Could not be sent',
    lost: row.handle === undefined ? 'The page was closed too early. Pick it again' : 'The page was closed too early',
    cancelled: 'Cancelled',
  };
  return words[row.state];
}

const FAILURES: Readonly<Record<string, string>> = {
  quota: 'This browser has no more room',
  unreadable: 'The file can no longer be read. Pick it again',
  changed_while_reading: 'The file changed while it was read',
  offline: 'Needs the network',
};
