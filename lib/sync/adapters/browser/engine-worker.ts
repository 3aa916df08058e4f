import type { FromWorker, ToWorker, WorkerCalls, WorkerStart } from './engine-channel';

const ADDRESS = '/workers/sync.worker.js';

/** The page's handle on its worker: calls go over, answers come back. */
export class EngineWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #lastId = 0;
  #broken: Error | null = null;

  constructor(start: WorkerStart) {
    this.#worker = new Worker(ADDRESS, { name: 'satchel-sync' });
    this.#worker.onmessage = (event: MessageEvent<FromWorker>) => this.#heard(event.data);
    // An error after its start concerns one task; without a loaded script nothing would ever answer.
    this.#worker.onerror = (event) => {
      if (event.message === undefined || event.message === '') this.#broke(new Error('The worker could not be loaded.'));
    };
    this.#say({ kind: 'start', ...start });
  }

  /** Resolves with the worker's answer; rejects when it threw, could not be loaded or was ended. */
  call<K extends keyof WorkerCalls>(method: K, ...args: Parameters<WorkerCalls[K]>): ReturnType<WorkerCalls[K]> {
    const answer = new Promise((resolve, reject) => {
      if (this.#broken !== null) {
        reject(this.#broken);
        return;
      }
      this.#lastId += 1;
      this.#waiting.set(this.#lastId, { resolve, reject });
      this.#say({ kind: 'call', id: this.#lastId, method, args });
    });
    return answer as ReturnType<WorkerCalls[K]>;
  }

  /** Ends the worker; what was asked and not answered rejects. */
  terminate(): void {
    this.#worker.terminate();
    this.#broke(new Error('The engine was closed.'));
  }

  #heard(message: FromWorker): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === 'reply') waiting?.resolve(message.value);
    else waiting?.reject(new Error(message.message));
  }

  #broke(error: Error): void {
    this.#broken = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #say(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}
