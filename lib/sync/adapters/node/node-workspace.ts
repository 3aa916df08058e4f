import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, constants, link, lstat, mkdir, open, readdir, rename, rm, rmdir, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type DiskItem, type DiskStamp, nameBytes, sameStamp, splitPath, TEMPORARY_PREFIX } from '../../model/disk';
import type { DiskRefusal, DiskReply, DiskWrite, Workspace } from '../../ports/workspace';

const FILES_AT_ONCE = 32;
const NAME_BYTES_MAX = 255;

function reasonOf(error: unknown): DiskRefusal {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'permission';
  if (code === 'EEXIST' || code === 'EISDIR') return 'exists';
  if (code === 'ENOTEMPTY') return 'not_empty';
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'no_space';
  if (code === 'ENAMETOOLONG' || code === 'EINVAL') return 'name';
  if (code === 'EIO' || code === 'EBUSY' || code === 'EMFILE' || code === 'ESTALE') return 'unreadable';
  throw error;
}

/** Turns what the file system refuses into values; everything else goes on. */
async function tried<T>(work: () => Promise<DiskReply<T>>): Promise<DiskReply<T>> {
  try {
    return await work();
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  }
}

const done = <T>(value: T): DiskReply<T> => ({ ok: true, value });
const refused = (reason: DiskRefusal) => ({ ok: false, reason }) as const;

/** A folder of the file system that Node sees. */
export class NodeWorkspace implements Workspace {
  constructor(readonly directory: string) {}

  #at(path: string): string {
    return join(this.directory, path);
  }

  holds(name: string): boolean {
    return nameBytes(name) <= NAME_BYTES_MAX && !name.includes('/') && !name.includes('\0');
  }

  async state(): Promise<'ready' | 'missing' | 'permission'> {
    try {
      if (!(await lstat(this.directory)).isDirectory()) return 'missing';
      await access(this.directory, constants.R_OK | constants.W_OK | constants.X_OK);
      return 'ready';
    } catch (error) {
      return reasonOf(error) === 'permission' ? 'permission' : 'missing';
    }
  }

  list(folder: string): Promise<DiskReply<readonly DiskItem[]>> {
    return tried(async () => {
      const entries = await readdir(this.#at(folder), { withFileTypes: true });
      const items: DiskItem[] = [];
      const files: string[] = [];
      for (const entry of entries) {
        if (entry.name.startsWith(TEMPORARY_PREFIX)) continue;
        if (entry.isFile()) files.push(entry.name);
        else items.push({ name: entry.name, kind: entry.isDirectory() ? 'folder' : 'other', size: 0, mtime: 0 });
      }
      for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
        const some = files.slice(at, at + FILES_AT_ONCE);
        for (const item of await Promise.all(some.map((name) => this.#item(folder, name)))) if (item !== null) items.push(item);
      }
      return done(items);
    });
  }

  /** null: it went while the folder was listed. */
  async #item(folder: string, name: string): Promise<DiskItem | null> {
    const seen = await this.stat(folder === '' ? name : `${folder}/${name}`);
    if (seen.ok) return seen.value;
    return seen.reason === 'missing' ? null : { name, kind: 'other', size: 0, mtime: 0 };
  }

  stat(path: string): Promise<DiskReply<DiskItem>> {
    return tried(async (): Promise<DiskReply<DiskItem>> => {
      const stats = await lstat(this.#at(path));
      const { name } = splitPath(path);
      if (!stats.isFile()) return done({ name, kind: stats.isDirectory() ? 'folder' : 'other', size: 0, mtime: 0 });
      return done({ name, kind: 'file', size: stats.size, mtime: Math.trunc(stats.mtimeMs) });
    });
  }

  read(path: string): Promise<DiskReply<AsyncIterable<Uint8Array<ArrayBuffer>>>> {
    return tried(async () => {
      if (!(await lstat(this.#at(path))).isFile()) return refused('missing');
      const handle = await open(this.#at(path), 'r');
      return done(createReadStream('', { fd: handle, highWaterMark: 1024 * 1024 }) as AsyncIterable<Uint8Array<ArrayBuffer>>);
    });
  }

  async #is(path: string, expected: DiskStamp | null): Promise<DiskRefusal | null> {
    const seen = await this.stat(path);
    if (expected === null) return seen.ok ? 'exists' : seen.reason === 'missing' ? null : seen.reason;
    if (!seen.ok) return seen.reason;
    return seen.value.kind === 'file' && sameStamp(seen.value, expected) ? null : 'changed';
  }

  async write(path: string, content: AsyncIterable<Uint8Array>, { expected, mtime }: DiskWrite): Promise<DiskReply<DiskStamp>> {
    const { folder, name } = splitPath(path);
    if (!this.holds(name)) return refused('name');
    const reason = await this.#is(path, expected);
    if (reason !== null) return refused(reason);
    const temporary = join(this.#at(folder), `${TEMPORARY_PREFIX}${randomUUID()}`);
    const failures: unknown[] = [];
    try {
      const written = await tried(async () => {
        const file = await open(temporary, 'wx');
        try {
          for await (const piece of caught(content, failures)) await file.writeFile(piece);
          await file.sync();
        } finally {
          await file.close();
        }
        if (failures.length > 0) return refused('unreadable');
        if (mtime > 0) await utimes(temporary, mtime / 1000, mtime / 1000);
        return this.#swap(temporary, path, expected);
      });
      if (failures.length > 0) throw failures[0];
      return written;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async #swap(temporary: string, path: string, expected: DiskStamp | null): Promise<DiskReply<DiskStamp>> {
    const reason = await this.#is(path, expected);
    if (reason !== null) return refused(reason);
    // A link cannot replace anything, not even what came in this very moment.
    if (expected === null) await link(temporary, this.#at(path));
    else await rename(temporary, this.#at(path));
    const now = await this.stat(path);
    return now.ok ? done({ size: now.value.size, mtime: now.value.mtime }) : now;
  }

  createFolder(path: string): Promise<DiskReply<null>> {
    return tried(async () => {
      if (!this.holds(splitPath(path).name)) return refused('name');
      const seen = await this.stat(path);
      if (seen.ok) return seen.value.kind === 'folder' ? done(null) : refused('exists');
      await mkdir(this.#at(path));
      return done(null);
    });
  }

  removeFile(path: string, expected: DiskStamp): Promise<DiskReply<null>> {
    return tried(async () => {
      const reason = await this.#is(path, expected);
      if (reason !== null) return refused(reason);
      await unlink(this.#at(path));
      return done(null);
    });
  }

  removeFolder(path: string): Promise<DiskReply<null>> {
    return tried(async () => {
      await rmdir(this.#at(path));
      return done(null);
    });
  }

  moveFile(from: string, to: string, expected: DiskStamp): Promise<DiskReply<DiskStamp>> {
    return tried(async () => {
      const reason = await this.#is(from, expected);
      if (reason !== null) return refused(reason);
      const moved = await this.#move(from, to);
      return moved.ok ? done({ size: expected.size, mtime: expected.mtime }) : moved;
    });
  }

  moveFolder(from: string, to: string): Promise<DiskReply<null>> {
    return tried(async () => ((await lstat(this.#at(from))).isDirectory() ? this.#move(from, to) : refused('missing')));
  }

  async #move(from: string, to: string): Promise<DiskReply<null>> {
    if (!this.holds(splitPath(to).name)) return refused('name');
    const [source, target] = await Promise.all([from, to].map((path) => lstat(this.#at(path)).catch(() => null)));
    // On disks that take two spellings for one name, the target is the source itself.
    if (target && !(source?.ino === target.ino && source.dev === target.dev)) return refused('exists');
    await rename(this.#at(from), this.#at(to));
    return done(null);
  }
}

/** Passes content on. What it throws is the caller's and kept apart from what the disk refuses, which is a value. */
async function* caught(content: AsyncIterable<Uint8Array>, failures: unknown[]): AsyncGenerator<Uint8Array> {
  try {
    yield* content;
  } catch (error) {
    failures.push(error);
  }
}
