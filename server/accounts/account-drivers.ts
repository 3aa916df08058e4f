/** What the accounts room needs besides its records. Small on purpose: each has one implementation under drivers/ and is easy to stand in for. */

/** Slow, salted hash for what people type. */
export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** `hash` null (no such account): takes as long as a real comparison and answers false. */
  matches(hash: string | null, password: string): Promise<boolean>;
}

/** Opaque session tokens. */
export interface TokenMaker {
  /** 256 bits from the system's random source, as text that is safe in a cookie. */
  make(): string;
  /** SHA-256 of a token. Fast is right here: 256 random bits cannot be guessed. */
  hash(token: string): Uint8Array<ArrayBuffer>;
  uuid(): string;
}

/** Counts attempts per key in a sliding window. */
export interface AttemptLimiter {
  /** Counts one attempt; `ok: false` when there were too many. */
  take(key: string): Promise<{ readonly ok: true } | { readonly ok: false; readonly retryAfterSeconds: number }>;
  /** Gives one attempt back: it was a good one. */
  giveBack(key: string): Promise<void>;
}

/** Milliseconds since 1970 UTC. */
export interface Clock {
  now(): number;
}
