import { bulkRead } from './bulk-read';
import type { PackRow, SatchelDatabase, TransferRow } from './database';
import type { SendPlan } from './send-plan';

/** Progress of smaller files is not worth a write: they are done in one go. */
const PROGRESS_FILE_BYTES_MIN = 1024 * 1024;
/** States in which a transfer's chunks are to be sent. */
export const SENDABLE: ReadonlySet<TransferRow['state']> = new Set(['staging', 'staged', 'sending']);

/** A pack under way; the rows of transfers follow it. */
export interface Flight {
  pack: PackRow;
  readonly abort: AbortController;
  sentBytes: number;
}

/** Writes what the sender knows into rows of `transfers`; each call is one transaction, and a cancelled transfer stays cancelled. */
export class SendProgress {
  private readonly written = new Map<string, number>();

  constructor(
    private readonly database: SatchelDatabase,
    private readonly plan: SendPlan,
  ) {}

  /** Bytes on their way count too, so that the bar moves on slow lines; they fall back when a connection breaks. */
  async report(flights: Iterable<Flight>): Promise<void> {
    const { database, plan, written } = this;
    const now = new Map<string, number>();
    for (const { pack, sentBytes } of flights) {
      let left = sentBytes;
      for (const { size, transferId } of pack.chunks) {
        const sent = Math.min(size, left);
        left -= sent;
        if (sent > 0 && plan.sizeOf(transferId) >= PROGRESS_FILE_BYTES_MIN) now.set(transferId, (now.get(transferId) ?? 0) + sent);
      }
    }
    for (const id of new Set([...now.keys(), ...written.keys()])) now.set(id, (now.get(id) ?? 0) + plan.durableBytes(id));
    for (const id of written.keys()) if (!plan.has(id)) written.delete(id);
    const moved = [...now].filter(([id, bytes]) => plan.has(id) && written.get(id) !== bytes);
    if (moved.length === 0) return;
    await database.transaction('rw', database.transfers, async () => {
      const rows = await database.transfers.bulkGet(moved.map(([id]) => id));
      const next = rows.flatMap((row) => {
        if (row === undefined || !SENDABLE.has(row.state)) return [];
        const { reason: _, ...rest } = row;
        const sentBytes = Math.min(row.size, now.get(row.id) ?? 0);
        return [{ ...rest, sentBytes, state: row.state === 'staged' ? ('sending' as const) : row.state }];
      });
      await database.transfers.bulkPut(next);
    });
    for (const [id, bytes] of moved) written.set(id, bytes);
  }

  /** Writes `durable` for those whose every chunk is known; returns them. */
  async markDurable(ids: readonly string[]): Promise<readonly string[]> {
    const { database } = this;
    if (ids.length === 0) return [];
    return database.transaction('rw', database.transfers, async () => {
      const rows = (await bulkRead(database.transfers, ids)).filter(
        (row): row is TransferRow => row !== undefined && SENDABLE.has(row.state) && row.digest !== undefined,
      );
      await database.transfers.bulkPut(rows.map(({ reason: _, ...row }) => ({ ...row, state: 'durable', sentBytes: row.size })));
      return rows.map((row) => row.id);
    });
  }

  /** Shows why nothing moves. */
  async note(ids: Iterable<string>, reason: NonNullable<TransferRow['reason']>): Promise<void> {
    await this.database.transfers
      .where('id')
      .anyOf([...ids])
      .and((row) => row.reason !== reason && SENDABLE.has(row.state))
      .modify({ reason });
  }

  /** Ends these transfers, until the person tries again. */
  async giveUp(ids: Iterable<string>, state: 'failed' | 'lost', reason: NonNullable<TransferRow['reason']>): Promise<void> {
    await this.database.transfers
      .where('id')
      .anyOf([...ids])
      .and((row) => SENDABLE.has(row.state))
      .modify({ state, reason });
  }

  /** What is to become of a pack that was begun: `wait` while all who need it are paused, `forget` when nobody does. */
  async wishFor(pack: PackRow): Promise<'send' | 'wait' | 'forget'> {
    const owners = await this.database.transfers.bulkGet([...new Set(pack.chunks.map((chunk) => chunk.transferId))]);
    const wanted = owners.filter((row) => row !== undefined && SENDABLE.has(row.state));
    if (wanted.length === 0) return 'forget';
    return wanted.some((row) => row?.paused === 0) ? 'send' : 'wait';
  }
}
