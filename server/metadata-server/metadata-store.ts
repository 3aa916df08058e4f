import type { Entry } from '@/lib/sync/model/entry';
import type { Cursor, DeviceId, EntryId, NamespaceId, UserId } from '@/lib/sync/model/ids';
import type { Manifest } from '@/lib/sync/model/manifest';
import type { CommitReply, CommitRequest, JournalPage, NamespaceView } from '@/lib/sync/protocol/commit';

export type Role = 'owner' | 'editor' | 'viewer';

/** One immutable content of a file, with the entry it belongs to. */
export interface FileRevision {
  readonly entry: Entry;
  readonly contentRevision: number;
  readonly size: number;
  readonly digest: string;
  readonly mtime: number;
  readonly manifest: Manifest;
}

/** Namespaces, journals, entries and revisions. Knows no bytes. Its twin in memory passes the same contract suite. */
export interface MetadataStore {
  /** Makes a namespace with `owner` as its owner. Idempotent for the same id. */
  createNamespace(args: { id: NamespaceId; kind: 'root' | 'shared'; owner: UserId }): Promise<void>;
  /** The person's role, or null when they have no access or it does not exist. */
  roleOf(userId: UserId, namespaceId: NamespaceId): Promise<Role | null>;
  namespacesOf(userId: UserId): Promise<readonly NamespaceView[]>;
  /** All or nothing, exactly once per request id, ordered per namespace. Rights are checked by the caller. Chunks named must be granted to the namespace or to another one of the person's. */
  commit(args: { userId: UserId; deviceId: DeviceId; at: number; request: CommitRequest }): Promise<CommitReply>;
  /** One page of the journal after `cursor` (null: from the beginning), and records that the device has everything up to `cursor`. Null when the cursor is not one of this journal. */
  journalSince(args: { userId: UserId; deviceId: DeviceId; namespaceId: NamespaceId; cursor: Cursor | null }): Promise<JournalPage | null>;
  /** Manifests of the revisions asked for that exist in the namespace. */
  revisions(namespaceId: NamespaceId, files: readonly { entryId: EntryId; contentRevision: number }[]): Promise<readonly FileRevision[]>;
  /** `entryIds` and everything below them that is live, parents before children, in batches; for ZIP downloads. Paths are relative to each selected entry's parent, with “/”. */
  walk(namespaceId: NamespaceId, entryIds: readonly EntryId[]): AsyncIterable<readonly { readonly entry: Entry; readonly path: string }[]>;
}
