import type { WatchEvent, Watcher } from '../../ports/watcher';
import { reasonOf } from './picked-folder-handles';

/** FileSystemObserver (https://github.com/whatwg/fs/blob/main/proposals/FileSystemObserver.md); Chromium's, in pages and dedicated workers. */
interface ChangeRecord {
  readonly type: 'appeared' | 'disappeared' | 'modified' | 'moved' | 'unknown' | 'errored';
  readonly changedHandle: FileSystemHandle | null;
  readonly relativePathComponents: readonly string[];
  readonly relativePathMovedFrom: readonly string[] | null;
}
interface Observer {
  observe(handle: FileSystemDirectoryHandle, options: { recursive: boolean }): Promise<void>;
  disconnect(): void;
}
type ObserverScope = { readonly FileSystemObserver?: new (told: (records: readonly ChangeRecord[]) => void) => Observer };

/** Events inside a folder that has just appeared are lost: it is looked at once more when it must have settled. */
const SETTLED_MILLISECONDS = 2_000;

/** Notices changes in a picked folder while this worker lives. Our own writes are told, too: their stamps are known. */
export class PickedFolderWatcher implements Watcher {
  #observer: Observer | null = null;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(readonly handle: FileSystemDirectoryHandle) {}

  async start(onEvent: (event: WatchEvent) => void): Promise<boolean> {
    const { FileSystemObserver } = globalThis as ObserverScope;
    if (FileSystemObserver === undefined) return false;
    const observer = new FileSystemObserver((records) => {
      for (const record of records) this.#tell(record, onEvent);
    });
    try {
      await observer.observe(this.handle, { recursive: true });
    } catch (error) {
      if (reasonOf(error) === null) throw error;
      return false;
    }
    this.#observer = observer;
    return true;
  }

  stop(): void {
    this.#observer?.disconnect();
    this.#observer = null;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #tell({ type, changedHandle, relativePathComponents, relativePathMovedFrom }: ChangeRecord, onEvent: (event: WatchEvent) => void): void {
    if (type === 'unknown' || type === 'errored' || relativePathComponents.length === 0) {
      onEvent({ kind: 'lost' });
      return;
    }
    const folderOf = (path: readonly string[]) => path.slice(0, -1).join('/');
    onEvent({ kind: 'folder', path: folderOf(relativePathComponents), deep: false });
    if (relativePathMovedFrom !== null && relativePathMovedFrom !== undefined)
      onEvent({ kind: 'folder', path: folderOf(relativePathMovedFrom), deep: false });
    if (type !== 'disappeared' && type !== 'modified' && changedHandle?.kind !== 'file') {
      const path = relativePathComponents.join('/');
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        onEvent({ kind: 'folder', path, deep: true });
      }, SETTLED_MILLISECONDS);
      this.#timers.add(timer);
    }
  }
}
