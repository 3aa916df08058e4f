import type { Digest, EntryId } from './ids';

export type EntryKind = 'file' | 'folder';

/**
 * A file or folder as one namespace's journal describes it.
 * Folders have size 0 and digest null. Times are milliseconds since 1970 UTC.
 */
export interface Entry {
  readonly id: EntryId;
  /** The folder it stands in; `rootOf(namespaceId)` at the top. */
  readonly parentId: EntryId;
  /** NFC, checked by `checkName`. */
  readonly name: string;
  readonly kind: EntryKind;
  /** 1, 2, 3 …: grows by one with every accepted change. */
  readonly revision: number;
  /** The revision that last changed the bytes; requests that write content are held against it. */
  readonly contentRevision: number;
  /** The revision that last changed name, parent or deletion; requests that move are held against it. */
  readonly placeRevision: number;
  readonly size: number;
  readonly digest: Digest | null;
  /** Modification time as the user's disk had it. */
  readonly mtime: number;
  /** When it went to the trash; null while it is live. What stands in a deleted folder keeps null and is not live either. */
  readonly deletedAt: number | null;
}
