import type { Lock, Locker, RequestRelease } from '@tus/utils';
import { ERRORS } from '@tus/utils';

const WAIT_MILLISECONDS_MAX = 30_000;

interface Turn {
  /** Asks the holder to come to an end, because somebody else waits. */
  readonly release: RequestRelease;
  readonly waiting: (() => void)[];
}

/**
 * One request at a time for each upload. A newcomer asks the holder to let go: two requests for one upload mean that the
 * client lost its connection and came back before this side noticed. First come, first served, without polling.
 */
export class UploadLocker implements Locker {
  private readonly held = new Map<string, Turn>();

  /** `holder` gives the request that is running now; its `stop` ends what it waits for. */
  constructor(private readonly holder: () => { stop(): void } | undefined) {}

  newLock(id: string): Lock {
    return {
      lock: (signal, release) => this.lock(id, signal, release),
      unlock: async () => this.unlock(id),
    };
  }

  private async lock(id: string, signal: AbortSignal, release: RequestRelease): Promise<void> {
    const holder = this.holder();
    const turn: Turn = {
      release: () => {
        holder?.stop();
        return release();
      },
      waiting: [],
    };
    const deadline = Date.now() + WAIT_MILLISECONDS_MAX;
    for (;;) {
      if (signal.aborted) throw ERRORS.ABORTED;
      const held = this.held.get(id);
      if (held === undefined) break;
      await held.release();
      if (!(await inTime(held, deadline - Date.now()))) throw ERRORS.ERR_LOCK_TIMEOUT;
    }
    this.held.set(id, turn);
  }

  private unlock(id: string): void {
    const turn = this.held.get(id);
    this.held.delete(id);
    for (const next of turn?.waiting ?? []) next();
  }
}

function inTime(held: Turn, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds);
    held.waiting.push(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
