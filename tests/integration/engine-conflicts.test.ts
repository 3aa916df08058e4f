import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { MemoryLocalStore } from '@/lib/sync/adapters/memory/memory-local-store';
import { confirmHeld, discardHeld } from '@/lib/sync/engine/held';
import { createFolder, move, remove, rename, type Wish } from '@/lib/sync/engine/intents';
import { applyStagedTransfers } from '@/lib/sync/engine/transfer-commits';
import type { ChunkId, DeviceId, Digest, EntryId } from '@/lib/sync/model/ids';
import { encodeManifest, type Manifest } from '@/lib/sync/model/manifest';
import type { LocalTransfer } from '@/lib/sync/ports/local-store';
import { chunks, Device, NamespaceServer, random } from './engine-harness';

function idOf(wish: Wish): EntryId {
  if (!wish.ok) throw new Error(wish.sentence);
  return wish.entryIds[0] as EntryId;
}

function twoDevices() {
  const server = new NamespaceServer();
  const make = (name: string) =>
    new Device(name, server.id, server.service(random.uuid() as DeviceId), new MemoryLocalStore(), (file) => server.read(file));
  return { server, root: server.root, one: make('one'), two: make('two') };
}

function staged(text: string): { readonly manifest: Manifest; readonly digest: Digest } {
  const bytes = new TextEncoder().encode(text);
  const id = createHash('sha256').update(bytes).digest('hex') as ChunkId;
  chunks.set(id, bytes);
  const manifest = text === '' ? [] : [{ id, size: bytes.length }];
  return { manifest, digest: createHash('sha256').update(encodeManifest(manifest)).digest('hex') as Digest };
}

/** A new file, or new bytes for one, whose chunks the server already has. */
async function write(device: Device, file: { parentId: EntryId; name: string; text: string; entryId?: EntryId }): Promise<EntryId> {
  const { parentId, name, text } = file;
  const { manifest, digest } = staged(text);
  const row = file.entryId === undefined ? undefined : await device.row(file.entryId);
  const size = new TextEncoder().encode(text).length;
  const transfer: LocalTransfer = {
    id: random.uuid(),
    namespaceId: device.context.rootNamespaceId,
    parentId,
    entryId: row?.id ?? (random.uuid() as EntryId),
    baseRevision: row === undefined || row.remote === null ? null : row.contentRevision,
    name,
    size,
    mtime: 7,
    state: 'durable',
    paused: 0,
    stagedBytes: size,
    sentBytes: size,
    digest,
  };
  (device.store as MemoryLocalStore).putTransfer(transfer, manifest);
  await applyStagedTransfers(device.store, [transfer.id]);
  return transfer.entryId;
}

async function textOf(server: NamespaceServer, id: EntryId): Promise<string> {
  const entry = server.entries.get(id);
  const reply = await server.read({ entryId: id, contentRevision: entry?.contentRevision ?? 0 });
  return reply.ok ? new TextDecoder().decode(reply.value) : reply.code;
}

/** Both devices show what the server has, and nothing waits. */
async function expectConverged(server: NamespaceServer, ...devices: Device[]) {
  for (const device of devices) {
    await device.sync();
    expect(await device.queue()).toEqual([]);
    for (const entry of server.entries.values()) {
      const { state: _, reason: __, namespaceId: ___, ...row } = (await device.row(entry.id)) ?? { namespaceId: '', state: 'missing' };
      expect(row).toEqual(entry);
    }
    const ids = await device.store.read((reading) => reading.entryIds(server.id));
    expect([...ids].sort()).toEqual([...server.entries.keys()].sort());
  }
}

/** A file `a.txt` in a folder `f`, known to both devices. */
async function shared(text = 'one\ntwo\nthree\nfour\n') {
  const all = twoDevices();
  const { one, two, root } = all;
  const folder = idOf(await createFolder(one.context, root, 'f'));
  const file = await write(one, { parentId: folder, name: 'a.txt', text });
  await one.sync();
  await two.sync();
  return { ...all, folder, file };
}

describe('the same file written on two devices', () => {
  test('texts whose changes do not touch become one file, without a copy', async () => {
    const { server, one, two, folder, file } = await shared();
    await write(one, { parentId: folder, name: 'a.txt', text: 'ONE\ntwo\nthree\nfour\n', entryId: file });
    await write(two, { parentId: folder, name: 'a.txt', text: 'one\ntwo\nthree\nFOUR\n', entryId: file });
    await one.push();
    await two.push();
    expect(await textOf(server, file)).toBe('ONE\ntwo\nthree\nFOUR\n');
    expect(await one.sync().then(() => one.names(folder))).toEqual(['a.txt']);
    await expectConverged(server, one, two);
  });

  test('texts whose changes touch, and bytes that are no text, are both kept', async () => {
    for (const [ours, theirs] of [
      ['one\nTWO\nthree\nfour\n', 'one\n2\nthree\nfour\n'],
      ['\0ours', '\0theirs'],
    ] as const) {
      const { server, one, two, folder, file } = await shared();
      await write(one, { parentId: folder, name: 'a.txt', text: theirs, entryId: file });
      await write(two, { parentId: folder, name: 'a.txt', text: ours, entryId: file });
      await one.push();
      await two.sync();
      expect(await textOf(server, file)).toBe(theirs);
      const copy = server.named('a (conflicted copy, two, 2026-11-20).txt')[0]?.id as EntryId;
      expect(await textOf(server, copy)).toBe(ours);
      await expectConverged(server, one, two);
    }
  });

  test('the same bytes are no conflict; a change the other side contains adds nothing', async () => {
    const { server, one, two, folder, file } = await shared();
    await write(one, { parentId: folder, name: 'a.txt', text: 'ONE\ntwo\nthree\nFOUR\n', entryId: file });
    await write(two, { parentId: folder, name: 'a.txt', text: 'one\ntwo\nthree\nFOUR\n', entryId: file });
    await one.push();
    await two.sync();
    expect(server.entries.get(file)?.revision).toBe(2);
    await expectConverged(server, one, two);
  });

  test('while the network is away the merge waits, and nothing is given up', async () => {
    const { server, folder, one, file } = await shared();
    let away = true;
    const store = new MemoryLocalStore();
    const three = new Device('three', server.id, server.service('d3' as DeviceId), store, async (asked) =>
      away ? { ok: false, code: 'offline', message: '' } : server.read(asked),
    );
    await three.sync();
    await write(one, { parentId: folder, name: 'a.txt', text: 'ONE\ntwo\nthree\nfour\n', entryId: file });
    await one.push();
    await write(three, { parentId: folder, name: 'a.txt', text: 'one\ntwo\nthree\nFOUR\n', entryId: file });
    expect(await three.push()).toBe('later');
    away = false;
    expect(await three.push()).toBe('empty');
    expect(await textOf(server, file)).toBe('ONE\ntwo\nthree\nFOUR\n');
    await expectConverged(server, one, three);
  });
});

describe('deletion against edit', () => {
  test('deleted there, edited here: the entry comes back with the edit', async () => {
    const { server, one, two, folder, file } = await shared();
    await remove(one.context, [file]);
    await one.push();
    await write(two, { parentId: folder, name: 'a.txt', text: 'edited', entryId: file });
    await two.sync();
    expect(server.entries.get(file)).toMatchObject({ deletedAt: null, parentId: folder, name: 'a.txt' });
    expect(await textOf(server, file)).toBe('edited');
    await expectConverged(server, one, two);
  });

  test('its folder deleted there, edited and added here: both are kept in what is left', async () => {
    const { server, root, one, two, folder, file } = await shared();
    await remove(one.context, [folder]);
    await one.push();
    await write(two, { parentId: folder, name: 'a.txt', text: 'edited', entryId: file });
    const added = await write(two, { parentId: folder, name: 'new.txt', text: 'new' });
    await two.sync();
    expect(server.entries.get(file)).toMatchObject({ deletedAt: null, parentId: root });
    expect(server.entries.get(added)).toMatchObject({ deletedAt: null, parentId: root });
    expect(await textOf(server, file)).toBe('edited');
    await expectConverged(server, one, two);
  });

  test('edited there, deleted here: the edit stays, the deletion is dropped', async () => {
    const { server, one, two, folder, file } = await shared();
    await write(one, { parentId: folder, name: 'a.txt', text: 'edited', entryId: file });
    await one.push();
    await remove(two.context, [file]);
    // Without a pull first the server refuses, with one nothing is asked.
    await two.push();
    expect(server.entries.get(file)?.deletedAt).toBeNull();
    expect(await two.row(file)).toMatchObject({ deletedAt: null, state: 'synced' });
    await expectConverged(server, one, two);
  });

  test('edited there, its folder deleted here: folder and edit stay', async () => {
    const { server, one, two, folder, file } = await shared();
    await write(one, { parentId: folder, name: 'a.txt', text: 'edited', entryId: file });
    await one.push();
    await remove(two.context, [folder]);
    await two.pull();
    expect(await two.queue()).toEqual([]);
    expect(await two.row(folder)).toMatchObject({ deletedAt: null, state: 'synced' });
    await expectConverged(server, one, two);
  });

  test('edited there while the deletion of the folder was on its way: the folder comes back', async () => {
    for (const lostReply of [false, true]) {
      const { server, one, two, folder, file } = await shared();
      await write(one, { parentId: folder, name: 'a.txt', text: 'edited', entryId: file });
      await one.push();
      await remove(two.context, [folder]);
      if (lostReply) two.weather.repliesLost = 1;
      await two.push();
      expect(server.entries.get(folder)?.deletedAt).not.toBeNull();
      await two.sync();
      expect(server.entries.get(folder)?.deletedAt).toBeNull();
      await expectConverged(server, one, two);
    }
  });

  test('renamed there, deleted here: the deletion stands; renamed here, deleted there: as well', async () => {
    const { server, one, two, file, folder } = await shared();
    await rename(one.context, file, 'b.txt');
    await one.push();
    await remove(two.context, [file]);
    await two.sync();
    expect(server.entries.get(file)).toMatchObject({ name: 'b.txt' });
    expect(server.entries.get(file)?.deletedAt).not.toBeNull();
    await rename(one.context, folder, 'g');
    await remove(two.context, [folder]);
    await two.push();
    await one.sync();
    expect(server.entries.get(folder)?.deletedAt).not.toBeNull();
    await expectConverged(server, one, two);
  });
});

describe('moves against each other', () => {
  test('a into b here, b into a there: the first stands, nobody sees a circle, nothing is lost', async () => {
    const { server, root, one, two } = twoDevices();
    const a = idOf(await createFolder(one.context, root, 'a'));
    const b = idOf(await createFolder(one.context, root, 'b'));
    const inA = await write(one, { parentId: a, name: 'in a', text: 'a' });
    await one.sync();
    await two.sync();
    await move(one.context, [a], b);
    await one.push();
    await move(two.context, [b], a);
    await two.pull();
    expect(await two.row(b)).toMatchObject({ parentId: root, state: 'failed', reason: 'would_cycle' });
    expect(await two.row(a)).toMatchObject({ parentId: b });
    await two.push();
    await expectConverged(server, one, two);
    expect(server.entries.get(inA)?.parentId).toBe(a);
  });

  test('the same without a pull in between: the server refuses, the move is undone', async () => {
    const { server, root, one, two } = twoDevices();
    const a = idOf(await createFolder(one.context, root, 'a'));
    const b = idOf(await createFolder(one.context, root, 'b'));
    await one.sync();
    await two.sync();
    await move(one.context, [a], b);
    await one.push();
    await move(two.context, [b], a);
    await two.push();
    expect(server.entries.get(b)?.parentId).toBe(root);
    await expectConverged(server, one, two);
  });

  test('moved out of a folder that was deleted there: it is kept; moved into one: it stays where it was', async () => {
    const { server, root, one, two, folder, file } = await shared();
    const other = await write(one, { parentId: root, name: 'other', text: 'o' });
    await one.sync();
    await two.sync();
    await remove(one.context, [folder]);
    await one.push();
    await move(two.context, [file], root);
    await move(two.context, [other], folder);
    await two.sync();
    expect(server.entries.get(file)).toMatchObject({ parentId: root, deletedAt: null });
    expect(server.entries.get(other)).toMatchObject({ parentId: root, deletedAt: null });
    await expectConverged(server, one, two);
  });
});

describe('the same name given on two devices', () => {
  test('is told apart as soon as the other one arrives, while ours still waits', async () => {
    const { server, root, one, two } = twoDevices();
    await write(one, { parentId: root, name: 'a.txt', text: 'theirs' });
    await write(one, { parentId: root, name: 'b', text: 'theirs' });
    await one.push();
    await write(two, { parentId: root, name: 'A.txt', text: 'ours' });
    await createFolder(two.context, root, 'B');
    await two.pull();
    expect(await two.names(root)).toEqual(['A (conflicted copy, two, 2026-11-20).txt', 'B (2)', 'a.txt', 'b']);
    await two.push();
    expect(await two.names(root)).toEqual(['A (conflicted copy, two, 2026-11-20).txt', 'B (2)', 'a.txt', 'b']);
    await expectConverged(server, one, two);
  });
});

describe('own requests', () => {
  test('are recognised in the journal: a lost reply does not become a conflict with oneself', async () => {
    const { server, one, two, folder, file } = await shared();
    await write(two, { parentId: folder, name: 'a.txt', text: 'first', entryId: file });
    two.weather.repliesLost = 1;
    expect(await two.push()).toBe('later');
    await write(two, { parentId: folder, name: 'a.txt', text: 'second', entryId: file });
    await two.pull();
    expect(await two.queue()).toEqual([]);
    await two.push();
    expect(await textOf(server, file)).toBe('second');
    expect(await one.sync().then(() => one.names(folder))).toEqual(['a.txt']);
    await expectConverged(server, one, two);
  });

  test('thousands of single wishes made offline need some commits, and arrive in order', async () => {
    const { server, root, one, two } = twoDevices();
    const ids: EntryId[] = [];
    for (let n = 0; n < 2_500; n++) ids.push(idOf(await createFolder(one.context, root, `n${n}`)));
    await rename(one.context, ids[0] as EntryId, 'renamed');
    await one.push();
    expect(server.journal.length).toBeLessThan(6);
    expect(server.entries.get(ids[0] as EntryId)?.name).toBe('renamed');
    await expectConverged(server, one, two);
  });
});

describe('mass deletion', () => {
  async function many() {
    const all = twoDevices();
    const { one, two, root } = all;
    const folder = idOf(await createFolder(one.context, root, 'f'));
    const files: EntryId[] = [];
    for (let n = 0; n < 60; n++) files.push(await write(one, { parentId: folder, name: `${n}`, text: `text ${n}` }));
    await one.sync();
    await two.sync();
    return { ...all, folder, files };
  }

  test('is held, other requests go on, what builds on it waits; confirmed, it goes out', async () => {
    const { server, root, one, two, folder } = await many();
    await remove(one.context, [folder]);
    const again = idOf(await createFolder(one.context, root, 'F'));
    const other = idOf(await createFolder(one.context, root, 'other'));
    await write(one, { parentId: root, name: 'new', text: 'new' });
    expect(await one.push()).toBe('empty');
    expect(server.entries.get(folder)?.deletedAt).toBeNull();
    expect([server.entries.has(other), server.entries.has(again), server.named('new').length]).toEqual([true, false, 1]);
    expect((await one.queue())[0]).toMatchObject({ held: 'mass_deletion', attempts: 0 });
    expect(await one.row(folder)).toMatchObject({ state: 'waiting' });
    expect(await confirmHeld(one.store)).toBe(1);
    await one.push();
    expect(server.entries.get(folder)?.deletedAt).not.toBeNull();
    expect(server.entries.get(again)?.name).toBe('F');
    await expectConverged(server, one, two);
  });

  test('discarded, everything is back as it was', async () => {
    const { server, one, two, folder, files } = await many();
    await remove(one.context, files);
    await one.push();
    expect(await one.names(folder)).toEqual([]);
    await discardHeld(one.store);
    expect(await one.names(folder)).toHaveLength(60);
    expect(await one.push()).toBe('empty');
    expect(server.journal.at(-1)?.changes.some(({ deletedAt }) => deletedAt !== null)).toBe(false);
    await expectConverged(server, one, two);
  });

  test('confirmed beforehand, or of few entries, it is not asked about', async () => {
    const { server, one, folder, files } = await many();
    await remove(one.context, files.slice(0, 50));
    await one.push();
    expect(server.entries.get(files[0] as EntryId)?.deletedAt).not.toBeNull();
    await remove(one.context, [folder], { confirmed: true });
    await one.push();
    expect(server.entries.get(folder)?.deletedAt).not.toBeNull();
  });

  test('emptying many files is held too; discarded, their content is the server’s again', async () => {
    const { server, one, two, folder, files } = await many();
    for (const [n, entryId] of files.entries()) await write(one, { parentId: folder, name: `${n}`, text: '', entryId });
    await one.push();
    expect(server.entries.get(files[0] as EntryId)?.size).toBe(6);
    expect((await one.queue())[0]?.held).toBe('mass_deletion');
    expect(await discardHeld(one.store)).toHaveLength(60);
    expect(await one.row(files[0] as EntryId)).toMatchObject({ size: 6, state: 'synced' });
    expect(await one.push()).toBe('empty');
    await expectConverged(server, one, two);
  });
});
