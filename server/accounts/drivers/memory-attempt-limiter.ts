import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { AttemptLimiter } from '../account-drivers';

/** Counts in this process. `seconds` is the window that begins with a key's first attempt. */
export function createMemoryAttemptLimiter(options: { readonly attempts: number; readonly seconds: number }): AttemptLimiter {
  const limiter = new RateLimiterMemory({ points: options.attempts, duration: options.seconds });
  return {
    async take(key) {
      try {
        await limiter.consume(key);
        return { ok: true };
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        return { ok: false, retryAfterSeconds: Math.max(1, Math.ceil(refusal.msBeforeNext / 1000)) };
      }
    },
    async giveBack(key) {
      await limiter.reward(key);
    },
  };
}
