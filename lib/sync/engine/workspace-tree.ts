import type { EntryId, NamespaceId } from '../model/ids';
import { rootOf } from '../model/ids';
import type { TreeEntry } from '../planning/workspace-trees';
import type { LocalEntry, LocalReading, LocalStore } from '../ports/local-store';

/** Folders asked for at the same time. */
const FOLDERS_AT_ONCE = 64;

/** The live entries below a folder, as the person sees them. */
export interface WorkspaceTree {
  readonly namespaceId: NamespaceId;
  readonly rows: ReadonlyMap<EntryId, LocalEntry>;
  readonly tree: ReadonlyMap<EntryId, TreeEntry>;
}

function treeEntry(row: LocalEntry): TreeEntry {
  const { id, parentId, name, kind, size, digest, contentRevision } = row;
  return { id, parentId, name, kind, size, digest, contentRevision, onServer: row.remote !== null, unsent: row.transferId !== undefined };
}

/** The namespace of a folder, or null when it or anything above it is not there any more. */
async function namespaceOf(reading: LocalReading, folderId: EntryId, rootNamespaceId: NamespaceId): Promise<NamespaceId | null> {
  let namespaceId: NamespaceId | null = null;
  const seen = new Set<EntryId>();
  for (let id = folderId; !seen.has(id); ) {
    if (id === rootOf(rootNamespaceId)) return namespaceId ?? rootNamespaceId;
    seen.add(id);
    const [row] = await reading.entries([id]);
    if (row === undefined || row.deletedAt !== null || row.kind !== 'folder') return null;
    namespaceId ??= row.namespaceId;
    id = row.parentId;
  }
  return null;
}

/** Everything live below `folderId`; null when the folder itself is gone. One transaction, so that nothing is seen half moved. */
export function readWorkspaceTree(store: LocalStore, folderId: EntryId, rootNamespaceId: NamespaceId): Promise<WorkspaceTree | null> {
  return store.read(async (reading) => {
    const namespaceId = await namespaceOf(reading, folderId, rootNamespaceId);
    if (namespaceId === null) return null;
    const rows = new Map<EntryId, LocalEntry>();
    const tree = new Map<EntryId, TreeEntry>();
    const open = [folderId];
    while (open.length > 0) {
      const lists = await Promise.all(open.splice(0, FOLDERS_AT_ONCE).map((id) => reading.children(id)));
      for (const row of lists.flat()) {
        if (row.deletedAt !== null || rows.has(row.id)) continue;
        rows.set(row.id, row);
        tree.set(row.id, treeEntry(row));
        if (row.kind === 'folder') open.push(row.id);
      }
    }
    return { namespaceId, rows, tree };
  });
}
