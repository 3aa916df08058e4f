import { browserClock, browserLog, browserRandom } from '@/lib/sync/adapters/browser/browser-clock';
import { type EntryRow, SatchelDatabase, type TransferRow } from '@/lib/sync/adapters/browser/database';
import { FileIntake, type IntakeItem } from '@/lib/sync/adapters/browser/file-intake';
import { noteSeen, OfflineContent } from '@/lib/sync/adapters/browser/offline-content';
import { OpfsStaging } from '@/lib/sync/adapters/browser/opfs-staging';
import { PackSender } from '@/lib/sync/adapters/browser/pack-sender';
import { pin } from '@/lib/sync/adapters/browser/pins';
import { TransferChannel } from '@/lib/sync/adapters/browser/transfer-channel';
import { createTusBlockServer } from '@/lib/sync/adapters/browser/tus-block-server';
import { webCryptoHasher } from '@/lib/sync/adapters/browser/web-crypto-hasher';
import { Chunker } from '@/lib/sync/chunking/chunker';
import type { EntryId, NamespaceId, UserId } from '@/lib/sync/model/ids';

/**
 * The client's bytes alone, without engine and metadata: what a test page drives. Requests are `{ id, call, args }`, answers
 * `{ id, value }` or `{ id, error }`.
 */
const userId = '00000000-0000-4000-8000-000000000001' as UserId;
const namespaceId = '00000000-0000-4000-8000-000000000002' as NamespaceId;
const headers = { 'x-who': `${userId}/00000000-0000-4000-8000-000000000003` };

const database = new SatchelDatabase(userId);
const channel = new TransferChannel(userId);
let intake: FileIntake;
let stop: AbortController | null = null;
let sending: Promise<void> = Promise.resolve();
let staging: OpfsStaging;

const calls = {
  async open() {
    await database.open();
    staging = await OpfsStaging.open(userId);
    intake = new FileIntake({
      database,
      staging,
      hasher: webCryptoHasher,
      random: browserRandom,
      log: browserLog,
      channel: new TransferChannel(userId),
    });
    await intake.open();
  },
  recover: () => intake.recover(),
  async send() {
    stop = new AbortController();
    const blocks = createTusBlockServer({ headers });
    const deps = { database, staging, blocks, hasher: webCryptoHasher, clock: browserClock, random: browserRandom, log: browserLog };
    sending = new PackSender({ ...deps, channel: new TransferChannel(userId) }).run(stop.signal);
    sending.catch((error: unknown) => console.error('sender broke', error));
  },
  async stopSending() {
    stop?.abort();
    await sending;
  },
  /** Puts the rows as an engine would, and gives the files to the intake. */
  async add(files: readonly File[]) {
    const items: IntakeItem[] = files.map((file) => ({ row: rowOf(file), file }));
    await database.transfers.bulkAdd(items.map((item) => item.row));
    intake.add(items);
    return items.map((item) => item.row.id);
  },
  async write(ids: readonly string[], changes: Partial<TransferRow>) {
    await database.transfers
      .where('id')
      .anyOf([...ids])
      .modify(changes);
    channel.say({ kind: 'changed', ids });
  },
  rows: () => database.transfers.toArray(),
  async counts() {
    const counts: Record<string, number> = {};
    for (const state of (await database.transfers.orderBy('state').keys()) as string[]) counts[state] = (counts[state] ?? 0) + 1;
    return counts;
  },
  count: (state: string) => database.transfers.where('state').equals(state).count(),
  /** Puts an entry as the engine would, in the name of an open account. */
  async entry(changes: Partial<EntryRow>) {
    void navigator.locks.request(`satchel-engine-${userId}`, { ifAvailable: true }, () => new Promise(() => undefined));
    await database.entries.put({ ...ENTRY, ...changes });
  },
  async offline(pinned: 0 | 1) {
    const row = await database.entries.get(ENTRY.id);
    if (row === undefined) throw new Error('no entry');
    if (pinned === 0) await noteSeen(database, row, Date.now());
    else await pin(database, [row.id], 0);
    new OfflineContent({ database, clock: browserClock, log: browserLog }).run(new AbortController().signal).catch(console.error);
  },
  offlineRows: () => database.offline.toArray(),
  packs: () => database.packs.toArray(),
  staged: async () => (await database.staged.toArray()).flatMap(({ segment, parts }) => parts.map((part) => ({ ...part, segment }))),
  stagingFiles: () => staging.list(),
  async damage(segment: string) {
    const root = await navigator.storage.getDirectory();
    const folder = await (await root.getDirectoryHandle(`satchel-${userId}`)).getDirectoryHandle('staging');
    const writable = await (await folder.getFileHandle(segment)).createWritable({ keepExistingData: true });
    await writable.write({ type: 'write', position: 10, data: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]) });
    await writable.close();
  },
  async boundaries(bytes: Uint8Array) {
    return new Chunker().push(bytes);
  },
};

const ENTRY: EntryRow = {
  id: '00000000-0000-4000-8000-000000000009' as EntryId,
  namespaceId,
  parentId: namespaceId as string as EntryId,
  name: 'picture.png',
  nameKey: 'picture.png',
  sortKey: 'picture.png',
  kind: 'file',
  rank: 1,
  live: 1,
  revision: 1,
  contentRevision: 1,
  placeRevision: 1,
  size: 0,
  digest: null,
  mtime: 0,
  deletedAt: null,
  state: 'synced',
};

function rowOf(file: File): TransferRow {
  return {
    id: crypto.randomUUID(),
    batchId: 'batch',
    namespaceId,
    parentId: namespaceId as string as EntryId,
    entryId: crypto.randomUUID() as EntryId,
    baseRevision: null,
    name: file.name,
    size: file.size,
    mtime: file.lastModified,
    state: 'queued',
    paused: 0,
    stagedBytes: 0,
    sentBytes: 0,
    createdAt: Date.now(),
    intakeId: intake.id,
  };
}

addEventListener('message', (event: MessageEvent<{ id: number; call: keyof typeof calls; args: readonly unknown[] }>) => {
  const { id, call, args } = event.data;
  const run = calls[call] as (...given: readonly unknown[]) => Promise<unknown>;
  Promise.resolve()
    .then(() => run(...args))
    .then(
      (value) => postMessage({ id, value }),
      (error: unknown) => postMessage({ id, error: String(error) }),
    );
});
