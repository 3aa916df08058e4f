import type { EntryId, NamespaceId } from '../../model/ids';
import { decodeManifest, encodeManifest, type Manifest, manifestBytes } from '../../model/manifest';
import { nameKey } from '../../model/names';
import type {
  Connection,
  LocalCursor,
  LocalEntry,
  LocalReading,
  LocalStore,
  LocalTransfer,
  LocalWriting,
  QueuedRequest,
} from '../../ports/local-store';

interface State {
  readonly entries: Map<EntryId, LocalEntry>;
  readonly requests: Map<number, QueuedRequest>;
  readonly cursors: Map<NamespaceId, LocalCursor>;
  readonly transfers: Map<string, LocalTransfer>;
  readonly staged: Map<string, Uint8Array<ArrayBuffer>>;
  connection: Connection | null;
  lastOrder: number;
}

/** The faithful twin of the store in IndexedDB: serial transactions, nothing of a failed one remains. For tests and the simulation. */
export class MemoryLocalStore implements LocalStore {
  #state: State = {
    entries: new Map(),
    requests: new Map(),
    cursors: new Map(),
    transfers: new Map(),
    staged: new Map(),
    connection: null,
    lastOrder: 0,
  };
  #turn: Promise<unknown> = Promise.resolve();

  read<T>(work: (reading: LocalReading) => Promise<T>): Promise<T> {
    return this.#inTurn(() => work(readingOf(this.#state)));
  }

  write<T>(work: (writing: LocalWriting) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      const undo: (() => void)[] = [];
      const { connection, lastOrder } = this.#state;
      try {
        return await work(writingOf(this.#state, undo));
      } catch (error) {
        for (const step of undo.reverse()) step();
        Object.assign(this.#state, { connection, lastOrder });
        throw error;
      }
    });
  }

  /** What intake does in a browser: puts a transfer with its staged chunks. */
  putTransfer(transfer: LocalTransfer, manifest: Manifest | null = null): void {
    this.#state.transfers.set(transfer.id, transfer);
    if (manifest !== null) this.#state.staged.set(transfer.id, encodeManifest(manifest));
  }

  /** The chunks of a transfer whose bytes were staged; its row is not touched. */
  putStaged(transferId: string, manifest: Manifest): void {
    this.#state.staged.set(transferId, encodeManifest(manifest));
  }

  /** What the sweep of staging does: the chunks of a transfer are known no more. */
  removeStaged(transferId: string): void {
    this.#state.staged.delete(transferId);
  }

  /** Another store that holds what this one holds now; called between transactions. */
  copy(): MemoryLocalStore {
    const copy = new MemoryLocalStore();
    const { entries, requests, cursors, transfers, staged, connection, lastOrder } = this.#state;
    copy.#state = {
      entries: new Map(entries),
      requests: new Map(requests),
      cursors: new Map(cursors),
      transfers: new Map(transfers),
      staged: new Map(staged),
      connection,
      lastOrder,
    };
    return copy;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

function readingOf(state: State): LocalReading {
  const orders = () => [...state.requests.keys()].sort((a, b) => a - b);
  return {
    entries: async (ids) => ids.map((id) => state.entries.get(id)),
    children: async (parentId) => [...state.entries.values()].filter((row) => row.parentId === parentId),
    liveByName: async (parentId, key) =>
      [...state.entries.values()].filter((row) => row.parentId === parentId && row.deletedAt === null && nameKey(row.name) === key),
    entryIds: async (namespaceId) => [...state.entries.values()].filter((row) => row.namespaceId === namespaceId).map((row) => row.id),
    isEmpty: async () => state.entries.size === 0,
    requests: async () => orders().map((order) => state.requests.get(order) as QueuedRequest),
    firstRequest: async () => state.requests.get(orders()[0] ?? -1),
    cursors: async () => [...state.cursors.values()],
    transfers: async (ids) => ids.map((id) => state.transfers.get(id)),
    transfersOf: async (entryIds) => [...state.transfers.values()].filter((row) => entryIds.includes(row.entryId)),
    transfersIn: async (states, limit) => [...state.transfers.values()].filter((row) => states.includes(row.state)).slice(0, limit),
    stagedManifests: async (transfers) =>
      transfers.map(({ id, size }) => {
        const bytes = state.staged.get(id);
        const manifest = bytes === undefined ? [] : decodeManifest(bytes);
        return manifestBytes(manifest) === size ? manifest : null;
      }),
    connection: async () => state.connection,
  };
}

function writingOf(state: State, undo: (() => void)[]): LocalWriting {
  const put = <K, V>(map: Map<K, V>, key: K, value: V | undefined) => {
    const before = map.get(key);
    undo.push(() => (before === undefined ? map.delete(key) : map.set(key, before)));
    if (value === undefined) map.delete(key);
    else map.set(key, value);
  };
  return {
    ...readingOf(state),
    putEntries: async (rows) => {
      for (const row of rows) put(state.entries, row.id, structuredClone(row));
    },
    removeEntries: async (ids) => {
      for (const id of ids) put(state.entries, id, undefined);
    },
    addRequest: async (request) => {
      state.lastOrder += 1;
      put(state.requests, state.lastOrder, structuredClone({ ...request, order: state.lastOrder }));
    },
    putRequest: async (request) => put(state.requests, request.order, structuredClone(request)),
    removeRequest: async (order) => put(state.requests, order, undefined),
    putCursor: async (row) => put(state.cursors, row.namespaceId, row),
    updateTransfers: async (changes) => {
      for (const { id, changes: change } of changes) {
        const row = state.transfers.get(id);
        if (row !== undefined) put(state.transfers, id, { ...row, ...change });
      }
    },
    putConnection: async (connection) => {
      state.connection = connection;
    },
  };
}
