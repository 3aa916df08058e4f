import type { Cursor, EntryId, NamespaceId } from '../model/ids';
import type { Clock, Random } from '../ports/clock';
import type { LocalCursor, LocalStore, LocalTransfer, LocalWriting, QueuedRequest } from '../ports/local-store';
import type { Log } from '../ports/log';
import type { SyncService } from '../ports/sync-service';
import type { Change, JournalCommit, JournalPage, NamespaceView } from '../protocol/commit';
import { type ErrorCode, SIGNED_OUT } from '../protocol/error-codes';
import { type ArrivalContext, beforeAdoption } from './arrivals';
import type { Bell } from './bell';
import { confirm } from './confirm';
import { adopt } from './local-tree';
import { OwnDeletions } from './own-deletions';

export interface ResponseDeps {
  readonly store: LocalStore;
  readonly service: SyncService;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Named in conflict copies. */
  readonly deviceName: string;
  /** Shared with the request loop; without it deletions are forgotten as soon as their reply is here. */
  readonly deletions?: OwnDeletions;
  /** The server's state of these entries moved on: kept content may be out of date. */
  onChanged(ids: readonly EntryId[]): void;
  /** Own requests were recognised in the journal: their transfers are through. */
  onTransfers(ids: readonly string[]): void;
  /** As `onTransfers`, for those that were committed; `onTransfers` unless given. */
  onFinished?(ids: readonly string[]): void;
  onReachable(reachable: boolean): void;
  /** Every journal was read to its head. */
  onPulled(): Promise<void>;
}

export type Pulled = 'done' | 'failed' | 'signed_out';

const POLL_MILLISECONDS = 30_000;
const RETRY_MILLISECONDS = 5_000;
/** Rows of one write: about 150 ms in a browser, so that a person's own changes never wait long behind a first sync. */
const SLICE_ROWS = 1_000;

/** Follows the journals of every namespace from the device's cursors. Notices only make it look sooner. */
export class ResponseLoop {
  readonly #deps: ResponseDeps;
  readonly #context: ArrivalContext;

  constructor(deps: ResponseDeps) {
    this.#deps = deps;
    this.#context = {
      random: deps.random,
      clock: deps.clock,
      deletions: deps.deletions ?? new OwnDeletions(),
      deviceName: deps.deviceName,
    };
  }

  /** Reads every journal to its head. */
  async pull(signal: AbortSignal): Promise<Pulled> {
    const { store, service } = this.#deps;
    const reply = await service.namespaces();
    if (!reply.ok) return this.#failed(reply.code);
    this.#deps.onReachable(true);
    const cursors = new Map((await store.read((reading) => reading.cursors())).map((row) => [row.namespaceId, row]));
    for (const view of reply.value) {
      const known = cursors.get(view.id);
      if (known === undefined || known.role !== view.role || known.kind !== view.kind) {
        const row = { namespaceId: view.id, kind: view.kind, role: view.role, cursor: known?.cursor ?? null };
        await store.write((writing) => writing.putCursor(row));
      }
      if (known !== undefined && known.cursor === view.cursor) continue;
      const followed = await this.#follow(view, known?.cursor ?? null, signal);
      if (followed !== 'done') return followed;
    }
    await this.#deps.onPulled();
    return 'done';
  }

  /** Runs until `signal` aborts or the session ends; rung by notices, connects and wake-ups. */
  async run(bell: Bell, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    while (!signal.aborted) {
      const pulled = await this.pull(signal);
      if (pulled === 'signed_out') return;
      const pause = pulled === 'done' ? POLL_MILLISECONDS : RETRY_MILLISECONDS;
      await bell.wait(clock, pause * (0.75 + random.fraction() / 2), signal);
    }
  }

  #failed(code: ErrorCode | 'offline'): Pulled {
    this.#deps.onReachable(code !== 'offline');
    return code !== 'offline' && SIGNED_OUT.has(code) ? 'signed_out' : 'failed';
  }

  async #follow(view: NamespaceView, from: Cursor | null, signal: AbortSignal): Promise<Pulled> {
    let cursor = from;
    // Set while the journal is read anew from its beginning over rows that are there already.
    let seen: Set<EntryId> | null = null;
    while (!signal.aborted) {
      const reply = await this.#deps.service.journalSince(view.id, cursor);
      if (!reply.ok && reply.code === 'cursor_unknown' && cursor !== null) {
        this.#deps.log.warn('cursor_unknown', { namespaceId: view.id });
        cursor = null;
        seen = new Set();
        continue;
      }
      if (!reply.ok) return this.#failed(reply.code);
      const page = reply.value;
      for (const { changes } of seen === null ? [] : page.commits) for (const { id } of changes) seen?.add(id);
      if (seen !== null && !page.more) await this.#sweep(view.id, seen);
      // While reading anew the stored cursor stays unknown to the server, so that a crash in between begins anew as well.
      await this.#apply(page, view, { cursor: seen !== null && page.more ? from : page.cursor, anew: seen !== null });
      if (!page.more) return 'done';
      cursor = page.cursor;
    }
    return 'failed';
  }

  /** Brings one page into the tree; the cursor moves in the transaction of the last rows. Earlier slices applied twice change nothing. */
  async #apply(
    page: JournalPage,
    { kind, role }: NamespaceView,
    { cursor, anew }: { readonly cursor: Cursor | null; readonly anew: boolean },
  ): Promise<void> {
    const { store, onChanged, onTransfers, onFinished = onTransfers } = this.#deps;
    const row: LocalCursor = { namespaceId: page.namespaceId, kind, role, cursor };
    const slices = slicesOf(page.commits);
    const changed: EntryId[] = [];
    const finished: string[] = [];
    for (const [index, commits] of slices.entries()) {
      await store.write(async (writing) => {
        const applied = await applyCommits(writing, page.namespaceId, commits, this.#context, anew);
        changed.push(...applied.changed);
        finished.push(...applied.finished);
        if (index === slices.length - 1) await writing.putCursor(row);
      });
    }
    if (finished.length > 0) onFinished(finished);
    if (changed.length > 0) onChanged(changed);
  }

  /** Removes what the journal no longer knows; what only this device has stays, and will be created again. */
  async #sweep(namespaceId: NamespaceId, seen: ReadonlySet<EntryId>): Promise<void> {
    const { store } = this.#deps;
    const ids = (await store.read((reading) => reading.entryIds(namespaceId))).filter((id) => !seen.has(id));
    for (let at = 0; at < ids.length; at += SLICE_ROWS) {
      await store.write((writing) => sweepSlice(writing, ids.slice(at, at + SLICE_ROWS)));
    }
  }
}

async function sweepSlice(writing: LocalWriting, ids: readonly EntryId[]): Promise<void> {
  const rows = await writing.entries(ids);
  const gone: EntryId[] = [];
  for (const row of rows) {
    if (row === undefined || row.remote === null) continue;
    if (row.transferId === undefined) {
      gone.push(row.id);
      continue;
    }
    await writing.putEntries([{ ...row, deletedAt: null, revision: 1, contentRevision: 1, placeRevision: 1, remote: null }]);
    const over = new Set<LocalTransfer['state']>(['done', 'cancelled']);
    const transfers = (await writing.transfersOf([row.id])).filter(({ state }) => !over.has(state));
    await writing.updateTransfers(transfers.map(({ id }) => ({ id, changes: { baseRevision: null } })));
  }
  await writing.removeEntries(gone);
}

/** Cuts commits into runs of about SLICE_ROWS changes; a commit is never cut (it holds at most 1,000 operations). */
function slicesOf(commits: readonly JournalCommit[]): readonly (readonly JournalCommit[])[] {
  const slices: JournalCommit[][] = [];
  let slice: JournalCommit[] = [];
  let rows = 0;
  for (const commit of commits) {
    if (rows > 0 && rows + commit.changes.length > SLICE_ROWS) {
      slices.push(slice);
      slice = [];
      rows = 0;
    }
    slice.push(commit);
    rows += commit.changes.length;
  }
  slices.push(slice);
  return slices;
}

async function applyCommits(
  writing: LocalWriting,
  namespaceId: NamespaceId,
  commits: readonly JournalCommit[],
  context: ArrivalContext,
  anew: boolean,
): Promise<{ readonly changed: readonly EntryId[]; readonly finished: readonly string[] }> {
  let queue: readonly QueuedRequest[] = await writing.requests();
  const { deletions, clock } = context;
  const changed: EntryId[] = [];
  const finished: string[] = [];
  let foreign: Change[] = [];
  const adoptForeign = async () => {
    if (foreign.length === 0) return;
    const planned = await beforeAdoption(writing, foreign, queue, context);
    queue = planned.queue;
    changed.push(...planned.changed, ...(await adopt(writing, namespaceId, foreign, queue, anew)));
    foreign = [];
  };
  for (const commit of commits) {
    const own = queue.find(({ requestId }) => requestId === commit.requestId);
    if (own === undefined) {
      if (deletions.knows(commit.requestId)) {
        await adoptForeign();
        deletions.seen(commit.requestId);
      }
      foreign.push(...commit.changes);
      continue;
    }
    // Ours, and its reply was lost or is still on its way: recognised here, it is not a change by somebody else.
    await adoptForeign();
    finished.push(...(await confirm(writing, own, commit.changes, clock.now())).finished);
    queue = await writing.requests();
  }
  await adoptForeign();
  return { changed, finished };
}
