import type { UserId } from '../../model/ids';
import type { EngineLease } from '../../ports/engine-lease';

/** The lease as a Web Lock: the browser hands it to the next tab as soon as the one that holds it closes. */
export function createWebLockEngineLease(userId: UserId, signal?: AbortSignal): EngineLease {
  return {
    async hold(work) {
      const lost = new AbortController();
      const give = () => lost.abort();
      signal?.addEventListener('abort', give, { once: true });
      try {
        await navigator.locks.request(`satchel-engine-${userId}`, signal === undefined ? {} : { signal }, () => work(lost.signal));
      } catch (error) {
        // Aborted while still waiting for its turn: there was nothing to give back.
        if (!(error instanceof DOMException && error.name === 'AbortError')) throw error;
      } finally {
        signal?.removeEventListener('abort', give);
      }
    },
  };
}
