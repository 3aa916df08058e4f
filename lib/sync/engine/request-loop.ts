import type { RequestId } from '../model/ids';
import type { Clock, Random } from '../ports/clock';
import type { LocalStore, LocalWriting, QueuedRequest } from '../ports/local-store';
import type { Log } from '../ports/log';
import type { MergeBench } from '../ports/merge-bench';
import type { SyncService } from '../ports/sync-service';
import { type ErrorCode, RETRY_LATER, SIGNED_OUT } from '../protocol/error-codes';
import { type Bell, backOff } from './bell';
import { confirm } from './confirm';
import { mergeTexts } from './merge-texts';
import { takeNextRequest } from './next-request';
import type { OwnDeletions } from './own-deletions';
import { type Refusal, reject } from './reject';
import { queueDurableTransfers } from './transfer-commits';

export interface LoopDeps {
  readonly store: LocalStore;
  readonly service: SyncService;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Named in conflict copies. */
  readonly deviceName: string;
  /** Where texts changed on two devices are merged; without it both are kept. */
  readonly bench?: MergeBench;
  /** Shared with the response loop. */
  readonly deletions?: OwnDeletions;
  /** Transfers were finished, failed or sent back: pack sender and staging look at them again. */
  onTransfers(ids: readonly string[]): void;
  /** False until the journals were read since the connection came back: pull, plan, push. The bell rings when it becomes true. */
  mayPush?(): boolean;
  /** These were committed: nothing of them is needed any more. `onTransfers` unless given. */
  onFinished?(ids: readonly string[]): void;
  /** The server answered, or did not. */
  onReachable(reachable: boolean): void;
}

/**
 * A request the server cannot even read (too large, malformed) is cut in two, so that one bad operation does not hold up the others.
 * The second half goes between the first and what follows; orders are numbers, not necessarily whole ones.
 */
async function halve(writing: LocalWriting, request: QueuedRequest, random: Random): Promise<void> {
  const next = (await writing.requests()).find(({ order }) => order > request.order);
  const middle = Math.ceil(request.operations.length / 2);
  const part = (order: number, operations: QueuedRequest['operations']): QueuedRequest => {
    // Counted as sent once, so that the halves are not put together again.
    return { ...request, order, requestId: random.uuid() as RequestId, operations, attempts: 1 };
  };
  await writing.putRequest(part(request.order, request.operations.slice(0, middle)));
  await writing.putRequest(part((request.order + (next?.order ?? request.order + 1)) / 2, request.operations.slice(middle)));
}

/** How a run over the queue ended. */
export type Drained = 'empty' | 'later' | 'waiting' | 'signed_out';

/** After so many refusals in a row something is wrong beyond one request's content: wait instead of asking on. A full request of taken names needs 1,000. */
const REFUSALS_MAX = 5_000;

/** The device's request queue, brought to the server strictly in order, each request exactly once. */
export class RequestLoop {
  readonly #deps: LoopDeps;
  #refusals = 0;

  constructor(deps: LoopDeps) {
    this.#deps = deps;
  }

  /** Works until the queue is empty, the server cannot take more now, or the session is over. */
  async drain(signal: AbortSignal): Promise<Drained> {
    const { store, random, clock } = this.#deps;
    while (!signal.aborted) {
      // What others did comes first: a deletion must know what it deletes.
      if (this.#deps.mayPush?.() === false) return 'waiting';
      const request = await takeNextRequest(store, random);
      if (request === undefined) {
        if (!(await queueDurableTransfers(store, { random, clock }))) return 'empty';
        continue;
      }
      const sent = await this.#send(request);
      if (sent !== 'done') return sent;
    }
    return 'later';
  }

  /** Runs until `signal` aborts or the session ends. Rung by new requests, by durable transfers and by the network's return. */
  async run(bell: Bell, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    let failures = 0;
    while (!signal.aborted) {
      const drained = await this.drain(signal);
      if (drained === 'signed_out') return;
      failures = drained === 'later' ? failures + 1 : 0;
      // A wake-up may be lost; the queue is looked at now and then all the same.
      await bell.wait(clock, drained === 'later' ? backOff(failures, random.fraction()) : 60_000, signal);
    }
  }

  async #send(request: QueuedRequest): Promise<'done' | 'later' | 'signed_out'> {
    const { store, service, clock, log } = this.#deps;
    const { requestId, namespaceId, operations } = request;
    const reply = await service.commit({ requestId, namespaceId, operations: [...operations] });
    if (!reply.ok) return this.#onFailure(request, reply.code);
    this.#deps.onReachable(true);
    const { value } = reply;
    if (value.ok) {
      this.#refusals = 0;
      const { finished } = await store.write(async (writing) => {
        const confirmed = await confirm(writing, request, value.changes, clock.now());
        if (confirmed.known) this.#deps.deletions?.confirmed(request);
        return confirmed;
      });
      if (finished.length > 0) (this.#deps.onFinished ?? this.#deps.onTransfers)(finished);
      return 'done';
    }
    if (RETRY_LATER.has(value.reason)) return 'later';
    this.#refusals += 1;
    log.info('request_refused', { reason: value.reason, operation: value.operation, operations: operations.length });
    if (this.#refusals > REFUSALS_MAX) return 'later';
    return this.#refused(request, value);
  }

  async #refused(request: QueuedRequest, refusal: Refusal): Promise<'done' | 'later'> {
    const { store, clock, random, deviceName, bench, onTransfers } = this.#deps;
    const now = clock.now();
    const merging = bench === undefined ? undefined : await mergeTexts(request, refusal, { store, bench, deviceName, now });
    if (merging?.outcome === 'later') return 'later';
    const merged = merging?.outcome === 'merged' ? { merged: merging.merged } : {};
    const { transfers } = await store.write((writing) => reject(writing, request, refusal, { random, deviceName, now, ...merged }));
    if (transfers.length > 0) onTransfers(transfers);
    return 'done';
  }

  async #onFailure(request: QueuedRequest, code: ErrorCode | 'offline'): Promise<'done' | 'later' | 'signed_out'> {
    const { store, random, log } = this.#deps;
    this.#deps.onReachable(code !== 'offline');
    if (code === 'offline' || RETRY_LATER.has(code)) return 'later';
    if (SIGNED_OUT.has(code)) return 'signed_out';
    log.warn('request_impossible', { code, operations: request.operations.length });
    if (request.operations.length > 1) {
      await store.write((writing) => halve(writing, request, random));
      return 'done';
    }
    return this.#refused(request, { ok: false, reason: code, operation: 0 });
  }
}
