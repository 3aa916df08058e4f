import type { MemoryLocalStore } from '@/lib/sync/adapters/memory/memory-local-store';
import type { Cursor, NamespaceId } from '@/lib/sync/model/ids';
import type { LocalCursor, LocalReading, LocalStore, LocalTransfer, LocalWriting } from '@/lib/sync/ports/local-store';
import type { Chance } from './chance';
import { Crash, type Life, never } from './life';
import type { DevicePlant } from './plants';

/** What of a device outlives a crash: its database, and the bytes it staged. */
export interface Disk {
  store: MemoryLocalStore;
  /** By transfer. Cut short when the machine died while they were written. */
  readonly staged: Map<string, Uint8Array>;
}

/**
 * The device's database as one life of the device sees it. A transaction is all or nothing; a machine that dies in it leaves nothing
 * of it, one that dies after it never hears that it is done.
 */
export class LifeStore implements LocalStore {
  /** The cursors that are durable, and since when. */
  readonly cursors = new Map<NamespaceId, { readonly cursor: Cursor | null; readonly at: number }>();

  constructor(
    private readonly disk: Disk,
    private readonly life: Life,
    private readonly chance: Chance,
    private readonly plant: DevicePlant,
    private readonly now: () => number,
  ) {}

  async read<T>(work: (reading: LocalReading) => Promise<T>): Promise<T> {
    if (this.life.dead) return never();
    const result = await this.disk.store.read(work);
    return this.life.dead ? never() : result;
  }

  async write<T>(work: (writing: LocalWriting) => Promise<T>): Promise<T> {
    await this.life.pause(this.chance.between(0, 3));
    const death = this.life.beginWrite();
    const planted = this.plant.write;
    const run = planted === undefined ? this.disk.store.write.bind(this.disk.store) : this.#planted(planted);
    if (death === null) {
      const result = await this.#noting(run, work);
      if (this.chance.happens(0.3)) await this.life.pause(this.chance.between(0, 3));
      return this.life.dead ? never() : result;
    }
    if (death.phase === 'before') {
      death.crash();
      return never();
    }
    await this.#dying(death.phase === 'inside', run, work);
    death.crash();
    return never();
  }

  /** Puts a row of intake's, which does not go through transactions of the engine. */
  async putTransfer(transfer: LocalTransfer): Promise<void> {
    await this.life.pause(this.chance.between(0, 3));
    const death = this.life.beginWrite();
    if (death !== null && death.phase !== 'after') {
      death.crash();
      return never();
    }
    this.disk.store.putTransfer(transfer);
    if (death === null) return;
    death.crash();
    return never();
  }

  async #noting<T>(run: LocalStore['write'], work: (writing: LocalWriting) => Promise<T>): Promise<T> {
    let moved: LocalCursor | null = null;
    const result = await run((writing) =>
      work({
        ...writing,
        putCursor: (row) => {
          moved = row;
          return writing.putCursor(row);
        },
      }),
    );
    const row = moved as LocalCursor | null;
    if (row !== null) this.cursors.set(row.namespaceId, { cursor: row.cursor, at: this.now() });
    return result;
  }

  /** The last write of a life; `torn`: it dies before the transaction ends. */
  async #dying<T>(torn: boolean, run: LocalStore['write'], work: (writing: LocalWriting) => Promise<T>): Promise<void> {
    try {
      await run(async (writing) => {
        const result = await work(writing);
        if (torn) throw new Crash('in a transaction');
        return result;
      });
    } catch (error) {
      // What the transaction throws by itself is never heard either: the machine is dead.
      if (!(error instanceof Error)) throw error;
    }
  }

  #planted(plant: NonNullable<DevicePlant['write']>): LocalStore['write'] {
    return (work) => plant(this.disk, work, (milliseconds) => this.life.pause(milliseconds));
  }
}
