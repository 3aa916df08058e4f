import { isUuid, type UserId } from '../../model/ids';
import type { SatchelDatabase, TransferState } from './database';

/** Background Sync (WICG), which DOM types do not know: the browser wakes the service worker once there is a network. */
type SyncRegistration = ServiceWorkerRegistration & { readonly sync?: { register(tag: string): Promise<void> } };

const TAG = 'satchel-drain-';
/** Row of `settings`: whether the browser promised to go on without an open page. Absent until it was asked. */
export const BACKGROUND_SYNC_KEY = 'background-sync';
/** Row of `settings` while an account is being removed from this browser. */
const FORGETTING_KEY = 'forgetting';
/** Files in these states can be sent without the page they came from. */
export const SENDABLE_ALONE: readonly TransferState[] = ['staged', 'sending', 'durable'];

/** The name under which an account's queue is drained. */
export function drainTag(userId: UserId): string {
  return TAG + userId;
}

/** Whose queue a wake-up is for; null when it is for something else. */
export function userOfDrainTag(tag: string): UserId | null {
  const userId = tag.slice(TAG.length);
  return tag.startsWith(TAG) && isUuid(userId) ? (userId as UserId) : null;
}

/** Asks the browser to wake the service worker for this account. False where it has no Background Sync, or refused; never throws. */
export async function askForDrain(registration: ServiceWorkerRegistration, userId: UserId): Promise<boolean> {
  try {
    const { sync } = registration as SyncRegistration;
    if (sync === undefined) return false;
    await sync.register(drainTag(userId));
    return true;
  } catch {
    return false; // Forbidden for this site, or (Chromium) asked for while no page of ours is open.
  }
}

/** True when the queue holds anything that can be sent with every page closed. Costs two key look-ups. */
export async function hasSendable(database: SatchelDatabase): Promise<boolean> {
  // What is held waits for the person, not for the network.
  if ((await database.requests.filter(({ held }) => held === undefined).first()) !== undefined) return true;
  const files = database.transfers.where('state').anyOf([...SENDABLE_ALONE]);
  return (await files.filter(({ paused }) => paused === 0).first()) !== undefined;
}

/** To be written before an account's engine is stopped for good: nobody else begins to send what is thrown away. */
export async function noteForgetting(database: SatchelDatabase): Promise<void> {
  await database.settings.put({ key: FORGETTING_KEY, value: true });
}

export async function isBeingForgotten(database: SatchelDatabase): Promise<boolean> {
  return (await database.settings.get(FORGETTING_KEY)) !== undefined;
}
