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
import { OwnDeletions } from '@/lib/sync/engine/own-deletions';
import { RequestLoop } from '@/lib/sync/engine/request-loop';
import { ResponseLoop } from '@/lib/sync/engine/response-loop';
import type { UserId } from '@/lib/sync/model/ids';
import type { Me } from '@/lib/sync/protocol/accounts';
import { SIGNED_OUT } from '@/lib/sync/protocol/error-codes';
import { ROUTES } from '@/lib/sync/protocol/routes';

/**
 * How a drain ended. `empty`: nothing is left that can be sent without a page. `left`: stopped by its signal. `not_ours`: nobody is
 * signed in here, or somebody else is; nothing was touched.
 */
export type DrainEnd = 'empty' | 'left' | 'not_ours';

const ANSWER_MILLISECONDS_MAX = 15_000;
/** How often the queue is looked at when nothing rings. */
const LOOK_MILLISECONDS = 1_000;
/** How often a server that does not answer is asked again: browsers wake us only a few times, so the network may come back meanwhile. */
const RETRY_MILLISECONDS = 3_000;

/**
 * Sends what waits on this device, as the tab's engine would: the same pack sender and request loop, on the same rows. For a service
 * worker that holds the account's lease; it reads staged bytes, and stages none. What it began and did not finish goes on from the
 * byte, whoever goes on: addresses of uploads are in `packs`.
 */
export async function drainQueue(userId: UserId, origin: string, lost: AbortSignal): Promise<DrainEnd> {
  const owner = await signedInUser(origin, lost);
  if (owner === 'unknown') return 'left';
  if (owner !== userId) return 'not_ours';
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

/** Who the server says is signed in, null for nobody; asked until it answers, `unknown` when it did not before `lost`. */
async function signedInUser(origin: string, lost: AbortSignal): Promise<UserId | null | 'unknown'> {
  while (!lost.aborted) {
    const network = { origin, fetch: fetchUntil(lost), timeout: ANSWER_MILLISECONDS_MAX };
    const reply = await fetchReply<Me>(ROUTES.me, network);
    if (reply.ok) return reply.value.userId;
    if (reply.code !== 'offline' && SIGNED_OUT.has(reply.code)) return null;
    await browserClock.sleep(RETRY_MILLISECONDS, lost);
  }
  return 'unknown';
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
  const network = { origin, fetch: fetchUntil(stop.signal) };
  const deps = {
    ...tools,
    store: createDexieLocalStore(database),
    service: createFetchSyncService(network),
    deviceName: deviceNameGuess(),
    deletions: new OwnDeletions(),
    onTransfers: (ids: readonly string[]) => channel.say({ kind: 'changed', ids }),
    onReachable: () => undefined,
  };
  // Pull, plan, push here as well: a deletion must know what it deletes.
  let caughtUp = false;
  const requests = new RequestLoop({ ...deps, mayPush: () => caughtUp });
  const onPulled = async (): Promise<void> => {
    caughtUp = true;
  };
  const responses = new ResponseLoop({ ...deps, onChanged: () => undefined, onPulled });
  const sender = new PackSender({
    ...tools,
    database,
    staging: await OpfsStaging.openToRead(userId),
    blocks: createTusBlockServer(network),
    hasher: webCryptoHasher,
    channel: new TransferChannel(userId),
  });
  const sending = sender.run(stop.signal);
  sending.catch((error: unknown) => {
    browserLog.error('drain.sender_broke', { error: String(error) });
    stop.abort();
  });
  try {
    while (!stop.signal.aborted) {
      if (!caughtUp && (await responses.pull(stop.signal)) === 'signed_out') return 'not_ours';
      const drained = await requests.drain(stop.signal);
      if (drained === 'signed_out') return 'not_ours';
      if (drained === 'empty' && !(await hasSendable(database))) return 'empty';
      await bell.wait(browserClock, drained === 'later' || drained === 'waiting' ? RETRY_MILLISECONDS : LOOK_MILLISECONDS, stop.signal);
    }
    return 'left';
  } finally {
    stop.abort();
    await Promise.allSettled([sending]);
    channel.close();
  }
}

/** Ends with `signal`: a tab that waits for the lease must not wait for an answer that may never come. */
function fetchUntil(signal: AbortSignal): typeof fetch {
  return (input, init) => fetch(input, { ...init, signal: AbortSignal.any(init?.signal ? [signal, init.signal] : [signal]) });
}
