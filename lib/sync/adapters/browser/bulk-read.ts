import type { Table } from 'dexie';

/** Below this, asking for each row costs no more than reading a range. */
const RANGE_ROWS_MIN = 8;

/**
 * Rows by id, in the order of `ids`; undefined for the unknown. One request when the ids lie together, as ids made together do
 * (`orderedUuids`): each request to IndexedDB costs ten times what a row in a bulk read costs. Never reads more than twice as many
 * rows as were asked for. To be called with a transaction's own table, or outside of one.
 */
export async function bulkRead<Row extends { readonly id: string }>(
  table: Pick<Table<Row, Row['id']>, 'bulkGet' | 'where'>,
  ids: readonly Row['id'][],
): Promise<(Row | undefined)[]> {
  if (ids.length < RANGE_ROWS_MIN) return table.bulkGet([...ids]);
  const sorted = [...new Set(ids)].sort();
  const limit = sorted.length * 2;
  const rows = await table
    .where(':id')
    .between(sorted[0], sorted[sorted.length - 1], true, true)
    .limit(limit)
    .toArray();
  const found = new Map<string, Row>(rows.map((row) => [row.id, row]));
  const reached = rows[rows.length - 1]?.id ?? '';
  if (rows.length === limit) {
    const beyond = sorted.filter((id) => id > reached);
    for (const row of await table.bulkGet(beyond)) if (row !== undefined) found.set(row.id, row);
  }
  return ids.map((id) => found.get(id));
}
