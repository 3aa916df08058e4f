import type { Pool } from 'pg';
import type { Entry } from '@/lib/sync/model/entry';
import type { EntryId, NamespaceId } from '@/lib/sync/model/ids';
import { ENTRY_COLUMNS, type EntryRow, entryOf } from './postgres-rows';

const FOLDERS_PER_QUERY = 100;
const ROWS_PER_QUERY = 2000;
const CHILDREN = {
  name: 'children',
  text: `SELECT ${ENTRY_COLUMNS}, e.name_key FROM entry e
    WHERE e.namespace_id = $1 AND e.parent_id = ANY($2::uuid[]) AND e.deleted_at IS NULL AND (e.parent_id, e.name_key) > ($3::uuid, $4::text)
    ORDER BY e.parent_id, e.name_key LIMIT ${ROWS_PER_QUERY}`,
};
const BEFORE_ALL = ['00000000-0000-0000-0000-000000000000', ''] as const;

export interface Walked {
  readonly entry: Entry;
  readonly path: string;
}

/** Everything live below `folders` (id → path of what lies in it, ending in “/” or empty), in batches; no transaction is held in between. */
export async function* walkBelow(
  pool: Pool,
  namespaceId: NamespaceId,
  folders: ReadonlyMap<EntryId, string>,
): AsyncIterable<readonly Walked[]> {
  const waiting = [...folders];
  while (waiting.length > 0) {
    const asked = new Map(waiting.splice(0, FOLDERS_PER_QUERY));
    let after: readonly [string, string] = BEFORE_ALL;
    for (;;) {
      const { rows } = await pool.query<EntryRow & { name_key: string }>({
        ...CHILDREN,
        values: [namespaceId, [...asked.keys()], ...after],
      });
      const batch = rows.map((row) => ({ entry: entryOf(row), path: `${asked.get(row.parent_id as EntryId)}${row.name}` }));
      for (const { entry, path } of batch) if (entry.kind === 'folder') waiting.push([entry.id, `${path}/`]);
      if (batch.length > 0) yield batch;
      const last = rows.at(-1);
      if (!last || rows.length < ROWS_PER_QUERY) break;
      after = [last.parent_id, last.name_key];
    }
  }
}
