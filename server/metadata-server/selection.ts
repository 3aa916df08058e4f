import type { Entry } from '@/lib/sync/model/entry';
import type { EntryId } from '@/lib/sync/model/ids';

/**
 * The entries of a selection from which a walk begins: live, each once, and none that already lies below another one.
 * `chain` holds the entries selected and every folder above them.
 */
export function selectionTops(root: EntryId, chain: ReadonlyMap<EntryId, Entry>, entryIds: readonly EntryId[]): readonly Entry[] {
  const selected = new Set(entryIds);
  const tops: Entry[] = [];
  for (const id of selected) {
    const entry = chain.get(id);
    if (entry && entry.deletedAt === null && standsFree(root, chain, selected, entry)) tops.push(entry);
  }
  return tops;
}

function standsFree(root: EntryId, chain: ReadonlyMap<EntryId, Entry>, selected: ReadonlySet<EntryId>, entry: Entry): boolean {
  for (let id = entry.parentId; id !== root; ) {
    const folder = chain.get(id);
    if (!folder || folder.deletedAt !== null || selected.has(folder.id)) return false;
    id = folder.parentId;
  }
  return true;
}
