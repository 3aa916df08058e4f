import { type DiskRecord, joinPath } from '../model/disk';
import type { EntryId } from '../model/ids';
import { checkName, freeName, nameKey } from '../model/names';
import { entryAt, type Matching } from './workspace-match';
import type { DiskNode, TreeEntry, WorkspaceAction, WorkspaceProblemReason, WorkspaceTrees } from './workspace-trees';

interface Out {
  act(action: WorkspaceAction): void;
  problem(path: string, reason: WorkspaceProblemReason): void;
}

/** Names and folders: what has to be moved on which side. When both moved, the tree's place counts. */
export class WorkspacePlaces {
  // Made for a folder when it is first asked about: where nothing changed, no name is compared.
  readonly #diskNames = new Map<string, Map<string, DiskNode[]>>();
  readonly #treeNames = new Map<EntryId, Map<string, TreeEntry>>();
  readonly #children = new Map<EntryId, TreeEntry[]>();
  readonly #blocked: { readonly record: DiskRecord; readonly node: DiskNode; readonly occupant: DiskNode }[] = [];
  readonly #setAside = new Set<string>();
  #moves = 0;

  constructor(
    readonly trees: WorkspaceTrees,
    readonly matching: Matching,
    readonly out: Out,
  ) {
    for (const entry of trees.tree.values()) {
      const list = this.#children.get(entry.parentId);
      if (list === undefined) this.#children.set(entry.parentId, [entry]);
      else list.push(entry);
    }
  }

  #onDiskUnder(folder: string, key: string): readonly DiskNode[] {
    let names = this.#diskNames.get(folder);
    if (names === undefined) {
      names = new Map();
      for (const node of this.matching.inFolder.get(folder) ?? []) {
        const own = nameKey(node.name);
        names.set(own, [...(names.get(own) ?? []), node]);
      }
      this.#diskNames.set(folder, names);
    }
    return names.get(key) ?? [];
  }

  #inTreeUnder(parentId: EntryId, key: string): TreeEntry | undefined {
    let names = this.#treeNames.get(parentId);
    if (names === undefined) {
      names = new Map(this.children(parentId).map((entry) => [nameKey(entry.name), entry]));
      this.#treeNames.set(parentId, names);
    }
    return names.get(key);
  }

  children(parentId: EntryId): readonly TreeEntry[] {
    return this.#children.get(parentId) ?? [];
  }

  /** What stands under a name in a folder of the disk, the exact spelling first. */
  occupant(folder: string, name: string): DiskNode | undefined {
    const list = this.#onDiskUnder(folder, nameKey(name));
    return list.find((node) => node.name === name) ?? list[0];
  }

  inTree(parentId: EntryId, name: string): TreeEntry | undefined {
    return this.#inTreeUnder(parentId, nameKey(name));
  }

  movedInTree(record: DiskRecord, entry: TreeEntry): boolean {
    return entry.parentId !== record.parentId || entry.name !== record.name;
  }

  /** Gives something on the disk another name, so that it becomes an entry of its own. `forget`: the entry whose place it loses. */
  setAside(node: DiskNode, forget: EntryId | null): void {
    if (this.#setAside.has(node.path)) return;
    this.#setAside.add(node.path);
    const { folder } = node;
    const parentId = entryAt(this.matching, this.trees, folder);
    const isTaken = (key: string) =>
      this.#onDiskUnder(folder, key).length > 0 || (parentId !== undefined && this.#inTreeUnder(parentId, key) !== undefined);
    const to = joinPath(folder, freeName(this.trees.conflictName(node.name), isTaken));
    this.out.act({ kind: 'set_aside', node, to, forget });
  }

  /** True when something is to be moved first, so that content comes in the next round. */
  settle(record: DiskRecord, entry: TreeEntry, node: DiskNode): boolean {
    const parentId = entryAt(this.matching, this.trees, node.folder);
    const movedInTree = this.movedInTree(record, entry);
    if (!movedInTree && parentId === record.parentId && node.name === record.diskName && node.name === record.name) return false;
    const check = checkName(node.name);
    if (!check.ok) {
      this.out.problem(node.path, check.problem);
      return true;
    }
    const movedOnDisk = parentId !== record.parentId || check.name !== record.name;
    if (!movedInTree && !movedOnDisk) {
      if (node.name !== record.diskName) this.out.act({ kind: 'record', record: { ...record, diskName: node.name } });
      return false;
    }
    if (parentId === entry.parentId && check.name === entry.name) {
      this.out.act({ kind: 'record', record: { ...record, parentId, name: entry.name, diskName: node.name } });
      return true;
    }
    if (movedInTree) return this.#onDisk(record, entry, node);
    return this.#inTree(record, entry, node, { parentId, name: check.name });
  }

  #onDisk(record: DiskRecord, entry: TreeEntry, node: DiskNode): boolean {
    const folder = this.matching.pathOf.get(entry.parentId);
    // The folder it goes to is not on the disk yet, or cannot be.
    if (folder === undefined) return true;
    const to = joinPath(folder, entry.name);
    if (!this.trees.holds(entry.name)) {
      this.out.problem(to, 'disk_name');
      return false;
    }
    if (this.trees.ignored(to, node.kind === 'folder')) {
      this.out.problem(node.path, 'ignored_place');
      return false;
    }
    if (folder === node.path || folder.startsWith(`${node.path}/`)) return true;
    const occupant = this.occupant(folder, entry.name);
    if (occupant !== undefined && occupant.path !== node.path) {
      const known = this.matching.recordAt.has(occupant.path) || this.matching.undecidedPaths.has(occupant.path);
      if (known) this.#blocked.push({ record, node, occupant });
      else if (occupant.kind === 'other') this.out.problem(node.path, 'link');
      else this.setAside(occupant, null);
      return true;
    }
    this.#moves += 1;
    this.out.act({ kind: 'disk_move', record, node, to, entry });
    return true;
  }

  #inTree(
    record: DiskRecord,
    entry: TreeEntry,
    node: DiskNode,
    to: { readonly parentId: EntryId | undefined; readonly name: string },
  ): boolean {
    const { parentId, name } = to;
    if (parentId === undefined) return true;
    if (parentId !== this.trees.rootId && !this.trees.tree.has(parentId)) return true;
    for (let at: EntryId | undefined = parentId; at !== undefined; at = this.trees.tree.get(at)?.parentId) {
      // Both sides moved folders into each other: the tree's place counts.
      if (at === entry.id) return this.#onDisk(record, entry, node);
    }
    const standing = this.inTree(parentId, name);
    if (standing === undefined || standing.id === entry.id) {
      this.out.act({ kind: 'tree_move', record, node, parentId, name });
    } else if (!this.trees.records.has(standing.id)) this.setAside(node, null);
    else if (this.#staysPut(standing)) this.out.problem(node.path, 'clash');
    return true;
  }

  #staysPut(entry: TreeEntry): boolean {
    const record = this.trees.records.get(entry.id);
    const path = this.matching.pathOf.get(entry.id);
    if (record === undefined || path === undefined) return record === undefined;
    const node = this.matching.nodes.get(path);
    return node !== undefined && entryAt(this.matching, this.trees, node.folder) === entry.parentId;
  }

  /** Two that each wait for the other's name: one takes a detour. */
  breakCycles(): void {
    if (this.#moves > 0) return;
    const waiting = new Set(this.#blocked.map(({ node }) => node.path));
    const first = this.#blocked.find(({ occupant }) => waiting.has(occupant.path));
    if (first === undefined) return;
    const { record, node } = first;
    const to = joinPath(
      node.folder,
      freeName(node.name, (key) => this.#onDiskUnder(node.folder, key).length > 0),
    );
    this.out.act({ kind: 'disk_move', record, node, to, entry: null });
  }
}
