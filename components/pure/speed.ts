/** Milliseconds the average looks back: long enough to be calm, short enough to notice a cut. */
const WINDOW_MILLISECONDS = 6000;

interface Sample {
  readonly at: number;
  readonly bytes: number;
}

/** A smoothed speed from a growing count of bytes. */
export interface SpeedEstimate {
  readonly samples: readonly Sample[];
}

export const NO_SPEED: SpeedEstimate = { samples: [] };

/** Notes the count at a moment (milliseconds). A count that fell (transfers were cleared) begins anew. */
export function noteBytes(estimate: SpeedEstimate, at: number, bytes: number): SpeedEstimate {
  const last = estimate.samples.at(-1);
  if (last !== undefined && bytes < last.bytes) return { samples: [{ at, bytes }] };
  const recent = estimate.samples.filter((_, index, all) => {
    // One sample older than the window stays as its left edge.
    const next = all[index + 1];
    return next === undefined || at - next.at < WINDOW_MILLISECONDS;
  });
  return { samples: [...recent, { at, bytes }] };
}

/** Bytes per second over the window; null until half a second was seen. */
export function speedOf(estimate: SpeedEstimate): number | null {
  const first = estimate.samples[0];
  const last = estimate.samples.at(-1);
  if (first === undefined || last === undefined || last.at - first.at < 500) return null;
  return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
}

/** Seconds until `remaining` bytes are through; infinite while nothing moves. */
export function secondsLeft(remaining: number, speed: number | null): number {
  if (remaining <= 0) return 0;
  return speed === null || speed <= 0 ? Number.POSITIVE_INFINITY : remaining / speed;
}
