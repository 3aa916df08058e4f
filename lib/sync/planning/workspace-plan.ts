import { type DiskRecord, joinPath, sameStamp } from '../model/disk';
import type { EntryId } from '../model/ids';
import { checkName, nameKey } from '../model/names';
import { DeletionPlan } from './workspace-deletions';
import { entryAt, type Matching, matchWorkspace } from './workspace-match';
import { WorkspacePlaces } from './workspace-places';
import type {
  DiskNode,
  TreeEntry,
  WorkspaceAction,
  WorkspacePlan,
  WorkspaceProblem,
  WorkspaceProblemReason,
  WorkspaceTrees,
} from './workspace-trees';

/**
 * What one round has to do so that disk and tree agree. Pure. It plans only what can be done at once: a file in a folder that has yet
 * to be made comes in the next round, so whoever uses it repeats until a round brings nothing new. What it never plans: to overwrite
 * or remove bytes of the disk that are not the ones the record knows, or bytes of the tree that only this device has.
 * Changed on both sides: the tree keeps the name, see Note “who keeps the name” in `content`.
 */
export function planWorkspace(trees: WorkspaceTrees): WorkspacePlan {
  return new Planner(trees, matchWorkspace(trees)).run();
}

class Planner {
  readonly #actions: WorkspaceAction[] = [];
  readonly #problems: WorkspaceProblem[] = [];
  readonly #places: WorkspacePlaces;
  readonly #deletions: DeletionPlan;
  /** Paths that an action of this round is about. */
  readonly #handled = new Set<string>();
  /** Records of folders that another entry stands for now. */
  readonly #replaced = new Set<EntryId>();
  readonly #fingerprinted = new Set<string>();

  constructor(
    readonly trees: WorkspaceTrees,
    readonly matching: Matching,
  ) {
    this.#places = new WorkspacePlaces(trees, matching, {
      act: (action) => this.#actions.push(action),
      problem: (path, reason) => this.#problem(path, reason),
    });
    this.#deletions = new DeletionPlan(trees, matching, this.#places);
  }

  run(): WorkspacePlan {
    const { records, unreadable } = this.trees;
    for (const path of unreadable) this.#problem(path, 'unreadable');
    for (const node of this.matching.fingerprints) this.#fingerprint(node);
    if (this.matching.nowIgnored.length > 0) this.#actions.push({ kind: 'forget', entryIds: this.matching.nowIgnored });
    for (const entry of this.trees.tree.values()) if (entry.kind === 'folder' && !records.has(entry.id)) this.#replaceFolder(entry);
    for (const record of records.values())
      if (!this.matching.undecided.has(record.entryId) && !this.#replaced.has(record.entryId)) this.#known(record);
    for (const entry of this.trees.tree.values()) if (!records.has(entry.id)) this.#newInTree(entry);
    const taken = new Map<string, string>();
    for (const node of this.trees.disk) this.#newOnDisk(node, taken);
    this.#places.breakCycles();
    const { actions, held } = this.#deletions.plan();
    for (const action of actions) this.#actions.push(action);
    return { actions: this.#actions, problems: this.#problems, held };
  }

  #problem(path: string, reason: WorkspaceProblemReason): void {
    this.#problems.push({ path, reason });
  }

  #fingerprint(node: DiskNode): void {
    if (this.#fingerprinted.has(node.path)) return;
    this.#fingerprinted.add(node.path);
    this.#actions.push({ kind: 'fingerprint', node });
  }

  #forget(record: DiskRecord): void {
    this.#actions.push({ kind: 'forget', entryIds: [record.entryId] });
  }

  /**
   * Two devices made the same folder, and the server kept the other's: the folder on the disk stands for that one now, and with it
   * everything that is known of what stands in it.
   */
  #replaceFolder(entry: TreeEntry): void {
    const folder = this.matching.pathOf.get(entry.parentId);
    const node = folder === undefined ? undefined : this.#places.occupant(folder, entry.name);
    const before = node?.kind === 'folder' ? this.matching.recordAt.get(node.path) : undefined;
    if (node === undefined || before === undefined || this.trees.tree.has(before.entryId) || this.#replaced.has(before.entryId)) return;
    this.#replaced.add(before.entryId);
    const { id: entryId, parentId, name, contentRevision } = entry;
    this.#actions.push({ kind: 'record', record: { ...before, entryId, parentId, name, diskName: node.name, contentRevision } });
    for (const record of this.matching.recordsIn.get(before.entryId) ?? [])
      this.#actions.push({ kind: 'record', record: { ...record, parentId: entryId } });
    this.#forget(before);
  }

  #known(record: DiskRecord): void {
    const { tree } = this.trees;
    const entry = tree.get(record.entryId);
    const path = this.matching.pathOf.get(record.entryId);
    const node = path === undefined ? undefined : this.matching.nodes.get(path);
    if (node === undefined) {
      // Vanished with a tree entry: that is for `DeletionPlan`.
      if (entry === undefined && this.matching.vanished.has(record.entryId) && record.uploading === undefined) this.#forget(record);
      return;
    }
    // Its bytes are being read right now: everything else waits for that.
    if (record.uploading !== undefined) return;
    if (entry === undefined) this.#goneFromTree(record, node);
    else if (!this.#places.settle(record, entry, node) && record.kind === 'file') this.#content(record, entry, node);
  }

  #goneFromTree(record: DiskRecord, node: DiskNode): void {
    if (record.skipped !== undefined && sameStamp(record.skipped, node)) {
      this.#problem(node.path, 'cancelled');
      return;
    }
    const kept = record.kind === 'folder' ? this.#deletions.keeps(node.path) : sameStamp(record, node) ? 'no' : 'yes';
    // What changed here since is kept: without its record it is something new.
    if (kept === 'yes') this.#forget(record);
    if (kept === 'no') this.#actions.push({ kind: 'disk_remove', node, record });
  }

  #content(record: DiskRecord, entry: TreeEntry, node: DiskNode): void {
    if (record.skipped !== undefined && sameStamp(record.skipped, node)) {
      this.#problem(node.path, 'cancelled');
      return;
    }
    const treeChanged = entry.digest !== record.digest;
    const agreed = { ...record, digest: entry.digest, contentRevision: entry.contentRevision, size: node.size, mtime: node.mtime };
    if (sameStamp(record, node)) {
      if (treeChanged)
        this.#actions.push({ kind: 'disk_write', path: node.path, entry, expected: { size: record.size, mtime: record.mtime } });
      else if (entry.contentRevision !== record.contentRevision && !entry.unsent) this.#actions.push({ kind: 'record', record: agreed });
      return;
    }
    if (node.size === entry.size && node.digest === undefined) {
      this.#fingerprint(node);
      return;
    }
    const upload = { kind: 'upload', node, record, parentId: record.parentId, name: record.name } as const;
    if (node.digest !== undefined && node.digest === entry.digest) this.#actions.push({ kind: 'record', record: agreed });
    else if (!treeChanged) this.#actions.push({ ...upload, baseRevision: entry.onServer ? entry.contentRevision : null });
    // Note “who keeps the name”: bytes that are only on this device must not be replaced by an upload, so the disk's file steps aside
    // and becomes an entry of its own. Otherwise the upload names the revision it is based on, and the server's refusal makes the
    // conflict copy (or merges), as for every other edit.
    else if (entry.unsent) this.#places.setAside(node, record.entryId);
    else this.#actions.push({ ...upload, baseRevision: record.contentRevision });
  }

  #newInTree(entry: TreeEntry): void {
    const folder = this.matching.pathOf.get(entry.parentId);
    if (folder === undefined || this.trees.unreadable.has(folder)) return;
    const path = joinPath(folder, entry.name);
    if (this.trees.ignored(path, entry.kind === 'folder')) return;
    if (!this.trees.holds(entry.name)) {
      this.#problem(path, 'disk_name');
      return;
    }
    const node = this.#places.occupant(folder, entry.name);
    if (node === undefined) {
      const { kind } = entry;
      this.#actions.push(kind === 'folder' ? { kind: 'disk_folder', path, entry } : { kind: 'disk_write', path, entry, expected: null });
    } else this.#meet(entry, node);
  }

  /** A new entry of the tree finds something under its name on the disk. */
  #meet(entry: TreeEntry, node: DiskNode): void {
    if (this.matching.recordAt.has(node.path) || this.matching.undecidedPaths.has(node.path) || this.#handled.has(node.path)) return;
    this.#handled.add(node.path);
    if (node.kind === 'other') this.#problem(node.path, 'link');
    else if (node.kind !== entry.kind) this.#places.setAside(node, null);
    else if (node.kind === 'file' && node.size === entry.size && node.digest === undefined) this.#fingerprint(node);
    else if (node.kind === 'file' && (node.size !== entry.size || node.digest !== entry.digest)) this.#places.setAside(node, null);
    else {
      const { id: entryId, parentId, name, kind, digest, contentRevision } = entry;
      const { size, mtime } = kind === 'folder' ? { size: 0, mtime: 0 } : node;
      const record = { entryId, parentId, name, diskName: node.name, kind, size, mtime, digest, contentRevision };
      this.#actions.push({ kind: 'record', record });
    }
  }

  #newOnDisk(node: DiskNode, taken: Map<string, string>): void {
    const { recordAt, undecidedPaths } = this.matching;
    if (recordAt.has(node.path) || undecidedPaths.has(node.path) || this.#handled.has(node.path)) return;
    const parentId = entryAt(this.matching, this.trees, node.folder);
    if (parentId === undefined) return;
    if (parentId !== this.trees.rootId && !this.trees.tree.has(parentId)) return;
    if (node.kind === 'other') {
      this.#problem(node.path, 'link');
      return;
    }
    const check = checkName(node.name);
    if (!check.ok) {
      this.#problem(node.path, check.problem);
      return;
    }
    const key = `${node.folder}/${nameKey(check.name)}`;
    const standing = this.#places.inTree(parentId, check.name);
    if (taken.has(key) || (standing !== undefined && this.#staysAt(standing, node.folder))) {
      this.#problem(node.path, 'clash');
      return;
    }
    // What has the name in the tree is on its way somewhere else.
    if (standing !== undefined) return;
    taken.set(key, node.path);
    const { name } = check;
    if (node.kind === 'folder') this.#actions.push({ kind: 'tree_folder', node, parentId, name });
    else this.#actions.push({ kind: 'upload', node, record: null, parentId, name, baseRevision: null });
  }

  /** True when the entry stands in the same folder of the disk under a name that the tree cannot tell from this one. */
  #staysAt(entry: TreeEntry, folder: string): boolean {
    const path = this.matching.pathOf.get(entry.id);
    return path !== undefined && this.matching.nodes.get(path)?.folder === folder;
  }
}
