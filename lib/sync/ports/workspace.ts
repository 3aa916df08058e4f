import type { DiskItem, DiskRecord, DiskStamp } from '../model/disk';
import type { EntryId } from '../model/ids';
import type { LocalEntry } from './local-store';

/**
 * Why the disk did not do it. `missing`: it is not there. `exists`: something stands at the target. `changed`: what stands there is
 * not what was expected. `not_empty`: a folder still holds something. `name`: the disk cannot hold this name.
 */
export type DiskRefusal = 'missing' | 'permission' | 'exists' | 'changed' | 'not_empty' | 'name' | 'no_space' | 'unreadable';
export type DiskReply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: DiskRefusal };

export interface DiskWrite {
  /** The file that is replaced, as it was last seen; null: nothing may stand there. Looked at again right before the swap. */
  readonly expected: DiskStamp | null;
  /** The bytes' modification time, for disks that let it be set. */
  readonly mtime: number;
}

/**
 * A folder on a disk. Paths are relative, with “/”, spelled as the disk spells names; `''` is the folder itself. Expected failures are
 * values. Nothing is ever overwritten or removed that is not what the caller expects there.
 */
export interface Workspace {
  /** Whether the folder is there and may be read and written right now. Asks nobody. */
  state(): Promise<'ready' | 'missing' | 'permission'>;
  /** What stands directly in a folder, in no order; unfinished temporary files of our own are left out. */
  list(folder: string): Promise<DiskReply<readonly DiskItem[]>>;
  stat(path: string): Promise<DiskReply<DiskItem>>;
  /** The bytes of a file, in pieces. A file that cannot be read (any more) makes the iteration throw. */
  read(path: string): Promise<DiskReply<AsyncIterable<Uint8Array<ArrayBuffer>>>>;
  /**
   * Writes a file aside and swaps it in when all of it is there. What `content` throws goes on to the caller, and then, as after every
   * refusal, the disk is as before. Returns the file as it then stands.
   */
  write(path: string, content: AsyncIterable<Uint8Array>, how: DiskWrite): Promise<DiskReply<DiskStamp>>;
  /** A folder that is already there is fine. */
  createFolder(path: string): Promise<DiskReply<null>>;
  /** Removes a file that is as `expected`. */
  removeFile(path: string, expected: DiskStamp): Promise<DiskReply<null>>;
  /** Removes a folder that is empty. */
  removeFolder(path: string): Promise<DiskReply<null>>;
  /** Renames or moves a file that is as `expected`; never onto something. Returns the file as it then stands. */
  moveFile(from: string, to: string, expected: DiskStamp): Promise<DiskReply<DiskStamp>>;
  /** Renames or moves a folder with everything in it; never onto something. Stopped half way it can be asked for again. */
  moveFolder(from: string, to: string): Promise<DiskReply<null>>;
  /** False for names this disk refuses or hides. */
  holds(name: string): boolean;
}

/** Where the synced tree of the workspace is kept. Durable when a promise resolves. */
export interface DiskRecords {
  all(): Promise<readonly DiskRecord[]>;
  put(rows: readonly DiskRecord[]): Promise<void>;
  remove(entryIds: readonly EntryId[]): Promise<void>;
}

/** One file of the disk on its way into the tree. */
export interface DiskUpload {
  readonly transferId: string;
  readonly path: string;
  readonly stamp: DiskStamp;
  readonly entryId: EntryId;
  readonly parentId: EntryId;
  readonly namespaceId: LocalEntry['namespaceId'];
  readonly name: string;
  readonly baseRevision: number | null;
}

/** Hands files to intake. Each becomes a transfer with the given id; files that are not as their stamp says are left out. */
export interface DiskUploads {
  add(uploads: readonly DiskUpload[]): Promise<void>;
}

/** Where the bytes of entries come from: this device's staging, its offline content, or the server. */
export interface ContentSource {
  /**
   * The verified bytes of each entry's present content, asked for together because that costs one request. `unreachable`: not now.
   * An iteration throws `ContentBroken` when what came is not what the digest promises, and only then has it ended by an error.
   */
  open(rows: readonly LocalEntry[]): Promise<readonly (AsyncIterable<Uint8Array> | 'unreachable')[]>;
}

/** What came is not what was promised, or broke off. */
export class ContentBroken extends Error {
  override name = 'ContentBroken';
}
