import type { Clock } from '../ports/clock';

/** Wakes a loop that waits. A ring while nobody waits is kept: the next wait returns at once. */
export class Bell {
  #rung = false;
  #waiting: AbortController | null = null;

  ring(): void {
    this.#rung = true;
    this.#waiting?.abort();
  }

  /** Resolves when rung, after `milliseconds`, or when `signal` aborts. */
  async wait(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
    if (this.#rung || signal.aborted) {
      this.#rung = false;
      return;
    }
    const waiting = new AbortController();
    this.#waiting = waiting;
    const stop = () => waiting.abort();
    signal.addEventListener('abort', stop, { once: true });
    await clock.sleep(milliseconds, waiting.signal);
    signal.removeEventListener('abort', stop);
    this.#waiting = null;
    this.#rung = false;
  }
}

const BACK_OFF_FIRST = 1_000;
const BACK_OFF_LAST = 60_000;

/** Milliseconds before try number `attempt` (1, 2, …): doubling, half of it by chance, so that devices do not return in step. */
export function backOff(attempt: number, fraction: number): number {
  const whole = Math.min(BACK_OFF_LAST, BACK_OFF_FIRST * 2 ** Math.min(attempt - 1, 16));
  return whole / 2 + (whole / 2) * fraction;
}
