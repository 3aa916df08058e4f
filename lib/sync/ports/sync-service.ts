import type { Cursor, NamespaceId } from '../model/ids';
import type { ManifestsReply, ManifestsRequest } from '../protocol/blocks';
import type { CommitReply, CommitRequest, JournalPage, NamespaceView, Notice } from '../protocol/commit';
import type { ErrorCode } from '../protocol/error-codes';

/** What the network made of a request. `offline`: no answer came, so it is unknown whether it was applied. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: ErrorCode | 'offline'; readonly message: string };

/** The synchronization service as a device sees it. Never throws for what the network or the server does. */
export interface SyncService {
  namespaces(): Promise<Reply<readonly NamespaceView[]>>;
  commit(request: CommitRequest): Promise<Reply<CommitReply>>;
  journalSince(namespaceId: NamespaceId, cursor: Cursor | null): Promise<Reply<JournalPage>>;
  manifests(request: ManifestsRequest): Promise<Reply<ManifestsReply>>;
}

/** The device's response queue: notices that point at journals. A lost notice costs delay only. */
export interface ResponseQueue {
  /** Begins listening. `onNotice` may come in any order and more than once; `onConnected` also after each reconnect. */
  open(handlers: {
    onNotice(notice: Notice): void;
    onConnected(): void;
    onDisconnected(): void;
    /** The device was revoked or the session ended. */
    onSignedOut(): void;
  }): void;
  close(): void;
}
