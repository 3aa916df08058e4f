import type { EntryId, NamespaceId } from '../model/ids';
import { conflictName } from '../planning/conflict-name';
import { planWorkspace } from '../planning/workspace-plan';
import type { WorkspacePlan, WorkspaceProblem } from '../planning/workspace-trees';
import type { Clock, Random } from '../ports/clock';
import type { Hasher } from '../ports/hasher';
import type { LocalStore } from '../ports/local-store';
import type { Log } from '../ports/log';
import type { Watcher } from '../ports/watcher';
import type { ContentSource, DiskRecords, DiskUploads, Workspace } from '../ports/workspace';
import { Bell } from './bell';
import type { IntentContext } from './intents';
import { cancelTransfers } from './transfer-intents';
import { WorkspaceActions } from './workspace-actions';
import { WorkspaceDisk } from './workspace-disk';
import { WorkspaceRecords } from './workspace-records';
import { settleUploads } from './workspace-settle';
import { readWorkspaceTree } from './workspace-tree';

/** How a workspace stands. `looks_empty`: everything vanished at once, and the person is asked before anything is concluded. */
export type WorkspaceState =
  | 'starting'
  | 'scanning'
  | 'working'
  | 'in_step'
  | 'needs_permission'
  | 'missing'
  | 'looks_empty'
  /** The folder of the tree is not there any more. */
  | 'target_missing';

export interface WorkspaceStatus {
  readonly state: WorkspaceState;
  /** Files and folders seen by the scan that is under way, or by the last one. */
  readonly found: number;
  /** Files that still have to go one way or the other. */
  readonly waiting: number;
  /** Deletions the person is asked about: so many of so many. */
  readonly asks: { readonly deletions: number; readonly of: number } | null;
  readonly problems: readonly WorkspaceProblem[];
  /** Of `problems`, before it was cut. */
  readonly problemCount: number;
}

/** What the person answered: so many deletions are meant, or the disk shall get everything back. */
export type WorkspaceAnswer = { readonly kind: 'delete'; readonly deletions: number } | { readonly kind: 'restore' };

export interface WorkspaceLoopDeps {
  readonly workspace: Workspace;
  /** null: changes are found by looking again now and then. */
  readonly watcher: Watcher | null;
  readonly diskRecords: DiskRecords;
  readonly uploads: DiskUploads;
  readonly content: ContentSource;
  readonly store: LocalStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly hasher: Hasher;
  readonly log: Log;
  readonly deviceName: string;
  readonly rootNamespaceId: NamespaceId;
  /** The folder of the tree that the disk shows. */
  readonly folderId: EntryId;
  onRequests(): void;
  onTransfers(ids: readonly string[]): void;
  report(status: WorkspaceStatus): void;
  /** The answer that waits, if any; `answered` says that it was acted on. */
  answer(): Promise<WorkspaceAnswer | null>;
  answered(): Promise<void>;
}

/** With a watcher everything is looked at again now and then all the same: it may have lost something. */
const RESCAN_WATCHED_MILLISECONDS = 5 * 60_000;
const RESCAN_UNWATCHED_MILLISECONDS = 20_000;
/** While the folder is not there, or something could not be done. */
const RETRY_MILLISECONDS = 5_000;
/** Changes come in flocks: a rename is two of them, a saved document three. */
const QUIET_MILLISECONDS = 250;
const REST_MILLISECONDS_MAX = 5_000;
const PROBLEMS_TOLD = 200;
/** A plan that never comes to its end is a fault; the next look goes on from where it is. */
const ROUNDS_MAX = 1_000;

const IDLE: WorkspaceStatus = { state: 'starting', found: 0, waiting: 0, asks: null, problems: [], problemCount: 0 };

/** Keeps a folder on a disk and a folder of the tree in step, both ways, for as long as it runs. The same in every platform. */
export class WorkspaceLoop {
  readonly #deps: WorkspaceLoopDeps;
  readonly #disk: WorkspaceDisk;
  readonly #bell = new Bell();
  /** Folders to look at again; true: with everything below. */
  readonly #stale = new Map<string, boolean>();
  readonly #intents: IntentContext;
  #records: WorkspaceRecords | null = null;
  #status: WorkspaceStatus = IDLE;
  #isWatched = false;
  #lost = false;
  #scannedAt: number | null = null;

  constructor(deps: WorkspaceLoopDeps) {
    this.#deps = deps;
    this.#disk = new WorkspaceDisk(deps.workspace, deps.hasher);
    const { store, random, clock, rootNamespaceId, onTransfers } = deps;
    this.#intents = { store, random, clock, rootNamespaceId, onTransfers };
  }

  /** The tree changed, an upload moved on, the person answered or gave a permission. */
  wake(): void {
    this.#bell.ring();
  }

  /** Works until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    try {
      while (!signal.aborted) {
        const began = clock.now();
        const pause = await this.turn(signal);
        // A large tree takes long to compare: it must not keep a core busy while thousands of changes stream in.
        const rest = Math.min(REST_MILLISECONDS_MAX, 2 * Math.max(0, clock.now() - began));
        await this.#bell.wait(clock, pause, signal);
        if (!signal.aborted) await clock.sleep(QUIET_MILLISECONDS + rest, signal);
      }
    } finally {
      this.#deps.watcher?.stop();
    }
  }

  /** One look at both sides and all that follows from it. Returns after how many milliseconds to look again at the latest. */
  async turn(signal: AbortSignal): Promise<number> {
    const { workspace, diskRecords, log } = this.#deps;
    const state = await workspace.state();
    if (state !== 'ready') return this.#stop(state === 'missing' ? 'missing' : 'needs_permission');
    this.#records ??= await WorkspaceRecords.open(diskRecords);
    const connection = await this.#deps.store.read((reading) => reading.connection());
    // Before the first pull is through, the tree lacks what is on the server, and everything would look new.
    if (connection === null || connection.firstSync) return RETRY_MILLISECONDS;
    await this.#watch();
    const refused = await this.#look(signal);
    if (signal.aborted) return 0;
    if (refused !== null) {
      log.info('workspace.not_listed', { reason: refused });
      return this.#stop(refused === 'permission' ? 'needs_permission' : 'missing');
    }
    return this.#bothWays(this.#records, signal);
  }

  #report(changes: Partial<WorkspaceStatus>): void {
    this.#status = { ...this.#status, ...changes };
    this.#deps.report(this.#status);
  }

  /** Nothing is concluded from a folder that cannot be looked at; afterwards all of it is looked at anew. */
  #stop(state: WorkspaceState): number {
    this.#disk.forget();
    this.#scannedAt = null;
    if (this.#isWatched) this.#deps.watcher?.stop();
    this.#isWatched = false;
    this.#report({ state, waiting: 0, asks: null });
    return RETRY_MILLISECONDS;
  }

  async #watch(): Promise<void> {
    if (this.#isWatched || this.#deps.watcher === null) return;
    this.#deps.watcher.stop();
    // Before the scan, so that nothing that happens meanwhile is missed.
    this.#isWatched = await this.#deps.watcher.start((event) => {
      if (event.kind === 'lost') {
        this.#lost = true;
        // It may watch a folder that was moved away, and another one stands in its place.
        this.#isWatched = false;
      } else this.#stale.set(event.path, event.deep || this.#stale.get(event.path) === true);
      this.#bell.ring();
    });
  }

  async #look(signal: AbortSignal): Promise<string | null> {
    const { clock } = this.#deps;
    const rescan = this.#isWatched ? RESCAN_WATCHED_MILLISECONDS : RESCAN_UNWATCHED_MILLISECONDS;
    const due = this.#lost || this.#scannedAt === null || clock.now() - this.#scannedAt >= rescan;
    const stale = [...this.#stale];
    this.#stale.clear();
    if (!due) {
      for (const [folder, deep] of stale) {
        const refused = await this.#disk.scan(folder, deep, { signal, onFound: () => undefined });
        if (refused !== null) return refused;
      }
      return null;
    }
    // Before the scan: what is lost while it runs is looked at once more.
    this.#lost = false;
    let told = 0;
    const onFound = (found: number) => {
      if (found - told < 500) return;
      told = found;
      this.#report({ state: 'scanning', found });
    };
    const began = clock.now();
    const refused = await this.#disk.scan('', true, { signal, onFound });
    if (refused !== null || signal.aborted) return refused;
    this.#scannedAt = began;
    this.#report({ found: this.#disk.nodes().length });
    // A disk that was taken away in the middle of the scan looks like one on which much was deleted.
    const state = await this.#deps.workspace.state();
    return state === 'ready' ? null : state;
  }

  async #bothWays(records: WorkspaceRecords, signal: AbortSignal): Promise<number> {
    const { folderId, rootNamespaceId, store } = this.#deps;
    const answer = await this.#deps.answer();
    for (let round = 0; round < ROUNDS_MAX && !signal.aborted; round++) {
      await this.#settle(records);
      const tree = await readWorkspaceTree(store, folderId, rootNamespaceId);
      if (tree === null) return this.#stop('target_missing');
      const looksEmpty = this.#disk.nodes().length === 0 && records.all.size > 0;
      if (looksEmpty && answer === null) {
        this.#report({ state: 'looks_empty', waiting: 0, asks: { deletions: records.all.size, of: records.all.size } });
        return RETRY_MILLISECONDS;
      }
      const plan = this.#plan(records, tree.tree, answer?.kind === 'delete' ? answer.deletions : 0);
      if (answer?.kind === 'restore' && (looksEmpty || plan.held !== null)) {
        await records.remove(this.#vanished(records));
        continue;
      }
      const actions = new WorkspaceActions({ ...this.#deps, disk: this.#disk, records, intents: this.#intents }, tree, signal);
      const work = plan.actions.filter(({ kind }) => kind !== 'record' && kind !== 'forget').length;
      if (work > 0) this.#report({ state: 'working', waiting: work + records.uploading() });
      const done = await actions.run(plan.actions);
      for (const folder of actions.stale) await this.#disk.scan(folder, false, { signal, onFound: () => undefined });
      if (done === 0) return this.#quiet(records, plan, actions, answer !== null);
    }
    return RETRY_MILLISECONDS;
  }

  async #quiet(records: WorkspaceRecords, plan: WorkspacePlan, actions: WorkspaceActions, hadAnswer: boolean): Promise<number> {
    if (hadAnswer && plan.held === null) await this.#deps.answered();
    const problems = [...plan.problems, ...actions.problems];
    const waiting = records.uploading() + actions.unreachable;
    this.#report({
      state: waiting > 0 ? 'working' : 'in_step',
      waiting,
      asks: plan.held,
      problems: problems.slice(0, PROBLEMS_TOLD),
      problemCount: problems.length,
    });
    if (actions.unreachable > 0 || actions.stale.size > 0) return RETRY_MILLISECONDS;
    return this.#isWatched ? RESCAN_WATCHED_MILLISECONDS : RESCAN_UNWATCHED_MILLISECONDS;
  }

  #plan(records: WorkspaceRecords, tree: Parameters<typeof planWorkspace>[0]['tree'], deletionsAllowed: number): WorkspacePlan {
    const { workspace, deviceName, clock, folderId } = this.#deps;
    const { rules, unreadable } = this.#disk;
    return planWorkspace({
      rootId: folderId,
      disk: this.#disk.nodes(),
      unreadable,
      records: records.all,
      tree,
      ignored: (path, isFolder) => rules.ignores(path, isFolder),
      holds: (name) => workspace.holds(name),
      conflictName: (name) => conflictName(name, deviceName, clock.now()),
      deletionsAllowed,
    });
  }

  /** Records of what is not on the disk: without them the disk gets it again. */
  #vanished(records: WorkspaceRecords): EntryId[] {
    const standing = new Set(matchedEntries(this.#disk, records, this.#deps.folderId));
    return [...records.all.keys()].filter((id) => !standing.has(id));
  }

  async #settle(records: WorkspaceRecords): Promise<void> {
    const { store, onTransfers } = this.#deps;
    const { put, remove, cancel } = await settleUploads(store, records.all);
    await records.put(put);
    await records.remove(remove);
    if (cancel.length > 0) onTransfers(await cancelTransfers(store, cancel));
  }
}

function matchedEntries(disk: WorkspaceDisk, records: WorkspaceRecords, rootId: EntryId): EntryId[] {
  const byPlace = new Map([...records.all.values()].map((record) => [`${record.parentId}/${record.diskName}`, record.entryId]));
  const at = new Map<string, EntryId>([['', rootId]]);
  const found: EntryId[] = [];
  for (const node of disk.nodes()) {
    const id = byPlace.get(`${at.get(node.folder)}/${node.name}`);
    if (id === undefined) continue;
    at.set(node.path, id);
    found.push(id);
  }
  return found;
}
