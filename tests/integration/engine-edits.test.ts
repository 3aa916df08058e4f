import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { MemoryLocalStore } from '@/lib/sync/adapters/memory/memory-local-store';
import { type EditBase, planCreate, planWrite, replaceContent } from '@/lib/sync/engine/edit-intents';
import { remove } from '@/lib/sync/engine/intents';
import { applyStagedTransfers } from '@/lib/sync/engine/transfer-commits';
import { parseConflictName } from '@/lib/sync/model/conflict-names';
import type { ChunkId, DeviceId, Digest, EntryId } from '@/lib/sync/model/ids';
import { encodeManifest, type Manifest } from '@/lib/sync/model/manifest';
import { Device, NamespaceServer, random } from './engine-harness';

function manifestOf(text: string): Manifest {
  return [{ id: createHash('sha256').update(text).digest('hex') as ChunkId, size: text.length }];
}

function digestOf(text: string): Digest {
  return createHash('sha256')
    .update(encodeManifest(manifestOf(text)))
    .digest('hex') as Digest;
}

/** An editor of `text` on a device: knows what it began from and what it saved last. */
class Editor {
  constructor(
    readonly device: Device,
    readonly entryId: EntryId,
    public base: EditBase,
  ) {}

  /** Stages a revision; its chunks are on the server as soon as `durable`. */
  async save(text: string, state: 'staged' | 'durable' = 'durable'): Promise<{ id: string; copied: boolean; entryId: EntryId }> {
    const { device, entryId, base } = this;
    const plan = await planWrite(device.context, { entryId, base, deviceName: device.name });
    if (!plan.ok) throw new Error(plan.sentence);
    const { copied, ...place } = plan.placement;
    const id = random.uuid();
    const bytes = { size: text.length, mtime: 9, digest: digestOf(text), stagedBytes: text.length, sentBytes: 0 };
    (device.store as MemoryLocalStore).putTransfer({ id, ...place, ...bytes, state, paused: 0 }, manifestOf(text));
    await applyStagedTransfers(device.store, [id]);
    this.base = { contentRevision: base.contentRevision, digest: digestOf(text) };
    return { id, copied, entryId: place.entryId };
  }
}

describe('edits in place', () => {
  let server: NamespaceServer;
  let one: Device;
  let two: Device;
  let editor: Editor;
  const contents = (): Record<string, string | null> =>
    Object.fromEntries(
      [...server.entries.values()].filter(({ deletedAt }) => deletedAt === null).map(({ name, digest }) => [name, digest]),
    );

  async function opened(device: Device, entryId: EntryId): Promise<Editor> {
    const row = await device.row(entryId);
    if (row === undefined) throw new Error('not there');
    return new Editor(device, entryId, { contentRevision: row.contentRevision, digest: row.digest });
  }

  beforeEach(async () => {
    server = new NamespaceServer();
    one = new Device('one', server.id, server.service(random.uuid() as DeviceId));
    two = new Device('two', server.id, server.service(random.uuid() as DeviceId));
    const plan = await planCreate(one.context, server.root, 'notes.txt');
    if (!plan.ok) throw new Error(plan.sentence);
    editor = new Editor(one, plan.placement.entryId, { contentRevision: 1, digest: null });
    const { copied: _, ...place } = plan.placement;
    const bytes = { size: 1, mtime: 9, digest: digestOf('a'), stagedBytes: 1, sentBytes: 0 };
    (one.store as MemoryLocalStore).putTransfer({ id: 'made', ...place, ...bytes, state: 'durable', paused: 0 }, manifestOf('a'));
    await applyStagedTransfers(one.store, ['made']);
    editor.base = { contentRevision: 1, digest: digestOf('a') };
    await one.sync();
    await two.sync();
  });

  test('many saves, one after the other, are one line of revisions and no conflict with oneself', async () => {
    for (const text of ['b', 'c', 'd']) {
      await editor.save(text);
      await one.push();
    }
    await editor.save('e');
    await one.sync();
    expect(contents()).toEqual({ 'notes.txt': digestOf('e') });
    expect(server.entries.get(editor.entryId)?.contentRevision).toBe(5);
    expect((await one.row(editor.entryId))?.state).toBe('synced');
  });

  test('saves that were not sent yet are replaced: the last one is sent alone, on the base the edit began from', async () => {
    const first = await editor.save('b', 'staged');
    await editor.save('c', 'staged');
    const last = await editor.save('d');
    const states = await one.store.read((reading) => reading.transfers([first.id, last.id]));
    expect(states.map((transfer) => transfer?.state)).toEqual(['cancelled', 'durable']);
    expect(states[1]?.baseRevision).toBe(1);
    await one.sync();
    expect(contents()).toEqual({ 'notes.txt': digestOf('d') });
    expect(server.entries.get(editor.entryId)?.contentRevision).toBe(2);
  });

  test('a save while an earlier one is being committed follows it', async () => {
    await editor.save('b');
    one.weather.repliesLost = 1;
    await one.push();
    await editor.save('c');
    await one.sync();
    expect(contents()).toEqual({ 'notes.txt': digestOf('c') });
  });

  test('edited on two devices: both contents stand', async () => {
    const theirs = await opened(two, editor.entryId);
    await theirs.save('theirs');
    await editor.save('ours');
    await two.sync();
    await one.sync();
    expect(Object.values(contents()).sort()).toEqual([digestOf('ours'), digestOf('theirs')].sort());
    expect(contents()['notes.txt']).toBe(digestOf('theirs'));
  });

  test('bytes of this device that the edit has not seen are not replaced: the edit becomes a conflict copy', async () => {
    const late = await opened(one, editor.entryId);
    await editor.save('b', 'staged');
    const saved = await late.save('late');
    expect(saved.copied).toBe(true);
    expect(saved.entryId).not.toBe(editor.entryId);
    const row = await one.row(saved.entryId);
    expect(parseConflictName(row?.name ?? '')?.original).toBe('notes.txt');
    expect((await one.row(editor.entryId))?.digest).toBe(digestOf('b'));
  });

  test('a file that is gone refuses', async () => {
    await remove(one.context, [editor.entryId]);
    const { entryId, base } = editor;
    expect(await planWrite(one.context, { entryId, base, deviceName: 'one' })).toMatchObject({ ok: false });
    expect(await planCreate(one.context, server.root, 'notes.txt')).toMatchObject({ ok: true });
  });

  test('a taken name is refused', async () => {
    expect(await planCreate(one.context, server.root, 'NOTES.txt')).toMatchObject({ ok: false });
  });

  test('content taken back from an earlier revision, without sending it; what waited is given up', async () => {
    const before = { entryId: editor.entryId, contentRevision: 1, size: 1, digest: digestOf('a') };
    await editor.save('b');
    await one.sync();
    const waiting = await editor.save('c', 'staged');
    expect(await replaceContent(one.context, editor.entryId, before)).toMatchObject({ ok: true });
    expect(one.told).toContain(waiting.id);
    expect((await one.row(editor.entryId))?.digest).toBe(digestOf('a'));
    await one.sync();
    expect(contents()).toEqual({ 'notes.txt': digestOf('a') });
    const row = await one.row(editor.entryId);
    expect(row).toMatchObject({ state: 'synced', contentRevision: 3 });
    // Typing goes on from there.
    editor.base = { contentRevision: 1, digest: digestOf('a') };
    await editor.save('d');
    await one.sync();
    expect(contents()).toEqual({ 'notes.txt': digestOf('d') });
  });
});
