import { type DiskRecord, joinPath, sameStamp } from '../model/disk';
import type { EntryId } from '../model/ids';
import { DEPTH_MAX } from '../model/limits';
import type { Matching } from './workspace-match';
import type { WorkspacePlaces } from './workspace-places';
import { MASS_DELETION_ENTRIES, MASS_DELETION_PART, type TreeEntry, type WorkspaceAction, type WorkspaceTrees } from './workspace-trees';

type Verdict = 'yes' | 'no' | 'wait';

/** The worst of several answers: one that waits makes all wait. */
function worst(answers: Iterable<Verdict>, bad: Verdict): Verdict | null {
  let found: Verdict | null = null;
  for (const answer of answers) {
    if (answer === 'wait') return 'wait';
    if (answer === bad) found = bad;
  }
  return found;
}

/**
 * What vanished from the disk goes to the trash, unless the tree changed it since or knows something in it that the disk never had:
 * then the disk gets it back. More than a person deletes in passing is held until they agree.
 */
export class DeletionPlan {
  readonly #doomed = new Map<EntryId, Verdict>();
  readonly #keeps = new Map<string, Verdict>();

  constructor(
    readonly trees: WorkspaceTrees,
    readonly matching: Matching,
    readonly places: WorkspacePlaces,
  ) {}

  plan(): { readonly actions: readonly WorkspaceAction[]; readonly held: { readonly deletions: number; readonly of: number } | null } {
    const { tree, records, deletionsAllowed } = this.trees;
    const back: EntryId[] = [];
    const tops: TreeEntry[] = [];
    let deletions = 0;
    for (const id of this.matching.vanished) {
      const entry = tree.get(id);
      if (entry === undefined) continue;
      const verdict = this.#verdict(entry);
      if (verdict === 'no') back.push(id);
      if (verdict !== 'yes') continue;
      deletions += 1;
      const parent = tree.get(entry.parentId);
      if (parent === undefined || this.#verdict(parent) !== 'yes') tops.push(entry);
    }
    const actions: WorkspaceAction[] = back.length === 0 ? [] : [{ kind: 'forget', entryIds: back }];
    const limit = Math.max(MASS_DELETION_ENTRIES, records.size * MASS_DELETION_PART);
    if (deletions > limit && deletions > deletionsAllowed) return { actions, held: { deletions, of: records.size } };
    for (const entry of tops) {
      const record = records.get(entry.id);
      if (record !== undefined) actions.push({ kind: 'tree_remove', path: this.#lastPath(record), record, forget: this.#below(entry) });
    }
    return { actions, held: null };
  }

  /** Where a vanished record stood. */
  #lastPath(record: DiskRecord): string {
    const names = [record.diskName];
    let folder = this.matching.pathOf.get(record.parentId);
    let above = this.trees.records.get(record.parentId);
    while (folder === undefined && above !== undefined && names.length <= DEPTH_MAX) {
      names.unshift(above.diskName);
      folder = this.matching.pathOf.get(above.parentId);
      above = this.trees.records.get(above.parentId);
    }
    return joinPath(folder ?? '', names.join('/'));
  }

  #below(entry: TreeEntry): EntryId[] {
    const found = [entry.id];
    for (let at = 0; at < found.length; at++) for (const child of this.places.children(found[at] as EntryId)) found.push(child.id);
    return found;
  }

  /** Whether an entry may go, with everything in it. */
  #verdict(entry: TreeEntry): Verdict {
    const known = this.#doomed.get(entry.id);
    if (known !== undefined) return known;
    this.#doomed.set(entry.id, 'no');
    const verdict = this.#judge(entry);
    this.#doomed.set(entry.id, verdict);
    return verdict;
  }

  #judge(entry: TreeEntry): Verdict {
    const record = this.trees.records.get(entry.id);
    if (this.matching.undecided.has(entry.id) || record?.uploading !== undefined) return 'wait';
    if (record === undefined || !this.matching.vanished.has(entry.id)) return 'no';
    if (entry.digest !== record.digest || this.places.movedInTree(record, entry)) return 'no';
    return worst(this.#verdicts(entry.id), 'no') ?? 'yes';
  }

  *#verdicts(parentId: EntryId): Iterable<Verdict> {
    for (const child of this.places.children(parentId)) yield this.#verdict(child);
  }

  /** Whether a folder of the disk, deleted in the tree, still holds something that has to be kept. */
  keeps(folder: string): Verdict {
    const known = this.#keeps.get(folder);
    if (known !== undefined) return known;
    const verdict = this.trees.unreadable.has(folder) ? 'wait' : (worst(this.#kept(folder), 'yes') ?? 'no');
    this.#keeps.set(folder, verdict);
    return verdict;
  }

  *#kept(folder: string): Iterable<Verdict> {
    for (const node of this.matching.inFolder.get(folder) ?? []) {
      const record = this.matching.recordAt.get(node.path);
      if (this.matching.undecidedPaths.has(node.path)) yield 'wait';
      else if (record === undefined) yield 'yes';
      // It is moved out of here first.
      else if (this.trees.tree.has(record.entryId) || record.uploading !== undefined) yield 'wait';
      else if (record.kind === 'folder') yield this.keeps(node.path);
      else yield sameStamp(record, node) ? 'no' : 'yes';
    }
  }
}
