import type { Entry } from '../model/entry';
import type { Digest, EntryId } from '../model/ids';

/** One entry in the three trees of a device. */
export interface Trees {
  /** What both sides last agreed on, as the revisions that own changes are based on; null: the server did not know the entry. */
  readonly synced: { readonly contentRevision: number; readonly placeRevision: number } | null;
  /** As the person sees it, own waiting changes included; null: not on this device. */
  readonly local: Entry | null;
  /** The newest state the server told; null: it does not know the entry. */
  readonly remote: Entry | null;
}

/** What one operation wants, as far as planning is concerned; every operation of the protocol is one. */
export interface Wanted {
  readonly kind: 'create_folder' | 'create_file' | 'write_file' | 'move' | 'restore' | 'delete';
  readonly entryId: EntryId;
  readonly parentId?: EntryId;
  readonly name?: string;
  readonly digest?: Digest;
  readonly baseRevision?: number;
}

/** Who is writing, for the names of conflict copies. */
export interface Author {
  readonly deviceName: string;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
}
