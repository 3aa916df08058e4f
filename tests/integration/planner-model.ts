/**
 * Devices and a server as plain maps, around the planner alone: what it decides is carried out here in a few lines, so that tens of
 * thousands of triples of trees can be tried. The server decides with its own pure function.
 */
import type { Entry } from '@/lib/sync/model/entry';
import { type ChunkId, type Digest, type EntryId, type NamespaceId, type RequestId, rootOf } from '@/lib/sync/model/ids';
import { readHex } from '@/lib/sync/model/manifest';
import { freeName, nameKey } from '@/lib/sync/model/names';
import { type ArrivalAction, planArrivals } from '@/lib/sync/planning/plan-arrival';
import { planRefused, type RefusedAction, type RefusedCase } from '@/lib/sync/planning/plan-refused';
import type { CommitReply, Operation } from '@/lib/sync/protocol/commit';
import { applyCommit } from '@/server/metadata-server/apply';

const namespaceId = '00000000-0000-4000-8000-000000000000' as NamespaceId;
export const root: EntryId = rootOf(namespaceId);
export const idOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as EntryId;
/** Content number `n`: one chunk of one byte whose manifest has, in this model, the chunk's id as digest. */
export const digestOf = (n: number) => n.toString(16).padStart(64, '0') as Digest;
const chunkKnown = { size: 1, granted: true };

export type Refusal = Extract<CommitReply, { ok: false }>;
type Content = Extract<Operation, { kind: 'create_file' }>['content'];
export const contentOf = (digest: Digest): { size: number; digest: Digest; mtime: number; content: Content } => ({
  size: 1,
  digest,
  mtime: 0,
  content: { from: 'chunks', chunks: [{ id: digest as unknown as ChunkId, size: 1 }] },
});

export class ModelServer {
  entries = new Map<EntryId, Entry>();
  readonly journal: Entry[] = [];

  /** Applies one operation as a commit of its own. */
  commit(operation: Operation): Entry | Refusal {
    const chunks = new Map(
      'content' in operation && operation.content.from === 'chunks' ? operation.content.chunks.map(({ id }) => [id, chunkKnown]) : [],
    );
    const before = { entries: this.entries, heights: new Map(), manifests: new Map(), chunks };
    const request = { requestId: '' as RequestId, namespaceId, operations: [operation] };
    const applied = applyCommit({ request, before, at: 1, hash: (bytes) => readHex(bytes, 0) as Digest });
    if (!applied.ok) return applied;
    const entry = applied.changes.at(-1) as Entry;
    this.entries = new Map(this.entries).set(entry.id, entry);
    this.journal.push(entry);
    return entry;
  }

  isLive(id: EntryId): boolean {
    for (let at = id; at !== root; ) {
      const entry = this.entries.get(at);
      if (entry === undefined || entry.deletedAt !== null) return false;
      at = entry.parentId;
    }
    return true;
  }

  /** The tree as a person sees it, comparable. */
  live(): Entry[] {
    return [...this.entries.values()].filter(({ id }) => this.isLive(id)).sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

interface Row {
  readonly local: Entry;
  readonly remote: Entry | null;
  readonly content: number;
  readonly place: number;
}

function rowOf(entry: Entry): Row {
  return { local: entry, remote: entry, content: entry.contentRevision, place: entry.placeRevision };
}

export class ModelDevice {
  readonly rows = new Map<EntryId, Row>();
  queue: Operation[] = [];
  /** What each merged content was made of. */
  readonly merges = new Map<Digest, readonly Digest[]>();
  pushed = 0;
  #cursor = 0;
  #nextId: number;

  constructor(
    readonly name: string,
    readonly server: ModelServer,
    firstId: number,
    /** Whether two contents let themselves be merged. */
    readonly mergeable: (a: Digest, b: Digest) => boolean,
  ) {
    this.#nextId = firstId;
  }

  newId(): EntryId {
    this.#nextId += 1;
    return idOf(this.#nextId);
  }

  /** A person's change: the row and the operation that tells of it. */
  wish(operation: Operation, local: Entry): void {
    const row = this.rows.get(operation.entryId);
    this.rows.set(operation.entryId, row === undefined ? { local, remote: null, content: 1, place: 1 } : { ...row, local });
    this.queue.push(operation);
  }

  /** Pull, plan, push, pull. */
  sync(): void {
    this.pull();
    for (let steps = 0; this.queue.length > 0; steps++) {
      if (steps > 200) throw new Error(`does not come to an end: ${JSON.stringify(this.queue[0])}`);
      this.#push(this.queue[0] as Operation);
    }
    this.pull();
  }

  pull(): void {
    const changes = this.server.journal.slice(this.#cursor);
    this.#cursor = this.server.journal.length;
    const arriving = new Map(changes.filter(({ id }) => !this.#waits(id)).map((change) => [change.id, change]));
    const known = new Map<EntryId, Entry | null>();
    const arrivals = changes
      .filter((after) => (this.rows.get(after.id)?.remote?.revision ?? 0) < after.revision)
      .map((after) => {
        const before = known.get(after.id) ?? this.rows.get(after.id)?.remote ?? null;
        known.set(after.id, after);
        return { before, after };
      });
    const waits = (id: EntryId, ...kinds: string[]) => this.queue.some(({ entryId, kind }) => entryId === id && kinds.includes(kind));
    const tree = {
      row: (id: EntryId) => arriving.get(id) ?? this.rows.get(id)?.local,
      settledParent: (id: EntryId) => {
        const own = this.rows.get(id);
        const remote = changes.findLast((change) => change.id === id) ?? own?.remote;
        if (own === undefined || remote == null) return remote?.parentId ?? own?.local.parentId;
        return waits(id, 'move', 'restore') && remote.placeRevision <= own.place ? own.local.parentId : remote.parentId;
      },
      ownDeletion: (id: EntryId) => this.rows.get(id)?.local.deletedAt != null && waits(id, 'delete'),
      ownMove: (id: EntryId) => waits(id, 'move', 'restore'),
      ownTwins: (entry: Entry) => this.#twins(entry),
    };
    const actions = planArrivals(arrivals, tree, { deviceName: this.name, now: 0 });
    for (const action of actions) this.#takeBack(action);
    for (const change of changes) this.#adopt(change);
  }

  #twins({ id, parentId, name }: Entry): Entry[] {
    if (this.#waits(id) && this.rows.get(id)?.local.deletedAt == null) return [];
    const own = [...this.rows.values()].filter(({ remote }) => remote === null).map(({ local }) => local);
    return own.filter((each) => each.parentId === parentId && each.deletedAt === null && nameKey(each.name) === nameKey(name));
  }

  #giveWay(entryId: EntryId, wanted: string): void {
    const row = this.rows.get(entryId);
    if (row === undefined) return;
    const { parentId, name: before } = row.local;
    const name = this.#free(parentId, wanted, entryId, before);
    this.rows.set(entryId, { ...row, local: { ...row.local, name } });
    this.queue = this.queue.map((each) =>
      each.entryId === entryId && 'name' in each && each.parentId === parentId && each.name === before ? { ...each, name } : each,
    );
  }

  #takeBack(action: ArrivalAction): void {
    const { do: what, entryId } = action;
    if (action.do === 'give_way') {
      this.#giveWay(entryId, action.name);
      return;
    }
    const kinds: string[] = what === 'take_back_deletion' ? ['delete'] : ['move', 'restore'];
    this.queue = this.queue.filter((each) => each.entryId !== entryId || !kinds.includes(each.kind));
    const row = this.rows.get(entryId);
    if (row === undefined || row.remote === null) return;
    const { parentId, name } = row.remote;
    const place = what === 'take_back_deletion' ? {} : { parentId, name };
    this.rows.set(entryId, this.#waits(entryId) ? { ...row, local: { ...row.local, deletedAt: null, ...place } } : rowOf(row.remote));
  }

  #waits(id: EntryId): boolean {
    return this.queue.some(({ entryId }) => entryId === id);
  }

  #adopt(entry: Entry): void {
    const row = this.rows.get(entry.id);
    if (row?.remote != null && row.remote.revision > entry.revision) return;
    this.rows.set(entry.id, row !== undefined && this.#waits(entry.id) ? { ...row, remote: entry } : rowOf(entry));
  }

  #push(operation: Operation): void {
    const result = this.server.commit(operation);
    this.pushed += 1;
    if ('ok' in result) {
      this.#refused(operation, result);
      return;
    }
    this.queue.shift();
    const byContent = operation.kind === 'write_file' || operation.kind === 'create_file';
    const byPlace = operation.kind !== 'write_file';
    const row = this.rows.get(result.id);
    const foreign =
      row !== undefined && ((!byContent && result.contentRevision !== row.content) || (!byPlace && result.placeRevision !== row.place));
    this.queue = this.queue.map((later) => {
      if (later.entryId !== result.id || !('baseRevision' in later)) return later;
      if (later.kind === 'write_file') return byContent ? { ...later, baseRevision: result.contentRevision } : later;
      if (later.kind === 'delete') return foreign ? later : { ...later, baseRevision: result.revision };
      return byPlace ? { ...later, baseRevision: result.placeRevision } : later;
    });
    if (row !== undefined && this.#waits(result.id)) {
      const next = { content: byContent ? result.contentRevision : row.content, place: byPlace ? result.placeRevision : row.place };
      this.rows.set(result.id, { ...row, remote: result, ...next });
    } else this.rows.set(result.id, rowOf(result));
  }

  #liveFolder(folder: EntryId, here = false): EntryId {
    let nearest = folder;
    for (let id = folder; id !== root; ) {
      const row = this.rows.get(id);
      if (row === undefined) return root;
      const { parentId, deletedAt } = row.remote ?? row.local;
      if (deletedAt !== null || (here && row.local.deletedAt !== null)) nearest = parentId;
      id = parentId;
    }
    return nearest;
  }

  #above(folder: EntryId): EntryId {
    const row = this.rows.get(folder);
    return row === undefined ? root : this.#liveFolder((row.remote ?? row.local).parentId);
  }

  #refused(operation: Operation, refusal: Refusal): void {
    if (refusal.entry !== undefined) this.#adopt(refusal.entry);
    const row = this.rows.get(operation.entryId);
    const remote = refusal.entry?.id === operation.entryId ? refusal.entry : (row?.remote ?? null);
    const parentId = 'parentId' in operation ? operation.parentId : (row?.local.parentId ?? root);
    const folder = remote?.parentId ?? root;
    const standsIn = this.#liveFolder(folder);
    const unheard = refusal.reason === 'entry_deleted' && remote?.deletedAt === null && standsIn === folder;
    const later = this.queue.slice(1).findLast(({ kind, entryId }) => kind === 'write_file' && entryId === operation.entryId);
    const newer = later !== undefined && 'digest' in later ? later.digest : undefined;
    const one: RefusedCase = {
      wanted: operation,
      reason: refusal.reason,
      trees: {
        synced: row === undefined || row.remote === null ? null : { contentRevision: row.content, placeRevision: row.place },
        local: row?.local ?? null,
        remote,
      },
      standing: refusal.entry !== undefined && refusal.entry.id !== operation.entryId ? refusal.entry : null,
      standingGoes: this.queue.some(({ kind, entryId }) => kind === 'delete' && entryId === refusal.entry?.id),
      bytes: 'content' in operation ? 'staged' : 'none',
      root,
      refuge: this.#above(parentId),
      remoteRefuge: this.#liveFolder(unheard ? this.#above(folder) : standsIn, true),
      wantedFolderLive: this.#liveFolder(parentId) === parentId,
      newerDigest: newer,
      // As in the engine: newer bytes of our own are not mixed with what older ones were merged to.
      canMerge: newer === undefined,
      author: { deviceName: this.name, now: 0 },
    };
    let [action] = planRefused(one);
    if (action?.do === 'merge_text' && !this.#merged(operation, remote)) [action] = planRefused({ ...one, canMerge: false });
    this.queue.shift();
    this.queue.unshift(...this.#act(operation, action as RefusedAction, remote, refusal));
  }

  #merged(operation: Operation, remote: Entry | null): boolean {
    return remote?.digest != null && 'digest' in operation && this.mergeable(operation.digest, remote.digest);
  }

  #free(parentId: EntryId, name: string, except: EntryId, refused?: string): string {
    const taken = new Set([...this.rows.values()].flatMap(({ local }) => this.#takes(local, parentId, except)));
    if (refused !== undefined) taken.add(nameKey(refused));
    return freeName(name, (key) => taken.has(key));
  }

  #takes({ id, parentId, name, deletedAt }: Entry, folder: EntryId, except: EntryId): string[] {
    return parentId === folder && deletedAt === null && id !== except ? [nameKey(name)] : [];
  }

  /** Carries an action out; returns what is pushed instead. */
  #act(operation: Operation, action: RefusedAction, remote: Entry | null, refusal: Refusal): Operation[] {
    const { entryId } = operation;
    const row = this.rows.get(entryId);
    switch (action.do) {
      case 'adopt_remote':
      case 'settle':
        return this.#settle(operation, remote);
      case 'place': {
        if (!('parentId' in operation)) throw new Error('only what has a place can be placed');
        const refused = refusal.reason === 'name_taken' && action.parentId === operation.parentId ? operation.name : undefined;
        const name = this.#free(action.parentId, action.name, entryId, refused);
        if (row !== undefined && row.local.parentId === operation.parentId && row.local.name === operation.name)
          this.rows.set(entryId, { ...row, local: { ...row.local, parentId: action.parentId, name } });
        return [{ ...operation, parentId: action.parentId, name }];
      }
      case 'rebase':
        if (!('baseRevision' in operation) || operation.baseRevision === action.baseRevision) throw new Error('rebased onto the same');
        return [{ ...operation, baseRevision: action.baseRevision }];
      case 'restore_at_goal':
        return operation.kind === 'move' ? [{ ...operation, kind: 'restore', baseRevision: action.baseRevision }] : [];
      case 'restore_first': {
        const { parentId, baseRevision } = action;
        const name = this.#free(parentId, action.name, entryId);
        if (row !== undefined && !this.queue.some((each) => each.entryId === entryId && each.kind !== 'write_file'))
          this.rows.set(entryId, { ...row, local: { ...row.local, parentId, name, deletedAt: null } });
        return [{ kind: 'restore', entryId, baseRevision, parentId, name }, operation];
      }
      case 'conflict_copy':
        return this.#copy(operation, action, remote);
      case 'merge_text': {
        if (remote?.digest == null || !('digest' in operation) || row === undefined) throw new Error('nothing to merge');
        const digest = digestOf(0xf000 + this.merges.size + Number(this.name) * 0x100);
        this.merges.set(digest, [operation.digest, remote.digest]);
        this.rows.set(entryId, { ...row, local: { ...row.local, digest }, content: remote.contentRevision });
        return [{ kind: 'write_file', entryId, baseRevision: remote.contentRevision, ...contentOf(digest) }];
      }
      case 'merge_folder':
        this.#become(entryId, action.into);
        return [];
      case 'same_file':
        this.#become(entryId, action.into);
        return [];
      default:
        throw new Error(`given up: ${refusal.reason} ${JSON.stringify(operation)}`);
    }
  }

  #settle({ entryId }: Operation, remote: Entry | null): Operation[] {
    const row = this.rows.get(entryId);
    const others = this.queue.filter((each) => each.entryId === entryId);
    if (row === undefined) return [];
    if (others.length === 0) {
      if (remote === null) this.rows.delete(entryId);
      else this.rows.set(entryId, rowOf(remote));
    } else if (remote !== null && others.every(({ kind }) => kind === 'write_file')) {
      const { parentId, name, deletedAt, placeRevision } = remote;
      this.rows.set(entryId, { ...row, remote, place: placeRevision, local: { ...row.local, parentId, name, deletedAt } });
    }
    return [];
  }

  #copy(operation: Operation, action: Extract<RefusedAction, { do: 'conflict_copy' }>, remote: Entry | null): Operation[] {
    if (!('digest' in operation)) throw new Error('a copy of nothing');
    const row = this.rows.get(operation.entryId);
    const { digest } = operation;
    const later = this.queue.findLast((each) => each.entryId === operation.entryId && each.kind === 'write_file' && each !== operation);
    const newer = later !== undefined && 'digest' in later ? later.digest : undefined;
    const id = this.newId();
    const name = this.#free(action.parentId, action.name, id);
    if (row !== undefined && remote !== null) {
      if (this.queue.some(({ entryId }) => entryId === operation.entryId))
        this.rows.set(remote.id, {
          ...row,
          remote,
          content: remote.contentRevision,
          local: { ...row.local, digest: newer ?? remote.digest },
        });
      else this.rows.set(remote.id, rowOf(remote));
    }
    const revisions = { revision: 1, contentRevision: 1, placeRevision: 1, mtime: 0, deletedAt: null };
    const local: Entry = { id, parentId: action.parentId, name, kind: 'file', size: 1, digest, ...revisions };
    this.rows.set(id, { local, remote: null, content: 1, place: 1 });
    return [{ kind: 'create_file', entryId: id, parentId: action.parentId, name, ...contentOf(digest) }];
  }

  #become(from: EntryId, into: EntryId): void {
    for (const [id, row] of this.rows) {
      if (row.local.parentId === from) this.rows.set(id, { ...row, local: { ...row.local, parentId: into } });
    }
    const target = this.rows.get(into);
    const writes = this.queue.findLast((each) => each.entryId === from && each.kind === 'write_file');
    if (writes !== undefined && target !== undefined && 'digest' in writes) {
      this.rows.set(into, { ...target, local: { ...target.local, digest: writes.digest } });
    }
    this.queue = this.queue.flatMap((each): Operation[] => {
      if (each.entryId === from)
        return each === writes && each.kind === 'write_file'
          ? [{ ...each, entryId: into, baseRevision: target?.remote?.contentRevision ?? 1 }]
          : [];
      return ['parentId' in each && each.parentId === from ? { ...each, parentId: into } : each];
    });
    this.rows.delete(from);
  }
}
