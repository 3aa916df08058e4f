import type { EntryId, RequestId } from '../model/ids';
import { COMMIT_OPERATIONS_MAX } from '../model/limits';
import { nameKey } from '../model/names';
import type { Random } from '../ports/clock';
import type { LocalReading, LocalStore, QueuedRequest } from '../ports/local-store';
import type { Operation } from '../protocol/commit';

/** Requests with more than so many operations stay as they are; smaller ones travel together. */
const SMALL_REQUEST_OPERATIONS_MAX = 50;

/** Ids and places that held requests concern: what builds on them waits with them. */
class Held {
  readonly #ids = new Set<EntryId>();
  readonly #places = new Set<string>();

  async add(reading: LocalReading, operations: readonly Operation[]): Promise<void> {
    for (const row of await reading.entries(operations.map(({ entryId }) => entryId))) {
      // A new file under the name of one whose deletion is held would find the name taken.
      if (row !== undefined) this.#places.add(`${row.parentId}/${nameKey(row.name)}`);
    }
    for (const { entryId } of operations) this.#ids.add(entryId);
  }

  concerns(operation: Operation): boolean {
    if (this.#ids.has(operation.entryId)) return true;
    if (!('parentId' in operation)) return false;
    return this.#ids.has(operation.parentId) || this.#places.has(`${operation.parentId}/${nameKey(operation.name)}`);
  }
}

/** The requests that may be sent now, in order: not held for the person, and not building on something that is. */
export async function sendable(reading: LocalReading, queue: readonly QueuedRequest[]): Promise<readonly QueuedRequest[]> {
  if (queue.every(({ held }) => held === undefined)) return queue;
  const held = new Held();
  const open: QueuedRequest[] = [];
  for (const request of queue) {
    if (request.held === undefined && !request.operations.some((operation) => held.concerns(operation))) open.push(request);
    else await held.add(reading, request.operations);
  }
  return open;
}

/**
 * Those of the first requests that can travel as one commit: never sent, small, of one namespace, and no entry twice (then each
 * operation names the base it would name alone). Thousands of single wishes made offline need some commits instead of thousands.
 */
function together(open: readonly QueuedRequest[]): readonly QueuedRequest[] {
  const taken: QueuedRequest[] = [];
  const seen = new Set<EntryId>();
  let operations = 0;
  for (const request of open) {
    const fits = operations + request.operations.length <= COMMIT_OPERATIONS_MAX;
    const small = request.attempts === 0 && request.operations.length <= SMALL_REQUEST_OPERATIONS_MAX;
    const alone = request.operations.some(({ entryId }) => seen.has(entryId));
    if (!fits || !small || alone || request.namespaceId !== open[0]?.namespaceId) break;
    for (const { entryId } of request.operations) seen.add(entryId);
    operations += request.operations.length;
    taken.push(request);
  }
  return taken;
}

/**
 * The next request to send, marked as sent before it is (from then on it may have been applied, whatever becomes of the reply, and is
 * sent unchanged until the server has answered); undefined when nothing may be sent.
 */
export function takeNextRequest(store: LocalStore, random: Random): Promise<QueuedRequest | undefined> {
  return store.write(async (writing) => {
    if ((await writing.firstRequest()) === undefined) return undefined;
    const open = await sendable(writing, await writing.requests());
    const [first] = open;
    if (first === undefined) return undefined;
    const joined = together(open);
    const sent =
      joined.length < 2
        ? { ...first, attempts: first.attempts + 1 }
        : {
            ...first,
            requestId: random.uuid() as RequestId,
            operations: joined.flatMap(({ operations }) => operations),
            attempts: 1,
          };
    for (const { order } of joined.slice(1)) await writing.removeRequest(order);
    await writing.putRequest(sent);
    return sent;
  });
}
