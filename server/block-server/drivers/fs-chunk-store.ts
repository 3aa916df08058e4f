import { randomUUID } from 'node:crypto';
import { access, copyFile, mkdir, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { assert } from '@/lib/sync/model/assert';
import { isUuid } from '@/lib/sync/model/ids';
import type { ChunkStore } from '../chunk-store';
import { PackMissing } from '../chunk-store';
import { readFully, syncFile, syncFolder, systemCode, tellingFull } from './disk';
import { OpenFiles } from './open-files';

const OPEN_PACKS_MAX = 256;

/**
 * Packs as files, `<folder>/ab/<packId>`, spread over 256 folders by the first two digits of the id.
 * A pack is written once and never changed: it appears under its name only when its bytes are durable.
 */
export class FsChunkStore implements ChunkStore {
  private readonly open = new OpenFiles(OPEN_PACKS_MAX);
  /** Folders known to be there and durable. */
  private readonly folders = new Set<string>();

  /** `folder` is made on first use; it should lie on the file system that uploads are staged on, so that packs move by name. */
  constructor(private readonly folder: string) {}

  async put(packId: string, path: string): Promise<void> {
    const target = this.place(packId);
    await tellingFull(async () => {
      try {
        await syncFile(path);
      } catch (error) {
        // Taken over before: the answer to the first call was lost.
        if (systemCode(error) === 'ENOENT' && (await exists(target))) return;
        throw error;
      }
      await this.ready(dirname(target));
      await moveFile(path, target);
      await syncFolder(dirname(target));
    });
  }

  async read(packId: string, offset: number, length: number): Promise<Uint8Array> {
    const path = this.place(packId);
    try {
      return await this.open.using(path, async (file) => {
        const bytes = Buffer.allocUnsafeSlow(length);
        const filled = await readFully(file, bytes, offset);
        if (filled < length) throw new PackMissing(`pack ${packId} ends at ${offset + filled}, wanted up to ${offset + length}`);
        return bytes;
      });
    } catch (error) {
      if (systemCode(error) === 'ENOENT') throw new PackMissing(`pack ${packId} is not there`, { cause: error });
      throw error;
    }
  }

  async delete(packId: string): Promise<void> {
    const path = this.place(packId);
    await this.open.forget(path);
    await rm(path, { force: true });
  }

  /** Closes the files kept open for reading. */
  async close(): Promise<void> {
    await this.open.close();
  }

  private place(packId: string): string {
    assert(isUuid(packId), 'a pack id is a UUID, so that it can never leave its folder');
    return join(this.folder, packId.slice(0, 2), packId);
  }

  private async ready(folder: string): Promise<void> {
    if (this.folders.has(folder)) return;
    await mkdir(folder, { recursive: true });
    await syncFolder(this.folder);
    await syncFolder(dirname(this.folder));
    this.folders.add(folder);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (systemCode(error) !== 'EXDEV') throw error;
    // Another file system: the copy gets its final name only when it is complete and durable.
    const copy = `${to}.${randomUUID()}`;
    try {
      await copyFile(from, copy);
      await syncFile(copy);
      await rename(copy, to);
    } catch (failure) {
      await rm(copy, { force: true });
      throw failure;
    }
    await unlink(from);
  }
}
