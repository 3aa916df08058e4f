/** Virtual time: what is due runs in the order of its moment, then in the order in which it was asked for. Nothing waits for a real clock. */
interface Due {
  readonly at: number;
  readonly order: number;
  readonly work: () => void;
}

/** Every promise chain that needs no event is through when this resolves. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** So many happenings are more than any scenario needs: something goes round in circles. */
const HAPPENINGS_MAX = 40_000;

export class Timeline {
  #happened = 0;
  #now = 0;
  #order = 0;
  readonly #heap: Due[] = [];

  /** Milliseconds since the simulation began. */
  get now(): number {
    return this.#now;
  }

  /** Calls `work` after so many milliseconds. */
  after(milliseconds: number, work: () => void): void {
    this.#push({ at: this.#now + Math.max(0, milliseconds), order: this.#order++, work });
  }

  /** Resolves after so many milliseconds, or at once when `signal` aborts. Never resolves while `alive` says no when it is due. */
  sleep(milliseconds: number, { signal, alive = () => true }: { signal?: AbortSignal; alive?: () => boolean } = {}): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        if (alive()) resolve();
      };
      signal?.addEventListener('abort', wake, { once: true });
      this.after(milliseconds, () => {
        signal?.removeEventListener('abort', wake);
        wake();
      });
    });
  }

  /** True once so much has happened that nothing more will be let happen. */
  get exhausted(): boolean {
    return this.#happened >= HAPPENINGS_MAX;
  }

  /** Lets everything happen up to a moment. */
  async runTo(moment: number): Promise<void> {
    await settled();
    for (let due = this.#heap[0]; due !== undefined && due.at <= moment && !this.exhausted; due = this.#heap[0]) {
      this.#happened += 1;
      this.#pop();
      this.#now = due.at;
      due.work();
      await settled();
    }
    this.#now = Math.max(this.#now, moment);
  }

  #push(due: Due): void {
    const heap = this.#heap;
    heap.push(due);
    for (let at = heap.length - 1; at > 0; ) {
      const above = (at - 1) >> 1;
      if (!this.#before(at, above)) break;
      this.#swap(at, above);
      at = above;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    this.#swap(0, heap.length - 1);
    heap.pop();
    for (let at = 0; ; ) {
      let first = at;
      for (const below of [2 * at + 1, 2 * at + 2]) if (below < heap.length && this.#before(below, first)) first = below;
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }

  #before(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a] as Due, this.#heap[b] as Due];
    return one.at < other.at || (one.at === other.at && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    [heap[a], heap[b]] = [heap[b] as Due, heap[a] as Due];
  }
}
