import type { EntryId, NamespaceId } from '../model/ids';
import type { Reply } from './sync-service';

/** A file whose content two devices changed; what is put together replaces `baseRevision`. */
export interface MergedFile {
  readonly namespaceId: NamespaceId;
  readonly entryId: EntryId;
  readonly parentId: EntryId;
  readonly name: string;
  /** Milliseconds since 1970 UTC. */
  readonly mtime: number;
  /** The `contentRevision` the bytes replace. */
  readonly baseRevision: number;
}

/** Where bytes are laid beside each other for merging. Never used inside a transaction of the local store. */
export interface MergeBench {
  /** The bytes of one content revision, from the server; null when they are more than `bytesMax`. `not_found`: no such revision, or no right to it. */
  revision(
    file: { readonly namespaceId: NamespaceId; readonly entryId: EntryId; readonly contentRevision: number },
    bytesMax: number,
  ): Promise<Reply<Uint8Array<ArrayBuffer> | null>>;
  /** The bytes a transfer carries; null when they are not all staged on this device. */
  staged(transferId: string): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Brings bytes to safety as a transfer in state `staged`, which sends itself from then on. null: there is no room for them. */
  stage(file: MergedFile, bytes: Uint8Array<ArrayBuffer>): Promise<string | null>;
}
