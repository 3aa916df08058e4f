import type { EntryId } from '../model/ids';
import type { Clock, Random } from '../ports/clock';
import type { Connection, LocalStore } from '../ports/local-store';
import type { Log } from '../ports/log';
import type { MergeBench } from '../ports/merge-bench';
import type { ResponseQueue, SyncService } from '../ports/sync-service';
import { Bell } from './bell';
import { OwnDeletions } from './own-deletions';
import { RequestLoop } from './request-loop';
import { ResponseLoop } from './response-loop';

export interface EngineDeps {
  readonly store: LocalStore;
  readonly service: SyncService;
  readonly notices: ResponseQueue;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Named in conflict copies. */
  readonly deviceName: string;
  /** Where texts changed on two devices are merged; without it both are kept. */
  readonly bench?: MergeBench;
  /** The rows of these transfers were changed by a commit: pack sender and staging look at them again. */
  onTransfers(ids: readonly string[]): void;
  /** These were committed: nothing of them is needed any more. `onTransfers` unless given. */
  onFinished?(ids: readonly string[]): void;
  /** Entries whose state on the server moved on. */
  onChanged(ids: readonly EntryId[]): void;
  /** The connection is there (again): whoever waits for the network tries at once. */
  onOnline(): void;
}

/** The two loops between the local store and the server, and what this device knows of its connection. Runs in one place per browser profile: under the lease. */
export class Engine {
  readonly #deps: EngineDeps;
  readonly #requests = new Bell();
  readonly #responses = new Bell();
  readonly #deletions = new OwnDeletions();
  /** The journals were read since the server was last out of reach. */
  #caughtUp = false;
  #connection: Connection = { state: 'connecting', firstSync: true, pulledAt: null };

  constructor(deps: EngineDeps) {
    this.#deps = deps;
  }

  /** There are new requests or durable transfers. */
  wakeRequests(): void {
    this.#requests.ring();
  }

  /** Pull now, then try again what waits for the network. */
  wakeAll(): void {
    this.#caughtUp = false;
    this.#requests.ring();
    this.#responses.ring();
  }

  /** Runs until `lost` aborts or the session ends. What waits on this device stays. */
  async run(lost: AbortSignal): Promise<void> {
    const { store, notices, onOnline } = this.#deps;
    const ended = new AbortController();
    const end = () => ended.abort();
    lost.addEventListener('abort', end, { once: true });
    if (lost.aborted) end();
    const before = await store.read((reading) => reading.connection());
    await this.#became({ state: 'connecting', firstSync: before?.firstSync ?? true, pulledAt: before?.pulledAt ?? null });
    notices.open({
      onNotice: () => this.#responses.ring(),
      onConnected: () => {
        this.wakeAll();
        onOnline();
      },
      onDisconnected: () => {
        this.#caughtUp = false;
        this.#responses.ring();
      },
      onSignedOut: () => this.#signedOut(end),
    });
    await Promise.all([
      this.#requestLoop()
        .run(this.#requests, ended.signal)
        .then(() => this.#loopEnded(lost, end)),
      this.#responseLoop()
        .run(this.#responses, ended.signal)
        .then(() => this.#loopEnded(lost, end)),
    ]);
    notices.close();
    lost.removeEventListener('abort', end);
  }

  #requestLoop(): RequestLoop {
    return new RequestLoop({
      ...this.#deps,
      deletions: this.#deletions,
      mayPush: () => this.#caughtUp,
      onReachable: (reachable) => this.#reachable(reachable),
    });
  }

  #responseLoop(): ResponseLoop {
    return new ResponseLoop({
      ...this.#deps,
      deletions: this.#deletions,
      onReachable: (reachable) => this.#reachable(reachable),
      onPulled: () => this.#pulled(),
    });
  }

  #pulled(): Promise<void> {
    if (!this.#caughtUp) {
      this.#caughtUp = true;
      this.#requests.ring();
    }
    return this.#became({ state: 'online', firstSync: false, pulledAt: this.#deps.clock.now() });
  }

  /** A loop ends by itself only when the session is over. */
  #loopEnded(lost: AbortSignal, end: () => void): void {
    if (!lost.aborted) this.#signedOut(end);
  }

  #signedOut(end: () => void): void {
    this.#note({ ...this.#connection, state: 'signed_out' });
    end();
  }

  #reachable(reachable: boolean): void {
    if (!reachable && this.#caughtUp) {
      this.#caughtUp = false;
      this.#responses.ring();
    }
    const { state } = this.#connection;
    if (state === 'signed_out' || (reachable && state === 'online') || (!reachable && state === 'offline')) return;
    if (reachable && state === 'offline') {
      this.wakeAll();
      this.#deps.onOnline();
    }
    this.#note({ ...this.#connection, state: reachable ? 'online' : 'offline' });
  }

  #note(connection: Connection): void {
    this.#became(connection).catch((error: unknown) => this.#deps.log.error('connection_not_noted', { error: String(error) }));
  }

  async #became(connection: Connection): Promise<void> {
    if (this.#connection.state === 'signed_out') return;
    this.#connection = connection;
    await this.#deps.store.write((writing) => writing.putConnection(connection));
  }
}
