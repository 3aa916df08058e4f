import { liveQuery } from 'dexie';
import { browserClock, browserRandom } from '@/lib/sync/adapters/browser/browser-clock';
import type { SatchelDatabase, TransferRow } from '@/lib/sync/adapters/browser/database';
import type { ContentBase, EditResult } from '@/lib/sync/adapters/browser/engine-client-types';
import type { FileIntake } from '@/lib/sync/adapters/browser/file-intake';
import type { TransferChannel } from '@/lib/sync/adapters/browser/transfer-channel';
import { type PlannedEdit, planCreate, planWrite } from '@/lib/sync/engine/edit-intents';
import type { IntentContext } from '@/lib/sync/engine/intents';
import { applyStagedTransfers } from '@/lib/sync/engine/transfer-commits';
import type { EntryId } from '@/lib/sync/model/ids';

export interface EditCallsDeps {
  readonly database: SatchelDatabase;
  readonly context: IntentContext;
  /** Named in conflict copies. */
  readonly deviceName: string;
  intake(): Promise<FileIntake>;
  readonly transfers: TransferChannel;
}

/** Rows of edits that are through are kept this long, for the sender and the tests to look at, then forgotten. */
const QUIET_KEPT_MILLISECONDS = 60_000;

/** Bytes written by an editor: staged by this tab's intake, shown in the tree, and then a transfer like every other. */
export class EditCalls {
  readonly #deps: EditCallsDeps;

  constructor(deps: EditCallsDeps) {
    this.#deps = deps;
  }

  async writeFile(entryId: EntryId, bytes: Blob, base: ContentBase, quiet: boolean): Promise<EditResult> {
    const { context, deviceName } = this.#deps;
    return this.#take(await planWrite(context, { entryId, base, deviceName }), bytes, quiet);
  }

  async createFile(parentId: EntryId, name: string, bytes: Blob): Promise<EditResult> {
    return this.#take(await planCreate(this.#deps.context, parentId, name), bytes, true);
  }

  async #take(plan: PlannedEdit, bytes: Blob, quiet: boolean): Promise<EditResult> {
    if (!plan.ok) return plan;
    const { database, context } = this.#deps;
    const { copied, ...place } = plan.placement;
    const intake = await this.#deps.intake();
    const createdAt = browserClock.now();
    const file = new File([bytes], place.name, { lastModified: createdAt });
    const row: TransferRow = {
      ...place,
      id: browserRandom.uuid(),
      batchId: browserRandom.uuid(),
      intakeId: intake.id,
      size: file.size,
      mtime: createdAt,
      state: 'queued',
      paused: 0,
      stagedBytes: 0,
      sentBytes: 0,
      createdAt,
      ...(quiet ? { quiet: 1 } : {}),
    };
    await database.transfers.put(row);
    intake.add([{ row, file }]);
    const taken = await this.#settled(row.id);
    if (taken?.digest === undefined) return { ok: false, sentence: refusal(taken) };
    await applyStagedTransfers(context.store, [row.id]);
    await this.#tellSuperseded(place.entryId, row.id);
    // A file kept in memory stays `staging` until it is sent; everything later is on the disk.
    return { ok: true, entryId: place.entryId, copied, digest: taken.digest, safe: taken.state !== 'staging' };
  }

  /** The transfer once its bytes are staged, or once it is clear that they will not be. */
  #settled(id: string): Promise<TransferRow | undefined> {
    const { transfers } = this.#deps.database;
    return new Promise((resolve, reject) => {
      const watching = liveQuery(() => transfers.get(id)).subscribe({
        next: (row) => {
          const open = row?.state === 'queued' || (row?.state === 'staging' && row.digest === undefined);
          if (open) return;
          // The first answer may come before `subscribe` has returned.
          queueMicrotask(() => watching.unsubscribe());
          resolve(row);
        },
        error: reject,
      });
    });
  }

  /** Earlier writes whose place this one took stop being sent; edits that are through are forgotten. */
  async #tellSuperseded(entryId: EntryId, newest: string): Promise<void> {
    const { database, transfers } = this.#deps;
    const before = Date.now() - QUIET_KEPT_MILLISECONDS;
    const others = (await database.transfers.where('entryId').equals(entryId).toArray()).filter(({ id }) => id !== newest);
    const cancelled = others.filter(({ state }) => state === 'cancelled').map(({ id }) => id);
    if (cancelled.length > 0) transfers.say({ kind: 'changed', ids: cancelled });
    const over = others.filter(
      ({ quiet, state, createdAt }) => quiet === 1 && (state === 'done' || state === 'cancelled') && createdAt < before,
    );
    await database.transfers.bulkDelete(over.map(({ id }) => id));
  }
}

function refusal(row: TransferRow | undefined): string {
  if (row?.reason === 'quota') return 'This browser’s storage is full; the change could not be saved.';
  return 'The change could not be saved on this device. Please try again.';
}
