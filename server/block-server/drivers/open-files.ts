import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';

interface OpenFile {
  readonly handle: Promise<FileHandle>;
  users: number;
  /** Taken out of the cache; closed as soon as nobody reads it. */
  dropped: boolean;
}

/** Keeps up to `capacity` files open for reading, so that a download does not open its pack once per chunk. */
export class OpenFiles {
  /** In order of last use, the oldest first. */
  private readonly files = new Map<string, OpenFile>();

  constructor(private readonly capacity: number) {}

  /** Lends the file at `path` to `read`. Rejects as `open` does. */
  async using<T>(path: string, read: (file: FileHandle) => Promise<T>): Promise<T> {
    const file = this.files.get(path) ?? { handle: open(path, 'r'), users: 0, dropped: false };
    this.files.delete(path);
    this.files.set(path, file);
    file.users++;
    try {
      return await read(await file.handle);
    } catch (error) {
      // A file that could not be opened, or whose disk failed, must be opened anew next time.
      this.drop(path, file);
      throw error;
    } finally {
      file.users--;
      if (file.dropped && file.users === 0) await close(file);
      await this.shrink();
    }
  }

  /** Forgets the file at `path`; a read in progress ends in peace. */
  async forget(path: string): Promise<void> {
    const file = this.files.get(path);
    if (file === undefined) return;
    this.drop(path, file);
    if (file.users === 0) await close(file);
  }

  /** Closes everything that is not being read. */
  async close(): Promise<void> {
    await Promise.all([...this.files.keys()].map((path) => this.forget(path)));
  }

  private drop(path: string, file: OpenFile): void {
    file.dropped = true;
    if (this.files.get(path) === file) this.files.delete(path);
  }

  private async shrink(): Promise<void> {
    let over = this.files.size - this.capacity;
    for (const [path, file] of this.files) {
      if (over <= 0) return;
      if (file.users > 0) continue;
      over--;
      await this.forget(path);
    }
  }
}

async function close(file: OpenFile): Promise<void> {
  const handle = await file.handle.catch(() => null);
  await handle?.close();
}
