import type { Table } from 'dexie';
import { decodeManifest, type Manifest } from '../../model/manifest';
import type { StagedPart, StagedRow } from './database';

/**
 * Note “one row a staging file”: a row of IndexedDB costs a tenth of a millisecond whatever is in it, and a staging file holds
 * hundreds of small files. So all chunks of one staging file are one row. A transfer that lies in one row whole names it
 * (`TransferRow.staged`); the others are found by the row's `spanning` index.
 */
type Staged = Pick<Table<StagedRow, string>, 'bulkGet' | 'where' | 'bulkPut' | 'bulkDelete'>;

/** A part with the staging file it lies in. */
export interface LocatedPart extends StagedPart {
  readonly segment: string;
}

/** What is staged of each transfer, its parts in order; nothing for those that have none. To be asked inside a transaction or outside. */
export async function partsOf(
  staged: Staged,
  transfers: readonly { readonly id: string; readonly staged?: string }[],
): Promise<ReadonlyMap<string, readonly LocatedPart[]>> {
  const found = new Map<string, LocatedPart[]>();
  const named = new Map(transfers.flatMap(({ id, staged: row }) => (row === undefined ? [] : [[id, row] as const])));
  for (const row of await staged.bulkGet([...new Set(named.values())])) {
    for (const part of row?.parts ?? []) {
      if (named.get(part.transferId) === row?.id) found.set(part.transferId, [{ ...part, segment: row?.segment as string }]);
    }
  }
  for (const { id, staged: row } of transfers) {
    if (row !== undefined) continue;
    const rows = await staged.where('spanning').equals(id).toArray();
    if (rows.length === 0) continue;
    const parts = rows.flatMap(({ segment, parts: all }) =>
      all.filter(({ transferId }) => transferId === id).map((part) => ({ ...part, segment })),
    );
    found.set(
      id,
      parts.sort((a, b) => a.part - b.part),
    );
  }
  return found;
}

/** Everything that lies in one staging file, in its order. */
export async function partsIn(staged: Staged, segment: string): Promise<readonly LocatedPart[]> {
  const rows = await staged.where('segment').equals(segment).toArray();
  return rows.flatMap(({ parts }) => parts.map((part) => ({ ...part, segment }))).sort((a, b) => a.offset - b.offset);
}

/** The chunks of parts that follow each other. */
export function chunksIn(parts: readonly StagedPart[]): Manifest {
  return parts.flatMap(({ chunks }) => decodeManifest(chunks));
}

/** Forgets what is staged of transfers whose last chunk is not known yet; rows nothing is left of go. Inside a transaction. */
export async function dropParts(staged: Staged, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const gone = new Set(ids);
  const kept: StagedRow[] = [];
  const empty: string[] = [];
  for (const row of await staged
    .where('spanning')
    .anyOf([...ids])
    .toArray()) {
    const parts = row.parts.filter(({ transferId }) => !gone.has(transferId));
    if (parts.length === 0) empty.push(row.id);
    else kept.push({ ...row, parts, spanning: row.spanning.filter((id) => !gone.has(id)) });
  }
  await staged.bulkPut(kept);
  await staged.bulkDelete(empty);
}
