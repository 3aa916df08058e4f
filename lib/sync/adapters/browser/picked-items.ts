import type { PickedItem } from './engine-client-types';

/** How many things were found so far. */
export type OnFound = (found: number) => void;

/** Chromium's, which DOM types do not know yet. */
interface HandleItem {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}
interface IterableDirectory extends FileSystemDirectoryHandle {
  values(): AsyncIterableIterator<FileSystemFileHandle | FileSystemDirectoryHandle>;
}

/** A browser's own half-written files; they vanish by themselves. */
function isSwapFile(name: string): boolean {
  return name.endsWith('.crswap');
}

/** Files read at the same time while a tree is walked. */
const FILES_AT_ONCE = 8;

/** Files of an `<input type="file">`; with `webkitdirectory` the paths begin with the picked folder (whose empty folders browsers leave out). */
export function itemsOfInput(input: HTMLInputElement): readonly PickedItem[] {
  return itemsOfFiles([...(input.files ?? [])]);
}

function itemsOfFiles(files: readonly File[]): readonly PickedItem[] {
  return files.filter((file) => !isSwapFile(file.name)).map((file) => ({ kind: 'file', path: file.webkitRelativePath || file.name, file }));
}

/**
 * Everything in a drop or paste, dropped folders with all they hold, empty ones too. Call it inside the event: what the browser
 * gives is only there until the handler returns; the walking goes on afterwards. Where the browser has them, files come with
 * handles, so that an upload can go on after a restart. What cannot be read (symlinks, devices) is left out.
 */
export function itemsOfTransfer(transfer: DataTransfer, onFound: OnFound = () => undefined): Promise<readonly PickedItem[]> {
  const items = [...transfer.items].filter((item) => item.kind === 'file');
  const files = [...transfer.files];
  const sources = items.map((item) => ({ handle: (item as HandleItem).getAsFileSystemHandle?.() ?? null, entry: item.webkitGetAsEntry() }));
  return gather(onFound, async (found) => {
    for (const [index, { handle, entry }] of sources.entries()) {
      const ready = await handle?.catch(() => null);
      if (ready) await walkHandle(ready as FileSystemFileHandle | FileSystemDirectoryHandle, ready.name, found);
      else if (entry) await walkEntry(entry, entry.name, found);
      // A pasted picture is a file without a place on the disk.
      else if (files[index]) found({ kind: 'file', path: files[index].name, file: files[index] });
    }
  });
}

/** Asks the person for the right to read a picked file again, if need be; inside a click. Never throws. */
export async function mayRead(handle: FileSystemFileHandle): Promise<boolean> {
  const { requestPermission } = handle as { requestPermission?(mode: { mode: 'read' }): Promise<PermissionState> };
  if (requestPermission === undefined) return true;
  try {
    return (await requestPermission.call(handle, { mode: 'read' })) === 'granted';
  } catch {
    return false; // Not inside a click, or the browser forbids it for this site.
  }
}

interface FilePickerScope {
  showOpenFilePicker?(options: { multiple: boolean }): Promise<FileSystemFileHandle[]>;
}

/** Whether `pickFiles` can ask; where it cannot an input must be clicked, within the person's own click. */
export function canPickFiles(): boolean {
  return (window as unknown as FilePickerScope).showOpenFilePicker !== undefined;
}

/** Asks for files with handles where the browser can; null where it cannot (use an input then), empty when the person gave up. */
export async function pickFiles(): Promise<readonly PickedItem[] | null> {
  const scope = window as unknown as FilePickerScope;
  if (scope.showOpenFilePicker === undefined) return null;
  const handles = await unlessAborted(scope.showOpenFilePicker({ multiple: true }));
  return gather(
    () => undefined,
    async (found) => {
      for (const handle of handles ?? []) await walkHandle(handle, handle.name, found);
    },
  );
}

/** Asks for a folder, with everything in it; null and empty as in `pickFiles`. */
export async function pickFolder(onFound: OnFound = () => undefined): Promise<readonly PickedItem[] | null> {
  const scope = window as unknown as { showDirectoryPicker?(options: { mode: 'read' }): Promise<FileSystemDirectoryHandle> };
  if (scope.showDirectoryPicker === undefined) return null;
  const handle = await unlessAborted(scope.showDirectoryPicker({ mode: 'read' }));
  return gather(onFound, async (found) => {
    if (handle !== null) await walkHandle(handle, handle.name, found);
  });
}

async function unlessAborted<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}

type Found = (item: PickedItem) => void;

async function gather(onFound: OnFound, walk: (found: Found) => Promise<void>): Promise<readonly PickedItem[]> {
  const items: PickedItem[] = [];
  await walk((item) => {
    items.push(item);
    if (items.length % 100 === 0) onFound(items.length);
  });
  onFound(items.length);
  return items;
}

/** Runs `work` on all, a few at a time: asking for one file after the other makes thousands of them slow. */
async function each<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const queue = all.values();
  await Promise.all(
    Array.from({ length: FILES_AT_ONCE }, async () => {
      for (const one of queue) await work(one);
    }),
  );
}

async function walkHandle(handle: FileSystemFileHandle | FileSystemDirectoryHandle, path: string, found: Found): Promise<void> {
  if (handle.kind === 'file') {
    if (isSwapFile(handle.name)) return;
    const file = await handle.getFile().catch(() => null);
    if (file !== null) found({ kind: 'file', path, file, handle });
    return;
  }
  found({ kind: 'folder', path });
  const children: (FileSystemFileHandle | FileSystemDirectoryHandle)[] = [];
  try {
    for await (const child of (handle as IterableDirectory).values()) children.push(child);
  } catch {
    // No right to look into it, or it went meanwhile: what was seen is taken.
  }
  await each(
    children.filter((child) => child.kind === 'file'),
    (child) => walkHandle(child, `${path}/${child.name}`, found),
  );
  for (const child of children) if (child.kind === 'directory') await walkHandle(child, `${path}/${child.name}`, found);
}

async function walkEntry(entry: FileSystemEntry, path: string, found: Found): Promise<void> {
  if (entry.isFile) {
    if (isSwapFile(entry.name)) return;
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)).catch(() => null);
    if (file !== null) found({ kind: 'file', path, file });
    return;
  }
  found({ kind: 'folder', path });
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const children: FileSystemEntry[] = [];
  for (;;) {
    // A reader gives at most a hundred at a time; an empty answer is the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject)).catch(() => []);
    if (some.length === 0) break;
    children.push(...some);
  }
  await each(
    children.filter((child) => child.isFile),
    (child) => walkEntry(child, `${path}/${child.name}`, found),
  );
  for (const child of children) if (child.isDirectory) await walkEntry(child, `${path}/${child.name}`, found);
}
