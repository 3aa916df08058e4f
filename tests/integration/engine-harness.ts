import { randomUUID } from 'node:crypto';
import { MemoryLocalStore } from '@/lib/sync/adapters/memory/memory-local-store';
import { MemoryMergeBench } from '@/lib/sync/adapters/memory/memory-merge-bench';
import { nodeHasher } from '@/lib/sync/adapters/node/node-hasher';
import type { IntentContext } from '@/lib/sync/engine/intents';
import { OwnDeletions } from '@/lib/sync/engine/own-deletions';
import { RequestLoop } from '@/lib/sync/engine/request-loop';
import { ResponseLoop } from '@/lib/sync/engine/response-loop';
import type { Entry } from '@/lib/sync/model/entry';
import { type ChunkId, type Cursor, type DeviceId, type EntryId, type NamespaceId, rootOf, type UserId } from '@/lib/sync/model/ids';
import type { Manifest } from '@/lib/sync/model/manifest';
import { nameKey } from '@/lib/sync/model/names';
import type { Clock, Random } from '@/lib/sync/ports/clock';
import type { LocalEntry, LocalStore, QueuedRequest } from '@/lib/sync/ports/local-store';
import type { Log } from '@/lib/sync/ports/log';
import type { MergeBench } from '@/lib/sync/ports/merge-bench';
import type { Reply, SyncService } from '@/lib/sync/ports/sync-service';
import type { CommitReply, CommitRequest, JournalCommit, JournalPage, Operation } from '@/lib/sync/protocol/commit';

export const clock: Clock = { now: () => Date.UTC(2026, 10, 20), sleep: async () => undefined };
export const random: Random = { uuid: () => randomUUID(), fraction: () => 0.5 };
export const log: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

const keys = new Map<string, string>();
/** Name keys, remembered: thousands of siblings are compared with each other. */
function keyOf(name: string): string {
  const key = keys.get(name) ?? nameKey(name);
  keys.set(name, key);
  return key;
}

type Refusal = Omit<Extract<CommitReply, { ok: false }>, 'ok' | 'operation'>;

/** Every chunk any device ever staged, by id: what pack uploads would have brought over. */
export const chunks = new Map<ChunkId, Uint8Array<ArrayBuffer>>();

/** One namespace with the server's rules, in memory: what the loops are held against where a whole server would be in the way. */
export class NamespaceServer {
  readonly id = randomUUID() as NamespaceId;
  readonly root = rootOf(this.id);
  entries = new Map<EntryId, Entry>();
  journal: JournalCommit[] = [];
  /** The bytes of every content revision, by `entry:contentRevision`. */
  readonly revisions = new Map<string, Manifest>();
  readonly #answers = new Map<string, CommitReply>();
  #epoch = 1;
  /** Journal changes of one page. */
  pageChanges = 5_000;

  service(deviceId: DeviceId): SyncService {
    return {
      namespaces: async () => ({
        ok: true,
        value: [{ id: this.id, kind: 'root', role: 'owner', cursor: this.#cursor(this.journal.length) }],
      }),
      commit: async (request) => ({ ok: true, value: structuredClone(this.#commit(deviceId, structuredClone(request))) }),
      journalSince: async (_, cursor) => structuredClone(this.#journalSince(cursor)),
      manifests: async () => ({ ok: true, value: { files: [] } }),
    };
  }

  /** A new history: every cursor given out so far is unknown from now on. */
  forgetCursors(): void {
    this.#epoch += 1;
  }

  named(name: string): Entry[] {
    return [...this.entries.values()].filter((entry) => entry.name === name && entry.deletedAt === null);
  }

  #cursor(seq: number): Cursor {
    return `${this.#epoch}:${seq}` as Cursor;
  }

  #journalSince(cursor: Cursor | null): Reply<JournalPage> {
    const [epoch, seq] = cursor === null ? [this.#epoch, 0] : cursor.split(':').map(Number);
    if (epoch !== this.#epoch || seq === undefined) return { ok: false, code: 'cursor_unknown', message: '' };
    const commits: JournalCommit[] = [];
    let changes = 0;
    for (const commit of this.journal.slice(seq)) {
      if (commits.length > 0 && changes + commit.changes.length > this.pageChanges) break;
      commits.push(commit);
      changes += commit.changes.length;
    }
    const last = seq + commits.length;
    return { ok: true, value: { namespaceId: this.id, commits, cursor: this.#cursor(last), more: last < this.journal.length } };
  }

  #commit(deviceId: DeviceId, request: CommitRequest): CommitReply {
    const known = this.#answers.get(request.requestId);
    if (known !== undefined) return known;
    const next = new Map(this.entries);
    const changed = new Map<EntryId, Entry>();
    for (const [index, operation] of request.operations.entries()) {
      const result = this.#apply(next, operation);
      if ('reason' in result) return { ok: false, operation: index, ...result };
      next.set(result.id, result);
      this.#keepContent(operation, result);
      changed.set(result.id, result);
    }
    this.entries = next;
    const seq = this.journal.length + 1;
    const changes = [...changed.values()];
    this.journal.push({ seq, requestId: request.requestId, deviceId, userId: 'u' as UserId, at: clock.now(), changes });
    const answer: CommitReply = { ok: true, seq, cursor: this.#cursor(seq), changes };
    this.#answers.set(request.requestId, answer);
    return answer;
  }

  #keepContent(operation: Operation, { id, contentRevision }: Entry): void {
    if (!('content' in operation) || operation.content.from === 'splices') return;
    const { content } = operation;
    const manifest = content.from === 'chunks' ? content.chunks : this.revisions.get(`${content.entryId}:${content.contentRevision}`);
    this.revisions.set(`${id}:${contentRevision}`, manifest ?? []);
  }

  /** The bytes of one revision, as a merge bench reads them. */
  async read(file: { entryId: EntryId; contentRevision: number }): Promise<Reply<Uint8Array<ArrayBuffer>>> {
    const manifest = this.revisions.get(`${file.entryId}:${file.contentRevision}`);
    if (manifest === undefined) return { ok: false, code: 'not_found', message: '' };
    return { ok: true, value: new Uint8Array(Buffer.concat(manifest.map(({ id }) => chunks.get(id) as Uint8Array))) };
  }

  #apply(entries: Map<EntryId, Entry>, operation: Operation): Entry | Refusal {
    const entry = entries.get(operation.entryId);
    if (operation.kind === 'create_folder' || operation.kind === 'create_file') {
      if (entry !== undefined) return { reason: 'entry_exists', entry };
      const place = this.#place(entries, operation);
      if (place !== null) return place;
      const { entryId: id, parentId, name, mtime } = operation;
      const bytes = operation.kind === 'create_file' ? { size: operation.size, digest: operation.digest } : { size: 0, digest: null };
      const kind = operation.kind === 'create_file' ? 'file' : 'folder';
      return { id, parentId, name, kind, mtime, ...bytes, revision: 1, contentRevision: 1, placeRevision: 1, deletedAt: null };
    }
    if (entry === undefined) return { reason: 'not_found' };
    const revision = entry.revision + 1;
    if (operation.kind === 'write_file') {
      if (!this.#isLive(entries, entry)) return { reason: 'entry_deleted', entry };
      if (entry.contentRevision > operation.baseRevision) return { reason: 'stale_base', entry };
      const { size, digest, mtime } = operation;
      return { ...entry, size, digest, mtime, revision, contentRevision: revision };
    }
    if (operation.kind === 'delete') {
      if (!this.#isLive(entries, entry)) return { reason: 'entry_deleted', entry };
      if (entry.revision > operation.baseRevision) return { reason: 'stale_base', entry };
      return { ...entry, deletedAt: clock.now(), revision, placeRevision: revision };
    }
    if (operation.kind === 'move' && !this.#isLive(entries, entry)) return { reason: 'entry_deleted', entry };
    if (entry.placeRevision > operation.baseRevision) return { reason: 'stale_base', entry };
    const place = this.#place(entries, operation);
    if (place !== null) return place;
    const { parentId, name } = operation;
    return { ...entry, parentId, name, deletedAt: null, revision, placeRevision: revision };
  }

  /** Not deleted, and nothing above it is. */
  #isLive(entries: Map<EntryId, Entry>, entry: Entry): boolean {
    for (let at: Entry | undefined = entry; at !== undefined; at = entries.get(at.parentId)) if (at.deletedAt !== null) return false;
    return true;
  }

  #place(entries: Map<EntryId, Entry>, { entryId, parentId, name }: { entryId: EntryId; parentId: EntryId; name: string }): Refusal | null {
    const parent = entries.get(parentId);
    if (parentId !== this.root && (parent === undefined || !this.#isLive(entries, parent))) return { reason: 'parent_missing' };
    for (let at = parent; at !== undefined; at = entries.get(at.parentId)) if (at.id === entryId) return { reason: 'would_cycle' };
    const key = keyOf(name);
    for (const other of entries.values()) {
      const taken = other.parentId === parentId && other.deletedAt === null && other.id !== entryId;
      if (taken && keyOf(other.name) === key) return { reason: 'name_taken', entry: other };
    }
    return null;
  }
}

/** What the network does with the next calls. */
export interface Weather {
  offline: boolean;
  /** So many of the next commits are applied, but their replies are lost. */
  repliesLost: number;
  /** So many of the next commits arrive twice. */
  duplicates: number;
}

function weathered(service: SyncService, weather: Weather): SyncService {
  const lost = { ok: false, code: 'offline', message: '' } as const;
  return {
    namespaces: async () => (weather.offline ? lost : service.namespaces()),
    journalSince: async (id, cursor) => (weather.offline ? lost : service.journalSince(id, cursor)),
    manifests: (request) => service.manifests(request),
    commit: async (request) => {
      if (weather.offline) return lost;
      if (weather.duplicates > 0) {
        weather.duplicates -= 1;
        await service.commit(request);
      }
      const reply = await service.commit(request);
      if (weather.repliesLost === 0) return reply;
      weather.repliesLost -= 1;
      return lost;
    },
  };
}

/** One device: local store, loops and wishes, over a network that may fail. */
export class Device {
  readonly weather: Weather = { offline: false, repliesLost: 0, duplicates: 0 };
  readonly context: IntentContext;
  readonly requests: RequestLoop;
  readonly responses: ResponseLoop;
  readonly told: string[] = [];
  readonly changed: EntryId[] = [];
  readonly #signal = new AbortController().signal;

  constructor(
    readonly name: string,
    namespaceId: NamespaceId,
    service: SyncService,
    readonly store: LocalStore = new MemoryLocalStore(),
    revision?: MergeBench['revision'],
  ) {
    const onTransfers = (ids: readonly string[]) => void this.told.push(...ids);
    this.context = { store, random, clock, rootNamespaceId: namespaceId, onTransfers };
    const deps = {
      store,
      service: weathered(service, this.weather),
      clock,
      random,
      log,
      deviceName: name,
      onTransfers,
      onReachable: () => undefined,
      deletions: new OwnDeletions(),
      ...(revision === undefined || !(store instanceof MemoryLocalStore)
        ? {}
        : { bench: new MemoryMergeBench({ store, hasher: nodeHasher, random, chunks, revision, state: 'durable' }) }),
    };
    this.requests = new RequestLoop(deps);
    const onChanged = (ids: readonly EntryId[]) => void this.changed.push(...ids);
    this.responses = new ResponseLoop({ ...deps, onChanged, onPulled: async () => undefined });
  }

  push() {
    return this.requests.drain(this.#signal);
  }

  pull() {
    return this.responses.pull(this.#signal);
  }

  /** Offline and back: pull, then push, then see the others' answer to it. */
  async sync(): Promise<void> {
    await this.pull();
    await this.push();
    await this.pull();
  }

  async row(id: EntryId): Promise<LocalEntry | undefined> {
    return (await this.store.read((reading) => reading.entries([id])))[0];
  }

  queue(): Promise<readonly QueuedRequest[]> {
    return this.store.read((reading) => reading.requests());
  }

  /** Live names in a folder, sorted. */
  async names(parentId: EntryId): Promise<string[]> {
    const rows = await this.store.read((reading) => reading.children(parentId));
    return rows
      .filter(({ deletedAt }) => deletedAt === null)
      .map(({ name }) => name)
      .sort();
  }
}
