import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { MemoryLocalStore } from '@/lib/sync/adapters/memory/memory-local-store';
import { copy, createFolder, move, remove, rename, restore, type Wish } from '@/lib/sync/engine/intents';
import { applyStagedTransfers, queueDurableTransfers } from '@/lib/sync/engine/transfer-commits';
import { cancelTransfers, retryTransfers } from '@/lib/sync/engine/transfer-intents';
import type { ChunkId, DeviceId, Digest, EntryId } from '@/lib/sync/model/ids';
import { encodeManifest, type Manifest } from '@/lib/sync/model/manifest';
import type { LocalTransfer } from '@/lib/sync/ports/local-store';
import { Device, NamespaceServer, random } from './engine-harness';

function idOf(wish: Wish): EntryId {
  if (!wish.ok) throw new Error(wish.sentence);
  return wish.entryIds[0] as EntryId;
}

function twoDevices() {
  const server = new NamespaceServer();
  const make = (name: string) => new Device(name, server.id, server.service(random.uuid() as DeviceId));
  return { server, root: server.root, one: make('one'), two: make('two') };
}

function manifestOf(text: string): Manifest {
  return text === '' ? [] : [{ id: createHash('sha256').update(text).digest('hex') as ChunkId, size: text.length }];
}

function digestOf(text: string): Digest {
  return createHash('sha256')
    .update(encodeManifest(manifestOf(text)))
    .digest('hex') as Digest;
}

/** A file whose bytes are staged and whose chunks the server already has. */
async function uploaded(
  device: Device,
  file: { parentId: EntryId; name: string; text: string; replaces?: { entryId: EntryId; baseRevision: number | null } },
): Promise<LocalTransfer> {
  const { parentId, name, text, replaces } = file;
  const transfer: LocalTransfer = {
    id: random.uuid(),
    namespaceId: device.context.rootNamespaceId,
    parentId,
    entryId: replaces?.entryId ?? (random.uuid() as EntryId),
    baseRevision: replaces?.baseRevision ?? null,
    name,
    size: text.length,
    mtime: 7,
    state: 'durable',
    paused: 0,
    stagedBytes: text.length,
    sentBytes: text.length,
    digest: digestOf(text),
  };
  (device.store as MemoryLocalStore).putTransfer(transfer, manifestOf(text));
  await applyStagedTransfers(device.store, [transfer.id]);
  return transfer;
}

async function stateOf(device: Device, id: string): Promise<LocalTransfer | undefined> {
  return (await device.store.read((reading) => reading.transfers([id])))[0];
}

describe('request loop', () => {
  test('a wish shows at once, waits offline, and settles when it is committed', async () => {
    const { server, root, one, two } = twoDevices();
    one.weather.offline = true;
    const photos = idOf(await createFolder(one.context, root, 'Photos'));
    expect(await one.row(photos)).toMatchObject({ state: 'waiting', remote: null });
    expect(await one.push()).toBe('later');
    expect((await one.queue())[0]?.attempts).toBe(1);
    one.weather.offline = false;
    expect(await one.push()).toBe('empty');
    expect(await one.row(photos)).toEqual({ ...server.entries.get(photos), namespaceId: server.id, state: 'synced' });
    await two.pull();
    expect(await two.names(root)).toEqual(['Photos']);
  });

  test('many wishes on one entry offline arrive in order, each on the revision before it', async () => {
    const { server, root, one } = twoDevices();
    one.weather.offline = true;
    const a = idOf(await createFolder(one.context, root, 'a'));
    const b = idOf(await createFolder(one.context, root, 'b'));
    await rename(one.context, b, 'c');
    await move(one.context, [b], a);
    await rename(one.context, b, 'd');
    await remove(one.context, [b]);
    await restore(one.context, [b]);
    one.weather.offline = false;
    await one.push();
    expect(server.entries.get(b)).toMatchObject({ parentId: a, name: 'd', deletedAt: null, revision: 6 });
    expect(await one.row(b)).toEqual({ ...server.entries.get(b), namespaceId: server.id, state: 'synced' });
  });

  test('a lost reply and a duplicate are applied once', async () => {
    const { server, root, one } = twoDevices();
    const a = idOf(await createFolder(one.context, root, 'a'));
    one.weather.repliesLost = 1;
    one.weather.duplicates = 1;
    expect(await one.push()).toBe('later');
    expect(server.journal).toHaveLength(1);
    expect(await one.push()).toBe('empty');
    expect(server.journal).toHaveLength(1);
    expect((await one.row(a))?.state).toBe('synced');
  });

  test('the journal shows a commit whose reply was lost: it is recognised and not sent again', async () => {
    const { server, root, one } = twoDevices();
    const a = idOf(await createFolder(one.context, root, 'a'));
    await rename(one.context, a, 'b');
    one.weather.repliesLost = 1;
    await one.push();
    await one.pull();
    expect(await one.queue()).toHaveLength(1);
    expect(await one.row(a)).toMatchObject({ name: 'b', state: 'waiting', remote: { name: 'a', revision: 1 } });
    await one.push();
    await one.pull();
    expect(await one.row(a)).toEqual({ ...server.entries.get(a), namespaceId: server.id, state: 'synced' });
  });

  test('two devices make the same folder: one folder holds what both put into it', async () => {
    const { server, root, one, two } = twoDevices();
    idOf(await createFolder(one.context, root, 'Work'));
    await one.push();
    const work = idOf(await createFolder(two.context, root, 'WORK'));
    const deep = idOf(await createFolder(two.context, work, 'deep'));
    await uploaded(two, { parentId: deep, name: 'x.txt', text: 'x' });
    await uploaded(two, { parentId: work, name: 'y.txt', text: 'y' });
    await two.push();
    const standing = server.named('Work')[0]?.id as EntryId;
    expect(server.named('deep')[0]?.parentId).toBe(standing);
    expect(server.named('x.txt')[0]?.parentId).toBe(deep);
    expect(server.named('y.txt')[0]?.parentId).toBe(standing);
    expect(await two.names(root)).toEqual(['Work']);
    expect(await two.names(standing)).toEqual(['deep', 'y.txt']);
    expect(await two.row(work)).toBeUndefined();
  });

  test('a name taken meanwhile: files of other bytes become conflict copies, folders beside files and moves name (2)', async () => {
    const { server, root, one, two } = twoDevices();
    const sub = idOf(await createFolder(two.context, root, 'sub'));
    const moved = idOf(await createFolder(two.context, sub, 'report.txt'));
    await two.push();
    await uploaded(one, { parentId: root, name: 'report.txt', text: '1' });
    await uploaded(one, { parentId: root, name: 'notes', text: 'n' });
    await one.push();
    await uploaded(two, { parentId: root, name: 'Report.txt', text: '2' });
    await two.push();
    await move(two.context, [moved], root);
    const notes = idOf(await createFolder(two.context, root, 'notes'));
    await two.push();
    await two.pull();
    expect(server.entries.get(notes)?.name).toBe('notes (2)');
    expect(server.entries.get(moved)?.name).toBe('report (2).txt');
    const copy = 'Report (conflicted copy, two, 2026-11-20).txt';
    expect(await two.names(root)).toEqual([copy, 'notes', 'notes (2)', 'report (2).txt', 'report.txt', 'sub']);
  });

  test('the same bytes under the same name are one file', async () => {
    const { server, root, one, two } = twoDevices();
    await uploaded(one, { parentId: root, name: 'a.txt', text: 'same' });
    await one.push();
    const transfer = await uploaded(two, { parentId: root, name: 'a.txt', text: 'same' });
    await two.push();
    expect(server.entries.size).toBe(1);
    expect((await stateOf(two, transfer.id))?.state).toBe('done');
    expect(await two.names(root)).toEqual(['a.txt']);
  });

  test('a rename that came too late is rolled back and says why; the rest of the request goes on', async () => {
    const { server, root, one, two } = twoDevices();
    const a = idOf(await createFolder(one.context, root, 'a'));
    const b = idOf(await createFolder(one.context, root, 'b'));
    const into = idOf(await createFolder(one.context, root, 'into'));
    await one.push();
    await two.pull();
    await rename(one.context, a, 'first');
    await one.push();
    await move(two.context, [a, b], into);
    await two.push();
    expect(await two.row(a)).toMatchObject({ name: 'first', parentId: root, state: 'failed', reason: 'stale_base' });
    expect(server.entries.get(b)?.parentId).toBe(into);
    expect(await two.queue()).toEqual([]);
  });

  test('what was put into a folder that another device deleted goes to the top', async () => {
    const { server, root, one, two } = twoDevices();
    const gone = idOf(await createFolder(one.context, root, 'gone'));
    await one.push();
    await two.pull();
    await remove(one.context, [gone]);
    await one.push();
    await uploaded(two, { parentId: gone, name: 'kept.txt', text: 'kept' });
    const inner = idOf(await createFolder(two.context, gone, 'inner'));
    await uploaded(two, { parentId: inner, name: 'deep.txt', text: 'deep' });
    await two.push();
    expect(server.named('kept.txt')[0]?.parentId).toBe(root);
    expect(server.named('inner')[0]).toMatchObject({ id: inner, parentId: root });
    expect(server.named('deep.txt')[0]?.parentId).toBe(inner);
  });

  test('copies send no content and keep the tree', async () => {
    const { server, root, one } = twoDevices();
    const a = idOf(await createFolder(one.context, root, 'a'));
    await uploaded(one, { parentId: a, name: 'f', text: 'f' });
    await one.push();
    const copied = idOf(await copy(one.context, [a], root));
    expect((await one.queue())[0]?.operations[1]).toMatchObject({ kind: 'create_file', content: { from: 'copy' } });
    await one.push();
    expect(await one.names(copied)).toEqual(['f']);
    expect(server.entries.get(copied)?.name).toBe('a (2)');
    expect(await copy(one.context, [a], a)).toMatchObject({ ok: false });
    expect(await move(one.context, [a], copied)).toMatchObject({ ok: true });
    expect(await move(one.context, [copied], a)).toMatchObject({ ok: false, sentence: 'A folder cannot be moved into itself.' });
  });
});

describe('transfers', () => {
  test('a thousand durable files become one commit', async () => {
    const { server, root, one } = twoDevices();
    for (let n = 0; n < 1000; n++) await uploaded(one, { parentId: root, name: `f${n}`, text: `text ${n}` });
    await one.push();
    expect(server.journal).toHaveLength(1);
    expect(server.entries.size).toBe(1000);
    expect(one.told).toHaveLength(1000);
    const row = await one.row(server.named('f7')[0]?.id as EntryId);
    expect(row).toEqual({ ...server.named('f7')[0], namespaceId: server.id, state: 'synced' });
  });

  test('renamed, moved and deleted while still uploading', async () => {
    const { server, root, one } = twoDevices();
    const sub = idOf(await createFolder(one.context, root, 'sub'));
    const transfer = await uploaded(one, { parentId: root, name: 'a', text: 'a' });
    await rename(one.context, transfer.entryId, 'b');
    await move(one.context, [transfer.entryId], sub);
    const dropped = await uploaded(one, { parentId: root, name: 'dropped', text: 'd' });
    await remove(one.context, [dropped.entryId]);
    await one.push();
    expect(server.named('b')[0]?.parentId).toBe(sub);
    expect(server.named('dropped')).toEqual([]);
    expect((await stateOf(one, dropped.id))?.state).toBe('cancelled');
    expect(await one.row(dropped.entryId)).toBeUndefined();
  });

  test('renamed while its commit is on the way', async () => {
    const { server, root, one } = twoDevices();
    const transfer = await uploaded(one, { parentId: root, name: 'a', text: 'a' });
    one.weather.repliesLost = 1;
    await one.push();
    await rename(one.context, transfer.entryId, 'b');
    expect(await cancelTransfers(one.store, [transfer.id])).toEqual([]);
    await one.push();
    expect(server.entries.get(transfer.entryId)?.name).toBe('b');
    expect(await one.row(transfer.entryId)).toMatchObject({ name: 'b', state: 'synced' });
  });

  test('replaced in place twice: each content is a revision, nothing conflicts with itself', async () => {
    const { server, root, one } = twoDevices();
    const { entryId } = await uploaded(one, { parentId: root, name: 'a', text: '1' });
    one.weather.repliesLost = 1;
    await one.push();
    const second = await uploaded(one, { parentId: root, name: 'a', text: '22', replaces: { entryId, baseRevision: null } });
    await one.push();
    const third = await uploaded(one, { parentId: root, name: 'a', text: '333', replaces: { entryId, baseRevision: 2 } });
    await one.push();
    expect(server.entries.get(entryId)).toMatchObject({ digest: digestOf('333'), revision: 3, contentRevision: 3 });
    expect([(await stateOf(one, second.id))?.state, (await stateOf(one, third.id))?.state]).toEqual(['done', 'done']);
    expect(await one.row(entryId)).toEqual({ ...server.entries.get(entryId), namespaceId: server.id, state: 'synced' });
    expect(server.entries.size).toBe(1);
  });

  test('written twice behind a waiting rename: the newer content is the one that is kept', async () => {
    const { server, root, one } = twoDevices();
    const { entryId } = await uploaded(one, { parentId: root, name: 'a', text: '1' });
    await one.push();
    await rename(one.context, entryId, 'b');
    const older = await uploaded(one, { parentId: root, name: 'b', text: '22', replaces: { entryId, baseRevision: 1 } });
    await uploaded(one, { parentId: root, name: 'b', text: '333', replaces: { entryId, baseRevision: 1 } });
    expect((await stateOf(one, older.id))?.state).toBe('cancelled');
    await one.sync();
    expect(server.entries.get(entryId)).toMatchObject({ name: 'b', digest: digestOf('333') });
  });

  test('written again behind a write that is refused because the file was deleted: neither content is lost', async () => {
    const { server, root, one, two } = twoDevices();
    const { entryId } = await uploaded(one, { parentId: root, name: 'a', text: '1' });
    await one.push();
    await two.pull();
    await remove(two.context, [entryId]);
    await two.push();
    await uploaded(one, { parentId: root, name: 'a', text: '22', replaces: { entryId, baseRevision: 1 } });
    await queueDurableTransfers(one.store, one.context);
    await uploaded(one, { parentId: root, name: 'a', text: '333', replaces: { entryId, baseRevision: 1 } });
    await one.sync();
    const live = [...server.entries.values()].filter(({ deletedAt }) => deletedAt === null).map(({ digest }) => digest);
    expect(live).toContain(digestOf('333'));
    expect([...live, ...server.journal.flatMap(({ changes }) => changes.map(({ digest }) => digest))]).toContain(digestOf('22'));
  });

  test('opened again while an older content of the file waits in the queue: the newer one stays', async () => {
    const { server, root, one } = twoDevices();
    const { entryId } = await uploaded(one, { parentId: root, name: 'a', text: '1' });
    await one.push();
    const older = await uploaded(one, { parentId: root, name: 'a', text: '22', replaces: { entryId, baseRevision: 1 } });
    await queueDurableTransfers(one.store, one.context);
    const newer = await uploaded(one, { parentId: root, name: 'a', text: '333', replaces: { entryId, baseRevision: 1 } });
    await applyStagedTransfers(one.store, [older.id, newer.id]);
    await applyStagedTransfers(one.store, [newer.id, older.id]);
    expect(await one.row(entryId)).toMatchObject({ digest: digestOf('333'), transferId: newer.id });
    await one.sync();
    expect(server.entries.get(entryId)).toMatchObject({ digest: digestOf('333'), contentRevision: 3 });
  });

  test('chunks of a content that was overwritten meanwhile are not sent again: the newer one makes the file', async () => {
    const server = new NamespaceServer();
    const service = server.service(random.uuid() as DeviceId);
    let missing = true;
    const one = new Device('one', server.id, {
      ...service,
      commit: async (request) =>
        missing ? { ok: true, value: { ok: false, reason: 'chunk_missing', operation: 0, missing: [] } } : service.commit(request),
    });
    const older = await uploaded(one, { parentId: server.root, name: 'a', text: '1' });
    await queueDurableTransfers(one.store, one.context);
    const { entryId } = older;
    const newer = await uploaded(one, { parentId: server.root, name: 'a', text: '22', replaces: { entryId, baseRevision: null } });
    await one.store.write((writing) => writing.updateTransfers([{ id: newer.id, changes: { state: 'sending' } }]));
    await one.push();
    expect((await stateOf(one, older.id))?.state).toBe('cancelled');
    missing = false;
    await one.store.write((writing) => writing.updateTransfers([{ id: newer.id, changes: { state: 'durable' } }]));
    await one.sync();
    expect([...server.entries.values()]).toMatchObject([{ id: entryId, name: 'a', digest: digestOf('22') }]);
  });

  test('written on two devices: the later one keeps its bytes as a conflict copy', async () => {
    const { server, root, one, two } = twoDevices();
    const { entryId } = await uploaded(one, { parentId: root, name: 'plan.txt', text: 'base' });
    await one.push();
    await two.pull();
    await uploaded(one, { parentId: root, name: 'plan.txt', text: 'ONE', replaces: { entryId, baseRevision: 1 } });
    await one.push();
    // A rename of its own in between must not hide that the content moved on.
    await rename(two.context, entryId, 'plan b.txt');
    const losing = await uploaded(two, { parentId: root, name: 'plan.txt', text: 'TWO', replaces: { entryId, baseRevision: 1 } });
    await two.sync();
    expect(server.entries.get(entryId)).toMatchObject({ digest: digestOf('ONE'), name: 'plan b.txt' });
    const copies = [...server.entries.values()].filter(({ digest }) => digest === digestOf('TWO'));
    expect(copies.map(({ name }) => name)).toEqual(['plan b (conflicted copy, two, 2026-11-20).txt']);
    expect((await stateOf(two, losing.id))?.state).toBe('done');
    expect(await two.names(root)).toEqual(['plan b (conflicted copy, two, 2026-11-20).txt', 'plan b.txt']);
  });

  test('written here, deleted there: the bytes live on as a copy', async () => {
    const { server, root, one, two } = twoDevices();
    const { entryId } = await uploaded(one, { parentId: root, name: 'a.txt', text: 'base' });
    await one.push();
    await two.pull();
    await remove(one.context, [entryId]);
    await one.push();
    await uploaded(two, { parentId: root, name: 'a.txt', text: 'new', replaces: { entryId, baseRevision: 1 } });
    await two.sync();
    expect([...server.entries.values()].find(({ digest }) => digest === digestOf('new'))).toMatchObject({
      deletedAt: null,
      parentId: root,
    });
    expect(await two.row(entryId)).toMatchObject({ state: 'synced' });
  });

  test('chunks the server misses are sent again, and a failed transfer can be tried again', async () => {
    const { server, root, one } = twoDevices();
    const service = server.service('d' as DeviceId);
    const store = new MemoryLocalStore();
    let answer: 'chunk_missing' | 'bad_name' | null = 'chunk_missing';
    const device = new Device(
      'x',
      server.id,
      {
        ...service,
        commit: async (request) => {
          if (answer === null) return service.commit(request);
          return { ok: true, value: { ok: false, reason: answer, operation: 0, missing: [] } };
        },
      },
      store,
    );
    const transfer = await uploaded(device, { parentId: root, name: 'a', text: 'a' });
    expect(await device.push()).toBe('empty');
    expect((await stateOf(device, transfer.id))?.state).toBe('staged');
    expect(device.told).toEqual([transfer.id]);
    store.putTransfer({ ...transfer, state: 'durable' }, manifestOf('a'));
    answer = 'bad_name';
    await device.push();
    expect(await stateOf(device, transfer.id)).toMatchObject({ state: 'failed', reason: 'bad_name' });
    expect(await device.row(transfer.entryId)).toMatchObject({ state: 'failed', reason: 'bad_name' });
    answer = null;
    await retryTransfers(store, 'all');
    expect((await stateOf(device, transfer.id))?.state).toBe('staged');
    store.putTransfer({ ...transfer, state: 'durable' }, manifestOf('a'));
    await device.push();
    expect(server.named('a')).toHaveLength(1);
    expect(await one.names(root)).toEqual([]);
  });

  test('a request the server cannot read is cut until the bad operation is alone', async () => {
    const { server, root } = twoDevices();
    const service = server.service('d' as DeviceId);
    const device = new Device('x', server.id, {
      ...service,
      commit: async (request) => {
        const bad = request.operations.some((operation) => 'name' in operation && operation.name === 'bad');
        return bad ? { ok: false, code: 'bad_request', message: '' } : service.commit(request);
      },
    });
    for (const name of ['a', 'b', 'bad', 'c', 'd']) await uploaded(device, { parentId: root, name, text: name });
    await device.push();
    expect([...server.entries.values()].map(({ name }) => name).sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(await device.queue()).toEqual([]);
  });

  test('cancelled before it is committed, its row goes', async () => {
    const { server, root, one } = twoDevices();
    const transfer = await uploaded(one, { parentId: root, name: 'a', text: 'a' });
    expect(await cancelTransfers(one.store, 'all')).toEqual([transfer.id]);
    await one.push();
    expect(server.entries.size).toBe(0);
    expect(await one.names(root)).toEqual([]);
  });
});

describe('response loop', () => {
  test('a device that was away catches up from its cursor and writes only what changed', async () => {
    const { server, root, one, two } = twoDevices();
    server.pageChanges = 2;
    const ids: EntryId[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) ids.push(idOf(await createFolder(one.context, root, name)));
    await one.push();
    await two.pull();
    expect(await two.names(root)).toEqual(['a', 'b', 'c', 'd', 'e']);
    two.changed.length = 0;
    await rename(one.context, ids[0] as EntryId, 'A!');
    await one.push();
    await two.pull();
    expect(two.changed).toEqual([ids[0]]);
    await two.pull();
    expect(two.changed).toEqual([ids[0]]);
    one.changed.length = 0;
    await one.pull();
    expect(one.changed).toEqual([]);
  });

  test('own waiting changes stay, and remember what the server has now', async () => {
    const { root, one, two } = twoDevices();
    const a = idOf(await createFolder(one.context, root, 'a'));
    await one.push();
    await two.pull();
    await rename(two.context, a, 'mine');
    await rename(one.context, a, 'theirs');
    await one.push();
    await two.pull();
    expect(await two.row(a)).toMatchObject({ name: 'mine', state: 'waiting', remote: { name: 'theirs', revision: 2 } });
  });

  test('an unknown cursor: read anew, sweep what is gone, keep what only this device has', async () => {
    const { server, root, one, two } = twoDevices();
    server.pageChanges = 1;
    const a = idOf(await createFolder(one.context, root, 'a'));
    await one.push();
    const lost = idOf(await createFolder(one.context, root, 'lost'));
    await one.push();
    await two.pull();
    two.weather.offline = true;
    const mine = idOf(await createFolder(two.context, root, 'mine'));
    two.weather.offline = false;
    // The server was set back: one entry is not in its history any more, another has an older state.
    server.entries.delete(lost);
    server.journal = server.journal.filter(({ changes }) => changes[0]?.id !== lost);
    server.forgetCursors();
    expect(await two.pull()).toBe('done');
    expect(await two.row(lost)).toBeUndefined();
    expect(await two.row(a)).toMatchObject({ state: 'synced' });
    expect(await two.row(mine)).toMatchObject({ state: 'waiting' });
    await two.push();
    expect(server.named('mine')).toHaveLength(1);
  });

  test('5,000 entries at once', async () => {
    const { root, one, two } = twoDevices();
    for (let n = 0; n < 5_000; n++) await uploaded(one, { parentId: root, name: `f${n}`, text: '' });
    await one.push();
    await two.pull();
    expect(await two.names(root)).toHaveLength(5_000);
  });
});
