import type { NamespaceId } from '@/lib/sync/model/ids';
import { QueueFull, type RequestQueue } from '../request-queue';

/** Requests that may wait for one namespace, the running one included. */
const WAITING_MAX = 100;

interface Line {
  tail: Promise<unknown>;
  length: number;
}

/** A request queue within this process: first come, first served, per namespace. */
export function createMemoryRequestQueue(waitingMax = WAITING_MAX): RequestQueue {
  const lines = new Map<NamespaceId, Line>();
  return {
    async run<T>(namespaceId: NamespaceId, work: () => Promise<T>): Promise<T> {
      const line = lines.get(namespaceId) ?? { tail: Promise.resolve(), length: 0 };
      if (line.length >= waitingMax) throw new QueueFull(`${line.length} requests wait already`);
      lines.set(namespaceId, line);
      line.length++;
      // The one before may fail; that is its own affair.
      const turn = line.tail.then(work, work);
      line.tail = turn;
      try {
        return await turn;
      } finally {
        line.length--;
        if (line.length === 0) lines.delete(namespaceId);
      }
    },
  };
}
