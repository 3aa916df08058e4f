import type { DiskRecord } from '../model/disk';
import { joinPath, sameStamp, splitPath } from '../model/disk';
import type { EntryId } from '../model/ids';
import { nameKey } from '../model/names';
import type { DiskNode, WorkspaceTrees } from './workspace-trees';

/** Which record each thing on the disk is: by its place, else by its content. */
export interface Matching {
  readonly nodes: ReadonlyMap<string, DiskNode>;
  readonly inFolder: ReadonlyMap<string, readonly DiskNode[]>;
  /** Records by the folder they stand in. */
  readonly recordsIn: ReadonlyMap<EntryId, readonly DiskRecord[]>;
  readonly recordAt: ReadonlyMap<string, DiskRecord>;
  /** Where an entry stands on the disk; the workspace's root is `''`. */
  readonly pathOf: ReadonlyMap<EntryId, string>;
  /** Records whose file or folder is not on the disk any more. */
  readonly vanished: ReadonlySet<EntryId>;
  /** Nothing can be said about these yet, or ever while their folder cannot be read. */
  readonly undecided: ReadonlySet<EntryId>;
  readonly undecidedPaths: ReadonlySet<string>;
  /** Files whose digest decides whether they were renamed. */
  readonly fingerprints: readonly DiskNode[];
  /** Records of what ignore rules now rule out. */
  readonly nowIgnored: readonly EntryId[];
}

/** The entry that a folder on the disk stands for; undefined for folders without a record. */
export function entryAt(matching: Matching, trees: WorkspaceTrees, folder: string): EntryId | undefined {
  return folder === '' ? trees.rootId : matching.recordAt.get(folder)?.entryId;
}

type Groups<K, V> = Map<K, V[]>;
function group<K, V>(all: Iterable<V>, keyOf: (one: V) => K): Groups<K, V> {
  const groups: Groups<K, V> = new Map();
  for (const one of all) {
    const key = keyOf(one);
    const list = groups.get(key);
    if (list === undefined) groups.set(key, [one]);
    else list.push(one);
  }
  return groups;
}

/** Finds the record of everything on the disk. Pure; its cost grows with the number of entries, not with their depth. */
export function matchWorkspace(trees: WorkspaceTrees): Matching {
  return new Matcher(trees).run();
}

class Matcher {
  readonly #nodes = new Map<string, DiskNode>();
  readonly #inFolder: Groups<string, DiskNode>;
  readonly #recordsIn: Groups<EntryId, DiskRecord>;
  readonly #recordAt = new Map<string, DiskRecord>();
  readonly #pathOf = new Map<EntryId, string>();
  readonly #undecided = new Set<EntryId>();
  readonly #undecidedPaths = new Set<string>();
  readonly #fingerprints: DiskNode[] = [];
  readonly #nowIgnored: EntryId[] = [];

  constructor(readonly trees: WorkspaceTrees) {
    for (const node of trees.disk) this.#nodes.set(node.path, node);
    this.#inFolder = group(trees.disk, ({ folder }) => folder);
    this.#recordsIn = group(trees.records.values(), ({ parentId }) => parentId);
  }

  run(): Matching {
    this.#pathOf.set(this.trees.rootId, '');
    this.#byPlace(['']);
    this.#leaveUnreadable();
    this.#filesByContent();
    this.#foldersByContent();
    const vanished = new Set<EntryId>();
    const ignored = new Set(this.#nowIgnored);
    for (const id of this.trees.records.keys()) if (!this.#pathOf.has(id) && !this.#undecided.has(id) && !ignored.has(id)) vanished.add(id);
    return {
      nodes: this.#nodes,
      inFolder: this.#inFolder,
      recordsIn: this.#recordsIn,
      recordAt: this.#recordAt,
      pathOf: this.#pathOf,
      vanished,
      undecided: this.#undecided,
      undecidedPaths: this.#undecidedPaths,
      fingerprints: this.#fingerprints,
      nowIgnored: this.#nowIgnored,
    };
  }

  #take(node: DiskNode, record: DiskRecord): void {
    this.#recordAt.set(node.path, record);
    this.#pathOf.set(record.entryId, node.path);
  }

  /** Same folder, same name; a name that differs only in case or normalization counts when the exact one is not there. */
  #byPlace(folders: readonly string[]): void {
    const open = [...folders];
    for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
      const id = folder === '' ? this.trees.rootId : this.#recordAt.get(folder)?.entryId;
      const records = id === undefined ? [] : (this.#recordsIn.get(id) ?? []).filter(({ entryId }) => !this.#pathOf.has(entryId));
      const nodes = (this.#inFolder.get(folder) ?? []).filter(({ path }) => !this.#recordAt.has(path));
      this.#pair(folder, records, nodes);
      for (const node of nodes) if (node.kind === 'folder' && this.#recordAt.has(node.path)) open.push(node.path);
    }
  }

  #pair(folder: string, records: readonly DiskRecord[], nodes: readonly DiskNode[]): void {
    const byName = new Map(nodes.map((node) => [node.name, node]));
    const left: DiskRecord[] = [];
    for (const record of records) {
      const node = byName.get(record.diskName);
      if (node?.kind === record.kind) this.#take(node, record);
      // A link in its place is not followed, and says nothing about the file.
      else if (node?.kind === 'other') this.#undecided.add(record.entryId);
      else if (this.trees.ignored(joinPath(folder, record.diskName), record.kind === 'folder')) this.#ignoreWhole(record);
      else left.push(record);
    }
    if (left.length === 0) return;
    const free = nodes.filter(({ path, kind }) => kind !== 'other' && !this.#recordAt.has(path));
    if (free.length === 0) return;
    const byKey = new Map(free.map((node) => [`${node.kind} ${nameKey(node.name)}`, node]));
    for (const record of left) {
      const key = `${record.kind} ${nameKey(record.diskName)}`;
      const node = byKey.get(key);
      if (node === undefined) continue;
      byKey.delete(key);
      this.#take(node, record);
    }
  }

  #below(record: DiskRecord): DiskRecord[] {
    const found = [record];
    for (let at = 0; at < found.length; at++)
      for (const child of this.#recordsIn.get((found[at] as DiskRecord).entryId) ?? []) found.push(child);
    return found;
  }

  #ignoreWhole(record: DiskRecord): void {
    for (const { entryId } of this.#below(record)) this.#nowIgnored.push(entryId);
  }

  #leaveUnreadable(): void {
    for (const folder of this.trees.unreadable) {
      const record = this.#recordAt.get(folder);
      if (record === undefined) continue;
      for (const { entryId } of this.#below(record)) if (entryId !== record.entryId) this.#undecided.add(entryId);
    }
  }

  #isVanished(record: DiskRecord): boolean {
    return !this.#pathOf.has(record.entryId) && !this.#undecided.has(record.entryId);
  }

  /**
   * A file that vanished here and one that appeared there are the same when size and content are. A file that also kept its own name
   * and its modification time is trusted as an unchanged one in its place is; every other one is read first.
   */
  #filesByContent(): void {
    const { records, tree, disk } = this.trees;
    const ignored = new Set(this.#nowIgnored);
    const gone = [...records.values()].filter(
      (record) =>
        record.kind === 'file' &&
        record.size > 0 &&
        record.digest !== null &&
        record.uploading === undefined &&
        this.#isVanished(record) &&
        !ignored.has(record.entryId) &&
        tree.has(record.entryId),
    );
    if (gone.length === 0) return;
    const bySize = group(gone, ({ size }) => size);
    const appeared = disk.filter((node) => node.kind === 'file' && !this.#recordAt.has(node.path) && bySize.has(node.size));
    const candidates = (node: DiskNode) => (bySize.get(node.size) ?? []).filter((record) => this.#isVanished(record));
    const rest: DiskNode[] = [];
    for (const node of appeared) {
      const kept = candidates(node).find((record) => record.diskName === node.name && sameStamp(record, node));
      if (kept === undefined) rest.push(node);
      else this.#take(node, kept);
    }
    const unread: DiskNode[] = [];
    for (const node of rest) {
      const same = node.digest === undefined ? undefined : candidates(node).find(({ digest }) => digest === node.digest);
      if (same !== undefined) this.#take(node, same);
      else if (node.digest === undefined) unread.push(node);
    }
    for (const node of unread) {
      const possible = (bySize.get(node.size) ?? []).filter(({ entryId }) => !this.#pathOf.has(entryId));
      if (possible.length === 0) continue;
      this.#fingerprints.push(node);
      this.#undecidedPaths.add(node.path);
      for (const { entryId } of possible) this.#undecided.add(entryId);
    }
  }

  /** A folder went where most of what stood in it went. Deepest first, so that folders in folders count, too. */
  #foldersByContent(): void {
    const gone = [...this.trees.records.values()].filter((record) => record.kind === 'folder' && this.#isVanished(record));
    const depths = new Map<EntryId, number>();
    const depth = (record: DiskRecord): number => {
      const known = depths.get(record.entryId);
      if (known !== undefined) return known;
      depths.set(record.entryId, 0);
      const parent = this.trees.records.get(record.parentId);
      const own = parent === undefined ? 1 : depth(parent) + 1;
      depths.set(record.entryId, own);
      return own;
    };
    gone.sort((a, b) => depth(b) - depth(a));
    for (const record of gone) {
      const node = this.#whereMostWent(record);
      if (node === null) continue;
      this.#take(node, record);
      this.#byPlace([node.path]);
    }
  }

  #whereMostWent(record: DiskRecord): DiskNode | null {
    const children = this.#recordsIn.get(record.entryId) ?? [];
    const votes = new Map<string, number>();
    for (const { entryId } of children) {
      const path = this.#pathOf.get(entryId);
      if (path === undefined) continue;
      const { folder } = splitPath(path);
      if (folder !== '' && !this.#recordAt.has(folder)) votes.set(folder, (votes.get(folder) ?? 0) + 1);
    }
    for (const [folder, count] of votes) if (count * 2 > children.length) return this.#nodes.get(folder) ?? null;
    return null;
  }
}
