import type { ChunkId, NamespaceId } from '../model/ids';
import type { Reply } from './sync-service';

/** One pack on its way up. `body` is header and payloads in order; it must give the same bytes each time it is asked, for resuming. */
export interface PackUpload<Body> {
  readonly packId: string;
  readonly namespaceId: NamespaceId;
  readonly body: Body;
  /** Address of the resumable upload when one was begun before, else null. */
  readonly address: string | null;
  /** Told once, before the first byte is sent, and durable before `put` sends it. */
  onAddress(address: string): Promise<void>;
  /** Bytes of `body` the server holds; grows, but may fall back after a broken connection. */
  onProgress(bytes: number): void;
  readonly signal: AbortSignal;
}

/** The block server as a device sees it. `Body` is what the platform can send in slices (a Blob in browsers). */
export interface BlockServer<Body> {
  /** Those of `chunkIds` that must be uploaded before a commit may name them. */
  missing(namespaceId: NamespaceId, chunkIds: readonly ChunkId[]): Promise<Reply<readonly ChunkId[]>>;
  /** Resolves once every chunk of the pack is verified and durable. Resumes at the last durable byte. `aborted` when the signal fired. */
  put(upload: PackUpload<Body>): Promise<Reply<null> | { readonly ok: false; readonly code: 'aborted'; readonly message: string }>;
  /** Lets go of an upload that will not be finished. Best effort: the server forgets idle uploads by itself. */
  discard(address: string): Promise<void>;
}
