import type { DiskItem, DiskRecord, DiskStamp } from '../model/disk';
import type { Digest, EntryId } from '../model/ids';
import type { NameProblem } from '../model/names';

/** What the planner of a workspace works on: the disk as it was just seen, the local tree, and what both last agreed on. */

/** One thing on the disk. `digest`: of exactly these bytes, when they were read. */
export interface DiskNode extends DiskItem {
  readonly path: string;
  readonly folder: string;
  readonly digest?: Digest;
}

/** One live entry below the workspace's folder of the tree. */
export interface TreeEntry {
  readonly id: EntryId;
  readonly parentId: EntryId;
  readonly name: string;
  readonly kind: 'file' | 'folder';
  readonly size: number;
  readonly digest: Digest | null;
  readonly contentRevision: number;
  /** False while the server does not know the entry. */
  readonly onServer: boolean;
  /** Its newest bytes are only on this device so far. */
  readonly unsent: boolean;
}

export interface WorkspaceTrees {
  /** The folder of the tree that the workspace shows. */
  readonly rootId: EntryId;
  /** Without what is ignored; a folder before what stands in it. */
  readonly disk: readonly DiskNode[];
  /** Folders that could not be listed: nothing is concluded about what stands in them. */
  readonly unreadable: ReadonlySet<string>;
  readonly records: ReadonlyMap<EntryId, DiskRecord>;
  readonly tree: ReadonlyMap<EntryId, TreeEntry>;
  ignored(path: string, isFolder: boolean): boolean;
  /** Whether the disk can hold a name. */
  holds(name: string): boolean;
  /** Under which name a losing file is kept. */
  conflictName(name: string): string;
  /** So many deletions the person has agreed to. */
  readonly deletionsAllowed: number;
}

/** Why something is left alone on both sides until somebody changes it. */
export type WorkspaceProblemReason =
  /** The tree cannot hold the name. */
  | NameProblem
  /** The disk cannot hold the name. */
  | 'disk_name'
  /** A symbolic link or a device. */
  | 'link'
  /** Two names on the disk that the tree takes for one. */
  | 'clash'
  /** The person cancelled this upload. */
  | 'cancelled'
  /** The tree wants it where ignore rules apply. */
  | 'ignored_place'
  | 'unreadable'
  /** Deleted elsewhere, but the folder on this disk still holds ignored files. */
  | 'not_empty'
  /** Just not done; tried again with the next look at the disk. */
  | 'failed';

export interface WorkspaceProblem {
  readonly path: string;
  readonly reason: WorkspaceProblemReason;
}

export type WorkspaceAction =
  /** Read the file and find its digest: the plan depends on it. */
  | { readonly kind: 'fingerprint'; readonly node: DiskNode }
  /** Both sides agree: remember it. */
  | { readonly kind: 'record'; readonly record: DiskRecord }
  | { readonly kind: 'forget'; readonly entryIds: readonly EntryId[] }
  /** A file or folder of the disk that lost its name: it gets another one, and with it an entry of its own. */
  | { readonly kind: 'set_aside'; readonly node: DiskNode; readonly to: string; readonly forget: EntryId | null }
  | { readonly kind: 'tree_folder'; readonly node: DiskNode; readonly parentId: EntryId; readonly name: string }
  | {
      readonly kind: 'tree_move';
      readonly record: DiskRecord;
      readonly node: DiskNode;
      readonly parentId: EntryId;
      readonly name: string;
    }
  /** `record` null: a new file. */
  | {
      readonly kind: 'upload';
      readonly node: DiskNode;
      readonly record: DiskRecord | null;
      readonly parentId: EntryId;
      readonly name: string;
      readonly baseRevision: number | null;
    }
  | { readonly kind: 'disk_folder'; readonly path: string; readonly entry: TreeEntry }
  | {
      readonly kind: 'disk_move';
      readonly record: DiskRecord;
      readonly node: DiskNode;
      readonly to: string;
      /** The place both agree on afterwards; null: a detour, the agreed place stays. */
      readonly entry: TreeEntry | null;
    }
  | { readonly kind: 'disk_write'; readonly path: string; readonly entry: TreeEntry; readonly expected: DiskStamp | null }
  | { readonly kind: 'disk_remove'; readonly node: DiskNode; readonly record: DiskRecord }
  | { readonly kind: 'tree_remove'; readonly path: string; readonly record: DiskRecord; readonly forget: readonly EntryId[] };

export interface WorkspacePlan {
  readonly actions: readonly WorkspaceAction[];
  readonly problems: readonly WorkspaceProblem[];
  /** Deletions on the disk that are not passed on before the person agrees: so many of so many. */
  readonly held: { readonly deletions: number; readonly of: number } | null;
}

/** More deletions at once than this many, and than a quarter of everything, are asked about first. */
export const MASS_DELETION_ENTRIES = 50;
export const MASS_DELETION_PART = 0.25;
