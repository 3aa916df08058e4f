import type { Digest, EntryId } from './ids';

/** What tells whether a file on a disk was touched: size in bytes and modification time in milliseconds since 1970 UTC. Folders have 0 and 0. */
export interface DiskStamp {
  readonly size: number;
  readonly mtime: number;
}

/** One thing in a folder on a disk, named exactly as the disk spells it. `other`: a symbolic link, a device; never followed, never touched. */
export interface DiskItem extends DiskStamp {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'other';
}

/**
 * What disk and tree last agreed on about one entry: the synced tree of a workspace. Known by entry id, so that a renamed folder
 * is one record, however much stands in it.
 */
export interface DiskRecord extends DiskStamp {
  readonly entryId: EntryId;
  /** The entry's place in the tree when disk and tree last agreed. */
  readonly parentId: EntryId;
  readonly name: string;
  /** The same name as the disk spells it (it may not be NFC). */
  readonly diskName: string;
  readonly kind: 'file' | 'folder';
  /** The content both had; null for folders, and for files whose first upload is not staged yet. */
  readonly digest: Digest | null;
  /** The entry's `contentRevision` with that content. */
  readonly contentRevision: number;
  /** These bytes of the disk file are on their way into the tree. */
  readonly uploading?: DiskStamp & { readonly transferId: string };
  /** The person cancelled the upload of these bytes: they stay on the disk alone until they change. */
  readonly skipped?: DiskStamp;
}

/** Names of our own unfinished files begin like this: never listed, never synced, never brought back by ignore rules. */
export const TEMPORARY_PREFIX = '.satchel-temporary-';

/** True when nothing suggests that the bytes differ. */
export function sameStamp(a: DiskStamp, b: DiskStamp): boolean {
  return a.size === b.size && a.mtime === b.mtime;
}

/** `a/b` and `c` → `a/b/c`; the workspace's own folder is the empty path. */
export function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/** `a/b/c` → `a/b` and `c`. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? { folder: '', name: path } : { folder: path.slice(0, slash), name: path.slice(slash + 1) };
}

/** Length of a name in UTF-8 bytes. */
export function nameBytes(name: string): number {
  let bytes = 0;
  for (const character of name) {
    const code = character.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
