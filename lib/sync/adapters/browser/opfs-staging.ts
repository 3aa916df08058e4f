import type { UserId } from '../../model/ids';

/** The part of the synchronous file handle we use; DOM types know it in workers only. */
interface SyncHandle {
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(bytes: number): void;
  flush(): void;
  close(): void;
}
type MaybeSyncFileHandle = FileSystemFileHandle & { createSyncAccessHandle?: () => Promise<SyncHandle> };

/** A staging file that is being written. Nothing may refer to it before `close` has returned. */
export interface OpenSegment {
  readonly name: string;
  /** Bytes written so far. */
  bytes(): number;
  /** Appends; throws QuotaExceededError (and leaves the file as it was) when there is no room. */
  write(bytes: Uint8Array): void;
  /** Flushed to the disk, then closed. */
  close(): void;
  /** Closed and removed. */
  discard(): Promise<void>;
}

/** Written at a time: Chromium takes four times as long for the same bytes in pieces of a MiB or more. */
const WRITE_BYTES = 256 * 1024;

/** Segment names of this kind stand for a File in memory, see `FileIntake`. */
export const MEMORY_SEGMENT = 'memory:';

/** File names like an account's own, so that accounts on one profile never meet. */
function folderName(userId: UserId): string {
  return `satchel-${userId}`;
}

/** True for the browser's own “no room” error, whichever interface it came through. */
export function isQuotaError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // Dexie keeps the browser's error in `inner`.
  return error.name === 'QuotaExceededError' || isQuotaError('inner' in error ? error.inner : error.cause);
}

/**
 * The staging files of one account in the browser's private file system, and the Files that could not be staged. Writing needs
 * a dedicated worker; reading works in service workers and pages too.
 */
export class OpfsStaging {
  private readonly memoryFiles = new Map<string, File>();
  private readonly open = new Map<string, Blob>();

  private constructor(
    private readonly folder: FileSystemDirectoryHandle | null,
    /** False where the browser has no private file system or no synchronous handles here: files are then sent from where they are. */
    readonly canWrite: boolean,
  ) {}

  static async open(userId: UserId): Promise<OpfsStaging> {
    try {
      const root = await navigator.storage.getDirectory();
      const folder = await (await root.getDirectoryHandle(folderName(userId), { create: true })).getDirectoryHandle('staging', {
        create: true,
      });
      return new OpfsStaging(folder, await hasSyncHandles(folder));
    } catch {
      // Private modes and old browsers refuse in many ways; all mean the same.
      return new OpfsStaging(null, false);
    }
  }

  /** For service workers, which never write. */
  static async openToRead(userId: UserId): Promise<OpfsStaging> {
    return new OpfsStaging(await stagingFolder(userId).catch(() => null), false);
  }

  /** Removes everything the account has in the private file system. */
  static async forget(userId: UserId): Promise<void> {
    try {
      await (await navigator.storage.getDirectory()).removeEntry(folderName(userId), { recursive: true });
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error;
    }
  }

  /** Begins a staging file. Throws QuotaExceededError. */
  async create(name: string): Promise<OpenSegment> {
    if (this.folder === null) throw new TypeError('no private file system');
    const { folder } = this;
    const file = (await folder.getFileHandle(name, { create: true })) as MaybeSyncFileHandle;
    const handle = await (file.createSyncAccessHandle as () => Promise<SyncHandle>).call(file);
    let bytes = 0;
    return {
      name,
      bytes: () => bytes,
      write: (data) => {
        const before = bytes;
        try {
          for (let from = 0; from < data.length; from += WRITE_BYTES) {
            const piece = data.subarray(from, from + WRITE_BYTES);
            const written = handle.write(piece, { at: bytes });
            if (written !== piece.length) throw new DOMException('the browser took only a part', 'QuotaExceededError');
            bytes += written;
          }
        } catch (error) {
          bytes = before;
          handle.truncate(bytes);
          throw error;
        }
      },
      close: () => {
        handle.flush();
        handle.close();
      },
      discard: async () => {
        handle.close();
        await folder.removeEntry(name).catch(ignoreNotFound);
      },
    };
  }

  /** The whole staging file, to be sliced; null when it is gone. */
  async blob(segment: string): Promise<Blob | null> {
    if (segment.startsWith(MEMORY_SEGMENT)) return this.memoryFiles.get(segment) ?? null;
    const known = this.open.get(segment);
    if (known !== undefined) return known;
    try {
      const file = await (await this.folder?.getFileHandle(segment))?.getFile();
      if (file === undefined) return null;
      this.open.set(segment, file);
      // The few that are being sent are enough; asking again costs a millisecond.
      if (this.open.size > 64) this.open.delete(this.open.keys().next().value as string);
      return file;
    } catch (error) {
      ignoreNotFound(error);
      return null;
    }
  }

  /** Makes a File readable under a segment name; `null` forgets it. */
  setMemoryFile(segment: string, file: File | null): void {
    if (file === null) this.memoryFiles.delete(segment);
    else this.memoryFiles.set(segment, file);
  }

  async list(): Promise<readonly string[]> {
    const names: string[] = [];
    if (this.folder !== null) for await (const name of this.folder.keys()) names.push(name);
    return names;
  }

  /** Removes staging files; those that are gone or still being written are passed over. */
  async remove(segments: readonly string[]): Promise<void> {
    for (const segment of segments) {
      this.open.delete(segment);
      this.memoryFiles.delete(segment);
      if (!segment.startsWith(MEMORY_SEGMENT)) await this.folder?.removeEntry(segment).catch(ignoreBusy);
    }
  }

  /** Bytes the browser says it would still store; null when it does not say. */
  async freeBytes(): Promise<number | null> {
    try {
      const { quota, usage } = await navigator.storage.estimate();
      return quota === undefined ? null : Math.max(0, quota - (usage ?? 0));
    } catch {
      return null;
    }
  }
}

async function stagingFolder(userId: UserId): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return (await root.getDirectoryHandle(folderName(userId), { create: true })).getDirectoryHandle('staging', { create: true });
}

async function hasSyncHandles(folder: FileSystemDirectoryHandle): Promise<boolean> {
  const name = `probe-${crypto.randomUUID()}`;
  try {
    const file = (await folder.getFileHandle(name, { create: true })) as MaybeSyncFileHandle;
    if (file.createSyncAccessHandle === undefined) return false;
    // WebKit on Linux has the method and refuses the call.
    (await file.createSyncAccessHandle()).close();
    return true;
  } catch {
    return false;
  } finally {
    await folder.removeEntry(name).catch(ignoreBusy);
  }
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error;
}

function ignoreBusy(error: unknown): void {
  if (!(error instanceof DOMException && ['NotFoundError', 'NoModificationAllowedError', 'InvalidStateError'].includes(error.name)))
    throw error;
}
