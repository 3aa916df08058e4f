import { Dexie } from 'dexie';
import { hasSendable, isBeingForgotten } from '@/lib/sync/adapters/browser/background-sync';
import { browserClock, browserLog, browserRandom } from '@/lib/sync/adapters/browser/browser-clock';
import { SatchelDatabase } from '@/lib/sync/adapters/browser/database';
import { deviceNameGuess } from '@/lib/sync/adapters/browser/device-name';
import { createDexieLocalStore } from '@/lib/sync/adapters/browser/dexie-local-store';
import { fetchReply } from '@/lib/sync/adapters/browser/fetch-reply';
import { createFetchSyncService } from '@/lib/sync/adapters/browser/fetch-sync-service';
import { OpfsStaging } from '@/lib/sync/adapters/browser/opfs-staging';
import { PackSender } from '@/lib/sync/adapters/browser/pack-sender';
import { TransferChannel } from '@/lib/sync/adapters/browser/transfer-channel';
import { createTusBlockServer } from '@/lib/sync/adapters/browser/tus-block-server';
import { webCryptoHasher } from '@/lib/sync/adapters/browser/web-crypto-hasher';
import { Bell } from '@/lib/sync/engine/bell';
import { RequestLoop } from '@/lib/sync/engine/request-loop';
import type { UserId } from '@/lib/sync/model/ids';
import type { Me } from '@/lib/sync/protocol/accounts';
import { SIGNED_OUT } from '@/lib/sync/protocol/error-codes';
import { ROUTES } from '@/lib/sync/protocol/routes';

/**
 * How a drain ended. `empty`: nothing is left that can be sent without a page. `left`: stopped by its signal. `unreachable`: the
 * server did not answer for a while. `not_ours`: nobody is signed in here, or somebody else is; nothing was touched.
 */
export type DrainEnd = 'empty' | 'left' | 'unreachable' | 'not_ours';

/** Without an answer for this long the browser is asked to try again later. */
const UNREACHABLE_MILLISECONDS = 15_000;
/** How often the queue is looked at when nothing rings. */
const LOOK_MILLISECONDS = 1_000;

/**
 * Sends what waits on this device, as the tab's engine would: the same pack sender and request loop, on the same rows. For a service
 * worker that holds the account's lease; it reads staged bytes, and stages none. What it began and did not finish goes on from the
 * byte, whoever goes on: addresses of uploads are in `packs`.
 */
export async function drainQueue(userId: UserId, origin: string, lost: AbortSignal): Promise<DrainEnd> {
  const signedIn = await fetchReply<Me>(ROUTES.me, { origin, timeout: UNREACHABLE_MILLISECONDS });
  if (!signedIn.ok) return signedIn.code !== 'offline' && SIGNED_OUT.has(signedIn.code) ? 'not_ours' : 'unreachable';
  if (signedIn.value.userId !== userId) return 'not_ours';
  // Opening the database of an account that was removed from this browser would make it anew.
  if (!(await Dexie.getDatabaseNames()).includes(`satchel-${userId}`)) return 'empty';
  const database = new SatchelDatabase(userId);
  const stop = new AbortController();
  const give = (): void => stop.abort();
  lost.addEventListener('abort', give, { once: true });
  if (lost.aborted) give();
  try {
    // What the person throws away must not be sent in the moment before it is gone.
    if (await isBeingForgotten(database)) return 'empty';
    return await send(database, { userId, origin, stop });
  } finally {
    lost.removeEventListener('abort', give);
    database.close();
  }
}

interface Run {
  readonly userId: UserId;
  readonly origin: string;
  readonly stop: AbortController;
}

async function send(database: SatchelDatabase, { userId, origin, stop }: Run): Promise<DrainEnd> {
  const tools = { clock: browserClock, random: browserRandom, log: browserLog };
  const bell = new Bell();
  const channel = new TransferChannel(userId);
  channel.listen((message) => message.kind === 'durable' && bell.ring());
  let silentSince: number | null = null;
  const heard = (reachable: boolean): void => {
    silentSince = reachable ? null : (silentSince ?? browserClock.now());
  };
  // A tab that waits for the lease must not wait for an answer that may never come.
  const until: typeof fetch = (input, init) => fetch(input, { ...init, signal: anySignal([stop.signal, init?.signal]) });
  const network = { origin, fetch: until };
  const requests = new RequestLoop({
    ...tools,
    store: createDexieLocalStore(database),
    service: createFetchSyncService(network),
    deviceName: deviceNameGuess(),
    onTransfers: (ids) => channel.say({ kind: 'changed', ids }),
    onReachable: heard,
  });
  const sender = new PackSender({
    ...tools,
    database,
    staging: await OpfsStaging.openToRead(userId),
    blocks: createTusBlockServer(network),
    hasher: webCryptoHasher,
    channel: new TransferChannel(userId),
    onReachable: (state) => heard(state !== 'offline'),
  });
  const sending = sender.run(stop.signal);
  sending.catch((error: unknown) => {
    browserLog.error('drain.sender_broke', { error: String(error) });
    stop.abort();
  });
  try {
    while (!stop.signal.aborted) {
      const drained = await requests.drain(stop.signal);
      if (drained === 'signed_out') return 'not_ours';
      if (drained === 'empty' && !(await hasSendable(database))) return 'empty';
      if (silentSince !== null && browserClock.now() - silentSince > UNREACHABLE_MILLISECONDS) return 'unreachable';
      await bell.wait(browserClock, LOOK_MILLISECONDS, stop.signal);
    }
    return 'left';
  } finally {
    stop.abort();
    await Promise.allSettled([sending]);
    channel.close();
  }
}

function anySignal(signals: readonly (AbortSignal | null | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal): signal is AbortSignal => signal instanceof AbortSignal));
}
