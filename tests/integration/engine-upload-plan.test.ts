import { describe, expect, test } from 'vitest';
import type { MemoryLocalStore } from '@/lib/sync/adapters/memory/memory-local-store';
import { createFolder, wish } from '@/lib/sync/engine/intents';
import { findConflicts, planUpload, type UploadItem, type UploadPlan } from '@/lib/sync/engine/upload-plan';
import type { DeviceId, EntryId } from '@/lib/sync/model/ids';
import type { LocalTransfer } from '@/lib/sync/ports/local-store';
import { Device, NamespaceServer, random } from './engine-harness';

function device() {
  const server = new NamespaceServer();
  return { server, root: server.root, one: new Device('one', server.id, server.service(random.uuid() as DeviceId)) };
}

const file = (path: string, size = 1): UploadItem => ({ kind: 'file', path, size, mtime: 5 });
const folder = (path: string): UploadItem => ({ kind: 'folder', path, size: 0, mtime: 5 });

async function plan(
  one: Device,
  parentId: EntryId,
  items: readonly UploadItem[],
  onConflict: 'keep_both' | 'replace' | 'skip' = 'keep_both',
) {
  let made: UploadPlan | null = null;
  const result = await wish(one.context, async (writing) => {
    made = await planUpload(writing, one.context, { parentId, items, onConflict });
    return [];
  });
  if (!result.ok || made === null) throw new Error('refused');
  return made as UploadPlan;
}

function put(one: Device, place: UploadPlan['placements'][number], change: Partial<LocalTransfer> = {}): LocalTransfer {
  const { index: _, ...rest } = place;
  const bytes = { size: 1, mtime: 5, stagedBytes: 0, sentBytes: 0 };
  const transfer: LocalTransfer = { id: random.uuid(), ...rest, ...bytes, state: 'queued', paused: 0, ...change };
  (one.store as MemoryLocalStore).putTransfer(transfer);
  return transfer;
}

describe('upload plan', () => {
  test('makes the folders parents first, empty ones too, and merges with those that are there', async () => {
    const { server, root, one } = device();
    const made = await createFolder(one.context, root, 'Trip');
    await one.push();
    const { placements, folders } = await plan(one, root, [file('trip/day 1/a.jpg'), folder('trip/empty'), file('TRIP/Day 1/b.jpg')]);
    expect(folders).toHaveLength(2);
    await one.push();
    const day = server.named('day 1')[0]?.id;
    expect(server.named('day 1')[0]?.parentId).toBe(made.ok && made.entryIds[0]);
    expect(server.named('empty')).toHaveLength(1);
    expect(placements.map(({ parentId, name, baseRevision }) => [parentId, name, baseRevision])).toEqual([
      [day, 'a.jpg', null],
      [day, 'b.jpg', null],
    ]);
  });

  test('2,501 new folders are three requests', async () => {
    const { root, one } = device();
    const items = Array.from({ length: 2_500 }, (_, n) => file(`new/${n}/f`));
    expect((await plan(one, root, items)).placements).toHaveLength(2_500);
    expect((await one.queue()).map(({ operations }) => operations.length)).toEqual([1000, 1000, 501]);
  });

  test('conflicts are found and settled as asked; one upload never replaces itself', async () => {
    const { root, one } = device();
    const first = put(one, (await plan(one, root, [file('a.txt')])).placements[0] as UploadPlan['placements'][number]);
    const items = [file('A.TXT', 2), file('new.txt'), file('new.txt'), file('bad\nname')];
    expect(await one.store.read((reading) => findConflicts(reading, one.context, root, items))).toEqual({
      conflicts: [{ path: 'A.TXT', entryId: first.entryId }],
      refused: [{ path: 'bad\nname', problem: 'control' }],
    });
    const names = async (rule: 'keep_both' | 'replace' | 'skip') => (await plan(one, root, items, rule)).placements.map(({ name }) => name);
    expect(await names('keep_both')).toEqual(['A (2).TXT', 'new.txt', 'new (2).txt']);
    expect(await names('skip')).toEqual(['new.txt', 'new (2).txt']);
    const replaced = await plan(one, root, items, 'replace');
    expect(replaced.superseded).toEqual([first.id]);
    expect(replaced.placements[0]).toMatchObject({ entryId: first.entryId, name: 'a.txt', baseRevision: null });
    // The very same file once more is being sent already.
    expect((await plan(one, root, [file('a.txt', 1)], 'replace')).placements).toEqual([]);
  });

  test('a folder that is gone is refused with a sentence', async () => {
    const { one } = device();
    const result = await wish(one.context, async (writing) => {
      await planUpload(writing, one.context, { parentId: random.uuid() as EntryId, items: [file('a')], onConflict: 'skip' });
      return [];
    });
    expect(result).toEqual({ ok: false, sentence: 'The folder is not there any more.' });
  });
});
