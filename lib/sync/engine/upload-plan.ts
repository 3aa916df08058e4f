import type { EntryId, NamespaceId } from '../model/ids';
import { checkName, freeName, type NameProblem, nameKey } from '../model/names';
import type { LocalEntry, LocalReading, LocalTransfer, LocalWriting } from '../ports/local-store';
import type { Operation } from '../protocol/commit';
import { folderNamespace, type IntentContext, queueOperations } from './intents';
import { newRow } from './local-tree';

/** One picked thing, without its bytes. */
export interface UploadItem {
  readonly kind: 'file' | 'folder';
  readonly path: string;
  readonly size: number;
  readonly mtime: number;
}

export type ConflictRule = 'keep_both' | 'replace' | 'skip';

/** Where a file goes. `index` points into the items. */
export interface Placement {
  readonly index: number;
  readonly entryId: EntryId;
  readonly parentId: EntryId;
  readonly namespaceId: NamespaceId;
  readonly name: string;
  readonly baseRevision: number | null;
}

export interface UploadPlan {
  readonly placements: readonly Placement[];
  readonly folders: readonly EntryId[];
  /** Unfinished transfers that newer bytes for the same file replace. */
  readonly superseded: readonly string[];
}

export interface UploadConflicts {
  readonly conflicts: readonly { readonly path: string; readonly entryId: EntryId }[];
  readonly refused: readonly { readonly path: string; readonly problem: NameProblem }[];
}

/** A file of this many in one folder is worth reading the whole folder instead of asking name by name. */
const GROUP_READ_WHOLE = 50;

type Names = readonly string[];
type Checked = { readonly ok: true; readonly names: Names } | { readonly ok: false; readonly problem: NameProblem };

function namesOf(path: string): Checked {
  const names: string[] = [];
  for (const raw of path.split('/')) {
    if (raw === '') continue;
    const check = checkName(raw);
    if (!check.ok) return check;
    names.push(check.name);
  }
  return names.length === 0 ? { ok: false, problem: 'empty' } : { ok: true, names };
}

/** What stands under a name in one target folder. */
interface Standing {
  readonly row?: LocalEntry;
  /** A file that is on its way there but not visible yet. */
  readonly transfer?: LocalTransfer;
  /** Put there by this very upload. */
  readonly ours?: true;
}

/** One folder that things are put into: known ones are looked up, new ones are empty. */
class Target {
  readonly #known = new Map<string, Standing>();
  #whole = false;

  constructor(
    readonly id: EntryId,
    readonly isNew: boolean,
    transfers: readonly LocalTransfer[],
  ) {
    for (const transfer of transfers) this.#known.set(nameKey(transfer.name), { transfer });
  }

  async readWhole(reading: LocalReading): Promise<void> {
    if (this.isNew || this.#whole) return;
    for (const row of await reading.children(this.id)) {
      const key = nameKey(row.name);
      if (row.deletedAt === null && this.#known.get(key)?.ours === undefined) this.#known.set(key, { row });
    }
    this.#whole = true;
  }

  async standing(reading: LocalReading, key: string): Promise<Standing | undefined> {
    const known = this.#known.get(key);
    if (known !== undefined || this.isNew || this.#whole) return known;
    const [row] = await reading.liveByName(this.id, key);
    if (row !== undefined) this.#known.set(key, { row });
    return this.#known.get(key);
  }

  async free(reading: LocalReading, name: string): Promise<string> {
    for (;;) {
      const candidate = freeName(name, (key) => this.#known.has(key));
      if ((await this.standing(reading, nameKey(candidate))) === undefined) return candidate;
    }
  }

  take(name: string): void {
    this.#known.set(nameKey(name), { ours: true });
  }
}

/** Walks picked paths over the tree. With `create`, folders that are missing are made (rows and operations are collected). */
class Walk {
  readonly rows: LocalEntry[] = [];
  readonly operations: Operation[] = [];
  readonly #targets = new Map<EntryId, Target>();
  readonly #paths = new Map<string, Target | null>();
  readonly #unstaged = new Map<EntryId, LocalTransfer[]>();

  constructor(
    readonly reading: LocalReading,
    readonly context: IntentContext,
    readonly namespaceId: NamespaceId,
    readonly create: boolean,
    unstaged: readonly LocalTransfer[],
  ) {
    for (const transfer of unstaged) {
      const list = this.#unstaged.get(transfer.parentId) ?? [];
      this.#unstaged.set(transfer.parentId, list);
      list.push(transfer);
    }
  }

  target(id: EntryId, isNew: boolean): Target {
    const known = this.#targets.get(id) ?? new Target(id, isNew, this.#unstaged.get(id) ?? []);
    this.#targets.set(id, known);
    return known;
  }

  /** The folder at `names` below `top`; null when it is not there and not to be made. */
  async folder(top: EntryId, names: Names, mtime: number): Promise<Target | null> {
    let target: Target | null = this.target(top, false);
    let path = '';
    for (const name of names) {
      path += `/${nameKey(name)}`;
      let next = this.#paths.get(path);
      if (next === undefined) {
        next = await this.#child(target, name, mtime);
        this.#paths.set(path, next);
      }
      if (next === null) return null;
      target = next;
    }
    return target;
  }

  async #child(parent: Target, name: string, mtime: number): Promise<Target | null> {
    const standing = await parent.standing(this.reading, nameKey(name));
    if (standing?.row?.kind === 'folder') return this.target(standing.row.id, false);
    if (!this.create) return null;
    const free = standing === undefined ? name : await parent.free(this.reading, name);
    const entryId = this.context.random.uuid() as EntryId;
    this.rows.push(newRow({ id: entryId, namespaceId: this.namespaceId, parentId: parent.id, name: free, kind: 'folder', mtime }));
    this.operations.push({ kind: 'create_folder', entryId, parentId: parent.id, name: free, mtime });
    parent.take(free);
    return this.target(entryId, true);
  }
}

async function walkOf(reading: LocalReading, context: IntentContext, parentId: EntryId, create: boolean): Promise<Walk> {
  const namespaceId = await folderNamespace(reading, context, parentId);
  const unstaged = await reading.transfersIn(['queued', 'staging']);
  return new Walk(reading, context, namespaceId, create, unstaged);
}

interface Located {
  readonly index: number;
  readonly item: UploadItem;
  readonly name: string;
  readonly target: Target;
}

/** Finds (and makes) the folder of every item; large groups read their folder in one go. */
async function locate(walk: Walk, parentId: EntryId, items: readonly UploadItem[]): Promise<Located[]> {
  const located: Located[] = [];
  const groups = new Map<Target, number>();
  for (const [index, item] of items.entries()) {
    const checked = namesOf(item.path);
    if (!checked.ok) continue;
    const { names } = checked;
    if (item.kind === 'folder') {
      await walk.folder(parentId, names, item.mtime);
      continue;
    }
    const target = await walk.folder(parentId, names.slice(0, -1), item.mtime);
    if (target === null) continue;
    located.push({ index, item, name: names[names.length - 1] as string, target });
    groups.set(target, (groups.get(target) ?? 0) + 1);
  }
  for (const [target, files] of groups) if (files >= GROUP_READ_WHOLE) await target.readWhole(walk.reading);
  return located;
}

/** What an upload would meet. Changes nothing; throws `Refused` when the folder is gone. */
export async function findConflicts(
  reading: LocalReading,
  context: IntentContext,
  parentId: EntryId,
  items: readonly UploadItem[],
): Promise<UploadConflicts> {
  const refused: { path: string; problem: NameProblem }[] = [];
  for (const { path } of items) {
    const checked = namesOf(path);
    if (!checked.ok) refused.push({ path, problem: checked.problem });
  }
  const walk = await walkOf(reading, context, parentId, false);
  const conflicts: { path: string; entryId: EntryId }[] = [];
  for (const { item, name, target } of await locate(walk, parentId, items)) {
    const standing = await target.standing(reading, nameKey(name));
    const entryId = standing?.transfer?.entryId ?? (standing?.row?.kind === 'file' ? standing.row.id : undefined);
    if (entryId !== undefined) conflicts.push({ path: item.path, entryId });
  }
  return { conflicts, refused };
}

/**
 * Decides where every picked file goes, makes the folders (rows and requests, parents first) and says which unfinished uploads are
 * replaced. Two files of one upload with the same name are both kept. Items with names that cannot be used are left out.
 */
export async function planUpload(
  writing: LocalWriting,
  context: IntentContext,
  request: { readonly parentId: EntryId; readonly items: readonly UploadItem[]; readonly onConflict: ConflictRule },
): Promise<UploadPlan> {
  const { parentId, items, onConflict } = request;
  const walk = await walkOf(writing, context, parentId, true);
  const located = await locate(walk, parentId, items);
  const placements: Placement[] = [];
  const superseded: string[] = [];
  for (const one of located) {
    const placement = await place(writing, context, one, onConflict, superseded);
    if (placement === null) continue;
    one.target.take(placement.name);
    placements.push({ ...placement, index: one.index, parentId: one.target.id, namespaceId: walk.namespaceId });
  }
  await writing.putEntries(walk.rows);
  await queueOperations(
    writing,
    context,
    walk.operations.map((operation) => ({ namespaceId: walk.namespaceId, operation })),
  );
  return { placements, folders: walk.rows.map(({ id }) => id), superseded };
}

async function place(
  reading: LocalReading,
  { random }: IntentContext,
  { item, name, target }: Located,
  onConflict: ConflictRule,
  superseded: string[],
): Promise<Pick<Placement, 'entryId' | 'name' | 'baseRevision'> | null> {
  const standing = await target.standing(reading, nameKey(name));
  const added = { entryId: random.uuid() as EntryId, baseRevision: null };
  if (standing === undefined) return { ...added, name };
  const { row, transfer } = standing;
  if (row?.kind === 'file' || transfer !== undefined) {
    if (onConflict === 'skip') return null;
    if (onConflict === 'replace' && transfer !== undefined) {
      // The same file dropped twice needs to be sent once.
      if (transfer.size === item.size && transfer.mtime === item.mtime) return null;
      superseded.push(transfer.id);
      return { entryId: transfer.entryId, baseRevision: transfer.baseRevision, name: transfer.name };
    }
    if (onConflict === 'replace' && row !== undefined) {
      return { entryId: row.id, baseRevision: row.remote === null ? null : row.contentRevision, name: row.name };
    }
  }
  return { ...added, name: await target.free(reading, name) };
}
