import type { ChunkStore } from '../chunk-store';
import { PackMissing, StoreFull } from '../chunk-store';

/** Twin of the file store for tests and the simulation. `take` removes the local file at a path and gives its bytes, or null when it is gone. */
export class MemoryChunkStore implements ChunkStore {
  private readonly packs = new Map<string, Uint8Array>();

  constructor(
    private readonly take: (path: string) => Promise<Uint8Array | null>,
    private readonly bytesMax = Number.POSITIVE_INFINITY,
  ) {}

  async put(packId: string, path: string): Promise<void> {
    if (this.bytes() >= this.bytesMax) throw new StoreFull('no room');
    const bytes = await this.take(path);
    if (bytes !== null) this.packs.set(packId, bytes);
    else if (!this.packs.has(packId)) throw new Error(`there is no file at ${path}`);
  }

  async read(packId: string, offset: number, length: number): Promise<Uint8Array> {
    const pack = this.packs.get(packId);
    if (pack === undefined || offset + length > pack.length) throw new PackMissing(`pack ${packId} is not there or too short`);
    return pack.slice(offset, offset + length);
  }

  async delete(packId: string): Promise<void> {
    this.packs.delete(packId);
  }

  private bytes(): number {
    return [...this.packs.values()].reduce((sum, pack) => sum + pack.length, 0);
  }
}
