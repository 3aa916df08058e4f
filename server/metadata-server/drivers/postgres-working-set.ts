import type { PoolClient } from 'pg';
import type { Entry } from '@/lib/sync/model/entry';
import type { ChunkId, EntryId, NamespaceId, UserId } from '@/lib/sync/model/ids';
import { decodeManifest, type Manifest } from '@/lib/sync/model/manifest';
import { manifestKey, type Needs, type WorkingSet } from '../working-set';
import { ENTRY_COLUMNS, type EntryRow, entryOf } from './postgres-rows';

// See the note “one lookup a row” in postgres-transaction.ts.
const CHAIN = {
  name: 'chain',
  text: `WITH RECURSIVE e AS (
      SELECT named.* FROM unnest($2::uuid[]) AS wanted(id)
        CROSS JOIN LATERAL (SELECT * FROM entry WHERE namespace_id = $1 AND entry.id = wanted.id LIMIT 1) AS named
      UNION
      SELECT above.* FROM e CROSS JOIN LATERAL (SELECT * FROM entry WHERE namespace_id = $1 AND entry.id = e.parent_id LIMIT 1) AS above
    ) SELECT ${ENTRY_COLUMNS} FROM e`,
};
const OCCUPANTS = {
  name: 'occupants',
  text: `SELECT ${ENTRY_COLUMNS} FROM unnest($2::uuid[], $3::text[]) AS wanted(parent_id, name_key)
    CROSS JOIN LATERAL (SELECT * FROM entry WHERE namespace_id = $1 AND entry.parent_id = wanted.parent_id AND entry.name_key = wanted.name_key
      AND deleted_at IS NULL LIMIT 1) AS e`,
};
/** What lies in a deleted folder counts when that folder itself is moved, so only what is deleted below ends the way down. */
const HEIGHTS = {
  name: 'heights',
  text: `WITH RECURSIVE below AS (
      SELECT id AS top, id, kind, 0 AS height FROM entry WHERE namespace_id = $1 AND id = ANY($2::uuid[]) AND kind = 'folder'
      UNION ALL
      SELECT below.top, e.id, e.kind, below.height + 1 FROM below
        CROSS JOIN LATERAL (SELECT id, kind FROM entry WHERE namespace_id = $1 AND parent_id = below.id AND deleted_at IS NULL OFFSET 0) AS e
       WHERE below.kind = 'folder'
    ) SELECT top, max(height) AS height FROM below GROUP BY top`,
};
const PRESENT_MANIFESTS = {
  name: 'present_manifests',
  text: `SELECT r.entry_id, r.content_revision, r.manifest FROM unnest($2::uuid[]) AS wanted(id)
    CROSS JOIN LATERAL (SELECT content_revision FROM entry WHERE namespace_id = $1 AND entry.id = wanted.id LIMIT 1) AS e
    CROSS JOIN LATERAL (SELECT * FROM revision WHERE namespace_id = $1 AND entry_id = wanted.id AND content_revision = e.content_revision LIMIT 1) AS r`,
};
const MANIFESTS = {
  name: 'manifests',
  text: `SELECT r.entry_id, r.content_revision, r.manifest FROM unnest($2::uuid[], $3::int[]) AS wanted(id, revision)
    CROSS JOIN LATERAL (SELECT * FROM revision WHERE namespace_id = $1 AND entry_id = wanted.id AND content_revision = wanted.revision LIMIT 1) AS r`,
};
const CHUNKS = {
  name: 'reachable_chunks',
  text: `SELECT encode(c.id, 'hex') AS id, c.size, here.granted FROM unnest($3::bytea[]) AS wanted(id)
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM chunk_grant WHERE namespace_id = $1 AND chunk_id = wanted.id LIMIT 1) AS granted OFFSET 0) AS here
    CROSS JOIN LATERAL (SELECT id, size FROM chunk WHERE chunk.id = wanted.id LIMIT 1) AS c
   WHERE here.granted OR EXISTS (
     SELECT 1 FROM unnest($2::uuid[]) AS mine(id)
       CROSS JOIN LATERAL (SELECT 1 FROM chunk_grant g WHERE g.namespace_id = mine.id AND g.chunk_id = wanted.id LIMIT 1) AS there)`,
};
const MINE = { name: 'own_namespaces', text: 'SELECT namespace_id AS id FROM namespace_member WHERE user_id = $1' };

interface ManifestRow {
  readonly entry_id: string;
  readonly content_revision: number;
  readonly manifest: Buffer;
}

/** Reads what a commit needs. The namespace's row is locked by the caller, so nothing of it changes meanwhile. */
export async function loadWorkingSet(
  client: PoolClient,
  args: { namespaceId: NamespaceId; userId: UserId; needs: Needs },
): Promise<WorkingSet> {
  const { namespaceId, userId, needs } = args;
  return {
    entries: await loadEntries(client, namespaceId, needs),
    heights: await loadHeights(client, namespaceId, needs.movedIds),
    manifests: await loadManifests(client, namespaceId, needs),
    chunks: await loadChunks(client, { namespaceId, userId, chunkIds: needs.chunkIds }),
  };
}

/** The entries asked for that exist, and all folders above them. */
export async function loadChain(
  client: Pick<PoolClient, 'query'>,
  namespaceId: NamespaceId,
  ids: readonly EntryId[],
): Promise<Map<EntryId, Entry>> {
  const { rows } = await client.query<EntryRow>({ ...CHAIN, values: [namespaceId, ids] });
  return new Map(rows.map((row) => [row.id as EntryId, entryOf(row)]));
}

async function loadEntries(client: PoolClient, namespaceId: NamespaceId, needs: Needs): Promise<ReadonlyMap<EntryId, Entry>> {
  const entries = await loadChain(client, namespaceId, needs.entryIds);
  if (needs.placements.length > 0) {
    const columns = [needs.placements.map((placement) => placement.parentId), needs.placements.map((placement) => placement.nameKey)];
    const { rows } = await client.query<EntryRow>({ ...OCCUPANTS, values: [namespaceId, ...columns] });
    for (const row of rows) entries.set(row.id as EntryId, entryOf(row));
  }
  return entries;
}

async function loadHeights(client: PoolClient, namespaceId: NamespaceId, ids: readonly EntryId[]): Promise<ReadonlyMap<EntryId, number>> {
  if (ids.length === 0) return new Map();
  const { rows } = await client.query<{ top: string; height: number }>({ ...HEIGHTS, values: [namespaceId, ids] });
  return new Map(rows.map((row) => [row.top as EntryId, row.height]));
}

async function loadManifests(client: PoolClient, namespaceId: NamespaceId, needs: Needs): Promise<ReadonlyMap<string, Manifest>> {
  const rows: ManifestRow[] = [];
  if (needs.splicedIds.length > 0) {
    rows.push(...(await client.query<ManifestRow>({ ...PRESENT_MANIFESTS, values: [namespaceId, needs.splicedIds] })).rows);
  }
  if (needs.copies.length > 0) {
    const columns = [needs.copies.map((copy) => copy.entryId), needs.copies.map((copy) => copy.contentRevision)];
    rows.push(...(await client.query<ManifestRow>({ ...MANIFESTS, values: [namespaceId, ...columns] })).rows);
  }
  return new Map(rows.map((row) => [manifestKey(row.entry_id as EntryId, row.content_revision), decodeManifest(row.manifest)]));
}

async function loadChunks(
  client: PoolClient,
  args: { namespaceId: NamespaceId; userId: UserId; chunkIds: readonly ChunkId[] },
): Promise<WorkingSet['chunks']> {
  if (args.chunkIds.length === 0) return new Map();
  const mine = await client.query<{ id: string }>({ ...MINE, values: [args.userId] });
  const values = [args.namespaceId, mine.rows.map((row) => row.id), args.chunkIds.map((id) => Buffer.from(id, 'hex'))];
  const { rows } = await client.query<{ id: string; size: number; granted: boolean }>({ ...CHUNKS, values });
  return new Map(rows.map((row) => [row.id as ChunkId, { size: row.size, granted: row.granted }]));
}
