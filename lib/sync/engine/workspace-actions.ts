import { type DiskRecord, type DiskStamp, sameStamp, splitPath } from '../model/disk';
import type { EntryId } from '../model/ids';
import type { WorkspaceAction, WorkspaceProblem } from '../planning/workspace-trees';
import type { Random } from '../ports/clock';
import type { Log } from '../ports/log';
import { ContentBroken, type ContentSource, type DiskRefusal, type DiskUpload, type DiskUploads, type Workspace } from '../ports/workspace';
import { type IntentContext, remove } from './intents';
import type { WorkspaceDisk } from './workspace-disk';
import { createFolders, placeEntry } from './workspace-intents';
import type { WorkspaceRecords } from './workspace-records';
import type { WorkspaceTree } from './workspace-tree';

export interface ActionDeps {
  readonly workspace: Workspace;
  readonly disk: WorkspaceDisk;
  readonly records: WorkspaceRecords;
  readonly uploads: DiskUploads;
  readonly content: ContentSource;
  readonly intents: IntentContext;
  readonly random: Random;
  readonly log: Log;
  /** Requests were added. */
  onRequests(): void;
}

type Of<K extends WorkspaceAction['kind']> = Extract<WorkspaceAction, { kind: K }>;

/** Files whose bytes intake has not copied yet; the rest waits for them, so that no number of files fills the memory. */
const UPLOADS_IN_HAND_MAX = 2_000;
const UPLOADS_PER_CALL = 500;
const CONTENTS_PER_CALL = 200;
const REMOVALS_PER_WISH = 1_000;

/** Carries out one round's plan. Everything is looked at again right before it is changed; what is not as planned waits for the next look. */
export class WorkspaceActions {
  /** Folders of the disk that are not as they were seen. */
  readonly stale = new Set<string>();
  readonly problems: WorkspaceProblem[] = [];
  /** Files that the server could not be asked for. */
  unreachable = 0;
  #done = 0;

  constructor(
    readonly deps: ActionDeps,
    readonly tree: WorkspaceTree,
    readonly signal: AbortSignal,
  ) {}

  /** Returns how many actions changed something: none means that another round would bring nothing new. */
  async run(actions: readonly WorkspaceAction[]): Promise<number> {
    const of = <K extends WorkspaceAction['kind']>(kind: K) => actions.filter((action): action is Of<K> => action.kind === kind);
    for (const { node } of of('fingerprint'))
      await this.#one(async () => (await this.deps.disk.fingerprint(node)) || this.#look(node.folder));
    const agreed = of('record').map(({ record }) => record);
    await this.deps.records.put(agreed);
    this.#done += agreed.length;
    for (const action of of('set_aside')) await this.#one(() => this.#setAside(action));
    await this.#treeFolders(of('tree_folder'));
    for (const action of of('tree_move')) await this.#one(() => this.#treeMove(action));
    for (const action of of('disk_move')) await this.#one(() => this.#diskMove(action));
    await this.#uploads(of('upload'));
    for (const { path, entry } of of('disk_folder')) await this.#one(() => this.#diskFolder(path, entry.id));
    await this.#writes(of('disk_write'));
    // What stands deepest goes first, and files before folders.
    const removals = of('disk_remove').sort((a, b) => b.node.path.split('/').length - a.node.path.split('/').length);
    for (const action of removals) if (action.record.kind === 'file') await this.#one(() => this.#diskRemove(action));
    for (const action of removals) if (action.record.kind === 'folder') await this.#one(() => this.#diskRemove(action));
    await this.#treeRemovals(of('tree_remove'));
    const forgotten = of('forget').flatMap(({ entryIds }) => entryIds);
    await this.deps.records.remove(forgotten);
    this.#done += forgotten.length;
    return this.#done;
  }

  async #one(work: () => Promise<boolean>): Promise<void> {
    if (!this.signal.aborted && (await work())) this.#done += 1;
  }

  /** The disk is not as planned: seen with the next look. */
  #look(folder: string): false {
    this.stale.add(folder);
    return false;
  }

  #refused(path: string, reason: DiskRefusal): false {
    const { folder } = splitPath(path);
    if (reason === 'name') this.problems.push({ path, reason: 'disk_name' });
    else if (reason === 'not_empty') this.problems.push({ path, reason: 'not_empty' });
    else if (reason !== 'missing' && reason !== 'changed' && reason !== 'exists') this.problems.push({ path, reason: 'failed' });
    this.deps.log.info('workspace.refused', { reason });
    return this.#look(folder);
  }

  async #setAside({ node, to, forget }: Of<'set_aside'>): Promise<boolean> {
    const { workspace, disk, records } = this.deps;
    const moved = await (node.kind === 'folder' ? workspace.moveFolder(node.path, to) : workspace.moveFile(node.path, to, node));
    if (!moved.ok) return this.#refused(node.path, moved.reason);
    disk.note(node.path, null);
    if (moved.value === null) this.stale.add(node.folder);
    else disk.note(to, { kind: 'file', ...moved.value });
    if (forget !== null) await records.remove([forget]);
    return true;
  }

  async #treeFolders(actions: readonly Of<'tree_folder'>[]): Promise<void> {
    if (actions.length === 0 || this.signal.aborted) return;
    const { random, intents, records } = this.deps;
    const folders = actions.map(({ node, parentId, name }) => ({ entryId: random.uuid() as EntryId, parentId, name, diskName: node.name }));
    const wished = await createFolders(intents, folders);
    if (!wished.ok) return;
    const made = new Set(wished.entryIds);
    const rows = folders.filter(({ entryId }) => made.has(entryId));
    await records.put(rows.map((row) => ({ ...row, kind: 'folder' as const, size: 0, mtime: 0, digest: null, contentRevision: 1 })));
    this.#done += rows.length;
    if (rows.length > 0) this.deps.onRequests();
  }

  async #treeMove({ record, node, parentId, name }: Of<'tree_move'>): Promise<boolean> {
    const wished = await placeEntry(this.deps.intents, record.entryId, { parentId, name });
    if (!wished.ok) {
      this.problems.push({ path: node.path, reason: 'failed' });
      return false;
    }
    this.deps.onRequests();
    await this.deps.records.put([{ ...record, parentId, name, diskName: node.name }]);
    return true;
  }

  async #diskMove({ record, node, to, entry }: Of<'disk_move'>): Promise<boolean> {
    const { workspace, disk, records } = this.deps;
    const { name: diskName } = splitPath(to);
    const place = entry === null ? { diskName } : { diskName, parentId: entry.parentId, name: entry.name };
    if (record.kind === 'folder') {
      const moved = await workspace.moveFolder(node.path, to);
      this.stale.add(node.folder).add(splitPath(to).folder);
      if (!moved.ok) return this.#refused(node.path, moved.reason);
      disk.note(node.path, null);
      await records.put([{ ...record, ...place }]);
      return true;
    }
    const moved = await workspace.moveFile(node.path, to, node);
    if (!moved.ok) return this.#refused(node.path, moved.reason);
    disk.note(node.path, null);
    disk.note(to, { kind: 'file', ...moved.value });
    // A change that is not in the tree yet must still show as one.
    const stamp: DiskStamp = sameStamp(record, node) ? moved.value : record;
    await records.put([{ ...record, ...place, size: stamp.size, mtime: stamp.mtime }]);
    return true;
  }

  async #uploads(actions: readonly Of<'upload'>[]): Promise<void> {
    const { records, uploads, random } = this.deps;
    const room = Math.max(0, UPLOADS_IN_HAND_MAX - records.uploading());
    for (let at = 0; at < Math.min(room, actions.length) && !this.signal.aborted; at += UPLOADS_PER_CALL) {
      const rows: DiskRecord[] = [];
      const list: DiskUpload[] = [];
      for (const { node, record, parentId, name, baseRevision } of actions.slice(at, Math.min(room, at + UPLOADS_PER_CALL))) {
        const transferId = random.uuid();
        const { size, mtime, path } = node;
        const uploading = { transferId, size, mtime };
        const entryId = record?.entryId ?? (random.uuid() as EntryId);
        // No stamp ever equals -1: before its bytes are safe nothing may take this file for one that is in the tree.
        const fresh = {
          entryId,
          parentId,
          name,
          diskName: node.name,
          kind: 'file',
          size: -1,
          mtime: -1,
          digest: null,
          contentRevision: 1,
        } as const;
        const { skipped: _, ...known }: DiskRecord = record ?? fresh;
        rows.push({ ...known, uploading });
        const { namespaceId } = this.tree;
        list.push({ transferId, path, stamp: { size, mtime }, entryId, parentId, namespaceId, name, baseRevision });
      }
      // The record first: an upload nobody remembers would be done twice, a record without its upload is found out.
      await records.put(rows);
      await uploads.add(list);
      this.#done += list.length;
    }
  }

  async #diskFolder(path: string, entryId: EntryId): Promise<boolean> {
    const made = await this.deps.workspace.createFolder(path);
    if (!made.ok) return this.#refused(path, made.reason);
    this.deps.disk.note(path, { kind: 'folder', size: 0, mtime: 0 });
    await this.deps.records.put([this.#recordOf(entryId, path, { size: 0, mtime: 0 })]);
    return true;
  }

  #recordOf(entryId: EntryId, path: string, stamp: DiskStamp): DiskRecord {
    const row = this.tree.rows.get(entryId);
    if (row === undefined) throw new Error(`an action for an entry that is not in the tree: ${entryId}`);
    const { parentId, name, kind, digest, contentRevision } = row;
    const { size, mtime } = stamp;
    return { entryId, parentId, name, diskName: splitPath(path).name, kind, size, mtime, digest, contentRevision };
  }

  async #writes(actions: readonly Of<'disk_write'>[]): Promise<void> {
    for (let at = 0; at < actions.length && !this.signal.aborted; at += CONTENTS_PER_CALL) {
      const slice = actions.slice(at, at + CONTENTS_PER_CALL);
      const rows = slice.map(({ entry }) => this.tree.rows.get(entry.id)).filter((row) => row !== undefined);
      const contents = await this.deps.content.open(rows);
      for (const [index, action] of slice.entries()) {
        const content = contents[index];
        if (content === undefined || content === 'unreachable') this.unreachable += 1;
        else await this.#one(() => this.#write(action, content));
      }
    }
  }

  async #write({ path, entry, expected }: Of<'disk_write'>, content: AsyncIterable<Uint8Array>): Promise<boolean> {
    const { workspace, disk, records, log } = this.deps;
    const mtime = this.tree.rows.get(entry.id)?.mtime ?? 0;
    try {
      const written = await workspace.write(path, content, { expected, mtime });
      if (!written.ok) return this.#refused(path, written.reason);
      disk.note(path, { kind: 'file', ...written.value });
      await records.put([this.#recordOf(entry.id, path, written.value)]);
      return true;
    } catch (error) {
      if (!(error instanceof ContentBroken)) throw error;
      log.warn('workspace.content_broken', { problem: error.message });
      this.unreachable += 1;
      return false;
    }
  }

  async #diskRemove({ node, record }: Of<'disk_remove'>): Promise<boolean> {
    const { workspace, disk, records } = this.deps;
    const removed = await (record.kind === 'folder' ? workspace.removeFolder(node.path) : workspace.removeFile(node.path, record));
    if (!removed.ok && removed.reason !== 'missing') return this.#refused(node.path, removed.reason);
    disk.note(node.path, null);
    await records.remove([record.entryId]);
    return true;
  }

  async #treeRemovals(actions: readonly Of<'tree_remove'>[]): Promise<void> {
    const gone: Of<'tree_remove'>[] = [];
    for (const action of actions) {
      if (this.signal.aborted) return;
      // Looked at again: deleting what is there after all would be the worst mistake of all.
      const now = await this.deps.workspace.stat(action.path);
      const isGone = now.ok ? now.value.kind !== action.record.kind : now.reason === 'missing';
      if (isGone) gone.push(action);
      else this.#look(splitPath(action.path).folder);
    }
    if (gone.length === 0 || (await this.deps.workspace.state()) !== 'ready') return;
    for (let at = 0; at < gone.length; at += REMOVALS_PER_WISH) {
      const slice = gone.slice(at, at + REMOVALS_PER_WISH);
      const wished = await remove(
        this.deps.intents,
        slice.map(({ record }) => record.entryId),
        // The loop has asked about as many deletions already, by the same measure.
        { confirmed: true },
      );
      if (!wished.ok) continue;
      await this.deps.records.remove(slice.flatMap(({ forget }) => forget));
      this.#done += slice.length;
      this.deps.onRequests();
    }
  }
}
