import type { Clock, Random } from '../../ports/clock';
import type { Log } from '../../ports/log';
import { orderedUuids } from './ordered-uuids';

export const browserClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

export const browserRandom: Random = {
  uuid: orderedUuids(
    () => Date.now(),
    (bytes) => void crypto.getRandomValues(bytes),
  ),
  fraction: () => Math.random(),
};

/** To the developer tools; events and counts only. */
export const browserLog: Log = {
  info: (event, detail) => console.debug(`[satchel] ${event}`, detail ?? ''),
  warn: (event, detail) => console.warn(`[satchel] ${event}`, detail ?? ''),
  error: (event, detail) => console.error(`[satchel] ${event}`, detail ?? ''),
};
