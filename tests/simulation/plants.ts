/**
 * Faults on purpose, each of which the simulation has to notice. They are wrapped around ports and drivers here; product code knows
 * nothing of them.
 */
import type { RequestId } from '@/lib/sync/model/ids';
import type { LocalCursor, LocalWriting } from '@/lib/sync/ports/local-store';
import type { SyncService } from '@/lib/sync/ports/sync-service';
import type { CommitReply, CommitRequest, JournalCommit, Operation } from '@/lib/sync/protocol/commit';
import type { ChunkStore } from '@/server/block-server/chunk-store';
import type { MetadataStore } from '@/server/metadata-server/metadata-store';
import type { Disk } from './disk';
import type { World } from './world';

type Work<T> = (writing: LocalWriting) => Promise<T>;

/** Where a fault on purpose can be put into a device. */
export interface DevicePlant {
  service?(service: SyncService, world: World): SyncService;
  /** In place of a transaction of the local store. */
  write?<T>(disk: Disk, work: Work<T>, pause: (milliseconds: number) => Promise<void>): Promise<T>;
  crashed?(disk: Disk): void;
  /** Whether the sender will not send a transfer. */
  refuses?(transferId: string): boolean;
  sent?(transferId: string): void;
  readonly claimsDurable?: true;
}

/** Where one can be put into the server. */
export interface ServerPlant {
  metadata?(metadata: MetadataStore, world: World): MetadataStore;
  chunkStore?(store: ChunkStore): ChunkStore;
  crashed?(): void;
}

interface Plant {
  /** What is wrong, in a sentence. */
  readonly what: string;
  /** One for each device. */
  device?(): DevicePlant;
  server?(): ServerPlant;
}

const CONFLICT_COPY = /\(conflicted copy/;

function withoutCopies(operations: readonly Operation[]): readonly Operation[] {
  return operations.filter((operation) => !(operation.kind === 'create_file' && CONFLICT_COPY.test(operation.name)));
}

/** The losing side of a conflict is thrown away. */
function dropsCopies(writing: LocalWriting): LocalWriting {
  return {
    ...writing,
    putEntries: (rows) => writing.putEntries(rows.filter(({ name }) => !CONFLICT_COPY.test(name))),
    addRequest: async (request) => {
      const operations = withoutCopies(request.operations);
      if (operations.length > 0) await writing.addRequest({ ...request, operations });
    },
    putRequest: async (request) => {
      const operations = withoutCopies(request.operations);
      if (operations.length > 0) await writing.putRequest({ ...request, operations });
      else await writing.removeRequest(request.order);
    },
    updateTransfers: (changes) =>
      writing.updateTransfers(
        changes.map(({ id, changes: change }) =>
          change.name !== undefined && CONFLICT_COPY.test(change.name)
            ? { id, changes: { ...change, state: 'done' } }
            : { id, changes: change },
        ),
      ),
  };
}

/** Undoes a transaction that was only tried. */
class Tried extends Error {
  override name = 'Tried';
}

async function cursorFirst<T>(disk: Disk, work: Work<T>, pause: (milliseconds: number) => Promise<void>): Promise<T> {
  let moved: LocalCursor | null = null;
  try {
    await disk.store.write(async (writing) => {
      await work({
        ...writing,
        putCursor: async (row) => {
          moved = row;
        },
      });
      throw new Tried();
    });
  } catch (error) {
    if (!(error instanceof Tried)) throw error;
  }
  const row = moved as LocalCursor | null;
  if (row !== null) {
    await disk.store.write((writing) => writing.putCursor(row));
    await pause(2_000);
  }
  return disk.store.write(work);
}

function losesWrites(): DevicePlant {
  /** What the disk held before each of the last writes. */
  let before: Disk['store'][] = [];
  return {
    write: async (disk, work) => {
      before = [...before.slice(-4), disk.store.copy()];
      return disk.store.write(work);
    },
    crashed: (disk) => {
      disk.store = before[0] ?? disk.store;
      before = [];
    },
  };
}

function refusesToSendAgain(): DevicePlant {
  const sent = new Set<string>();
  return { refuses: (id) => sent.has(id), sent: (id) => void sent.add(id) };
}

function overMetadata(change: (metadata: MetadataStore, world: World) => Partial<MetadataStore>): Plant['server'] {
  return () => ({
    metadata: (metadata, world) => Object.assign(Object.create(metadata) as MetadataStore, bound(metadata), change(metadata, world)),
  });
}

/** The methods of a store with private fields, which an object made from it could not call. */
function bound(metadata: MetadataStore): MetadataStore {
  return {
    createNamespace: (args) => metadata.createNamespace(args),
    roleOf: (userId, namespaceId) => metadata.roleOf(userId, namespaceId),
    namespacesOf: (userId) => metadata.namespacesOf(userId),
    commit: (args) => metadata.commit(args),
    journalSince: (args) => metadata.journalSince(args),
    revisions: (namespaceId, files) => metadata.revisions(namespaceId, files),
    walk: (namespaceId, entryIds) => metadata.walk(namespaceId, entryIds),
  };
}

function appliesTwice(metadata: MetadataStore, world: World): Partial<MetadataStore> {
  const seen = new Set<RequestId>();
  const chance = world.chance.fork('twice');
  return {
    commit: async (args) => {
      const { request } = args;
      const again = seen.has(request.requestId);
      seen.add(request.requestId);
      return metadata.commit(again ? { ...args, request: { ...request, requestId: chance.uuid() as RequestId } } : args);
    },
  };
}

function overwritesStale(metadata: MetadataStore): Partial<MetadataStore> {
  return {
    commit: async (args) => {
      const reply = await metadata.commit(args);
      if (reply.ok || reply.reason !== 'stale_base' || reply.entry === undefined) return reply;
      const { contentRevision } = reply.entry;
      const operations = args.request.operations.map((operation, index) =>
        index === reply.operation && operation.kind === 'write_file' ? { ...operation, baseRevision: contentRevision } : operation,
      );
      return metadata.commit({ ...args, request: { ...args.request, operations } });
    },
  };
}

const TWIN = / ~~\d+$/;

/** A name that is taken is kept under a secret other one and told as if it were the same. */
function allowsSameNames(metadata: MetadataStore): Partial<MetadataStore> {
  let twins = 0;
  const told = <T extends { readonly name: string }>(entry: T): T => ({ ...entry, name: entry.name.replace(TWIN, '') });
  const answered = (reply: CommitReply): CommitReply => {
    if (reply.ok) return { ...reply, changes: reply.changes.map(told) };
    return reply.entry === undefined ? reply : { ...reply, entry: told(reply.entry) };
  };
  const renamed = (request: CommitRequest, index: number): CommitRequest => {
    twins += 1;
    const operations = request.operations.map((operation, at) =>
      at === index && 'name' in operation ? { ...operation, name: `${operation.name} ~~${twins}` } : operation,
    );
    return { ...request, operations };
  };
  return {
    commit: async (args) => {
      const reply = await metadata.commit(args);
      if (reply.ok || reply.reason !== 'name_taken') return answered(reply);
      return answered(await metadata.commit({ ...args, request: renamed(args.request, reply.operation) }));
    },
    journalSince: async (args) => {
      const page = await metadata.journalSince(args);
      return page === null ? null : { ...page, commits: page.commits.map((commit) => ({ ...commit, changes: commit.changes.map(told) })) };
    },
  };
}

function childrenFirst(metadata: MetadataStore): Partial<MetadataStore> {
  return {
    journalSince: async (args) => {
      const page = await metadata.journalSince(args);
      const reversed = (commit: JournalCommit) => ({ ...commit, changes: [...commit.changes].reverse() });
      return page === null ? null : { ...page, commits: page.commits.map(reversed) };
    },
  };
}

/** Changes the journal that one device gets. */
function overJournal(change: (commits: readonly JournalCommit[], world: World) => readonly JournalCommit[]): Plant['device'] {
  return () => ({
    service: (service, world) => ({
      ...service,
      journalSince: async (namespaceId, cursor) => {
        const reply = await service.journalSince(namespaceId, cursor);
        return reply.ok ? { ...reply, value: { ...reply.value, commits: change(reply.value.commits, world) } } : reply;
      },
    }),
  });
}

function losesPacks(): ServerPlant {
  const latest: string[] = [];
  let inner: ChunkStore | null = null;
  return {
    chunkStore: (store) => {
      inner = store;
      return {
        put: async (packId, path) => {
          latest.push(packId);
          await store.put(packId, path);
        },
        read: (packId, offset, length) => store.read(packId, offset, length),
        delete: (packId) => store.delete(packId),
      };
    },
    crashed: () => {
      for (const packId of latest.splice(0).slice(-3)) void inner?.delete(packId);
    },
  };
}

export const PLANTS = {
  drops_conflict_copies: {
    what: 'the losing side of a conflict gets no copy',
    device: () => ({ write: (disk, work) => disk.store.write((writing) => work(dropsCopies(writing))) }),
  },
  ignores_own_commits: {
    what: 'a device does not recognise its own commits in the journal',
    device: overJournal((commits, world) => {
      const chance = world.chance.fork('own');
      return commits.map((commit) => ({ ...commit, requestId: chance.uuid() as RequestId }));
    }),
  },
  applies_requests_twice: { what: 'the server forgets which requests it has applied', server: overMetadata(appliesTwice) },
  loses_a_journal_commit: {
    what: 'a page of the journal leaves out a commit',
    device: overJournal((commits) => (commits.length > 1 ? commits.filter((_, index) => index !== 1) : commits)),
  },
  overwrites_stale_bases: { what: 'the server takes what is based on an old revision', server: overMetadata(overwritesStale) },
  allows_same_names: { what: 'the server takes a name that is taken', server: overMetadata(allowsSameNames) },
  forgets_staged_bytes: { what: 'staged bytes do not outlive a crash', device: () => ({ crashed: (disk) => disk.staged.clear() }) },
  moves_the_cursor_first: { what: 'the cursor is durable before the rows', device: () => ({ write: cursorFirst }) },
  acknowledges_before_durable: { what: 'the last writes of a device are lost although they were acknowledged', device: losesWrites },
  loses_acknowledged_packs: { what: 'the block server acknowledges packs that are not durable', server: losesPacks },
  shows_children_first: { what: 'the journal shows a child before its folder', server: overMetadata(childrenFirst) },
  refuses_to_send_again: { what: 'chunks that went missing on the server are not sent again', device: refusesToSendAgain },
  claims_durable: { what: 'a transfer counts as durable although no byte was sent', device: () => ({ claimsDurable: true }) },
} as const satisfies Record<string, Plant>;

export type PlantName = keyof typeof PLANTS;
const plants: Readonly<Record<PlantName, Plant>> = PLANTS;

export function devicePlant(name: PlantName | null): DevicePlant {
  return name === null ? {} : (plants[name].device?.() ?? {});
}

export function serverPlant(name: PlantName | null): ServerPlant {
  return name === null ? {} : (plants[name].server?.() ?? {});
}
