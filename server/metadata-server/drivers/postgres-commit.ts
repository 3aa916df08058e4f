import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { assert } from '@/lib/sync/model/assert';
import type { Entry } from '@/lib/sync/model/entry';
import type { ChunkId, DeviceId, Digest, NamespaceId, UserId } from '@/lib/sync/model/ids';
import { nameKey } from '@/lib/sync/model/names';
import type { Change, CommitReply, CommitRequest } from '@/lib/sync/protocol/commit';
import { applyCommit, type NewRevision } from '../apply';
import { cursorAt } from '../cursors';
import { needsOf, type WorkingSet } from '../working-set';
import { inTransaction } from './postgres-transaction';
import { loadWorkingSet } from './postgres-working-set';

const LOCK = { name: 'lock_namespace', text: 'SELECT head_seq::float8 AS head FROM namespace WHERE id = $1 FOR UPDATE' };
const SEEN = { name: 'seen_request', text: 'SELECT seq::float8 AS seq, changes FROM commit WHERE namespace_id = $1 AND request_id = $2' };
/** Takes the names of entries about to move out of the unique index, so that they may swap. The true state follows in the same transaction. */
const SET_ASIDE = {
  name: 'set_aside',
  text: 'UPDATE entry SET deleted_at = now() WHERE namespace_id = $1 AND id = ANY($2::uuid[]) AND deleted_at IS NULL',
};
const WRITE_ENTRIES = {
  name: 'write_entries',
  text: `INSERT INTO entry (namespace_id, seq, id, parent_id, name, name_key, kind, revision, content_revision, place_revision, size, digest, mtime, deleted_at)
    SELECT $1, $2, * FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::int[], $9::int[], $10::int[], $11::bigint[],
                                 $12::bytea[], $13::bigint[], $14::timestamptz[])
    ON CONFLICT (namespace_id, id) DO UPDATE SET seq = excluded.seq, parent_id = excluded.parent_id, name = excluded.name,
      name_key = excluded.name_key, revision = excluded.revision, content_revision = excluded.content_revision,
      place_revision = excluded.place_revision, size = excluded.size, digest = excluded.digest, mtime = excluded.mtime, deleted_at = excluded.deleted_at`,
};
const WRITE_REVISIONS = {
  name: 'write_revisions',
  text: `INSERT INTO revision (namespace_id, seq, user_id, device_id, at, entry_id, content_revision, size, digest, mtime, manifest)
    SELECT $1, $2, $3, $4, $5, * FROM unnest($6::uuid[], $7::int[], $8::bigint[], $9::bytea[], $10::bigint[], $11::bytea[])`,
};
const WRITE_GRANTS = {
  name: 'write_grants',
  text: 'INSERT INTO chunk_grant (namespace_id, chunk_id) SELECT $1, * FROM unnest($2::bytea[]) ON CONFLICT DO NOTHING',
};
const WRITE_COMMIT = {
  name: 'write_commit',
  text: `WITH advanced AS (UPDATE namespace SET head_seq = $2 WHERE id = $1)
    INSERT INTO commit (namespace_id, seq, request_id, user_id, device_id, at, change_count, changes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
};

const sha256 = (bytes: Uint8Array): Digest => createHash('sha256').update(bytes).digest('hex') as Digest;
const bytesOf = (hex: ChunkId | Digest): Buffer => Buffer.from(hex, 'hex');

export interface CommitArguments {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly at: number;
  readonly request: CommitRequest;
}

/** One commit in one transaction. Throws what `isDatabaseGone` knows when the database goes away; asking again with the same request is safe. */
export function commitInPostgres(pool: Pool, args: CommitArguments): Promise<CommitReply> {
  const { request, at, userId } = args;
  const { namespaceId } = request;
  return inTransaction(pool, async (client) => {
    // The lock comes in a statement of its own: only a later one sees what the holder before us has committed.
    const locked = await client.query<{ head: number }>({ ...LOCK, values: [namespaceId] });
    const seen = await client.query<{ seq: number; changes: readonly Change[] }>({ ...SEEN, values: [namespaceId, request.requestId] });
    const done = seen.rows[0];
    if (done) return { ok: true, seq: done.seq, cursor: cursorAt(namespaceId, done.seq), changes: done.changes };
    const head = locked.rows[0]?.head;
    assert(head !== undefined, 'the caller has made sure that the namespace exists');
    const before = await loadWorkingSet(client, { namespaceId, userId, needs: needsOf(request) });
    const applied = applyCommit({ request, before, at, hash: sha256 });
    if (!applied.ok) return applied;
    const seq = head + 1;
    await writeEntries(client, { namespaceId, seq, changes: applied.changes, before });
    await writeRevisions(client, args, seq, applied.revisions);
    if (applied.grants.length > 0) await client.query({ ...WRITE_GRANTS, values: [namespaceId, applied.grants.map(bytesOf)] });
    const { requestId } = request;
    const changes = JSON.stringify(applied.changes);
    await client.query({
      ...WRITE_COMMIT,
      values: [namespaceId, seq, requestId, userId, args.deviceId, new Date(at), applied.changes.length, changes],
    });
    return { ok: true, seq, cursor: cursorAt(namespaceId, seq), changes: applied.changes };
  });
}

async function writeEntries(
  client: PoolClient,
  args: { namespaceId: NamespaceId; seq: number; changes: readonly Entry[]; before: WorkingSet },
): Promise<void> {
  const { namespaceId, seq, changes, before } = args;
  if (changes.length === 0) return;
  const moved = changes.filter((entry) => {
    const was = before.entries.get(entry.id);
    return was !== undefined && was.deletedAt === null && was.placeRevision !== entry.placeRevision;
  });
  if (moved.length > 0 && changes.length > 1) await client.query({ ...SET_ASIDE, values: [namespaceId, moved.map((entry) => entry.id)] });
  const column = <T>(pick: (entry: Entry) => T): T[] => changes.map(pick);
  await client.query({
    ...WRITE_ENTRIES,
    values: [
      namespaceId,
      seq,
      column((entry) => entry.id),
      column((entry) => entry.parentId),
      column((entry) => entry.name),
      column((entry) => nameKey(entry.name)),
      column((entry) => entry.kind),
      column((entry) => entry.revision),
      column((entry) => entry.contentRevision),
      column((entry) => entry.placeRevision),
      column((entry) => entry.size),
      column((entry) => (entry.digest === null ? null : bytesOf(entry.digest))),
      column((entry) => entry.mtime),
      column((entry) => (entry.deletedAt === null ? null : new Date(entry.deletedAt))),
    ],
  });
}

async function writeRevisions(client: PoolClient, args: CommitArguments, seq: number, revisions: readonly NewRevision[]): Promise<void> {
  if (revisions.length === 0) return;
  const column = <T>(pick: (revision: NewRevision) => T): T[] => revisions.map(pick);
  await client.query({
    ...WRITE_REVISIONS,
    values: [
      args.request.namespaceId,
      seq,
      args.userId,
      args.deviceId,
      new Date(args.at),
      column((revision) => revision.entryId),
      column((revision) => revision.contentRevision),
      column((revision) => revision.size),
      column((revision) => bytesOf(revision.digest)),
      column((revision) => revision.mtime),
      column((revision) => Buffer.from(revision.manifest.buffer)),
    ],
  });
}
