/** The metadata server's twin in memory: the same decisions by the same function, for tests and the simulation. Nothing outlives the process. */
import { assert } from '@/lib/sync/model/assert';
import type { Entry } from '@/lib/sync/model/entry';
import type { ChunkId, Cursor, DeviceId, Digest, EntryId, NamespaceId, RequestId, UserId } from '@/lib/sync/model/ids';
import { rootOf } from '@/lib/sync/model/ids';
import { JOURNAL_CHANGES_PER_PAGE } from '@/lib/sync/model/limits';
import { decodeManifest, type Manifest } from '@/lib/sync/model/manifest';
import { nameKey } from '@/lib/sync/model/names';
import type { CommitReply, CommitRequest, JournalCommit, JournalPage, NamespaceView } from '@/lib/sync/protocol/commit';
import type { ChunkIndex, ChunkPlace } from '../../block-server/chunk-index';
import { applyCommit, type Hash } from '../apply';
import { cursorAt, seqOf } from '../cursors';
import type { FileRevision, MetadataStore, Role } from '../metadata-store';
import { selectionTops } from '../selection';
import { manifestKey, needsOf, placementKey, type WorkingSet } from '../working-set';

interface StoredRevision {
  readonly size: number;
  readonly digest: Digest;
  readonly mtime: number;
  readonly manifest: Manifest;
}

interface Namespace {
  readonly id: NamespaceId;
  readonly kind: 'root' | 'shared';
  readonly members: Map<UserId, Role>;
  readonly entries: Map<EntryId, Entry>;
  readonly revisions: Map<string, StoredRevision>;
  readonly granted: Set<ChunkId>;
  readonly journal: JournalCommit[];
  readonly requests: Map<RequestId, JournalCommit>;
}

/** Both stores over the same records, as they share one database in production. `hash` is SHA-256. */
export function createMemoryMetadata(hash: Hash): { readonly metadata: MetadataStore; readonly index: MemoryChunkIndex } {
  const namespaces = new Map<NamespaceId, Namespace>();
  const places = new Map<ChunkId, ChunkPlace>();
  return { metadata: new MemoryMetadataStore(namespaces, places, hash), index: new MemoryChunkIndex(namespaces, places) };
}

function reachable(namespaces: ReadonlyMap<NamespaceId, Namespace>, userId: UserId, id: ChunkId): boolean {
  return [...namespaces.values()].some((namespace) => namespace.members.has(userId) && namespace.granted.has(id));
}

class MemoryMetadataStore implements MetadataStore {
  constructor(
    private readonly namespaces: Map<NamespaceId, Namespace>,
    private readonly places: ReadonlyMap<ChunkId, ChunkPlace>,
    private readonly hash: Hash,
  ) {}

  async createNamespace({ id, kind, owner }: { id: NamespaceId; kind: 'root' | 'shared'; owner: UserId }): Promise<void> {
    if (this.namespaces.has(id)) return;
    const members = new Map<UserId, Role>([[owner, 'owner']]);
    const empty = { entries: new Map(), revisions: new Map(), granted: new Set<ChunkId>(), journal: [], requests: new Map() };
    this.namespaces.set(id, { id, kind, members, ...empty });
  }

  async roleOf(userId: UserId, namespaceId: NamespaceId): Promise<Role | null> {
    return this.namespaces.get(namespaceId)?.members.get(userId) ?? null;
  }

  async namespacesOf(userId: UserId): Promise<readonly NamespaceView[]> {
    return [...this.namespaces.values()].flatMap(({ id, kind, members, journal }) => {
      const role = members.get(userId);
      return role ? [{ id, kind, role, cursor: cursorAt(id, journal.length) }] : [];
    });
  }

  async commit(args: { userId: UserId; deviceId: DeviceId; at: number; request: CommitRequest }): Promise<CommitReply> {
    const { request, userId, deviceId, at } = args;
    const namespace = this.namespaces.get(request.namespaceId);
    assert(namespace !== undefined, 'the caller has made sure that the namespace exists');
    const seen = namespace.requests.get(request.requestId);
    if (seen) return this.accepted(namespace, seen);
    const applied = applyCommit({ request, before: this.workingSet(namespace, userId, request), at, hash: this.hash });
    if (!applied.ok) return applied;
    for (const entry of applied.changes) namespace.entries.set(entry.id, entry);
    for (const { entryId, contentRevision, manifest, ...rest } of applied.revisions) {
      namespace.revisions.set(manifestKey(entryId, contentRevision), { ...rest, manifest: decodeManifest(manifest) });
    }
    for (const id of applied.grants) namespace.granted.add(id);
    const { requestId } = request;
    const commit = { seq: namespace.journal.length + 1, requestId, deviceId, userId, at, changes: applied.changes };
    namespace.journal.push(commit);
    namespace.requests.set(requestId, commit);
    return this.accepted(namespace, commit);
  }

  private accepted({ id }: Namespace, { seq, changes }: JournalCommit): CommitReply {
    return { ok: true, seq, cursor: cursorAt(id, seq), changes };
  }

  /** All entries stand in it: only what is derived has to be looked up. */
  private workingSet(namespace: Namespace, userId: UserId, request: CommitRequest): WorkingSet {
    const needs = needsOf(request);
    const entries = new Map<EntryId, Entry>();
    for (const id of needs.entryIds) addChain(namespace, entries, id);
    if (needs.placements.length > 0) {
      const wanted = new Set(needs.placements.map(placementKey));
      for (const entry of namespace.entries.values()) {
        const key = placementKey({ parentId: entry.parentId, nameKey: nameKey(entry.name) });
        if (entry.deletedAt === null && wanted.has(key)) entries.set(entry.id, entry);
      }
    }
    const manifests = new Map<string, Manifest>();
    const present = needs.splicedIds.map((entryId) => ({ entryId, contentRevision: namespace.entries.get(entryId)?.contentRevision ?? 0 }));
    for (const { entryId, contentRevision } of [...present, ...needs.copies]) {
      const key = manifestKey(entryId, contentRevision);
      const revision = namespace.revisions.get(key);
      if (revision) manifests.set(key, revision.manifest);
    }
    const chunks = new Map<ChunkId, { size: number; granted: boolean }>();
    for (const id of needs.chunkIds) {
      const size = this.places.get(id)?.size;
      const granted = namespace.granted.has(id);
      if (size !== undefined && (granted || reachable(this.namespaces, userId, id))) chunks.set(id, { size, granted });
    }
    return { entries, heights: new Map(needs.movedIds.map((id) => [id, heightOf(namespace, id)])), manifests, chunks };
  }

  async journalSince(args: { namespaceId: NamespaceId; cursor: Cursor | null }): Promise<JournalPage | null> {
    const { namespaceId, cursor } = args;
    const journal = this.namespaces.get(namespaceId)?.journal;
    const since = cursor === null ? 0 : seqOf(namespaceId, cursor);
    if (!journal || since === null || since > journal.length) return null;
    const commits: JournalCommit[] = [];
    let changes = 0;
    for (const commit of journal.slice(since)) {
      changes += commit.changes.length;
      if (commits.length > 0 && changes > JOURNAL_CHANGES_PER_PAGE) break;
      commits.push(commit);
      if (commits.length === JOURNAL_CHANGES_PER_PAGE) break;
    }
    const last = since + commits.length;
    return { namespaceId, commits, cursor: cursorAt(namespaceId, last), more: last < journal.length };
  }

  async revisions(
    namespaceId: NamespaceId,
    files: readonly { entryId: EntryId; contentRevision: number }[],
  ): Promise<readonly FileRevision[]> {
    const namespace = this.namespaces.get(namespaceId);
    return files.flatMap(({ entryId, contentRevision }) => {
      const entry = namespace?.entries.get(entryId);
      const revision = namespace?.revisions.get(manifestKey(entryId, contentRevision));
      return entry && revision ? [{ entry, contentRevision, ...revision }] : [];
    });
  }

  async *walk(namespaceId: NamespaceId, entryIds: readonly EntryId[]): AsyncIterable<readonly { entry: Entry; path: string }[]> {
    const namespace = this.namespaces.get(namespaceId);
    if (!namespace) return;
    let level = selectionTops(rootOf(namespaceId), namespace.entries, entryIds).map((entry) => ({ entry, path: entry.name }));
    while (level.length > 0) {
      yield level;
      level = level.flatMap((folder) =>
        childrenOf(namespace, folder.entry.id).map((entry) => ({ entry, path: `${folder.path}/${entry.name}` })),
      );
    }
  }
}

function childrenOf({ entries }: Namespace, id: EntryId): readonly Entry[] {
  return [...entries.values()].filter((entry) => entry.parentId === id && entry.deletedAt === null);
}

function heightOf(namespace: Namespace, id: EntryId): number {
  return Math.max(0, ...childrenOf(namespace, id).map((child) => 1 + heightOf(namespace, child.id)));
}

function addChain(namespace: Namespace, entries: Map<EntryId, Entry>, id: EntryId): void {
  for (let entry = namespace.entries.get(id); entry && !entries.has(entry.id); entry = namespace.entries.get(entry.parentId)) {
    entries.set(entry.id, entry);
  }
}

/** The block server's records of the same twin. */
export class MemoryChunkIndex implements ChunkIndex {
  constructor(
    private readonly namespaces: ReadonlyMap<NamespaceId, Namespace>,
    private readonly places: Map<ChunkId, ChunkPlace>,
  ) {}

  async known(ids: readonly ChunkId[]): Promise<ReadonlySet<ChunkId>> {
    return new Set(ids.filter((id) => this.places.has(id)));
  }

  async record(args: Parameters<ChunkIndex['record']>[0]): Promise<void> {
    for (const place of args.places) if (!this.places.has(place.id)) this.places.set(place.id, place);
    const namespace = this.namespaces.get(args.namespaceId);
    assert(namespace !== undefined, 'chunks are granted to a namespace that exists');
    for (const id of args.granted) namespace.granted.add(id);
  }

  async unreachable(userId: UserId, ids: readonly ChunkId[]): Promise<readonly ChunkId[]> {
    return ids.filter((id) => !reachable(this.namespaces, userId, id));
  }

  async locate(ids: readonly ChunkId[]): Promise<readonly ChunkPlace[]> {
    return ids.flatMap((id) => this.places.get(id) ?? []);
  }

  /** What garbage collection does: chunks that no revision names are forgotten, whoever was granted them. Returns how many. */
  forgetUnnamed(): number {
    const named = new Set<ChunkId>();
    for (const { revisions } of this.namespaces.values())
      for (const { manifest } of revisions.values()) for (const { id } of manifest) named.add(id);
    const unnamed = [...this.places.keys()].filter((id) => !named.has(id));
    for (const id of unnamed) {
      this.places.delete(id);
      for (const { granted } of this.namespaces.values()) granted.delete(id);
    }
    return unnamed.length;
  }
}
