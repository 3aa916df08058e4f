import type { FileHandle } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { writeFully } from './disk';

/** Bytes that wait for the disk before the socket is told to wait. */
const QUEUE_BYTES_MAX = 1024 * 1024;

/** `complete`: the whole body is in the file. `cut`: the connection broke or `stop` fired. `too_long`: more came than was announced; the rest was not written. */
export type Received = { readonly end: 'complete' | 'cut' | 'too_long'; readonly position: number };

/**
 * Writes a request's body into `file` from `start` on, at most `bytesMax` bytes, while the next bytes are already being
 * read. Everything that came is handed to the disk as soon as the disk is free, so a kill loses about a MiB at most.
 * Rejects when the disk refuses; what it took until then stays.
 */
export async function receiveBody(
  request: IncomingMessage,
  file: FileHandle,
  start: number,
  bytesMax: number,
  stop: AbortSignal,
): Promise<Received> {
  let queue: Buffer[] = [];
  let queued = 0;
  let end: 'complete' | 'cut' | null = request.readableEnded ? 'complete' : request.destroyed ? 'cut' : null;
  let wake: () => void = () => undefined;
  const finish = (how: 'complete' | 'cut') => () => {
    end ??= how;
    wake();
  };
  const listeners: Readonly<Record<string, (data: Buffer) => void>> = {
    data: (bytes) => {
      queue.push(bytes);
      queued += bytes.length;
      if (queued >= QUEUE_BYTES_MAX) request.pause();
      wake();
    },
    end: finish('complete'),
    close: finish('cut'),
    error: finish('cut'),
  };
  for (const [event, listener] of Object.entries(listeners)) request.on(event, listener);
  const onStop = finish('cut');
  stop.addEventListener('abort', onStop);
  if (stop.aborted) onStop();

  let position = start;
  try {
    for (;;) {
      if (queued === 0) {
        if (end !== null) return { end, position };
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const batch = queue;
      const over = position - start + queued - bytesMax;
      queue = [];
      queued = 0;
      if (over > 0) {
        position += await writeFully(file, withoutLast(batch, over), position);
        return { end: 'too_long', position };
      }
      request.resume();
      position += await writeFully(file, batch, position);
    }
  } finally {
    for (const [event, listener] of Object.entries(listeners)) request.off(event, listener);
    stop.removeEventListener('abort', onStop);
    request.pause();
  }
}

function withoutLast(batch: readonly Buffer[], bytes: number): readonly Buffer[] {
  const whole = Buffer.concat(batch);
  return [whole.subarray(0, Math.max(0, whole.length - bytes))];
}

/** Reads the rest of a body and throws it away, so that a client that is still sending comes to see the answer. Gives up after `milliseconds`. */
export async function drainBody(request: IncomingMessage, milliseconds: number): Promise<void> {
  if (request.readableEnded || request.destroyed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      request.off('end', done).off('close', done).off('error', done);
      resolve();
    }
    request.on('end', done).on('close', done).on('error', done);
    request.resume();
  });
}
