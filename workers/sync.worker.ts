/**
 * The tab's worker. Takes in files and writes wishes for its own tab; the one of all tabs' workers that holds the lease also talks
 * to the server: request loop, response loop, pack sender, offline content.
 */
import { browserClock, browserLog, browserRandom } from '@/lib/sync/adapters/browser/browser-clock';
import { SatchelDatabase } from '@/lib/sync/adapters/browser/database';
import { createDexieLocalStore } from '@/lib/sync/adapters/browser/dexie-local-store';
import { type FromWorker, openEngineChannel, type ToWorker, type WorkerStart } from '@/lib/sync/adapters/browser/engine-channel';
import { FileIntake } from '@/lib/sync/adapters/browser/file-intake';
import { OpfsStaging } from '@/lib/sync/adapters/browser/opfs-staging';
import { TransferChannel } from '@/lib/sync/adapters/browser/transfer-channel';
import { webCryptoHasher } from '@/lib/sync/adapters/browser/web-crypto-hasher';
import { createWebLockEngineLease } from '@/lib/sync/adapters/browser/web-lock-engine-lease';
import { EngineCalls } from './engine-calls';
import { EngineUnderLease } from './engine-under-lease';

const scope = self as unknown as DedicatedWorkerGlobalScope;
let calls: EngineCalls | null = null;

function start({ userId, rootNamespaceId, deviceName, origin }: WorkerStart): EngineCalls {
  const database = new SatchelDatabase(userId);
  const store = createDexieLocalStore(database);
  const stopped = new AbortController();
  const transfers = new TransferChannel(userId);
  const opened = OpfsStaging.open(userId).then(async (staging) => {
    const channel = new TransferChannel(userId);
    const tools = { hasher: webCryptoHasher, clock: browserClock, random: browserRandom, log: browserLog };
    const intake = new FileIntake({ database, staging, channel, ...tools });
    await intake.open();
    return { staging, intake };
  });
  const engine = new EngineUnderLease({ userId, rootNamespaceId, deviceName, origin, database, store, opened });
  const running = createWebLockEngineLease(userId, stopped.signal)
    .hold((lost) => engine.run(lost))
    .catch((error: unknown) => browserLog.error('engine_ended', { error: String(error) }));
  const wake = openEngineChannel(userId, (message) => engine.hear(message));
  return new EngineCalls({
    store,
    database,
    rootNamespaceId,
    deviceName,
    transfers,
    intake: async () => (await opened).intake,
    say: (message) => {
      // A BroadcastChannel does not hear itself, and the engine may run right here.
      engine.hear(message);
      wake.postMessage(message);
    },
    onStop: async () => {
      stopped.abort();
      await (await opened).intake.close();
      await running;
      wake.close();
      transfers.close();
      database.close();
    },
  });
}

async function answer({ id, method, args }: Extract<ToWorker, { kind: 'call' }>): Promise<FromWorker> {
  try {
    if (calls === null) throw new Error('asked before its start');
    const call = calls[method] as (...values: readonly unknown[]) => Promise<unknown>;
    return { kind: 'reply', id, value: await call.apply(calls, [...args]) };
  } catch (error) {
    browserLog.error('call_failed', { method, error: String(error) });
    return { kind: 'threw', id, message: error instanceof Error ? error.message : String(error) };
  }
}

scope.onmessage = async (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  if (message.kind === 'start') calls ??= start(message);
  else scope.postMessage(await answer(message));
};
