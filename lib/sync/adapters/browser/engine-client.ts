import { Dexie } from 'dexie';
import type { DeviceId, EntryId } from '../../model/ids';
import type { Me } from '../../protocol/accounts';
import { noteForgetting } from './background-sync';
import { browserRandom } from './browser-clock';
import { type EntryRow, OFFLINE_CACHE, SatchelDatabase, type TransferRow } from './database';
import { deviceNameGuess } from './device-name';
import { DrainReminder } from './drain-reminder';
import { type EngineMessage, openEngineChannel } from './engine-channel';
import type {
  ContentBase,
  ContentSource,
  EditResult,
  EngineClient,
  IntentResult,
  OnConflict,
  PickedItem,
  UploadCheck,
} from './engine-client-types';
import { EngineWorker } from './engine-worker';
import { OpfsStaging } from './opfs-staging';
import { mayRead } from './picked-items';
import { pin, unpin } from './pins';
import { requestPersistentStorage } from './profile';

/** Things of one message to the worker: few enough that neither thread stalls on cloning them. */
const SLICE_ITEMS = 500;
const STOP_MILLISECONDS = 3_000;

/**
 * Opens the account's database on this device and starts its engine (one worker per tab; the one that holds the lease works).
 * Works offline. Call it once per page and account; `client.close` undoes it.
 */
export async function openEngine(me: Me, _deviceId: DeviceId): Promise<{ client: EngineClient; database: SatchelDatabase }> {
  const database = new SatchelDatabase(me.userId);
  await database.open();
  return { client: new BrowserEngineClient(me, database), database };
}

class BrowserEngineClient implements EngineClient {
  readonly #me: Me;
  readonly #database: SatchelDatabase;
  readonly #worker: EngineWorker;
  readonly #engine: BroadcastChannel;
  readonly #reminder: DrainReminder;
  readonly #onWake = () => {
    if (document.visibilityState === 'visible') this.wake();
  };

  constructor(me: Me, database: SatchelDatabase) {
    this.#me = me;
    this.#database = database;
    this.#engine = openEngineChannel(me.userId);
    this.#reminder = new DrainReminder(database, me.userId);
    const { userId, rootNamespaceId } = me;
    this.#worker = new EngineWorker({ userId, rootNamespaceId, deviceName: deviceNameGuess(), origin: location.origin });
    document.addEventListener('visibilitychange', this.#onWake);
    window.addEventListener('online', this.#onWake);
  }

  createFolder(parentId: EntryId, name: string): Promise<IntentResult> {
    return this.#worker.call('createFolder', parentId, name);
  }

  rename(entryId: EntryId, name: string): Promise<IntentResult> {
    return this.#worker.call('rename', entryId, name);
  }

  move(entryIds: readonly EntryId[], parentId: EntryId): Promise<IntentResult> {
    return this.#worker.call('move', entryIds, parentId);
  }

  copy(entryIds: readonly EntryId[], parentId: EntryId): Promise<IntentResult> {
    return this.#worker.call('copy', entryIds, parentId);
  }

  remove(entryIds: readonly EntryId[], options = { confirmed: true }): Promise<IntentResult> {
    return this.#worker.call('remove', entryIds, options);
  }

  confirmHeld(): Promise<void> {
    return this.#worker.call('confirmHeld');
  }

  discardHeld(): Promise<void> {
    return this.#worker.call('discardHeld');
  }

  restore(entryIds: readonly EntryId[]): Promise<IntentResult> {
    return this.#worker.call('restore', entryIds);
  }

  async checkUpload(parentId: EntryId, items: readonly PickedItem[]): Promise<UploadCheck> {
    const pickId = await this.#pick(items);
    try {
      return await this.#worker.call('checkUpload', pickId, parentId);
    } finally {
      await this.#worker.call('forgetPicked', pickId);
    }
  }

  async upload(parentId: EntryId, items: readonly PickedItem[], onConflict: OnConflict): Promise<IntentResult> {
    return this.#worker.call('upload', await this.#pick(items), parentId, onConflict);
  }

  pauseTransfers(ids: readonly string[] | 'all'): Promise<void> {
    return this.#worker.call('pauseTransfers', ids, 1);
  }

  resumeTransfers(ids: readonly string[] | 'all'): Promise<void> {
    return this.#worker.call('pauseTransfers', ids, 0);
  }

  cancelTransfers(ids: readonly string[] | 'all'): Promise<void> {
    return this.#worker.call('cancelTransfers', ids);
  }

  retryTransfers(ids: readonly string[] | 'all'): Promise<void> {
    return this.#worker.call('retryTransfers', ids);
  }

  async continueTransfers(rows: readonly TransferRow[]): Promise<void> {
    // One after the other: a browser asks one question at a time. What is refused stays lost.
    const readable: string[] = [];
    for (const { id, handle } of rows) if (handle !== undefined && (await mayRead(handle))) readable.push(id);
    if (readable.length > 0) await this.#worker.call('continueTransfers', readable);
  }

  async clearFinishedTransfers(): Promise<void> {
    const { transfers } = this.#database;
    // A failed transfer whose bytes are safe here stays: forgetting it would forget them.
    const gone = await transfers
      .where('state')
      .anyOf(['done', 'cancelled', 'lost', 'failed'])
      .filter(({ state, digest }) => state !== 'failed' || digest === undefined)
      .primaryKeys();
    await transfers.bulkDelete(gone);
  }

  async pin(entryIds: readonly EntryId[]): Promise<void> {
    await pin(this.#database, entryIds, Date.now());
    // Asked when there is something worth keeping; what the browser says is shown in the settings.
    void requestPersistentStorage();
  }

  unpin(entryIds: readonly EntryId[]): Promise<EntryRow | null> {
    return unpin(this.#database, entryIds, Date.now());
  }

  writeFile(entryId: EntryId, bytes: Blob, base: ContentBase, quiet: boolean): Promise<EditResult> {
    return this.#worker.call('writeFile', entryId, bytes, base, quiet);
  }

  createFile(parentId: EntryId, name: string, bytes: Blob): Promise<EditResult> {
    return this.#worker.call('createFile', parentId, name, bytes);
  }

  replaceContent(entryId: EntryId, source: ContentSource): Promise<IntentResult> {
    return this.#worker.call('replaceContent', entryId, source);
  }

  wake(): void {
    this.#say({ kind: 'wake' });
  }

  async close({ forget }: { forget: boolean }): Promise<void> {
    document.removeEventListener('visibilitychange', this.#onWake);
    window.removeEventListener('online', this.#onWake);
    this.#reminder.close();
    // A database that cannot be written any more is deleted all the same.
    if (forget) await noteForgetting(this.#database).catch(() => undefined);
    const patience = new Promise((resolve) => setTimeout(resolve, STOP_MILLISECONDS));
    // A worker that cannot answer any more is ended all the same.
    await Promise.race([this.#worker.call('stop').catch(() => undefined), patience]);
    this.#worker.terminate();
    this.#engine.close();
    this.#database.close();
    if (!forget) return;
    await Dexie.delete(this.#database.name);
    await OpfsStaging.forget(this.#me.userId).catch(() => undefined);
    await globalThis.caches?.delete(OFFLINE_CACHE);
  }

  async #pick(items: readonly PickedItem[]): Promise<string> {
    const pickId = browserRandom.uuid();
    for (let at = 0; at < items.length; at += SLICE_ITEMS) await this.#worker.call('picked', pickId, items.slice(at, at + SLICE_ITEMS));
    return pickId;
  }

  #say(message: EngineMessage): void {
    this.#engine.postMessage(message);
  }
}
