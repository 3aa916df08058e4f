import { browserClock, browserRandom } from '@/lib/sync/adapters/browser/browser-clock';
import type { SatchelDatabase, TransferRow } from '@/lib/sync/adapters/browser/database';
import type { EngineMessage, WorkerCalls } from '@/lib/sync/adapters/browser/engine-channel';
import type {
  ContentBase,
  ContentSource,
  EditResult,
  IntentResult,
  OnConflict,
  PickedItem,
  UploadCheck,
} from '@/lib/sync/adapters/browser/engine-client-types';
import type { FileIntake } from '@/lib/sync/adapters/browser/file-intake';
import { adoptLost, lostTransfers } from '@/lib/sync/adapters/browser/intake-recovery';
import type { TransferChannel } from '@/lib/sync/adapters/browser/transfer-channel';
import { replaceContent } from '@/lib/sync/engine/edit-intents';
import { confirmHeld, discardHeld } from '@/lib/sync/engine/held';
import * as intents from '@/lib/sync/engine/intents';
import { cancelTransfers, pauseTransfers, retryTransfers } from '@/lib/sync/engine/transfer-intents';
import { findConflicts, planUpload, type UploadItem, type UploadPlan } from '@/lib/sync/engine/upload-plan';
import type { EntryId, NamespaceId } from '@/lib/sync/model/ids';
import type { LocalStore } from '@/lib/sync/ports/local-store';
import { EditCalls } from './edit-calls';

export interface EngineCallsDeps {
  readonly store: LocalStore;
  readonly database: SatchelDatabase;
  readonly rootNamespaceId: NamespaceId;
  /** Named in conflict copies. */
  readonly deviceName: string;
  /** Null until it is open. */
  intake(): Promise<FileIntake>;
  readonly transfers: TransferChannel;
  /** Wakes the engine in whichever tab it runs. */
  say(message: EngineMessage): void;
  onStop(): Promise<void>;
}

/** Kept free when staging is planned: the database and the browser need room, too. */
const STORAGE_RESERVE_BYTES = 64 * 1024 * 1024;
/** Transfers of one transaction: some 60 ms of writing. */
const TRANSFER_ROWS = 500;

async function freeBytes(): Promise<number | null> {
  try {
    const { quota, usage } = await navigator.storage.estimate();
    return quota === undefined || usage === undefined ? null : Math.max(0, quota - usage);
  } catch {
    return null;
  }
}

function itemOf(item: PickedItem): UploadItem {
  if (item.kind === 'folder') return { kind: 'folder', path: item.path, size: 0, mtime: browserClock.now() };
  return { kind: 'file', path: item.path, size: item.file.size, mtime: item.file.lastModified };
}

/** What a page asks of its worker. Each call is done once the wish is durable on this device. */
export class EngineCalls implements WorkerCalls {
  readonly #deps: EngineCallsDeps;
  readonly #context: intents.IntentContext;
  readonly #edits: EditCalls;
  readonly #picked = new Map<string, PickedItem[]>();

  constructor(deps: EngineCallsDeps) {
    this.#deps = deps;
    this.#context = {
      store: deps.store,
      random: browserRandom,
      clock: browserClock,
      rootNamespaceId: deps.rootNamespaceId,
      onTransfers: (ids) => deps.transfers.say({ kind: 'changed', ids }),
    };
    this.#edits = new EditCalls({ ...deps, context: this.#context });
  }

  createFolder(parentId: EntryId, name: string): Promise<IntentResult> {
    return this.#wished(intents.createFolder(this.#context, parentId, name));
  }

  rename(entryId: EntryId, name: string): Promise<IntentResult> {
    return this.#wished(intents.rename(this.#context, entryId, name));
  }

  move(entryIds: readonly EntryId[], parentId: EntryId): Promise<IntentResult> {
    return this.#wished(intents.move(this.#context, entryIds, parentId));
  }

  copy(entryIds: readonly EntryId[], parentId: EntryId): Promise<IntentResult> {
    return this.#wished(intents.copy(this.#context, entryIds, parentId));
  }

  remove(entryIds: readonly EntryId[], options: { readonly confirmed: boolean }): Promise<IntentResult> {
    return this.#wished(intents.remove(this.#context, entryIds, options));
  }

  async confirmHeld(): Promise<void> {
    if ((await confirmHeld(this.#deps.store)) > 0) this.#deps.say({ kind: 'requests' });
  }

  async discardHeld(): Promise<void> {
    await this.#changed(discardHeld(this.#deps.store));
    this.#deps.say({ kind: 'requests' });
  }

  restore(entryIds: readonly EntryId[]): Promise<IntentResult> {
    return this.#wished(intents.restore(this.#context, entryIds));
  }

  async picked(pickId: string, items: readonly PickedItem[]): Promise<void> {
    const list = this.#picked.get(pickId) ?? [];
    this.#picked.set(pickId, list);
    list.push(...items);
  }

  async forgetPicked(pickId: string): Promise<void> {
    this.#picked.delete(pickId);
  }

  async checkUpload(pickId: string, parentId: EntryId): Promise<UploadCheck> {
    const items = this.#picked.get(pickId) ?? [];
    const found = await this.#deps.store.read((reading) => findConflicts(reading, this.#context, parentId, items.map(itemOf)));
    const refused = new Set(found.refused.map(({ path }) => path));
    const files = items.flatMap((item) => (item.kind === 'file' && !refused.has(item.path) ? [item.file] : []));
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    const free = await freeBytes();
    const fitsStorage = free !== null && bytes + STORAGE_RESERVE_BYTES <= free;
    return { ...found, files: files.length, bytes, fitsStorage, freeBytes: free };
  }

  async upload(pickId: string, parentId: EntryId, onConflict: OnConflict): Promise<IntentResult> {
    const items = this.#picked.get(pickId) ?? [];
    this.#picked.delete(pickId);
    let plan: UploadPlan | null = null;
    const result = await intents.wish(this.#context, async (writing) => {
      plan = await planUpload(writing, this.#context, { parentId, items: items.map(itemOf), onConflict });
      return [...plan.folders, ...plan.placements.map(({ entryId }) => entryId)];
    });
    if (!result.ok || plan === null) return result;
    return this.#take(items, plan, result);
  }

  async pauseTransfers(ids: readonly string[] | 'all', paused: 0 | 1): Promise<void> {
    await this.#changed(pauseTransfers(this.#deps.store, ids, paused));
  }

  async cancelTransfers(ids: readonly string[] | 'all'): Promise<void> {
    await this.#changed(cancelTransfers(this.#deps.store, ids));
  }

  async retryTransfers(ids: readonly string[] | 'all'): Promise<void> {
    await this.#changed(retryTransfers(this.#deps.store, ids));
  }

  async continueTransfers(ids: readonly string[]): Promise<void> {
    const intake = await this.#deps.intake();
    intake.add(await adoptLost(this.#deps.database, intake.id, ids));
  }

  writeFile(entryId: EntryId, bytes: Blob, base: ContentBase, quiet: boolean): Promise<EditResult> {
    return this.#edits.writeFile(entryId, bytes, base, quiet);
  }

  createFile(parentId: EntryId, name: string, bytes: Blob): Promise<EditResult> {
    return this.#edits.createFile(parentId, name, bytes);
  }

  replaceContent(entryId: EntryId, source: ContentSource): Promise<IntentResult> {
    return this.#wished(replaceContent(this.#context, entryId, source));
  }

  stop(): Promise<void> {
    return this.#deps.onStop();
  }

  /** Makes the planned files transfers of this tab's intake. */
  async #take(items: readonly PickedItem[], plan: UploadPlan, result: IntentResult): Promise<IntentResult> {
    const { database, say } = this.#deps;
    if (plan.folders.length > 0) say({ kind: 'requests' });
    if (plan.superseded.length > 0) await this.cancelTransfers(plan.superseded);
    const intake = await this.#deps.intake();
    const batchId = browserRandom.uuid();
    const createdAt = browserClock.now();
    const lost = await lostTransfers(database);
    for (let at = 0; at < plan.placements.length; at += TRANSFER_ROWS) {
      const taken = plan.placements.slice(at, at + TRANSFER_ROWS).flatMap(({ index, ...place }) => {
        const item = items[index];
        if (item?.kind !== 'file') return [];
        const { file, handle } = item;
        const before = lost.take({ ...place, size: file.size, mtime: file.lastModified });
        const row: TransferRow = {
          ...place,
          id: before?.id ?? browserRandom.uuid(),
          ...(before === null ? {} : { entryId: before.entryId }),
          batchId,
          intakeId: intake.id,
          size: file.size,
          mtime: file.lastModified,
          state: 'queued',
          paused: 0,
          stagedBytes: 0,
          sentBytes: 0,
          createdAt,
          ...(handle === undefined ? {} : { handle }),
        };
        return [{ row, file }];
      });
      try {
        await database.transfers.bulkPut(taken.map(({ row }) => row));
      } catch (error) {
        const quota = error instanceof Error && /quota/i.test(error.name + error.message);
        const sentence = quota
          ? 'The browser’s storage is full; some files could not be added.'
          : 'Some files could not be added. Please try again.';
        return { ok: false, sentence };
      }
      intake.add(taken);
    }
    return result;
  }

  async #wished(wish: Promise<IntentResult>): Promise<IntentResult> {
    const result = await wish;
    if (result.ok) this.#deps.say({ kind: 'requests' });
    return result;
  }

  async #changed(change: Promise<readonly string[]>): Promise<void> {
    const ids = await change;
    if (ids.length > 0) this.#deps.transfers.say({ kind: 'changed', ids });
  }
}
