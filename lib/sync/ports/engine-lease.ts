/** Held by the one engine of a browser profile. */
export interface EngineLease {
  /** Waits until this is the only engine, runs `work`, and gives the lease back when it ends. `lost` aborts if the lease is taken away. */
  hold(work: (lost: AbortSignal) => Promise<void>): Promise<void>;
}
