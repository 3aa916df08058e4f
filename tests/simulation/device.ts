import { MemoryLocalStore } from '@/lib/sync/adapters/memory/memory-local-store';
import { Engine } from '@/lib/sync/engine/engine';
import type { IntentContext } from '@/lib/sync/engine/intents';
import { applyStagedTransfers } from '@/lib/sync/engine/transfer-commits';
import type { EntryId, NamespaceId } from '@/lib/sync/model/ids';
import type { Clock, Random } from '@/lib/sync/ports/clock';
import type { LocalEntry, LocalTransfer } from '@/lib/sync/ports/local-store';
import type { Log } from '@/lib/sync/ports/log';
import { SimBench } from './bench';
import type { Chance } from './chance';
import { type Disk, LifeStore } from './disk';
import { Life } from './life';
import { type Link, Socket } from './network';
import type { DevicePlant } from './plants';
import type { CrashPhase } from './scenario';
import { ChunkSender } from './sender';
import { BEGINNING, type World } from './world';

/** What runs on a device between a start and a crash. */
export interface Session {
  readonly life: Life;
  readonly store: LifeStore;
  readonly context: IntentContext;
  readonly clock: Clock;
  readonly random: Random;
  engine: Engine;
  sender: ChunkSender;
  /** Closes the tab that leads. */
  close: AbortController;
}

/** States of transfers whose row may not be shown yet although their bytes are safe. */
const UNFINISHED: readonly LocalTransfer['state'][] = ['staged', 'sending', 'durable'];

/** A device: what its disk holds, what runs on it, and the real engine in it. */
export class SimDevice {
  readonly disk: Disk = { store: new MemoryLocalStore(), staged: new Map() };
  #session: Session | null = null;
  #lives = 0;
  readonly #chance: Chance;

  constructor(
    readonly world: World,
    readonly name: string,
    readonly user: number,
    readonly rootNamespaceId: NamespaceId,
    readonly link: Link,
    private readonly skew: number,
    readonly plant: DevicePlant,
  ) {
    this.#chance = world.chance.fork(`device ${name}`);
  }

  get session(): Session | null {
    return this.#session;
  }

  start(): void {
    if (this.#session !== null) return;
    const { world } = this;
    const life = new Life(world);
    const chance = this.#chance.fork(`life ${this.#lives++}`);
    const clock: Clock = {
      now: () => BEGINNING + world.timeline.now + this.skew,
      sleep: (milliseconds, signal) =>
        world.timeline.sleep(milliseconds, { alive: () => !life.dead, ...(signal === undefined ? {} : { signal }) }),
    };
    const random: Random = { uuid: () => chance.uuid(), fraction: () => chance.fraction() };
    const store = new LifeStore(this.disk, life, chance.fork('disk'), this.plant, () => world.timeline.now);
    const context: IntentContext = {
      store,
      random,
      clock,
      rootNamespaceId: this.rootNamespaceId,
      onTransfers: () => this.#session?.sender.wake(),
    };
    const base = { life, store, context, clock, random };
    this.#session = { ...base, ...this.#tab(base) };
    world.say(this.name, 'starts');
    this.#lead(this.#session);
  }

  /** The machine dies: what was not yet written is gone. */
  crash(down: number): void {
    const session = this.#session;
    if (session === null) return;
    session.life.end();
    this.#session = null;
    this.plant.crashed?.(this.disk);
    this.world.say(this.name, `CRASH, down for ${down} ms`);
    this.world.timeline.after(down, () => this.start());
  }

  arm(writes: number, phase: CrashPhase, down: number): void {
    this.#session?.life.arm(writes, phase, () => this.crash(down));
  }

  /** Everything on this device, for whoever checks it. */
  rows(): Promise<readonly LocalEntry[]> {
    return this.disk.store.read(async (reading) => {
      const rows = await reading.entries(await reading.entryIds(this.rootNamespaceId));
      return rows.filter((row): row is LocalEntry => row !== undefined);
    });
  }

  /** The tab that leads closes; another one takes over once it has let go. */
  handover(): void {
    this.#session?.close.abort();
  }

  #tab(base: Pick<Session, 'life' | 'store' | 'clock' | 'random'>): Pick<Session, 'engine' | 'sender' | 'close'> {
    const { world, link, name, disk, plant } = this;
    const { life, store, clock, random } = base;
    const log: Log = {
      info: (event, detail) => world.say(name, `${event} ${JSON.stringify(detail ?? {})}`),
      warn: (event, detail) => world.say(name, `${event} ${JSON.stringify(detail ?? {})}`),
      error: (event, detail) => world.breaks(`${name} logs an error: ${event} ${JSON.stringify(detail ?? {})}`),
    };
    const sender: ChunkSender = new ChunkSender({
      world,
      name,
      disk,
      store,
      life,
      link,
      clock,
      random,
      plant,
      onDurable: () => engine.wakeRequests(),
    });
    const engine: Engine = new Engine({
      store,
      clock,
      random,
      log,
      deviceName: name,
      bench: new SimBench({ world, disk, link, life, store, random, onStaged: () => sender.wake() }),
      service: link.service(life, plant, store.cursors),
      notices: new Socket(world, link, life),
      onTransfers: () => sender.wake(),
      onChanged: () => undefined,
      onOnline: () => sender.wake(),
    });
    return { engine, sender, close: new AbortController() };
  }

  #lead(session: Session): void {
    const run = async () => {
      await this.#recover(session);
      for (;;) {
        const { engine, sender, close } = session;
        await Promise.all([engine.run(close.signal), sender.run(close.signal)]);
        if (!close.signal.aborted) return this.world.breaks(`${this.name} stopped by itself`);
        this.world.say(this.name, 'another tab takes over');
        Object.assign(session, this.#tab(session));
      }
    };
    run().catch((error: unknown) => this.world.breaks(`${this.name} broke: ${error instanceof Error ? error.stack : String(error)}`));
  }

  /** What a browser does when it is opened again: bytes that were not safe are lost, those that were are shown. */
  async #recover({ store }: Session): Promise<void> {
    await store.write(async (writing) => {
      const halfStaged = await writing.transfersIn(['queued', 'staging']);
      await writing.updateTransfers(halfStaged.map(({ id }) => ({ id, changes: { state: 'lost', stagedBytes: 0, sentBytes: 0 } })));
    });
    const safe = await store.read((reading) => reading.transfersIn(UNFINISHED));
    await applyStagedTransfers(
      store,
      safe.map(({ id }) => id),
    );
  }

  /** Ids of live entries as the person at this device sees them, those in deleted folders left out. */
  async visible(): Promise<readonly LocalEntry[]> {
    const rows = await this.rows();
    const byId = new Map(rows.map((row) => [row.id, row]));
    const isLive = (row: LocalEntry): boolean => {
      let at: LocalEntry | undefined = row;
      for (let depth = 0; at !== undefined && depth < 300; depth++) {
        if (at.deletedAt !== null) return false;
        if (at.parentId === (this.rootNamespaceId as string as EntryId)) return true;
        at = byId.get(at.parentId);
      }
      return false;
    };
    return rows.filter(isLive).sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}
