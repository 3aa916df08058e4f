import { z } from 'zod';
import type { ChunkId, EntryId, NamespaceId } from '../model/ids';
import { MISSING_CHUNKS_MAX } from '../model/limits';
import type { Manifest } from '../model/manifest';
import { sha256Of, uuidOf } from './commit';

/** Which of these chunks must be uploaded before a commit to the namespace may name them. What the account cannot reach is answered as missing, whoever else holds it. */
export const missingRequestSchema = z.object({
  namespaceId: uuidOf<NamespaceId>(),
  chunkIds: z.array(sha256Of<ChunkId>()).max(MISSING_CHUNKS_MAX),
});
export type MissingRequest = z.infer<typeof missingRequestSchema>;
export interface MissingReply {
  readonly missing: readonly ChunkId[];
}

/** Manifests of revisions the account may read; unknown or foreign ones are left out of the reply. */
export const manifestsRequestSchema = z.object({
  namespaceId: uuidOf<NamespaceId>(),
  files: z.array(z.object({ entryId: uuidOf<EntryId>(), contentRevision: z.int().min(1) })).max(1000),
});
export type ManifestsRequest = z.infer<typeof manifestsRequestSchema>;
export interface ManifestsReply {
  readonly files: readonly { readonly entryId: EntryId; readonly contentRevision: number; readonly manifest: Manifest }[];
}
