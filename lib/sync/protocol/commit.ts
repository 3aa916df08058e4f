import { z } from 'zod';
import type { Entry } from '../model/entry';
import type { ChunkId, Cursor, DeviceId, Digest, EntryId, NamespaceId, RequestId, UserId } from '../model/ids';
import { CHUNK_BYTES_MAX, COMMIT_OPERATIONS_MAX, FILE_BYTES_MAX } from '../model/limits';
import type { ErrorCode } from './error-codes';

/** Schemas of the ids, which also brand them. */
export const uuidOf = <T>() =>
  z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/) as unknown as z.ZodType<T>;
export const sha256Of = <T>() => z.string().regex(/^[0-9a-f]{64}$/) as unknown as z.ZodType<T>;

const time = z.int().min(-8_640_000_000_000_000).max(8_640_000_000_000_000);
const revision = z.int().min(1);
const chunkRef = z.object({ id: sha256Of<ChunkId>(), size: z.int().min(1).max(CHUNK_BYTES_MAX) });
const splice = z.object({ at: z.int().min(0), remove: z.int().min(0), insert: z.array(chunkRef) });

/**
 * Where a file's bytes come from.
 * - `chunks`: the whole manifest (new files).
 * - `splices`: changes against the manifest of `baseRevision` (the entry's `contentRevision` then).
 * - `copy`: the bytes of another entry's revision in the same namespace; no chunk ids travel.
 * `digest` is the SHA-256 of the resulting encoded manifest, `size` the sum of its chunks; the server checks both.
 */
const content = z.discriminatedUnion('from', [
  z.object({ from: z.literal('chunks'), chunks: z.array(chunkRef) }),
  z.object({ from: z.literal('splices'), splices: z.array(splice) }),
  z.object({ from: z.literal('copy'), entryId: uuidOf<EntryId>(), contentRevision: revision }),
]);
const bytes = { size: z.int().min(0).max(FILE_BYTES_MAX), digest: sha256Of<Digest>(), mtime: time, content };

/** One operation. `baseRevision` is the entry's revision as the device last saw it; later own operations in the same commit see the results of earlier ones. */
export const operationSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('create_folder'),
    entryId: uuidOf<EntryId>(),
    parentId: uuidOf<EntryId>(),
    name: z.string().max(1024),
    mtime: time,
  }),
  z.object({
    kind: z.literal('create_file'),
    entryId: uuidOf<EntryId>(),
    parentId: uuidOf<EntryId>(),
    name: z.string().max(1024),
    ...bytes,
  }),
  z.object({ kind: z.literal('write_file'), entryId: uuidOf<EntryId>(), baseRevision: revision, ...bytes }),
  z.object({
    kind: z.literal('move'),
    entryId: uuidOf<EntryId>(),
    baseRevision: revision,
    parentId: uuidOf<EntryId>(),
    name: z.string().max(1024),
  }),
  z.object({ kind: z.literal('delete'), entryId: uuidOf<EntryId>(), baseRevision: revision }),
  z.object({
    kind: z.literal('restore'),
    entryId: uuidOf<EntryId>(),
    baseRevision: revision,
    parentId: uuidOf<EntryId>(),
    name: z.string().max(1024),
  }),
]);
export type Operation = z.infer<typeof operationSchema>;
export type FileContent = z.infer<typeof content>;

/** All operations are applied or none; the same `requestId` applied again answers the same. */
export const commitRequestSchema = z.object({
  requestId: uuidOf<RequestId>(),
  namespaceId: uuidOf<NamespaceId>(),
  operations: z.array(operationSchema).min(1).max(COMMIT_OPERATIONS_MAX),
});
export type CommitRequest = z.infer<typeof commitRequestSchema>;

/** What the journal says of one entry after a commit: its whole new state. */
export type Change = Entry;

/** One accepted commit as the journal keeps it. Changes are ordered so that a parent is never after its child. */
export interface JournalCommit {
  readonly seq: number;
  readonly requestId: RequestId;
  readonly deviceId: DeviceId;
  readonly userId: UserId;
  /** Milliseconds since 1970 UTC, server's clock. */
  readonly at: number;
  readonly changes: readonly Change[];
}

export type CommitReply =
  | { readonly ok: true; readonly seq: number; readonly cursor: Cursor; readonly changes: readonly Change[] }
  | {
      readonly ok: false;
      readonly reason: ErrorCode;
      /** Index into `operations` of the one that could not be applied. */
      readonly operation: number;
      /** The entry that stands in the way (`name_taken`), or the entry's present state (`stale_base`, `entry_deleted`). */
      readonly entry?: Entry;
      /** Chunks the namespace cannot reach (`chunk_missing`), at most 1,000 of them. */
      readonly missing?: readonly ChunkId[];
    };

/** One page of a pull. `cursor` is where to go on; `more` says that the journal goes on at once. */
export interface JournalPage {
  readonly namespaceId: NamespaceId;
  readonly commits: readonly JournalCommit[];
  readonly cursor: Cursor;
  readonly more: boolean;
}

/** A namespace as the signed-in person may see it. */
export interface NamespaceView {
  readonly id: NamespaceId;
  readonly kind: 'root' | 'shared';
  readonly role: 'owner' | 'editor' | 'viewer';
  /** Head of the journal. */
  readonly cursor: Cursor;
}

/** “Namespace N moved on”: where, never what. Sent over socket.io as event `notice`. */
export interface Notice {
  readonly namespaceId: NamespaceId;
  readonly cursor: Cursor;
}
