import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Entry } from '@/lib/sync/model/entry';
import type { ChunkId, Cursor, DeviceId, Digest, EntryId, NamespaceId, RequestId, UserId } from '@/lib/sync/model/ids';
import { rootOf } from '@/lib/sync/model/ids';
import { encodeManifest, type Manifest, manifestBytes } from '@/lib/sync/model/manifest';
import type { CommitReply, FileContent, JournalCommit, Operation } from '@/lib/sync/protocol/commit';
import type { ChunkIndex } from '@/server/block-server/chunk-index';
import type { MetadataStore } from '@/server/metadata-server/metadata-store';

export interface MetadataUnderTest {
  readonly metadata: MetadataStore;
  readonly index: ChunkIndex;
}

export const sha256 = (bytes: Uint8Array): Digest => createHash('sha256').update(bytes).digest('hex') as Digest;
export const digestOf = (manifest: Manifest): Digest => sha256(encodeManifest(manifest));
export const newId = (): EntryId => randomUUID() as EntryId;

/** A chunk that nobody has stored yet. */
export function newChunk(size = 1000): Manifest[number] {
  return { id: randomBytes(32).toString('hex') as ChunkId, size };
}

/** What travels with an operation that brings content. */
export function bytesOf(manifest: Manifest, content: FileContent = { from: 'chunks', chunks: [...manifest] }) {
  return { size: manifestBytes(manifest), digest: digestOf(manifest), mtime: 1_700_000_000_123, content };
}

export function createFolder(name: string, parentId: EntryId, entryId = newId()): Operation {
  return { kind: 'create_folder', entryId, parentId, name, mtime: 5 };
}

export function createFile(name: string, parentId: EntryId, manifest: Manifest = [], entryId = newId()): Operation {
  return { kind: 'create_file', entryId, parentId, name, ...bytesOf(manifest) };
}

export function writeFile(entryId: EntryId, baseRevision: number, manifest: Manifest): Operation {
  return { kind: 'write_file', entryId, baseRevision, ...bytesOf(manifest) };
}

export const move = (entryId: EntryId, baseRevision: number, parentId: EntryId, name: string): Operation => ({
  kind: 'move',
  entryId,
  baseRevision,
  parentId,
  name,
});
export const remove = (entryId: EntryId, baseRevision: number): Operation => ({ kind: 'delete', entryId, baseRevision });
export const restore = (entryId: EntryId, baseRevision: number, parentId: EntryId, name: string): Operation => ({
  kind: 'restore',
  entryId,
  baseRevision,
  parentId,
  name,
});

export type Accepted = Extract<CommitReply, { ok: true }>;
export type Rejected = Extract<CommitReply, { ok: false }>;

/** One person with one namespace, and short words for what tests do with it. */
export class Person {
  readonly userId = randomUUID() as UserId;
  readonly deviceId = randomUUID() as DeviceId;
  readonly namespaceId = randomUUID() as NamespaceId;
  readonly root = rootOf(this.namespaceId);

  private constructor(readonly stores: MetadataUnderTest) {}

  static async make(stores: MetadataUnderTest): Promise<Person> {
    const person = new Person(stores);
    await stores.metadata.createNamespace({ id: person.namespaceId, kind: 'root', owner: person.userId });
    return person;
  }

  commit(operations: Operation[], requestId = randomUUID() as RequestId, at = Date.now()): Promise<CommitReply> {
    const { userId, deviceId, namespaceId } = this;
    return this.stores.metadata.commit({ userId, deviceId, at, request: { requestId, namespaceId, operations } });
  }

  async accepted(...operations: Operation[]): Promise<Accepted> {
    const reply = await this.commit(operations);
    expect(reply).toMatchObject({ ok: true });
    return reply as Accepted;
  }

  async rejected(...operations: Operation[]): Promise<Rejected> {
    const reply = await this.commit(operations);
    expect(reply).toMatchObject({ ok: false });
    return reply as Rejected;
  }

  /** Makes one folder or file and gives its entry. */
  async made(operation: Operation): Promise<Entry> {
    return (await this.accepted(operation)).changes[0] as Entry;
  }

  /** Chunks that lie in the chunk store and are granted to this namespace. */
  async stored(...chunks: Manifest): Promise<Manifest> {
    const packId = randomUUID();
    const places = chunks.map(({ id, size }, index) => ({ id, size, packId, offset: 100 + index, stored: size, encoding: 0 }));
    const granted = chunks.map((chunk) => chunk.id);
    await this.stores.index.record({ pack: { id: packId, bytes: 5000 }, places, namespaceId: this.namespaceId, granted });
    return chunks;
  }

  page(cursor: Cursor | null) {
    const { userId, deviceId, namespaceId } = this;
    return this.stores.metadata.journalSince({ userId, deviceId, namespaceId, cursor });
  }

  async journal(): Promise<readonly JournalCommit[]> {
    const commits: JournalCommit[] = [];
    for (let cursor: Cursor | null = null; ; ) {
      const page = await this.page(cursor);
      if (!page) throw new Error('no journal');
      commits.push(...page.commits);
      cursor = page.cursor;
      if (!page.more) return commits;
    }
  }

  async walked(...ids: EntryId[]): Promise<string[]> {
    const paths: string[] = [];
    for await (const batch of this.stores.metadata.walk(this.namespaceId, ids)) paths.push(...batch.map(({ path }) => path));
    return paths;
  }
}
