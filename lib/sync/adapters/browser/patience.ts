import type { Clock, Random } from '../../ports/clock';
import type { Reply } from '../../ports/sync-service';
import { SIGNED_OUT } from '../../protocol/error-codes';

const RETRY_MILLISECONDS_MIN = 500;
const RETRY_MILLISECONDS_MAX = 60_000;

export interface PatienceDeps {
  readonly clock: Clock;
  readonly random: Random;
  onReachable?(state: 'online' | 'offline' | 'signed_out'): void;
}

/** When to try again: waits double with each failure, with chance so that devices do not come back all at once. */
export class Patience {
  private failures = 0;
  private waiting = new AbortController();

  constructor(private readonly deps: PatienceDeps) {}

  /** The server answered as it should. */
  reached(): void {
    this.failures = 0;
    this.deps.onReachable?.('online');
  }

  /** Resolves when it is time to try again, at once when `wake` is called. */
  async afterFailure(reply: Reply<unknown> & { ok: false }): Promise<void> {
    if (reply.code === 'offline') this.deps.onReachable?.('offline');
    else if (SIGNED_OUT.has(reply.code)) this.deps.onReachable?.('signed_out');
    const longest = Math.min(RETRY_MILLISECONDS_MAX, RETRY_MILLISECONDS_MIN * 2 ** this.failures);
    this.failures = Math.min(this.failures + 1, 10);
    await this.deps.clock.sleep(longest * (0.5 + this.deps.random.fraction() / 2), this.waiting.signal);
  }

  wake(): void {
    this.waiting.abort();
    this.waiting = new AbortController();
  }
}
