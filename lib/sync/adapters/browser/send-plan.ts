import type { ChunkId, NamespaceId } from '../../model/ids';
import { PACK_BYTES_MAX, PACK_BYTES_TARGET, PACK_CHUNKS_MAX } from '../../model/limits';
import { packHeaderBytes } from '../../protocol/pack-format';
import type { PackRow } from './database';

/** A chunk and where its bytes lie on this device. */
export type StagedChunk = PackRow['chunks'][number];

interface Wanted {
  readonly chunk: StagedChunk;
  /** transfer → how often it holds the chunk. Empty only for chunks of packs begun before a restart, until their transfer is seen. */
  readonly waiters: Map<string, number>;
  packId: string | null;
}

interface Outgoing {
  readonly namespaceId: NamespaceId;
  readonly size: number;
  /** `segment part` pairs whose chunks are counted. */
  readonly parts: Set<string>;
  durableBytes: number;
}

export interface NextPack {
  readonly namespaceId: NamespaceId;
  readonly chunks: readonly StagedChunk[];
}

/** A tail up to this size joins the last full pack instead of travelling alone. */
const TAIL_BYTES_MAX = 4 * 1024 * 1024;

/**
 * What has yet to be sent, in memory: pure bookkeeping, no waiting. A chunk that several transfers (or one transfer several
 * times) hold is sent once and counts for all of them. After a restart it is built anew from the device's rows and the block
 * server's answers, so nothing here needs to be durable.
 */
export class SendPlan {
  private readonly transfers = new Map<string, Outgoing>();
  /** By namespace and chunk id, in the order in which they are to be sent. */
  private readonly wanted = new Map<string, Wanted>();
  /** Keys of `wanted` that no pack carries yet, in order, by namespace. */
  private readonly queues = new Map<NamespaceId, Set<string>>();
  private queued = 0;

  /** Bytes that wait for a pack. */
  queuedBytes(): number {
    return this.queued;
  }

  has(transferId: string): boolean {
    return this.transfers.has(transferId);
  }

  ids(): string[] {
    return [...this.transfers.keys()];
  }

  /** True when the chunk is queued or under way: it need not be asked about. */
  isWanted(namespaceId: NamespaceId, id: ChunkId): boolean {
    return this.wanted.has(`${namespaceId} ${id}`);
  }

  open(transferId: string, namespaceId: NamespaceId, size: number): void {
    if (!this.transfers.has(transferId)) this.transfers.set(transferId, { namespaceId, size, parts: new Set(), durableBytes: 0 });
  }

  /** True when these chunks are counted already. */
  hasPart(transferId: string, segment: string, part: number): boolean {
    return this.transfers.get(transferId)?.parts.has(`${segment} ${part}`) === true;
  }

  /** Adds chunks of an open transfer. Those in `present` are on the server already and count as durable. */
  add(transferId: string, part: number, chunks: readonly StagedChunk[], present: ReadonlySet<ChunkId>): void {
    const outgoing = this.transfers.get(transferId);
    const segment = chunks[0]?.segment;
    if (outgoing === undefined || segment === undefined || outgoing.parts.has(`${segment} ${part}`)) return;
    outgoing.parts.add(`${segment} ${part}`);
    for (const chunk of chunks) {
      const key = `${outgoing.namespaceId} ${chunk.id}`;
      let wanted = this.wanted.get(key);
      if (wanted === undefined && present.has(chunk.id)) {
        outgoing.durableBytes += chunk.size;
        continue;
      }
      if (wanted === undefined) {
        wanted = { chunk, waiters: new Map(), packId: null };
        this.wanted.set(key, wanted);
        this.enqueue(outgoing.namespaceId, key, chunk.size);
      }
      wanted.waiters.set(transferId, (wanted.waiters.get(transferId) ?? 0) + 1);
    }
  }

  /** A pack that was begun before: its chunks are under way. */
  adopt(pack: PackRow): void {
    for (const chunk of pack.chunks) {
      const key = `${pack.namespaceId} ${chunk.id}`;
      const wanted = this.wanted.get(key);
      if (wanted === undefined) this.wanted.set(key, { chunk, waiters: new Map(), packId: pack.id });
      else if (wanted.packId === null) {
        this.unqueue(pack.namespaceId, key, wanted.chunk.size);
        wanted.packId = pack.id;
      }
    }
  }

  /**
   * The next pack's chunks, taken from the queue; null when there are none, or when they do not fill a pack and `partial` is false.
   * The caller gives the pack an id by `adopt`.
   */
  nextPack(partial: boolean): NextPack | null {
    for (const [namespaceId, queue] of this.queues) {
      const chunks: StagedChunk[] = [];
      let bytes = 0;
      const rest = this.queued;
      for (const key of queue) {
        const { chunk } = this.wanted.get(key) as Wanted;
        const tail = rest - PACK_BYTES_TARGET <= TAIL_BYTES_MAX;
        if (bytes >= PACK_BYTES_TARGET && !tail) break;
        if (chunks.length === PACK_CHUNKS_MAX || packHeaderBytes(chunks.length + 1) + bytes + chunk.size > PACK_BYTES_MAX) break;
        chunks.push(chunk);
        bytes += chunk.size;
      }
      if (chunks.length > 0 && (partial || bytes >= PACK_BYTES_TARGET || chunks.length === PACK_CHUNKS_MAX)) return { namespaceId, chunks };
    }
    return null;
  }

  /** Every chunk of the pack is durable. Returns the transfers that hold any of them. */
  settle(pack: PackRow): ReadonlySet<string> {
    const touched = new Set<string>();
    for (const { id, size } of pack.chunks) {
      const key = `${pack.namespaceId} ${id}`;
      const wanted = this.wanted.get(key);
      if (wanted === undefined || wanted.packId !== pack.id) continue;
      this.wanted.delete(key);
      for (const [transferId, times] of wanted.waiters) {
        const outgoing = this.transfers.get(transferId);
        if (outgoing === undefined) continue;
        outgoing.durableBytes += times * size;
        touched.add(transferId);
      }
    }
    return touched;
  }

  /** The pack will not be finished: what is still wanted of it goes back to the queue. */
  giveBack(pack: PackRow): void {
    for (const { id, size } of pack.chunks) {
      const key = `${pack.namespaceId} ${id}`;
      const wanted = this.wanted.get(key);
      if (wanted === undefined || wanted.packId !== pack.id) continue;
      if (wanted.waiters.size === 0) this.wanted.delete(key);
      else {
        wanted.packId = null;
        this.enqueue(pack.namespaceId, key, size);
      }
    }
  }

  /** The transfer is paused, cancelled, failed or finished: nothing is sent for it alone any more. */
  drop(transferId: string): void {
    const outgoing = this.transfers.get(transferId);
    if (outgoing === undefined) return;
    this.transfers.delete(transferId);
    for (const [key, wanted] of this.wanted) {
      if (!wanted.waiters.delete(transferId) || wanted.waiters.size > 0 || wanted.packId !== null) continue;
      this.unqueue(outgoing.namespaceId, key, wanted.chunk.size);
      this.wanted.delete(key);
    }
  }

  /** The transfer is through. Cheaper than `drop`: nothing of it is wanted any more. */
  close(transferId: string): void {
    this.transfers.delete(transferId);
  }

  /** True when every byte of the transfer is on the server. */
  isComplete(transferId: string): boolean {
    const outgoing = this.transfers.get(transferId);
    return outgoing !== undefined && outgoing.durableBytes === outgoing.size;
  }

  /** True when somebody waits for a chunk of the pack. */
  isAwaited(pack: PackRow): boolean {
    return pack.chunks.some(({ id }) => {
      const wanted = this.wanted.get(`${pack.namespaceId} ${id}`);
      return wanted?.packId === pack.id && wanted.waiters.size > 0;
    });
  }

  /** The transfers that wait for a chunk of the pack. */
  waitersOf(pack: PackRow): ReadonlySet<string> {
    return new Set(pack.chunks.flatMap(({ id }) => [...(this.wanted.get(`${pack.namespaceId} ${id}`)?.waiters.keys() ?? [])]));
  }

  durableBytes(transferId: string): number {
    return this.transfers.get(transferId)?.durableBytes ?? 0;
  }

  sizeOf(transferId: string): number {
    return this.transfers.get(transferId)?.size ?? 0;
  }

  /** Staging files whose bytes are still to be read, whoever's they are. */
  segmentsInUse(): ReadonlySet<string> {
    return new Set([...this.wanted.values()].map((wanted) => wanted.chunk.segment));
  }

  private enqueue(namespaceId: NamespaceId, key: string, size: number): void {
    const queue = this.queues.get(namespaceId) ?? new Set();
    this.queues.set(namespaceId, queue.add(key));
    this.queued += size;
  }

  private unqueue(namespaceId: NamespaceId, key: string, size: number): void {
    if (this.queues.get(namespaceId)?.delete(key)) this.queued -= size;
  }
}
