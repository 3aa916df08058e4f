import { type DiskItem, type DiskStamp, joinPath, nameBytes, sameStamp, splitPath, TEMPORARY_PREFIX } from '../../model/disk';
import type { DiskRefusal, DiskReply, DiskWrite, Workspace } from '../../ports/workspace';
import { type FolderHandle, type MovableFile, reasonOf } from './picked-folder-handles';

const FILES_AT_ONCE = 16;
/** Chromium writes beside the file, under a longer name, and leaves an empty file behind where that does not fit. */
const NAME_BYTES_MAX = 240;
/** What Chromium refuses to create, on every system, or hides when it lists a folder. */
const REFUSED_NAME = /[:?*"<>|\\/]|[. ]$|^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$|^desktop\.ini$|^thumbs\.db$|\.(lnk|url|scf|crswap)$/i;

const done = <T>(value: T): DiskReply<T> => ({ ok: true, value });
const refused = (reason: DiskRefusal) => ({ ok: false, reason }) as const;

/** Turns what the browser refuses into values; everything else goes on. */
async function tried<T>(work: () => Promise<DiskReply<T>>): Promise<DiskReply<T>> {
  try {
    return await work();
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === null) throw error;
    return refused(reason);
  }
}

/**
 * A folder that the person picked, by the File System Access API (https://wicg.github.io/file-system-access/). Files are replaced by
 * `createWritable`, which writes aside and swaps on `close`; new ones are written under a temporary name first, because the browser
 * would show an empty file meanwhile. One instance at a time per folder: it clears away temporary files it did not make.
 */
export class PickedFolderWorkspace implements Workspace {
  readonly #temporary = new Set<string>();

  constructor(readonly handle: FolderHandle) {}

  holds(name: string): boolean {
    return !REFUSED_NAME.test(name) && nameBytes(name) <= NAME_BYTES_MAX;
  }

  async state(): Promise<'ready' | 'missing' | 'permission'> {
    try {
      if ((await this.handle.queryPermission({ mode: 'readwrite' })) !== 'granted') return 'permission';
      // Asking for the first name is what shows whether the folder is there.
      for await (const _ of this.handle.keys()) break;
      return 'ready';
    } catch (error) {
      return reasonOf(error) === 'permission' ? 'permission' : 'missing';
    }
  }

  /** The handle of a file, for those who read it by themselves. Throws what the browser throws. */
  async file(path: string): Promise<MovableFile> {
    const { folder, name } = splitPath(path);
    return (await (await this.#folder(folder)).getFileHandle(name)) as MovableFile;
  }

  async #folder(path: string): Promise<FolderHandle> {
    let handle = this.handle;
    for (const name of path === '' ? [] : path.split('/')) handle = (await handle.getDirectoryHandle(name)) as FolderHandle;
    return handle;
  }

  list(folder: string): Promise<DiskReply<readonly DiskItem[]>> {
    return tried(async () => {
      const handle = await this.#folder(folder);
      const items: DiskItem[] = [];
      const files: FileSystemFileHandle[] = [];
      for await (const child of handle.values()) {
        if (child.name.startsWith(TEMPORARY_PREFIX)) await this.#clear(handle, child.name);
        else if (child.kind === 'file') files.push(child);
        else items.push({ name: child.name, kind: 'folder', size: 0, mtime: 0 });
      }
      const queue = files.values();
      await Promise.all(
        Array.from({ length: FILES_AT_ONCE }, async () => {
          for (const file of queue) items.push(await itemOf(file));
        }),
      );
      return done(items);
    });
  }

  /** A temporary file of an earlier run that was cut off. */
  async #clear(folder: FolderHandle, name: string): Promise<void> {
    if (this.#temporary.has(name)) return;
    await folder.removeEntry(name).catch((error: unknown) => {
      if (reasonOf(error) === null) throw error;
    });
  }

  stat(path: string): Promise<DiskReply<DiskItem>> {
    return tried(async () => {
      const { folder, name } = splitPath(path);
      const handle = await this.#folder(folder);
      try {
        const file = await (await handle.getFileHandle(name)).getFile();
        return done<DiskItem>({ name, kind: 'file', size: file.size, mtime: file.lastModified });
      } catch (error) {
        // It is a folder, or only looks like a missing file because the name cannot be one.
        if (reasonOf(error) !== 'exists') throw error;
        return done<DiskItem>({ name, kind: 'folder', size: 0, mtime: 0 });
      }
    });
  }

  read(path: string): Promise<DiskReply<AsyncIterable<Uint8Array<ArrayBuffer>>>> {
    return tried(async () => done(piecesOf(await (await this.file(path)).getFile())));
  }

  async #is(path: string, expected: DiskStamp | null): Promise<DiskRefusal | null> {
    const seen = await this.stat(path);
    if (expected === null) return seen.ok ? 'exists' : seen.reason === 'missing' ? null : seen.reason;
    if (!seen.ok) return seen.reason;
    return seen.value.kind === 'file' && sameStamp(seen.value, expected) ? null : 'changed';
  }

  async write(path: string, content: AsyncIterable<Uint8Array>, { expected }: DiskWrite): Promise<DiskReply<DiskStamp>> {
    const { folder, name } = splitPath(path);
    if (!this.holds(name)) return refused('name');
    const reason = await this.#is(path, expected);
    if (reason !== null) return refused(reason);
    const temporary = expected === null ? `${TEMPORARY_PREFIX}${crypto.randomUUID()}` : null;
    if (temporary !== null) this.#temporary.add(temporary);
    const failures: unknown[] = [];
    const written = await tried(async () => {
      const handle = await this.#folder(folder);
      const file = (await handle.getFileHandle(temporary ?? name, { create: temporary !== null })) as MovableFile;
      try {
        const swapped = await fill(
          file,
          caught(content, failures),
          async () => failures.length === 0 && (await this.#is(path, expected)) === null,
        );
        if (!swapped) return refused((failures.length === 0 ? await this.#is(path, expected) : null) ?? 'unreadable');
        if (temporary !== null) await moveWithin(handle, file, handle, name);
      } finally {
        if (temporary !== null) await this.#remove(handle, temporary);
      }
      const now = await this.stat(path);
      return now.ok ? done({ size: now.value.size, mtime: now.value.mtime }) : now;
    });
    if (temporary !== null) this.#temporary.delete(temporary);
    if (failures.length > 0) throw failures[0];
    return written;
  }

  /** Gone already is as good. */
  async #remove(folder: FolderHandle, name: string): Promise<void> {
    await folder.removeEntry(name).catch((error: unknown) => {
      if (reasonOf(error) !== 'missing') throw error;
    });
  }

  createFolder(path: string): Promise<DiskReply<null>> {
    return tried(async () => {
      const { folder, name } = splitPath(path);
      if (!this.holds(name)) return refused('name');
      await (await this.#folder(folder)).getDirectoryHandle(name, { create: true });
      return done(null);
    });
  }

  removeFile(path: string, expected: DiskStamp): Promise<DiskReply<null>> {
    return tried(async () => {
      const reason = await this.#is(path, expected);
      if (reason !== null) return refused(reason);
      const { folder, name } = splitPath(path);
      await (await this.#folder(folder)).removeEntry(name);
      return done(null);
    });
  }

  async removeFolder(path: string): Promise<DiskReply<null>> {
    const { folder, name } = splitPath(path);
    const removed = await tried(async () => {
      await (await this.#folder(path)).keys().next();
      await (await this.#folder(folder)).removeEntry(name);
      return done(null);
    });
    return !removed.ok && removed.reason === 'exists' ? refused('not_empty') : removed;
  }

  async moveFile(from: string, to: string, expected: DiskStamp): Promise<DiskReply<DiskStamp>> {
    const reason = await this.#is(from, expected);
    if (reason !== null) return refused(reason);
    const moved = await this.#detoured(from, to, (source, target) => this.#moveFile(source, target));
    if (!moved.ok) return moved;
    const now = await this.stat(to);
    return now.ok ? done({ size: now.value.size, mtime: now.value.mtime }) : now;
  }

  moveFolder(from: string, to: string): Promise<DiskReply<null>> {
    return this.#detoured(from, to, (source, target) => this.#moveFolder(source, target));
  }

  /**
   * On disks that take two spellings for one name, a change of case finds itself at its target: it goes by a third name, which anybody
   * can see, so that nothing is hidden when it is cut off in between.
   */
  async #detoured(from: string, to: string, move: (from: string, to: string) => Promise<DiskReply<null>>): Promise<DiskReply<null>> {
    const { folder, name } = splitPath(to);
    if (!this.holds(name)) return refused('name');
    const target = await this.stat(to);
    if (!target.ok) return target.reason === 'missing' ? move(from, to) : target;
    if (from === to || from.toLowerCase() !== to.toLowerCase()) return refused('exists');
    const between = joinPath(folder, `${name} (renaming)`);
    if ((await this.stat(between)).ok) return refused('exists');
    const first = await move(from, between);
    if (!first.ok) return first;
    const taken = (await this.stat(to)).ok;
    const second = await move(between, taken ? from : to);
    return taken && second.ok ? refused('exists') : second;
  }

  #moveFile(from: string, to: string): Promise<DiskReply<null>> {
    return tried(async () => {
      const [source, target] = [splitPath(from), splitPath(to)];
      const [fromFolder, toFolder] = [await this.#folder(source.folder), await this.#folder(target.folder)];
      await moveWithin(fromFolder, (await fromFolder.getFileHandle(source.name)) as MovableFile, toFolder, target.name);
      return done(null);
    });
  }

  /** Folders cannot be moved by this interface: what stands in them is, file by file. Nothing is left out but what the browser hides. */
  async #moveFolder(from: string, to: string): Promise<DiskReply<null>> {
    const made = await this.createFolder(to);
    if (!made.ok) return made;
    const children = await tried(async () => {
      const names: { readonly name: string; readonly kind: 'file' | 'directory' }[] = [];
      for await (const { name, kind } of (await this.#folder(from)).values()) names.push({ name, kind });
      return done(names);
    });
    if (!children.ok) return children;
    for (const { name, kind } of children.value) {
      const [source, target] = [joinPath(from, name), joinPath(to, name)];
      const moved = await (kind === 'file' ? this.#moveFile(source, target) : this.#moveFolder(source, target));
      if (!moved.ok) return moved;
    }
    return this.removeFolder(from);
  }
}

/** Names whose file cannot be opened (not UTF-8, or gone meanwhile) are told as what they are: nothing we can read. */
async function itemOf(handle: FileSystemFileHandle): Promise<DiskItem> {
  try {
    const { size, lastModified } = await handle.getFile();
    return { name: handle.name, kind: 'file', size, mtime: lastModified };
  } catch (error) {
    if (reasonOf(error) === null) throw error;
    return { name: handle.name, kind: 'other', size: 0, mtime: 0 };
  }
}

async function* piecesOf(file: File): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = file.stream().getReader();
  try {
    for (;;) {
      const { done: ended, value } = await reader.read();
      if (ended) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // It has failed or ended already.
  }
}

/** Writes aside; swaps only when `mayCommit` says so at the very end. Returns whether it did. */
async function fill(file: FileSystemFileHandle, content: AsyncIterable<Uint8Array>, mayCommit: () => Promise<boolean>): Promise<boolean> {
  const writable = await file.createWritable();
  let swapped = false;
  try {
    for await (const piece of content) await writable.write(piece as Uint8Array<ArrayBuffer>);
    if (await mayCommit()) {
      await writable.close();
      swapped = true;
    }
  } finally {
    if (!swapped) await writable.abort().catch(() => undefined); // The failure that led here is told instead.
  }
  return swapped;
}

async function moveWithin(from: FolderHandle, file: MovableFile, to: FolderHandle, name: string): Promise<void> {
  if (file.move !== undefined) {
    await file.move(to, name);
    return;
  }
  // Older browsers: a copy, and the original only goes once the copy is whole.
  const source = await file.getFile();
  const copy = await to.getFileHandle(name, { create: true });
  await fill(copy, piecesOf(source), async () => true);
  const [before, after] = [await file.getFile(), await copy.getFile()];
  if (after.size !== source.size || before.lastModified !== source.lastModified)
    throw new DOMException('changed while it was moved', 'NotReadableError');
  await from.removeEntry(file.name);
}

/** Passes content on. What it throws is the caller's and kept apart from what the disk refuses, which is a value. */
async function* caught(content: AsyncIterable<Uint8Array>, failures: unknown[]): AsyncGenerator<Uint8Array> {
  try {
    yield* content;
  } catch (error) {
    failures.push(error);
  }
}
