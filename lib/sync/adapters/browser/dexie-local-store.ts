import { Dexie, type Transaction } from 'dexie';
import { parseConflictName } from '../../model/conflict-names';
import { manifestBytes } from '../../model/manifest';
import { nameKey } from '../../model/names';
import type { Connection, LocalEntry, LocalReading, LocalStore, LocalWriting, QueuedRequest } from '../../ports/local-store';
import { bulkRead } from './bulk-read';
import { type EntryRow, type SatchelDatabase, sortKeyOf, type TransferRow } from './database';
import { chunksIn, partsOf } from './staged-rows';

/** Adds what the indexes need. Undefined fields are left out: they would take room in every row. */
export function entryRowOf(entry: LocalEntry): EntryRow {
  const key = nameKey(entry.name);
  return {
    id: entry.id,
    parentId: entry.parentId,
    name: entry.name,
    kind: entry.kind,
    revision: entry.revision,
    contentRevision: entry.contentRevision,
    placeRevision: entry.placeRevision,
    size: entry.size,
    digest: entry.digest,
    mtime: entry.mtime,
    deletedAt: entry.deletedAt,
    namespaceId: entry.namespaceId,
    live: entry.deletedAt === null ? 1 : 0,
    rank: entry.kind === 'folder' ? 0 : 1,
    nameKey: key,
    sortKey: sortKeyOf(key),
    state: entry.state,
    ...(entry.reason === undefined ? {} : { reason: entry.reason }),
    ...(entry.remote === undefined ? {} : { remote: entry.remote }),
    ...(entry.transferId === undefined ? {} : { transferId: entry.transferId }),
    ...(entry.kind === 'file' && entry.deletedAt === null && parseConflictName(entry.name) !== null ? { conflict: 1 } : {}),
  };
}

/** The tables, bound to one transaction. */
interface Bound {
  readonly entries: SatchelDatabase['entries'];
  readonly requests: SatchelDatabase['requests'];
  readonly cursors: SatchelDatabase['cursors'];
  readonly transfers: SatchelDatabase['transfers'];
  readonly staged: SatchelDatabase['staged'];
  readonly settings: SatchelDatabase['settings'];
}

/**
 * Note “bound tables”: Dexie finds the running transaction by following awaits, and gives up after about a hundred of them that
 * were not its own; a table asked then works outside the transaction, which the browser meanwhile commits. Tables taken from the
 * transaction itself need no such search.
 */
function bound(transaction: Transaction): Bound {
  return {
    entries: transaction.table('entries'),
    requests: transaction.table('requests'),
    cursors: transaction.table('cursors'),
    transfers: transaction.table('transfers'),
    staged: transaction.table('staged'),
    settings: transaction.table('settings'),
  };
}

function reading({ entries, requests, cursors, transfers, staged, settings }: Bound): LocalReading {
  return {
    entries: (ids) => bulkRead(entries, ids),
    children: (parentId) => entries.where('[parentId+nameKey]').between([parentId, Dexie.minKey], [parentId, Dexie.maxKey]).toArray(),
    async liveByName(parentId, key) {
      const rows = await entries.where('[parentId+nameKey]').equals([parentId, key]).toArray();
      return rows.filter((row) => row.live === 1);
    },
    async entryIds(namespaceId) {
      const ids: EntryRow['id'][] = [];
      await entries.each((row) => {
        if (row.namespaceId === namespaceId) ids.push(row.id);
      });
      return ids;
    },
    isEmpty: async () => (await entries.limit(1).primaryKeys()).length === 0,
    requests: async () => (await requests.orderBy(':id').toArray()) as QueuedRequest[],
    firstRequest: async () => (await requests.orderBy(':id').first()) as QueuedRequest | undefined,
    cursors: () => cursors.toArray(),
    transfers: (ids) => bulkRead(transfers, ids),
    transfersOf: (entryIds) =>
      entryIds.length === 0
        ? Promise.resolve([])
        : transfers
            .where('entryId')
            .anyOf([...entryIds])
            .toArray(),
    async transfersIn(states, limit) {
      const rows: TransferRow[] = [];
      // One state at a time reads in bulk, several at once row by row.
      for (const state of states) {
        const found = transfers.where('state').equals(state);
        // No number stands for “all”: browsers refuse limits above 2³² − 1.
        if (limit === undefined) rows.push(...(await found.toArray()));
        else if (rows.length < limit) rows.push(...(await found.limit(limit - rows.length).toArray()));
      }
      return rows.sort((a, b) => a.createdAt - b.createdAt);
    },
    async stagedManifests(wanted) {
      const parts = await partsOf(
        staged,
        wanted.filter(({ size }) => size > 0),
      );
      return wanted.map(({ id, size }) => {
        const manifest = chunksIn(parts.get(id) ?? []);
        return size === 0 ? [] : manifestBytes(manifest) === size ? manifest : null;
      });
    },
    connection: async () => ((await settings.get('connection'))?.value as Connection | undefined) ?? null,
  };
}

function writing(tables: Bound): LocalWriting {
  const { entries, requests, cursors, transfers, settings } = tables;
  return {
    ...reading(tables),
    putEntries: async (rows) => void (await entries.bulkPut(rows.map(entryRowOf))),
    removeEntries: async (ids) => void (await entries.bulkDelete([...ids])),
    addRequest: async ({ order: _, ...request }) => void (await requests.add(request)),
    putRequest: async (request) => void (await requests.put(request)),
    removeRequest: async (order) => void (await requests.delete(order)),
    putCursor: async (row) => void (await cursors.put(row)),
    async updateTransfers(changes) {
      const rows = await bulkRead(
        transfers,
        changes.map(({ id }) => id),
      );
      const next: TransferRow[] = [];
      changes.forEach((change, index) => {
        const row = rows[index];
        if (row !== undefined) next.push({ ...row, ...change.changes });
      });
      await transfers.bulkPut(next);
    },
    putConnection: async (connection) => void (await settings.put({ key: 'connection', value: connection })),
  };
}

/** The device's store in IndexedDB; usable from pages, workers and the service worker at the same time. */
export function createDexieLocalStore(database: SatchelDatabase): LocalStore {
  const tables = [database.entries, database.requests, database.cursors, database.transfers, database.staged, database.settings];
  return {
    // Dexie follows native awaits only into functions that are `async` themselves; without the word browsers commit too early.
    read: (work) => database.transaction('r', tables, async (transaction) => work(reading(bound(transaction)))),
    write: (work) => database.transaction('rw', tables, async (transaction) => work(writing(bound(transaction)))),
  };
}
