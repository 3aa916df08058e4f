import type { CrashPhase } from './scenario';
import type { World } from './world';

/** What a machine's death does to code that still runs: nothing it waits for ever comes. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}

/** One running of a machine, from its start to its crash. Counts writes, so that a crash can be aimed at one of them. */
export class Life {
  #dead = false;
  #armed: { left: number; readonly phase: CrashPhase; readonly crash: () => void } | null = null;

  constructor(private readonly world: World) {}

  get dead(): boolean {
    return this.#dead;
  }

  end(): void {
    this.#dead = true;
    this.#armed = null;
  }

  /** From now on the `writes`-th write is the last thing this life does. */
  arm(writes: number, phase: CrashPhase, crash: () => void): void {
    this.#armed = { left: writes, phase, crash };
  }

  disarm(): void {
    this.#armed = null;
  }

  /** Resolves after so many virtual milliseconds, if the machine still runs then. */
  pause(milliseconds: number): Promise<void> {
    if (this.#dead) return never();
    return this.world.timeline.sleep(milliseconds, { alive: () => !this.#dead });
  }

  /** Begins a write; says where in it the machine dies, or null. */
  beginWrite(): { readonly phase: CrashPhase; readonly crash: () => void } | null {
    const armed = this.#armed;
    if (armed === null) return null;
    armed.left -= 1;
    return armed.left > 0 ? null : armed;
  }
}

/** Thrown inside a transaction by a machine that dies in it. */
export class Crash extends Error {
  override name = 'Crash';
}
