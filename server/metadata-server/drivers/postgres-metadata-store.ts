/** The metadata server over PostgreSQL: statements of our own, prepared by name, a whole commit's rows at a time. */
import type { Pool } from 'pg';
import type { Entry } from '@/lib/sync/model/entry';
import type { Cursor, DeviceId, EntryId, NamespaceId, RequestId, UserId } from '@/lib/sync/model/ids';
import { rootOf } from '@/lib/sync/model/ids';
import { JOURNAL_CHANGES_PER_PAGE } from '@/lib/sync/model/limits';
import { decodeManifest } from '@/lib/sync/model/manifest';
import type { Change, CommitReply, JournalPage, NamespaceView } from '@/lib/sync/protocol/commit';
import { cursorAt, seqOf } from '../cursors';
import type { FileRevision, MetadataStore, Role } from '../metadata-store';
import { selectionTops } from '../selection';
import { type CommitArguments, commitInPostgres } from './postgres-commit';
import { ENTRY_COLUMNS, type EntryRow, entryOf } from './postgres-rows';
import { inTransaction, isDatabaseGone, surviveLostConnections } from './postgres-transaction';
import { type Walked, walkBelow } from './postgres-walk';
import { loadChain } from './postgres-working-set';

const ROLE = { name: 'role', text: 'SELECT role FROM namespace_member WHERE namespace_id = $1 AND user_id = $2' };
const NAMESPACES = {
  name: 'namespaces',
  text: `SELECT n.id, n.kind, m.role, n.head_seq::float8 AS head FROM namespace_member m JOIN namespace n ON n.id = m.namespace_id
    WHERE m.user_id = $1 ORDER BY n.created_at, n.id`,
};
const HEAD = { name: 'head', text: 'SELECT head_seq::float8 AS head FROM namespace WHERE id = $1' };
const JOURNAL = {
  name: 'journal',
  text: `SELECT seq::float8 AS seq, request_id, user_id, device_id, (extract(epoch FROM at) * 1000)::float8 AS at, changes
    FROM (SELECT *, sum(change_count) OVER (ORDER BY seq) AS total FROM (
      SELECT * FROM commit WHERE namespace_id = $1 AND seq > $2 ORDER BY seq LIMIT ${JOURNAL_CHANGES_PER_PAGE}) AS following) AS page
   WHERE total <= ${JOURNAL_CHANGES_PER_PAGE} OR total = change_count ORDER BY seq`,
};
/** Writes only when something is new: devices that merely ask again cost no write. */
const DEVICE_CURSOR = {
  name: 'device_cursor',
  text: `INSERT INTO device_cursor (user_id, device_id, namespace_id, seq) SELECT $1, $2, $3, $4
    WHERE NOT EXISTS (SELECT 1 FROM device_cursor WHERE user_id = $1 AND device_id = $2 AND namespace_id = $3 AND seq = $4)
    ON CONFLICT (user_id, device_id, namespace_id) DO UPDATE SET seq = excluded.seq, updated_at = now()`,
};
// See the note “one lookup a row” in postgres-transaction.ts.
const REVISIONS = {
  name: 'revisions',
  text: `SELECT ${ENTRY_COLUMNS}, r.content_revision AS asked_revision, r.size::float8 AS asked_size, encode(r.digest, 'hex') AS asked_digest,
      r.mtime::float8 AS asked_mtime, r.manifest
    FROM unnest($2::uuid[], $3::int[]) AS wanted(id, revision)
    CROSS JOIN LATERAL (SELECT * FROM revision WHERE namespace_id = $1 AND entry_id = wanted.id AND content_revision = wanted.revision LIMIT 1) AS r
    CROSS JOIN LATERAL (SELECT * FROM entry WHERE namespace_id = $1 AND entry.id = wanted.id LIMIT 1) AS e`,
};

interface CommitRow {
  readonly seq: number;
  readonly request_id: string;
  readonly user_id: string;
  readonly device_id: string;
  readonly at: number;
  readonly changes: readonly Change[];
}
interface RevisionRow extends EntryRow {
  readonly asked_revision: number;
  readonly asked_size: number;
  readonly asked_digest: string;
  readonly asked_mtime: number;
  readonly manifest: Buffer;
}

/** A store over `pool`; the pool stays the caller's. When PostgreSQL is away its methods throw what `isDatabaseGone` knows. */
export function createPostgresMetadataStore(pool: Pool): MetadataStore {
  surviveLostConnections(pool);
  return new PostgresMetadataStore(pool);
}

class PostgresMetadataStore implements MetadataStore {
  constructor(private readonly pool: Pool) {}

  async createNamespace({ id, kind, owner }: { id: NamespaceId; kind: 'root' | 'shared'; owner: UserId }): Promise<void> {
    await inTransaction(this.pool, async (client) => {
      const made = await client.query('INSERT INTO namespace (id, kind) VALUES ($1, $2) ON CONFLICT DO NOTHING', [id, kind]);
      // Somebody who names another person's namespace must not become its owner.
      if (made.rowCount === 0) return;
      await client.query("INSERT INTO namespace_member (namespace_id, user_id, role) VALUES ($1, $2, 'owner')", [id, owner]);
    });
  }

  async roleOf(userId: UserId, namespaceId: NamespaceId): Promise<Role | null> {
    const { rows } = await this.pool.query<{ role: Role }>({ ...ROLE, values: [namespaceId, userId] });
    return rows[0]?.role ?? null;
  }

  async namespacesOf(userId: UserId): Promise<readonly NamespaceView[]> {
    const { rows } = await this.pool.query<Omit<NamespaceView, 'cursor'> & { head: number }>({ ...NAMESPACES, values: [userId] });
    return rows.map(({ id, kind, role, head }) => ({ id, kind, role, cursor: cursorAt(id, head) }));
  }

  async commit(args: CommitArguments): Promise<CommitReply> {
    try {
      return await commitInPostgres(this.pool, args);
    } catch (error) {
      // Whether it was applied before the connection broke is unknown; the request id makes asking again safe.
      if (!isDatabaseGone(error)) throw error;
      return commitInPostgres(this.pool, args);
    }
  }

  async journalSince(args: {
    userId: UserId;
    deviceId: DeviceId;
    namespaceId: NamespaceId;
    cursor: Cursor | null;
  }): Promise<JournalPage | null> {
    const { userId, deviceId, namespaceId, cursor } = args;
    const since = cursor === null ? 0 : seqOf(namespaceId, cursor);
    if (since === null) return null;
    const head = (await this.pool.query<{ head: number }>({ ...HEAD, values: [namespaceId] })).rows[0]?.head;
    if (head === undefined || since > head) return null;
    await this.pool.query({ ...DEVICE_CURSOR, values: [userId, deviceId, namespaceId, since] });
    const rows = since === head ? [] : (await this.pool.query<CommitRow>({ ...JOURNAL, values: [namespaceId, since] })).rows;
    const commits = rows.map((row) => ({
      seq: row.seq,
      requestId: row.request_id as RequestId,
      deviceId: row.device_id as DeviceId,
      userId: row.user_id as UserId,
      at: Math.round(row.at),
      changes: row.changes,
    }));
    const last = commits.at(-1)?.seq ?? since;
    return { namespaceId, commits, cursor: cursorAt(namespaceId, last), more: last < head };
  }

  async revisions(
    namespaceId: NamespaceId,
    files: readonly { entryId: EntryId; contentRevision: number }[],
  ): Promise<readonly FileRevision[]> {
    if (files.length === 0) return [];
    const columns = [files.map((file) => file.entryId), files.map((file) => file.contentRevision)];
    const { rows } = await this.pool.query<RevisionRow>({ ...REVISIONS, values: [namespaceId, ...columns] });
    return rows.map((row) => ({
      entry: entryOf(row),
      contentRevision: row.asked_revision,
      size: row.asked_size,
      digest: row.asked_digest,
      mtime: row.asked_mtime,
      manifest: decodeManifest(row.manifest),
    }));
  }

  async *walk(namespaceId: NamespaceId, entryIds: readonly EntryId[]): AsyncIterable<readonly Walked[]> {
    const chain: ReadonlyMap<EntryId, Entry> = await loadChain(this.pool, namespaceId, entryIds);
    const tops = selectionTops(rootOf(namespaceId), chain, entryIds);
    if (tops.length > 0) yield tops.map((entry) => ({ entry, path: entry.name }));
    const folders = tops.filter((entry) => entry.kind === 'folder').map((entry): [EntryId, string] => [entry.id, `${entry.name}/`]);
    yield* walkBelow(this.pool, namespaceId, new Map(folders));
  }
}
