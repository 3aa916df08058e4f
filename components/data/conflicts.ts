import type { EntryRow, SatchelDatabase } from '@/lib/sync/adapters/browser/database';
import { isLive } from '@/lib/sync/adapters/browser/read-model';
import { type ConflictName, parseConflictName } from '@/lib/sync/model/conflict-names';
import { nameKey } from '@/lib/sync/model/names';

/** A conflict copy and what it is a copy of. */
export interface Conflict {
  readonly copy: EntryRow;
  readonly named: ConflictName;
  /** The live file of the original name beside it; null when it is gone or has another name by now. */
  readonly original: EntryRow | null;
}

const CONFLICTS_MAX = 500;

/** Live conflict copies, found by their own index; newest first. */
export async function conflicts(database: SatchelDatabase): Promise<readonly Conflict[]> {
  const copies = await database.entries.where('conflict').equals(1).limit(CONFLICTS_MAX).toArray();
  const found: Conflict[] = [];
  for (const copy of copies.sort((a, b) => b.mtime - a.mtime)) {
    const named = parseConflictName(copy.name);
    // What stands in a deleted folder is not live, whatever its own row says.
    if (named === null || !(await isLive(database, copy.id))) continue;
    const beside = await database.entries
      .where('[parentId+nameKey]')
      .equals([copy.parentId, nameKey(named.original)])
      .toArray();
    found.push({ copy, named, original: beside.find((row) => row.live === 1 && row.kind === 'file') ?? null });
  }
  return found;
}

/** How many there are, for the sidebar: one look at the index. */
export async function conflictCount(database: SatchelDatabase): Promise<number> {
  return database.entries.where('conflict').equals(1).count();
}
