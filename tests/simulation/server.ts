import type { DeviceId, Digest, NamespaceId, UserId } from '@/lib/sync/model/ids';
import type { Notice } from '@/lib/sync/protocol/commit';
import { encodePackHeader } from '@/lib/sync/protocol/pack-format';
import type { ChunkStore } from '@/server/block-server/chunk-store';
import { MemoryChunkStore } from '@/server/block-server/drivers/memory-chunk-store';
import { type StagedPack, takeInPack } from '@/server/block-server/pack-intake';
import { createMemoryMetadata, type MemoryChunkIndex } from '@/server/metadata-server/drivers/memory-metadata-store';
import type { MetadataStore } from '@/server/metadata-server/metadata-store';
import { createMemoryRequestQueue } from '@/server/sync-service/drivers/memory-request-queue';
import { SyncService } from '@/server/sync-service/sync-service';
import { Life, never } from './life';
import type { ServerPlant } from './plants';
import type { CrashPhase } from './scenario';
import { BEGINNING, sha256, type World } from './world';

/** One request's way through the server: what it may ask, and whether the server that took it still lives. */
export interface Running {
  readonly life: Life;
  readonly service: SyncService;
}

/**
 * The real synchronization service, pack intake and commit rules over the memory drivers, which stand for the disk: they outlive a
 * crash. What a process holds (the request queue, requests under way, connections) does not.
 */
export class SimServer {
  readonly metadata: MetadataStore;
  readonly index: MemoryChunkIndex;
  readonly store: ChunkStore;
  readonly #uploads = new Map<string, Uint8Array>();
  #running: Running | null = null;
  #epoch = 0;
  /** Told of every notice; and when connections break. */
  onNotice: (notice: Notice) => void = () => undefined;
  onDown: () => void = () => undefined;
  onUp: () => void = () => undefined;

  constructor(
    private readonly world: World,
    private readonly plant: ServerPlant,
  ) {
    const hash = (bytes: Uint8Array) => sha256(bytes) as Digest;
    const { metadata, index } = createMemoryMetadata(hash);
    this.metadata = plant.metadata?.(metadata, world) ?? metadata;
    this.index = index;
    const store = new MemoryChunkStore(async (path) => this.#uploads.get(path) ?? null);
    this.store = plant.chunkStore?.(store) ?? store;
    this.start();
  }

  get running(): Running | null {
    return this.#running;
  }

  /** Milliseconds since 1970 UTC by the server's clock. */
  now(): number {
    return BEGINNING + this.world.timeline.now;
  }

  start(): void {
    if (this.#running !== null) return;
    const life = new Life(this.world);
    const chance = this.world.chance.fork(`server ${this.#epoch++}`);
    const service = new SyncService({
      metadata: this.#timed(life, () => chance.between(0, 4)),
      queue: createMemoryRequestQueue(),
      notifier: { notify: (notice) => (life.dead ? undefined : this.onNotice(notice)) },
      clock: { now: () => this.now() },
    });
    this.#running = { life, service };
    this.world.say('server', 'up');
    this.onUp();
  }

  crash(down: number): void {
    if (this.#running === null) return;
    this.#running.life.end();
    this.#running = null;
    this.plant.crashed?.();
    this.world.say('server', `CRASH, down for ${down} ms`);
    this.onDown();
    this.world.timeline.after(down, () => this.start());
  }

  /** Aims a crash at a write to the disk. */
  arm(writes: number, phase: CrashPhase, down: number): void {
    this.#running?.life.arm(writes, phase, () => this.crash(down));
  }

  disarm(): void {
    this.#running?.life.disarm();
  }

  /** A pack that came in whole; verified, stored, recorded by the real intake. */
  async takePack(running: Running, namespaceId: NamespaceId, chunks: Parameters<typeof packOf>[0], packId: string) {
    const pack = packOf(chunks);
    const path = `${packId}:whole`;
    this.#uploads.set(path, pack.bytes);
    const { index, store } = this.#timedBlocks(running.life);
    return takeInPack({ staged: stagedPack(pack.bytes, packId, this.#uploads), namespaceId, packId, index, store });
  }

  /** A write to the disk with its points to die at. A power cut inside a database transaction leaves nothing of it, so `inside` equals `before`. */
  async #write<T>(life: Life, work: () => Promise<T>): Promise<T> {
    if (life.dead) return never();
    const death = life.beginWrite();
    if (death !== null && death.phase !== 'after') {
      death.crash();
      return never();
    }
    const result = await work();
    if (death !== null) {
      death.crash();
      return never();
    }
    return result;
  }

  #timedBlocks(life: Life) {
    const { index, store } = this;
    return {
      store: {
        put: async (packId: string, path: string) => {
          await life.pause(2);
          await this.#write(life, () => store.put(packId, path));
        },
        read: store.read.bind(store),
        delete: store.delete.bind(store),
      },
      index: {
        known: index.known.bind(index),
        unreachable: index.unreachable.bind(index),
        locate: index.locate.bind(index),
        record: async (args: Parameters<MemoryChunkIndex['record']>[0]) => {
          await life.pause(2);
          await this.#write(life, () => index.record(args));
        },
      },
    };
  }

  /** The metadata store as one life of the server sees it: its commits take time, and it may die before or after them. */
  #timed(life: Life, milliseconds: () => number): MetadataStore {
    const { metadata } = this;
    return {
      createNamespace: (args) => metadata.createNamespace(args),
      roleOf: (userId, namespaceId) => metadata.roleOf(userId, namespaceId),
      namespacesOf: (userId) => metadata.namespacesOf(userId),
      journalSince: (args) => metadata.journalSince(args),
      revisions: (namespaceId, files) => metadata.revisions(namespaceId, files),
      walk: (namespaceId, entryIds) => metadata.walk(namespaceId, entryIds),
      commit: async (args) => {
        await life.pause(milliseconds());
        const reply = await this.#write(life, () => metadata.commit(args));
        await life.pause(1);
        return reply;
      },
    };
  }
}

/** Who asks. */
export interface Who {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

function packOf(chunks: readonly { readonly id: Parameters<typeof encodePackHeader>[0][number]['id']; readonly bytes: Uint8Array }[]) {
  const header = encodePackHeader(chunks.map(({ id, bytes }) => ({ id, size: bytes.length })));
  const bytes = new Uint8Array(header.length + chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0));
  bytes.set(header);
  let at = header.length;
  for (const chunk of chunks) {
    bytes.set(chunk.bytes, at);
    at += chunk.bytes.length;
  }
  return { bytes };
}

function stagedPack(bytes: Uint8Array, packId: string, uploads: Map<string, Uint8Array>): StagedPack {
  return {
    bytes: bytes.length,
    head: async (length) => bytes.slice(0, length),
    firstMismatch: async (chunks) =>
      chunks.find(({ id, offset, stored }) => sha256(bytes.subarray(offset, offset + stored)) !== id)?.id ?? null,
    whole: async () => `${packId}:whole`,
    only: async (chunks) => {
      const path = `${packId}:only`;
      uploads.set(path, packOf(chunks.map(({ id, offset, stored }) => ({ id, bytes: bytes.slice(offset, offset + stored) }))).bytes);
      return path;
    },
  };
}
