/** Time as the engine sees it; the simulation brings its own. */
export interface Clock {
  /** Milliseconds since 1970 UTC. */
  now(): number;
  /** Resolves after `milliseconds`, or at once when `signal` aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** Chance as the engine sees it. */
export interface Random {
  /** A fresh lower-case UUID. */
  uuid(): string;
  /** Uniform in [0, 1). */
  fraction(): number;
}
