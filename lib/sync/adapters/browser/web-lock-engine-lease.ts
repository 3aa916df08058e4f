import type { UserId } from '../../model/ids';
import type { EngineLease } from '../../ports/engine-lease';

const LEASE = 'satchel-engine-';
/** Held by the service worker beside the lease it holds or waits for, so that it is never taken for an open tab. */
const DRAIN = 'satchel-draining-';
/** How often a drain looks whether a tab wants the lease. */
const YIELD_MILLISECONDS = 250;

function leaseName(userId: UserId): string {
  return LEASE + userId;
}

/** The lease as a Web Lock: the browser hands it to the next tab as soon as the one that holds it closes. */
export function createWebLockEngineLease(userId: UserId, signal?: AbortSignal): EngineLease {
  return {
    async hold(work) {
      const lost = new AbortController();
      const give = () => lost.abort();
      signal?.addEventListener('abort', give, { once: true });
      try {
        await navigator.locks.request(leaseName(userId), signal === undefined ? {} : { signal }, () => work(lost.signal));
      } catch (error) {
        // Aborted while still waiting for its turn: there was nothing to give back.
        if (!(error instanceof DOMException && error.name === 'AbortError')) throw error;
      } finally {
        signal?.removeEventListener('abort', give);
      }
    },
  };
}

/**
 * The service worker's lease: taken when no tab has it, or once the last one gives it back, and given back as soon as a tab waits
 * for it. One drain at a time. Resolves with what `work` made, or null when `signal` aborted before it was this one's turn.
 */
export async function holdLeaseForDrain<T>(
  userId: UserId,
  signal: AbortSignal,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<T | null> {
  try {
    return await navigator.locks.request(DRAIN + userId, { signal }, () =>
      navigator.locks.request(leaseName(userId), { signal }, async () => {
        const lost = new AbortController();
        const give = () => lost.abort();
        signal.addEventListener('abort', give, { once: true });
        const looking = setInterval(() => void isWanted(userId).then((wanted) => wanted && give()), YIELD_MILLISECONDS);
        try {
          // Another tab may have waited behind the one that closed.
          if (await isWanted(userId)) give();
          return await work(lost.signal);
        } finally {
          clearInterval(looking);
          signal.removeEventListener('abort', give);
        }
      }),
    );
  } catch (error) {
    if (signal.aborted && error === signal.reason) return null;
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}

async function isWanted(userId: UserId): Promise<boolean> {
  const { pending } = await navigator.locks.query();
  return (pending ?? []).some(({ name }) => name === leaseName(userId));
}

/** Accounts with an open tab: each tab's worker holds its account's lease or waits for it. The service worker's own drain does not count. */
export async function accountsInTabs(): Promise<readonly string[]> {
  const { held = [], pending = [] } = await navigator.locks.query();
  const drains = new Set(held.flatMap(({ name, clientId }) => (name?.startsWith(DRAIN) ? [clientId] : [])));
  const tabs = [...held, ...pending].filter(({ name, clientId }) => name?.startsWith(LEASE) && !drains.has(clientId));
  return [...new Set(tabs.map(({ name }) => (name ?? '').slice(LEASE.length)))];
}
