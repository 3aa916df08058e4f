import type { ChunkId, NamespaceId } from '@/lib/sync/model/ids';
import type { Reply, ResponseQueue, SyncService } from '@/lib/sync/ports/sync-service';
import { type CommitReply, type CommitRequest, commitRequestSchema, type Notice } from '@/lib/sync/protocol/commit';
import { seqOf } from '@/server/metadata-server/cursors';
import { isRefused, type Refused } from '@/server/sync-service/sync-service';
import type { Chance } from './chance';
import type { LifeStore } from './disk';
import type { Life } from './life';
import type { DevicePlant } from './plants';
import type { Fates } from './scenario';
import type { Running, SimServer, Who } from './server';
import type { World } from './world';

const OFFLINE = { ok: false, code: 'offline', message: 'no answer' } as const;
const CLEAR: Fates = { dropped: 0, repliesLost: 0, duplicated: 0, slow: 0 };
/** A device gives up on an answer after this long. */
const PATIENCE = 15_000;

/** Told of every commit that was answered, in the order of the server's doing. */
export type CommitWitness = (who: Who, request: CommitRequest, reply: CommitReply) => void;

/** The cursors a device has written down. */
type Cursors = LifeStore['cursors'];

/** The wires between one device and the server, with everything that can happen to a message. */
export class Link {
  #partitions = 0;
  #weathers: Fates[] = [];
  readonly #chance: Chance;
  #sockets = new Set<Socket>();
  /** Own requests that were applied, with their numbers in the journal. */
  readonly #applied = new Map<string, number>();

  constructor(
    private readonly world: World,
    readonly server: SimServer,
    readonly name: string,
    readonly who: Who,
    private readonly witness: CommitWitness,
  ) {
    this.#chance = world.chance.fork(`link ${name}`);
  }

  get up(): boolean {
    return this.#partitions === 0;
  }

  partition(milliseconds: number): void {
    this.#partitions += 1;
    this.world.say(this.name, `no connection for ${milliseconds} ms`);
    for (const socket of [...this.#sockets]) socket.drop();
    this.world.timeline.after(milliseconds, () => {
      this.#partitions = Math.max(0, this.#partitions - 1);
      if (this.up) this.reconnect();
    });
  }

  weather(fates: Fates, milliseconds: number): void {
    this.#weathers.push(fates);
    this.world.timeline.after(milliseconds, () => {
      this.#weathers = this.#weathers.filter((one) => one !== fates);
    });
  }

  /** Everything is well from now on. */
  heal(): void {
    this.#partitions = 0;
    this.#weathers = [];
    this.reconnect();
  }

  reconnect(): void {
    for (const socket of [...this.#sockets]) socket.connectSoon(this.#chance.between(10, 2_000));
  }

  breakSockets(): void {
    for (const socket of [...this.#sockets]) socket.drop();
  }

  notice(notice: Notice): void {
    const { dropped, duplicated } = this.#fates();
    for (const socket of [...this.#sockets]) {
      if (this.#chance.happens(dropped)) continue;
      const times = this.#chance.happens(duplicated) ? 2 : 1;
      for (let n = 0; n < times; n++) this.world.timeline.after(this.#delay(), () => socket.hears(notice));
    }
  }

  open(socket: Socket): void {
    this.#sockets.add(socket);
    socket.connectSoon(this.#chance.between(10, 300));
  }

  close(socket: Socket): void {
    this.#sockets.delete(socket);
  }

  /** One request and its answer. `execute` runs once for each time it arrives at a server that lives. */
  async ask<T>(life: Life, label: string, execute: (running: Running) => Promise<Reply<T>>): Promise<Reply<T>> {
    const { timeline } = this.world;
    if (!this.up) {
      await life.pause(this.#chance.between(1, 30));
      return OFFLINE;
    }
    const fates = this.#fates();
    const fate = {
      dropped: this.#chance.happens(fates.dropped),
      replyLost: this.#chance.happens(fates.repliesLost),
      duplicated: this.#chance.happens(fates.duplicated),
    };
    return new Promise((resolve) => {
      let open = true;
      const answer = (reply: Reply<T>, how: string) => {
        if (!open || life.dead) return;
        open = false;
        if (how !== '') this.world.say(this.name, `${label}: ${how}`);
        resolve(reply);
      };
      timeline.after(PATIENCE, () => answer(OFFLINE, 'no answer'));
      const arrive = (isCopy: boolean) => {
        const { running } = this.server;
        if (running === null) return isCopy ? undefined : answer(OFFLINE, 'the server is down');
        const answered = execute(running).then((reply) => {
          if (running.life.dead || isCopy || fate.replyLost) return;
          timeline.after(this.#delay(), () => (this.up ? answer(reply, '') : undefined));
        });
        answered.catch((error: unknown) => this.world.breaks(`the server threw on ${label}: ${String(error)}`));
      };
      if (!fate.dropped) timeline.after(this.#delay(), () => (this.up ? arrive(false) : undefined));
      if (fate.duplicated) timeline.after(this.#delay() + this.#chance.between(0, 5_000), () => arrive(true));
    });
  }

  /** The synchronization service as a device reaches it over this link. */
  service(life: Life, plant: DevicePlant, cursors: Cursors): SyncService {
    const { who, world } = this;
    const service: SyncService = {
      namespaces: () => this.ask(life, 'namespaces', async ({ service: s }) => ({ ok: true, value: await s.namespaces(who) })),
      commit: (request) => {
        this.#checkNew(request, cursors);
        world.say(this.name, `sends ${describe(request)}`);
        return this.ask(life, `commit ${request.requestId.slice(0, 4)}`, async (running) => {
          const parsed = commitRequestSchema.safeParse(request);
          if (!parsed.success) {
            world.breaks(`${this.name} sent a request that is none: ${parsed.error.message}`);
            return { ok: false, code: 'bad_request', message: '' };
          }
          const reply = replyOf(await running.service.commit(who, parsed.data));
          if (reply.ok) {
            if (reply.value.ok) this.#applied.set(request.requestId, reply.value.seq);
            this.witness(who, request, reply.value);
            const { value } = reply;
            world.say(
              'server',
              `${request.requestId.slice(0, 4)} of ${this.name}: ${value.ok ? `applied as ${value.seq}` : `${value.reason} (operation ${value.operation})`}`,
            );
          }
          return reply;
        });
      },
      journalSince: (namespaceId, cursor) =>
        this.ask(life, 'journal', async ({ service: s }) => replyOf(await s.journalSince(who, namespaceId, cursor))),
      manifests: (request) => this.ask(life, 'manifests', async ({ service: s }) => replyOf(await s.manifests(who, request))),
    };
    return plant.service?.(service, world) ?? service;
  }

  missing(life: Life, namespaceId: NamespaceId, ids: readonly ChunkId[]): Promise<Reply<readonly ChunkId[]>> {
    const { userId } = this.who;
    return this.ask(life, 'missing', async ({ service }) => {
      const views = await service.namespaces(this.who);
      if (!views.some(({ id }) => id === namespaceId)) return { ok: false, code: 'not_found', message: '' };
      return { ok: true, value: await this.server.index.unreachable(userId, ids) };
    });
  }

  async putPack(life: Life, namespaceId: NamespaceId, chunks: Parameters<SimServer['takePack']>[2], packId: string): Promise<Reply<null>> {
    // A pack that is sent again is a new upload to the server; its store must never see one id with two contents.
    let arrival = 0;
    return this.ask<null>(life, `pack ${packId.slice(0, 4)}`, async (running) => {
      const taken = await this.server.takePack(running, namespaceId, chunks, `${packId}-${arrival++}`);
      return taken.ok ? { ok: true, value: null } : { ok: false, code: taken.code, message: '' };
    });
  }

  /** What a device has seen in the journal and written down it does not send again. */
  #checkNew({ requestId, namespaceId }: CommitRequest, cursors: Cursors): void {
    const seq = this.#applied.get(requestId);
    const known = cursors.get(namespaceId);
    if (seq === undefined || known === undefined || known.cursor === null) return;
    // The request may have been read just before the journal was written down.
    if (known.at + 100 < this.world.timeline.now && (seqOf(namespaceId, known.cursor) ?? 0) >= seq)
      this.world.breaks(`${this.name} sends ${requestId.slice(0, 4)} again although it knows the journal up to there`);
  }

  #fates(): Fates {
    return this.#weathers[this.#weathers.length - 1] ?? CLEAR;
  }

  #delay(): number {
    return this.#chance.happens(this.#fates().slow) ? this.#chance.between(100, 20_000) : this.#chance.between(2, 60);
  }
}

function replyOf<T extends object>(answer: T | Refused): Reply<T> {
  return isRefused(answer) ? { ok: false, code: answer.refused, message: '' } : { ok: true, value: answer };
}

function describe({ requestId, operations }: CommitRequest): string {
  const parts = operations.map((operation) => {
    const name = 'name' in operation ? ` ${JSON.stringify(operation.name)}` : '';
    const digest = 'digest' in operation ? ` ${operation.digest.slice(0, 4)}` : '';
    const base = 'baseRevision' in operation ? ` on ${operation.baseRevision}` : '';
    return `${operation.kind} ${operation.entryId.slice(0, 4)}${name}${digest}${base}`;
  });
  return `${requestId.slice(0, 4)} [${parts.join('; ')}]`;
}

/** The device's end of the notices. */
export class Socket implements ResponseQueue {
  #handlers: Parameters<ResponseQueue['open']>[0] | null = null;
  #connected = false;
  #connecting = false;

  constructor(
    private readonly world: World,
    private readonly link: Link,
    private readonly life: Life,
  ) {}

  open(handlers: Parameters<ResponseQueue['open']>[0]): void {
    this.#handlers = handlers;
    this.link.open(this);
  }

  close(): void {
    this.#handlers = null;
    this.link.close(this);
  }

  connectSoon(milliseconds: number): void {
    if (this.#connected || this.#connecting) return;
    this.#connecting = true;
    this.world.timeline.after(milliseconds, () => {
      this.#connecting = false;
      if (this.life.dead || !this.link.up || this.link.server.running === null || this.#connected) return;
      this.#connected = true;
      this.#handlers?.onConnected();
    });
  }

  drop(): void {
    if (!this.#connected) return;
    this.#connected = false;
    if (!this.life.dead) this.#handlers?.onDisconnected();
  }

  hears(notice: Notice): void {
    if (this.#connected && !this.life.dead) this.#handlers?.onNotice(notice);
  }
}
