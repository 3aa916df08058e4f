import { Worker } from 'node:worker_threads';
import { assert } from '@/lib/sync/model/assert';
import type { ChunkId } from '@/lib/sync/model/ids';
import type { PackedChunk } from '@/lib/sync/protocol/pack-format';

/**
 * What runs in the thread. It is text, so that it works alike under tsx, under vitest and inside one bundled file, where a
 * second source file would be missing. Synchronous hashing reaches 1.7 GB/s a core; awaited digests do not for small chunks.
 */
const THREAD = `
const { parentPort } = require('node:worker_threads');
const { createHash } = require('node:crypto');
const { openSync, readSync, closeSync } = require('node:fs');
const buffer = Buffer.allocUnsafeSlow(1 << 20);
function digest(file, offset, length) {
  const hash = createHash('sha256');
  for (let done = 0; done < length; ) {
    const read = readSync(file, buffer, 0, Math.min(buffer.length, length - done), offset + done);
    if (read === 0) return null;
    hash.update(buffer.subarray(0, read));
    done += read;
  }
  return hash.digest('hex');
}
function firstMismatch({ path, ids, offsets, lengths }) {
  const file = openSync(path, 'r');
  try {
    return ids.findIndex((id, index) => digest(file, offsets[index], lengths[index]) !== id);
  } finally {
    closeSync(file);
  }
}
parentPort.on('message', (task) => {
  try {
    parentPort.postMessage({ number: task.number, mismatch: firstMismatch(task) });
  } catch (error) {
    parentPort.postMessage({ number: task.number, failure: String(error) });
  }
});
`;

type Answer = { readonly number: number } & ({ readonly mismatch: number } | { readonly failure: string });

interface Waiting {
  resolve(mismatch: number): void;
  reject(reason: Error): void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

/** Verifies packs on their disk with a few threads, so that hashing never keeps the server from answering. */
export class PackVerifier {
  private readonly threads: (Thread | undefined)[];
  private number = 0;
  private closed = false;

  /** Threads start when they are first needed; an idle one does not keep the process alive. */
  constructor(threads: number) {
    this.threads = Array.from({ length: threads }, () => undefined);
  }

  /** The first of `chunks` whose payload in the file at `path` does not have its digest, or null. Rejects when the file cannot be read. */
  async firstMismatch(path: string, chunks: readonly PackedChunk[]): Promise<ChunkId | null> {
    assert(!this.closed, 'a closed verifier is not asked');
    const number = this.number++;
    const thread = this.thread(number % this.threads.length);
    const mismatch = await new Promise<number>((resolve, reject) => {
      thread.waiting.set(number, { resolve, reject });
      if (thread.waiting.size === 1) thread.worker.ref();
      const lengths = chunks.map((chunk) => chunk.stored);
      thread.worker.postMessage({
        number,
        path,
        ids: chunks.map((chunk) => chunk.id),
        offsets: chunks.map((chunk) => chunk.offset),
        lengths,
      });
    });
    return mismatch === -1 ? null : (chunks[mismatch] as PackedChunk).id;
  }

  /** Ends the threads; what is being verified rejects. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.threads.map((thread) => thread?.worker.terminate()));
  }

  private thread(slot: number): Thread {
    const running = this.threads[slot];
    if (running !== undefined) return running;
    // No loader hooks and no options of the parent: the text is plain CommonJS.
    const worker = new Worker(THREAD, { eval: true, execArgv: [], env: {} });
    const thread: Thread = { worker, waiting: new Map() };
    worker.unref();
    worker.on('message', (answer: Answer) => this.answered(thread, answer));
    const ended = (reason: Error) => {
      if (this.threads[slot] === thread) this.threads[slot] = undefined;
      for (const waiting of thread.waiting.values()) waiting.reject(reason);
      thread.waiting.clear();
    };
    worker.on('error', ended);
    worker.on('exit', (code) => ended(new Error(`the verifier's thread ended with ${code}`)));
    this.threads[slot] = thread;
    return thread;
  }

  private answered(thread: Thread, answer: Answer): void {
    const waiting = thread.waiting.get(answer.number);
    thread.waiting.delete(answer.number);
    if (thread.waiting.size === 0) thread.worker.unref();
    if ('failure' in answer) waiting?.reject(new Error(answer.failure));
    else waiting?.resolve(answer.mismatch);
  }
}
