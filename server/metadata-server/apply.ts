/**
 * Decides a commit: all its operations against the part of the namespace they touch. Pure, so that every store decides alike.
 *
 * Note “bases within a commit”: a device names the revision it saw before the commit, also where an earlier operation of the same commit
 * has moved the entry on. So bases are held against the entry as it was before the commit, and may be as new as it is by now.
 *
 * Note “names at the end”: names have to be free when the commit ends, not in between, so that two entries can swap theirs.
 */
import { assert, unreachable } from '@/lib/sync/model/assert';
import type { Entry } from '@/lib/sync/model/entry';
import type { ChunkId, Digest, EntryId } from '@/lib/sync/model/ids';
import { rootOf } from '@/lib/sync/model/ids';
import { DEPTH_MAX } from '@/lib/sync/model/limits';
import { applySplices, encodeManifest, type Manifest, manifestBytes } from '@/lib/sync/model/manifest';
import { checkName, nameKey } from '@/lib/sync/model/names';
import type { CommitReply, CommitRequest, Operation } from '@/lib/sync/protocol/commit';
import type { ErrorCode } from '@/lib/sync/protocol/error-codes';
import { chunksNamed, manifestKey, placementKey, type WorkingSet } from './working-set';

/** Chunks named in one `chunk_missing`. */
const MISSING_SHOWN_MAX = 1000;

/** SHA-256 as 64 hexadecimal digits. */
export type Hash = (bytes: Uint8Array<ArrayBuffer>) => Digest;

export interface NewRevision {
  readonly entryId: EntryId;
  readonly contentRevision: number;
  readonly size: number;
  readonly digest: Digest;
  readonly mtime: number;
  /** Encoded. */
  readonly manifest: Uint8Array<ArrayBuffer>;
}

export type Rejection = Extract<CommitReply, { readonly ok: false }>;

export type Applied =
  | {
      readonly ok: true;
      /** New states of all entries named, parents before children. */
      readonly changes: readonly Entry[];
      readonly revisions: readonly NewRevision[];
      /** Chunks to be granted to the namespace. */
      readonly grants: readonly ChunkId[];
    }
  | Rejection;

type Refusal = Omit<Rejection, 'ok' | 'operation'>;
type Place = Pick<Entry, 'parentId' | 'name'>;
type Of<K extends Operation['kind']> = Extract<Operation, { readonly kind: K }>;

/** Applies `request` to `before`: the new states, or why not. `at` (milliseconds since 1970 UTC) is when deleted entries were deleted. */
export function applyCommit(args: { request: CommitRequest; before: WorkingSet; at: number; hash: Hash }): Applied {
  return new Application(args.request, args.before, args.at, args.hash).run();
}

class Application {
  private readonly root: EntryId;
  private readonly entries: Map<EntryId, Entry>;
  private readonly heights: Map<EntryId, number>;
  private readonly manifests: Map<string, Manifest>;
  private readonly touched = new Set<EntryId>();
  private readonly revisions: NewRevision[] = [];
  private readonly grants = new Set<ChunkId>();
  /** Which operation last placed an entry. */
  private readonly placedBy = new Map<EntryId, number>();
  private index = 0;

  constructor(
    private readonly request: CommitRequest,
    private readonly before: WorkingSet,
    private readonly at: number,
    private readonly hash: Hash,
  ) {
    this.root = rootOf(request.namespaceId);
    this.entries = new Map(before.entries);
    this.heights = new Map(before.heights);
    this.manifests = new Map(before.manifests);
  }

  run(): Applied {
    for (const operation of this.request.operations) {
      const refusal = this.apply(operation);
      if (refusal) return { ok: false, operation: this.index, ...refusal };
      this.index++;
    }
    return this.nameTaken() ?? { ok: true, changes: this.changes(), revisions: this.revisions, grants: [...this.grants] };
  }

  private apply(operation: Operation): Refusal | null {
    switch (operation.kind) {
      case 'create_folder':
      case 'create_file':
        return this.create(operation);
      case 'write_file':
        return this.write(operation);
      case 'move':
      case 'restore':
        return this.move(operation);
      case 'delete':
        return this.delete(operation);
      default:
        return unreachable(operation);
    }
  }

  private create(operation: Of<'create_folder'> | Of<'create_file'>): Refusal | null {
    const { entryId } = operation;
    if (entryId === this.root) return { reason: 'entry_exists' };
    const existing = this.entries.get(entryId);
    if (existing) return { reason: 'entry_exists', entry: existing };
    const place = this.placeFor(operation, entryId);
    if ('reason' in place) return place;
    const born = { id: entryId, ...place, revision: 1, contentRevision: 1, placeRevision: 1, mtime: operation.mtime, deletedAt: null };
    if (operation.kind === 'create_folder') {
      this.put({ ...born, kind: 'folder', size: 0, digest: null });
    } else {
      const refusal = this.takeContent(operation, null, 1);
      if (refusal) return refusal;
      this.put({ ...born, kind: 'file', size: operation.size, digest: operation.digest });
    }
    this.placed(entryId);
    return null;
  }

  private write(operation: Of<'write_file'>): Refusal | null {
    const entry = this.entries.get(operation.entryId);
    if (!entry) return { reason: 'not_found' };
    if (entry.kind !== 'file') return { reason: 'not_a_file', entry };
    if (!this.isLive(entry)) return { reason: 'entry_deleted', entry };
    const stale = this.isStale(entry, operation.baseRevision, 'content');
    if (operation.digest === entry.digest && (stale || operation.mtime === entry.mtime)) {
      // The bytes are there already, whoever brought them: nothing to disagree about.
      if (operation.size !== entry.size) return { reason: 'digest_mismatch' };
      this.touched.add(entry.id);
      return null;
    }
    if (stale) return { reason: 'stale_base', entry };
    const revision = entry.revision + 1;
    const refusal = this.takeContent(operation, this.baseManifest(entry, operation), revision);
    if (refusal) return refusal;
    const { size, digest, mtime } = operation;
    this.put({ ...entry, size, digest, mtime, revision, contentRevision: revision });
    return null;
  }

  private move(operation: Of<'move'> | Of<'restore'>): Refusal | null {
    const entry = this.entries.get(operation.entryId);
    if (!entry) return { reason: 'not_found' };
    const live = this.isLive(entry);
    if (!live && operation.kind === 'move') return { reason: 'entry_deleted', entry };
    const stale = this.isStale(entry, operation.baseRevision, 'place');
    if (live && entry.parentId === operation.parentId && entry.name === operation.name.normalize('NFC')) {
      // It stands there already; only the case of a base nobody could have seen is left to be refused.
      if (operation.baseRevision > entry.revision) return { reason: 'stale_base', entry };
      this.touched.add(entry.id);
      return null;
    }
    if (stale) return { reason: 'stale_base', entry };
    const place = this.placeFor(operation, entry.id);
    if ('reason' in place) return place;
    const revision = entry.revision + 1;
    this.put({ ...entry, ...place, deletedAt: null, revision, placeRevision: revision });
    this.placed(entry.id);
    return null;
  }

  private delete(operation: Of<'delete'>): Refusal | null {
    const entry = this.entries.get(operation.entryId);
    if (!entry) return { reason: 'not_found' };
    if (!this.isLive(entry)) return { reason: 'entry_deleted', entry };
    if (this.isStale(entry, operation.baseRevision, 'place') || this.isStale(entry, operation.baseRevision, 'content')) {
      return { reason: 'stale_base', entry };
    }
    const revision = entry.revision + 1;
    this.put({ ...entry, deletedAt: this.at, revision, placeRevision: revision });
    return null;
  }

  /** See the note “bases within a commit”. */
  private isStale(entry: Entry, baseRevision: number, what: 'content' | 'place'): boolean {
    if (baseRevision > entry.revision) return true;
    const held = this.before.entries.get(entry.id);
    if (!held) return false;
    return baseRevision < (what === 'content' ? held.contentRevision : held.placeRevision);
  }

  private baseManifest(entry: Entry, { baseRevision, content }: Of<'write_file'>): Manifest | null {
    if (content.from !== 'splices') return null;
    const held = this.before.entries.get(entry.id);
    const contentRevision = baseRevision >= entry.contentRevision || !held ? entry.contentRevision : held.contentRevision;
    return this.manifests.get(manifestKey(entry.id, contentRevision)) ?? null;
  }

  private placeFor(asked: { parentId: EntryId; name: string }, entryId: EntryId): Place | Refusal {
    const checked = checkName(asked.name);
    if (!checked.ok) return { reason: 'bad_name' };
    let above = 0;
    if (asked.parentId !== this.root) {
      const parent = this.entries.get(asked.parentId);
      if (asked.parentId === entryId) return { reason: 'would_cycle' };
      if (!parent) return { reason: 'parent_missing' };
      if (parent.kind !== 'folder') return { reason: 'not_a_folder', entry: parent };
      if (!this.isLive(parent)) return { reason: 'parent_missing', entry: parent };
      for (let folder: Entry | undefined = parent; folder; folder = this.entries.get(folder.parentId)) {
        if (folder.id === entryId) return { reason: 'would_cycle' };
        above++;
      }
    }
    if (above + (this.heights.get(entryId) ?? 0) > DEPTH_MAX) return { reason: 'too_deep' };
    return { parentId: asked.parentId, name: checked.name };
  }

  /** Remembers who placed it, and that the folders above have become deeper. */
  private placed(entryId: EntryId): void {
    this.placedBy.set(entryId, this.index);
    let height = this.heights.get(entryId) ?? 0;
    let folder = this.entries.get((this.entries.get(entryId) as Entry).parentId);
    for (; folder; folder = this.entries.get(folder.parentId)) {
      height++;
      if ((this.heights.get(folder.id) ?? 0) < height) this.heights.set(folder.id, height);
    }
  }

  private isLive(entry: Entry): boolean {
    let above: Entry | undefined = entry;
    let steps = 0;
    for (;;) {
      if (above.deletedAt !== null) return false;
      if (above.parentId === this.root) return true;
      above = this.entries.get(above.parentId);
      assert(above !== undefined, 'the working set holds every folder above');
      assert(++steps <= 2 * DEPTH_MAX + 2, 'folders form a tree');
    }
  }

  /** Checks an operation's content and keeps it as revision `contentRevision`. */
  private takeContent(operation: Of<'create_file'> | Of<'write_file'>, base: Manifest | null, contentRevision: number): Refusal | null {
    const { content, entryId, size, digest, mtime } = operation;
    for (const chunk of chunksNamed(content)) {
      const known = this.before.chunks.get(chunk.id);
      if (!known) return { reason: 'chunk_missing', missing: this.missingChunks() };
      if (known.size !== chunk.size) return { reason: 'digest_mismatch' };
      if (!known.granted) this.grants.add(chunk.id);
    }
    const manifest = this.resolve(operation, base);
    if (typeof manifest === 'string') return { reason: manifest };
    if (manifestBytes(manifest) !== size) return { reason: 'digest_mismatch' };
    const encoded = encodeManifest(manifest);
    if (this.hash(encoded) !== digest) return { reason: 'digest_mismatch' };
    this.manifests.set(manifestKey(entryId, contentRevision), manifest);
    this.revisions.push({ entryId, contentRevision, size, digest, mtime, manifest: encoded });
    return null;
  }

  private resolve({ content }: Of<'create_file'> | Of<'write_file'>, base: Manifest | null): Manifest | ErrorCode {
    if (content.from === 'chunks') return content.chunks;
    if (content.from === 'copy') return this.manifests.get(manifestKey(content.entryId, content.contentRevision)) ?? 'not_found';
    if (base === null) return 'bad_request';
    return applySplices(base, content.splices) ?? 'digest_mismatch';
  }

  /** Of the whole commit, so that the device can bring them all at once. */
  private missingChunks(): readonly ChunkId[] {
    const missing = new Set<ChunkId>();
    for (const operation of this.request.operations) {
      if (!('content' in operation)) continue;
      for (const chunk of chunksNamed(operation.content)) if (!this.before.chunks.has(chunk.id)) missing.add(chunk.id);
    }
    return [...missing].slice(0, MISSING_SHOWN_MAX);
  }

  private put(entry: Entry): void {
    this.entries.set(entry.id, entry);
    this.touched.add(entry.id);
  }

  /** See the note “names at the end”. */
  private nameTaken(): Rejection | null {
    const holders = new Map<string, Entry>();
    let worst: Rejection | null = null;
    for (const entry of this.entries.values()) {
      if (entry.deletedAt !== null) continue;
      const key = placementKey({ parentId: entry.parentId, nameKey: nameKey(entry.name) });
      const other = holders.get(key);
      holders.set(key, entry);
      if (!other) continue;
      const [first, second] = (this.placedBy.get(other.id) ?? -1) < (this.placedBy.get(entry.id) ?? -1) ? [other, entry] : [entry, other];
      const operation = this.placedBy.get(second.id);
      assert(operation !== undefined, 'two live entries had the same name before');
      if (!worst || operation < worst.operation) worst = { ok: false, reason: 'name_taken', operation, entry: first };
    }
    return worst;
  }

  private changes(): readonly Entry[] {
    const ordered = new Set<Entry>();
    const add = (entry: Entry): void => {
      const parent = this.entries.get(entry.parentId);
      if (parent) add(parent);
      if (this.touched.has(entry.id)) ordered.add(entry);
    };
    for (const id of this.touched) add(this.entries.get(id) as Entry);
    return [...ordered];
  }
}
