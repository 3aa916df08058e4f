import type { Pool } from 'pg';
import type { ChunkId, NamespaceId, UserId } from '@/lib/sync/model/ids';
import type { ChunkIndex, ChunkPlace } from '../../block-server/chunk-index';
import { inTransaction, surviveLostConnections } from './postgres-transaction';

// See the note “one lookup a row” in postgres-transaction.ts.
const KNOWN = {
  name: 'known_chunks',
  text: `SELECT encode(c.id, 'hex') AS id FROM unnest($1::bytea[]) AS wanted(id)
    CROSS JOIN LATERAL (SELECT * FROM chunk WHERE chunk.id = wanted.id LIMIT 1) AS c`,
};
const PACK = { name: 'write_pack', text: 'INSERT INTO pack (id, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING' };
const PLACES = {
  name: 'write_places',
  text: `INSERT INTO chunk (pack_id, id, size, "offset", stored, encoding)
    SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::int[], $4::int[], $5::int[], $6::smallint[]) AS place(pack_id, id, size, "offset", stored, encoding)
    ORDER BY id ON CONFLICT (id) DO NOTHING`,
};
const GRANTS = {
  name: 'grant_chunks',
  text: `INSERT INTO chunk_grant (namespace_id, chunk_id) SELECT $1, id FROM unnest($2::bytea[]) AS granted(id) ORDER BY id ON CONFLICT DO NOTHING`,
};
const UNREACHABLE = {
  name: 'unreachable_chunks',
  text: `SELECT encode(wanted.id, 'hex') AS id FROM unnest($2::bytea[]) AS wanted(id) WHERE NOT EXISTS (
    SELECT 1 FROM namespace_member m
      CROSS JOIN LATERAL (SELECT 1 FROM chunk_grant g WHERE g.namespace_id = m.namespace_id AND g.chunk_id = wanted.id LIMIT 1) AS reached
     WHERE m.user_id = $1 LIMIT 1 OFFSET 0)`,
};
const LOCATE = {
  name: 'locate_chunks',
  text: `SELECT encode(c.id, 'hex') AS id, c.size, c.pack_id AS "packId", c."offset", c.stored, c.encoding
    FROM unnest($1::bytea[]) AS wanted(id)
    CROSS JOIN LATERAL (SELECT * FROM chunk WHERE chunk.id = wanted.id LIMIT 1) AS c`,
};

const bytesOf = (ids: readonly ChunkId[]): Buffer[] => ids.map((id) => Buffer.from(id, 'hex'));

/** The block server's records over `pool`; the pool stays the caller's. When PostgreSQL is away its methods throw what `isDatabaseGone` knows. */
export function createPostgresChunkIndex(pool: Pool): ChunkIndex {
  surviveLostConnections(pool);
  const read = async <T extends object>(statement: { name: string; text: string }, values: unknown[]): Promise<readonly T[]> =>
    inTransaction(pool, async (client) => (await client.query<T>({ ...statement, values })).rows);
  return {
    async known(ids) {
      if (ids.length === 0) return new Set();
      const rows = await read<{ id: ChunkId }>(KNOWN, [bytesOf(ids)]);
      return new Set(rows.map((row) => row.id));
    },
    async record(args) {
      // Rows go in sorted by id: two packs that bring the same chunks at the same time then wait for each other instead of deadlocking.
      await inTransaction(pool, async (client) => {
        if (args.pack) await client.query({ ...PACK, values: [args.pack.id, args.pack.bytes] });
        if (args.places.length > 0) await client.query({ ...PLACES, values: placeColumns(args.places) });
        if (args.granted.length > 0) await client.query({ ...GRANTS, values: grantColumns(args.namespaceId, args.granted) });
      });
    },
    async unreachable(userId: UserId, ids: readonly ChunkId[]) {
      if (ids.length === 0) return [];
      const rows = await read<{ id: ChunkId }>(UNREACHABLE, [userId, bytesOf(ids)]);
      return rows.map((row) => row.id);
    },
    async locate(ids) {
      if (ids.length === 0) return [];
      return read<ChunkPlace>(LOCATE, [bytesOf(ids)]);
    },
  };
}

function placeColumns(places: readonly ChunkPlace[]): unknown[] {
  return [
    places.map((place) => place.packId),
    bytesOf(places.map((place) => place.id)),
    places.map((place) => place.size),
    places.map((place) => place.offset),
    places.map((place) => place.stored),
    places.map((place) => place.encoding),
  ];
}

function grantColumns(namespaceId: NamespaceId, granted: readonly ChunkId[]): unknown[] {
  return [namespaceId, bytesOf([...new Set(granted)])];
}
