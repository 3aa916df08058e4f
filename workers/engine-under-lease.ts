import { browserClock, browserLog, browserRandom } from '@/lib/sync/adapters/browser/browser-clock';
import { BrowserMergeBench } from '@/lib/sync/adapters/browser/browser-merge-bench';
import type { SatchelDatabase } from '@/lib/sync/adapters/browser/database';
import type { EngineMessage } from '@/lib/sync/adapters/browser/engine-channel';
import { createFetchSyncService } from '@/lib/sync/adapters/browser/fetch-sync-service';
import type { FileIntake } from '@/lib/sync/adapters/browser/file-intake';
import { OfflineContent } from '@/lib/sync/adapters/browser/offline-content';
import type { OpfsStaging } from '@/lib/sync/adapters/browser/opfs-staging';
import { PackSender } from '@/lib/sync/adapters/browser/pack-sender';
import { createSocketResponseQueue } from '@/lib/sync/adapters/browser/socket-response-queue';
import { TransferChannel } from '@/lib/sync/adapters/browser/transfer-channel';
import { createTusBlockServer } from '@/lib/sync/adapters/browser/tus-block-server';
import { webCryptoHasher } from '@/lib/sync/adapters/browser/web-crypto-hasher';
import { Engine } from '@/lib/sync/engine/engine';
import { applyStagedTransfers } from '@/lib/sync/engine/transfer-commits';
import type { NamespaceId, UserId } from '@/lib/sync/model/ids';
import type { LocalStore } from '@/lib/sync/ports/local-store';
import { WorkspaceUnderLease } from './workspace-under-lease';

export interface EngineUnderLeaseDeps {
  readonly userId: UserId;
  readonly rootNamespaceId: NamespaceId;
  readonly deviceName: string;
  readonly origin: string;
  readonly database: SatchelDatabase;
  readonly store: LocalStore;
  readonly opened: Promise<{ readonly staging: OpfsStaging; readonly intake: FileIntake }>;
}

const UNFINISHED = ['staging', 'staged', 'sending', 'durable'] as const;

const RECOVER_MILLISECONDS = 60_000;

/** Takes over what other tabs left unfinished when they were closed: at the start, and again while this one leads. */
async function recoverNowAndThen(intake: FileIntake, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await intake.recover();
    await browserClock.sleep(RECOVER_MILLISECONDS, signal);
  }
}

/** Everything that exists once per browser profile: built when this worker gets the lease, gone when it gives it back. */
export class EngineUnderLease {
  readonly #deps: EngineUnderLeaseDeps;
  #engine: Engine | null = null;
  #sender: PackSender | null = null;
  /** Rows become visible in the order in which their bytes were staged. */
  #applying: Promise<void> = Promise.resolve();

  constructor(deps: EngineUnderLeaseDeps) {
    this.#deps = deps;
  }

  /** A word from any tab; means nothing while another worker holds the lease. */
  hear(message: EngineMessage): void {
    if (message.kind === 'requests') this.#engine?.wakeRequests();
    if (message.kind === 'wake') {
      this.#engine?.wakeAll();
      this.#sender?.wake();
    }
  }

  /** Works until `lost` aborts or the session ends. */
  async run(lost: AbortSignal): Promise<void> {
    const { userId, deviceName, origin, database, store, opened } = this.#deps;
    const { staging, intake } = await opened;
    const tools = { clock: browserClock, random: browserRandom, log: browserLog };
    const transfers = new TransferChannel(userId);
    const ended = new AbortController();
    const end = () => ended.abort();
    lost.addEventListener('abort', end, { once: true });
    if (lost.aborted) end();
    const offline = new OfflineContent({ database, clock: browserClock, log: browserLog });
    const sender = new PackSender({
      ...tools,
      database,
      staging,
      blocks: createTusBlockServer({ origin }),
      hasher: webCryptoHasher,
      channel: new TransferChannel(userId),
    });
    const engine = new Engine({
      ...tools,
      store,
      deviceName,
      bench: new BrowserMergeBench({ origin, database, staging, intake, ...tools }),
      service: createFetchSyncService({ origin }),
      notices: createSocketResponseQueue({ origin }),
      onTransfers: (ids) => transfers.say({ kind: 'changed', ids }),
      onFinished: (ids) => {
        transfers.say({ kind: 'done', ids });
        offline.kick();
      },
      onChanged: () => offline.kick(),
      onOnline: () => {
        sender.wake();
        offline.kick();
      },
    });
    this.#engine = engine;
    this.#sender = sender;
    transfers.listen((message) => {
      if (message.kind === 'staged') this.#apply(message.ids);
      if (message.kind === 'durable') engine.wakeRequests();
    });
    await this.#applyUnfinished();
    const workspace = new WorkspaceUnderLease({
      ...this.#deps,
      service: createFetchSyncService({ origin }),
      intake,
      onRequests: () => engine.wakeRequests(),
      onTransfers: (ids) => transfers.say({ kind: 'changed', ids }),
    });
    const working = [
      workspace.run(ended.signal),
      engine.run(ended.signal).finally(end),
      sender.run(ended.signal),
      offline.run(ended.signal),
      recoverNowAndThen(intake, ended.signal),
    ];
    for (const work of working) work.catch((error: unknown) => browserLog.error('engine_part_failed', { error: String(error) }));
    await Promise.allSettled(working);
    await this.#applying;
    this.#engine = null;
    this.#sender = null;
    lost.removeEventListener('abort', end);
    transfers.close();
  }

  #apply(ids: readonly string[]): void {
    this.#applying = this.#applying
      .then(() => applyStagedTransfers(this.#deps.store, ids))
      .catch((error: unknown) => browserLog.error('staged_not_shown', { error: String(error) }));
  }

  /** Files whose bytes were safe when the browser closed, but whose rows were not written yet. */
  async #applyUnfinished(): Promise<void> {
    const { store } = this.#deps;
    const transfers = await store.read((reading) => reading.transfersIn(UNFINISHED));
    this.#apply(transfers.map(({ id }) => id));
    await this.#applying;
  }
}
