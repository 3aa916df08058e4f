import type { DiskRefusal } from '../../ports/workspace';

/** Parts of the File System Access API that the DOM types do not know yet. Only Chromium has them. */
export interface FolderHandle extends FileSystemDirectoryHandle {
  queryPermission(options: { mode: 'read' | 'readwrite' }): Promise<PermissionState>;
  requestPermission(options: { mode: 'read' | 'readwrite' }): Promise<PermissionState>;
  keys(): AsyncIterableIterator<string> & FileSystemDirectoryHandleAsyncIterator<string>;
  values(): AsyncIterableIterator<FileSystemFileHandle | FileSystemDirectoryHandle> &
    FileSystemDirectoryHandleAsyncIterator<FileSystemFileHandle | FileSystemDirectoryHandle>;
}
export type MovableFile = FileSystemFileHandle & { move?(folder: FileSystemDirectoryHandle, name: string): Promise<void> };

const REASONS: Readonly<Record<string, DiskRefusal>> = {
  NotFoundError: 'missing',
  NotAllowedError: 'permission',
  SecurityError: 'permission',
  TypeMismatchError: 'exists',
  InvalidModificationError: 'exists',
  QuotaExceededError: 'no_space',
  InvalidStateError: 'unreadable',
  NoModificationAllowedError: 'unreadable',
  NotReadableError: 'unreadable',
  AbortError: 'unreadable',
};

/** What the browser's error means for a disk; null: it is no word about the disk. */
export function reasonOf(error: unknown): DiskRefusal | null {
  // A name that the interface does not take.
  if (error instanceof TypeError) return 'name';
  return error instanceof DOMException ? (REASONS[error.name] ?? null) : null;
}
