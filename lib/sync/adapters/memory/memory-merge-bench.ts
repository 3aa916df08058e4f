import type { ChunkId, Digest } from '../../model/ids';
import { encodeManifest, type Manifest, manifestBytes } from '../../model/manifest';
import type { Random } from '../../ports/clock';
import type { Hasher } from '../../ports/hasher';
import type { LocalTransfer } from '../../ports/local-store';
import type { MergeBench, MergedFile } from '../../ports/merge-bench';
import type { Reply } from '../../ports/sync-service';
import type { MemoryLocalStore } from './memory-local-store';

export interface MemoryMergeBenchDeps {
  readonly store: MemoryLocalStore;
  readonly hasher: Hasher;
  readonly random: Random;
  /** Chunks this device has; what is staged is put here too. */
  readonly chunks: Map<ChunkId, Uint8Array<ArrayBuffer>>;
  /** The server's answer to a read of one revision. */
  revision: MergeBench['revision'];
  /** Staged bytes become a transfer in this state; `durable` where no sender runs. */
  readonly state: 'staged' | 'durable';
}

/** The twin of the browser's merge bench: one chunk a file, bytes in a map. For tests and the simulation. */
export class MemoryMergeBench implements MergeBench {
  readonly #deps: MemoryMergeBenchDeps;

  constructor(deps: MemoryMergeBenchDeps) {
    this.#deps = deps;
  }

  revision(...args: Parameters<MergeBench['revision']>): Promise<Reply<Uint8Array<ArrayBuffer> | null>> {
    return this.#deps.revision(...args);
  }

  async staged(transferId: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const { store, chunks } = this.#deps;
    const [transfer] = await store.read((reading) => reading.transfers([transferId]));
    if (transfer === undefined) return null;
    const [manifest] = await store.read((reading) => reading.stagedManifests([transfer]));
    if (manifest === null || manifest === undefined) return null;
    const bytes = new Uint8Array(manifestBytes(manifest));
    let at = 0;
    for (const { id, size } of manifest) {
      const chunk = chunks.get(id);
      if (chunk === undefined) return null;
      bytes.set(chunk, at);
      at += size;
    }
    return bytes;
  }

  async stage(file: MergedFile, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    const { store, hasher, random, chunks, state } = this.#deps;
    const chunkId = await hasher.sha256(bytes);
    const manifest: Manifest = bytes.length === 0 ? [] : [{ id: chunkId, size: bytes.length }];
    const digest = (await hasher.sha256(encodeManifest(manifest))) as unknown as Digest;
    chunks.set(chunkId, bytes);
    const size = bytes.length;
    const transfer: LocalTransfer = { ...file, id: random.uuid(), size, state, paused: 0, stagedBytes: size, sentBytes: 0, digest };
    store.putTransfer(transfer, manifest);
    return transfer.id;
  }
}
