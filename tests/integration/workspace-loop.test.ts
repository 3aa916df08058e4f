import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFolder, move, remove, rename } from '@/lib/sync/engine/intents';
import type { EntryId } from '@/lib/sync/model/ids';
import { NamespaceServer } from './engine-harness';
import { type Bytes, connected, type Disk, DiskDevice, memoryDisk, nodeDisk } from './workspace-harness';

describe.each([
  ['memory', memoryDisk],
  ['real files', nodeDisk],
])('a folder on disk in step (%s)', (_, newDisk: () => Disk) => {
  let server: NamespaceServer;
  let bytes: Bytes;
  let a: DiskDevice;
  let b: DiskDevice;
  beforeEach(async () => {
    server = new NamespaceServer();
    bytes = new Map();
    a = new DiskDevice('A', server, newDisk(), bytes);
    b = new DiskDevice('B', server, newDisk(), bytes);
    await connected(a, b);
  });
  afterEach(() => {
    a.disk.close();
    b.disk.close();
  });
  const both = async () => {
    for (let times = 0; times < 2; times++) {
      await a.sync();
      await b.sync();
    }
    await a.sync();
  };
  const idOf = (name: string) => server.named(name)[0]?.id as EntryId;

  test('a first look takes in everything, and the other disk gets it', async () => {
    a.disk.put('Photos/2026/beach.jpg', 'sand');
    a.disk.put('Photos/empty', null);
    a.disk.put('notes.txt', 'first');
    a.disk.put('nothing.txt', '');
    await both();
    expect(b.disk.contents()).toEqual({ ...a.disk.contents() });
    expect(Object.keys(b.disk.contents())).toHaveLength(6);
    expect(a.status()).toMatchObject({ state: 'in_step', waiting: 0, problemCount: 0 });
  });

  test('what came from the server is not sent back, and what was sent is not fetched', async () => {
    for (let index = 0; index < 20; index++) a.disk.put(`folder ${index % 3}/file ${index}`, `text ${index}`);
    await both();
    expect([a.uploads, a.downloads, b.uploads, b.downloads]).toEqual([20, 0, 0, 20]);
    const length = server.journal.length;
    a.restart();
    b.restart();
    await both();
    expect([a.uploads, a.downloads, b.uploads, b.downloads]).toEqual([20, 0, 0, 20]);
    expect(server.journal).toHaveLength(length);
  });

  test('edits travel both ways as new revisions of the same entry', async () => {
    a.disk.put('notes.txt', 'one');
    await both();
    const id = idOf('notes.txt');
    b.disk.put('notes.txt', 'one, and two');
    await both();
    expect(a.disk.contents()).toEqual({ 'notes.txt': 'one, and two' });
    a.disk.put('notes.txt', 'three');
    await both();
    expect(b.disk.contents()).toEqual({ 'notes.txt': 'three' });
    expect(server.entries.get(id)?.contentRevision).toBe(3);
    expect(server.entries.size).toBe(1);
  });

  test('a file that was only touched is read once and not sent', async () => {
    a.disk.put('notes.txt', 'same');
    await both();
    a.disk.put('notes.txt', 'same');
    await both();
    expect(a.uploads).toBe(1);
  });

  test('renames and moves on the disk keep the entries', async () => {
    a.disk.put('Work/report.txt', 'a long report');
    a.disk.put('Work/data.csv', '1,2,3,4');
    a.disk.put('Work/deep/x.txt', 'something deep');
    await both();
    const ids = ['report.txt', 'data.csv', 'Work', 'deep', 'x.txt'].map(idOf);
    a.disk.shift('Work/report.txt', 'final report.txt');
    await both();
    a.disk.shift('Work', 'Old work');
    await both();
    expect(['final report.txt', 'data.csv', 'Old work', 'deep', 'x.txt'].map(idOf)).toEqual(ids);
    expect(b.disk.contents()).toEqual(a.disk.contents());
    expect([a.uploads, b.downloads]).toEqual([3, 3]);
    a.disk.shift('final report.txt', 'Final Report.txt');
    await both();
    expect(server.entries.get(ids[0] as EntryId)?.name).toBe('Final Report.txt');
    expect(b.disk.contents()).toEqual(a.disk.contents());
  });

  test('renames, moves and deletions in the tree reach the disk, without content', async () => {
    a.disk.put('Work/report.txt', 'a long report');
    a.disk.put('Work/data.csv', '1,2,3,4');
    a.disk.put('other.txt', 'other');
    await both();
    await rename(a.device.context, idOf('Work'), 'Play');
    const made = await createFolder(a.device.context, server.root, 'Archive');
    await move(a.device.context, [idOf('other.txt')], (made.ok ? made.entryIds[0] : undefined) as EntryId);
    await rename(a.device.context, idOf('report.txt'), 'REPORT.txt');
    await both();
    const expected = {
      'Archive/': '',
      'Archive/other.txt': 'other',
      'Play/': '',
      'Play/REPORT.txt': 'a long report',
      'Play/data.csv': '1,2,3,4',
    };
    expect(a.disk.contents()).toEqual(expected);
    expect(b.disk.contents()).toEqual(expected);
    await remove(a.device.context, [idOf('Play')]);
    await both();
    expect(b.disk.contents()).toEqual({ 'Archive/': '', 'Archive/other.txt': 'other' });
    expect([a.downloads, b.downloads]).toEqual([0, 3]);
  });

  test('deletions on the disk go to the trash', async () => {
    a.disk.put('Work/report.txt', 'text');
    a.disk.put('keep.txt', 'text that stays');
    await both();
    b.disk.drop('Work');
    await both();
    expect(a.disk.contents()).toEqual({ 'keep.txt': 'text that stays' });
    expect(server.named('Work')).toEqual([]);
    expect([...server.entries.values()].find(({ name }) => name === 'Work')?.deletedAt).not.toBeNull();
  });

  test('two names that are swapped in the tree are swapped on the disk', async () => {
    a.disk.put('one', 'first');
    a.disk.put('two', 'the second');
    await both();
    const [one, two] = [idOf('one'), idOf('two')];
    await rename(b.device.context, one, 'three');
    await rename(b.device.context, two, 'one');
    await rename(b.device.context, one, 'two');
    await b.device.sync();
    await both();
    expect(a.disk.contents()).toEqual({ one: 'the second', two: 'first' });
    expect(b.disk.contents()).toEqual({ one: 'the second', two: 'first' });
  });

  test('two disks that already hold files are joined: equal ones meet, different ones are both kept', async () => {
    a.disk.put('Shared/same.txt', 'the same');
    a.disk.put('Shared/differs.txt', 'from A');
    b.disk.put('Shared/same.txt', 'the same');
    b.disk.put('Shared/differs.txt', 'from B!');
    b.disk.put('only-b.txt', 'b');
    await both();
    expect(a.disk.contents()).toEqual(b.disk.contents());
    const contents = a.disk.contents();
    expect(contents['Shared/differs.txt']).toBe('from A');
    expect(Object.values(contents).sort()).toEqual(['', 'b', 'from A', 'from B!', 'the same']);
    expect([a.uploads, b.uploads]).toEqual([2, 2]);
  });

  test('changed on both sides: the server’s keeps the name, ours is kept beside it', async () => {
    a.disk.put('notes.txt', 'base');
    await both();
    a.disk.put('notes.txt', 'changed on A');
    b.disk.put('notes.txt', 'changed on B, too');
    await both();
    expect(a.disk.contents()).toEqual(b.disk.contents());
    expect(Object.values(a.disk.contents()).sort()).toEqual(['changed on A', 'changed on B, too']);
    expect(a.disk.contents()['notes.txt']).toBe('changed on A');
  });

  test('deleted in the tree, edited on the disk: the edit is kept', async () => {
    a.disk.put('Work/notes.txt', 'base');
    a.disk.put('Work/other.txt', 'other');
    await both();
    await remove(b.device.context, [idOf('Work')]);
    await b.device.sync();
    a.disk.put('Work/notes.txt', 'edited meanwhile');
    await both();
    expect(a.disk.contents()).toEqual({ 'Work/': '', 'Work/notes.txt': 'edited meanwhile' });
    expect(b.disk.contents()).toEqual(a.disk.contents());
  });

  test('edited on the disk and in Satchel before either was sent: both are kept', async () => {
    a.disk.put('notes.txt', 'base');
    await both();
    a.device.weather.offline = true;
    await a.edit(idOf('notes.txt'), 'edited in Satchel');
    a.disk.put('notes.txt', 'edited by another program');
    await a.sync();
    expect(a.disk.contents()['notes.txt']).toBe('edited in Satchel');
    a.device.weather.offline = false;
    await a.send();
    await both();
    expect(Object.values(a.disk.contents()).sort()).toEqual(['edited by another program', 'edited in Satchel']);
    expect(b.disk.contents()).toEqual(a.disk.contents());
  });

  test('a file deleted in the tree and edited on the disk becomes a new one', async () => {
    a.disk.put('notes.txt', 'base');
    a.disk.put('stays.txt', 'stays');
    await both();
    await remove(b.device.context, [idOf('notes.txt')]);
    await b.device.sync();
    a.disk.put('notes.txt', 'edited meanwhile');
    await both();
    expect(b.disk.contents()).toEqual({ 'notes.txt': 'edited meanwhile', 'stays.txt': 'stays' });
  });

  test('deleted on the disk, edited in the tree: the edit comes back', async () => {
    a.disk.put('notes.txt', 'base');
    a.disk.put('stays.txt', 'stays');
    await both();
    b.disk.put('notes.txt', 'edited on B');
    await b.sync();
    a.disk.drop('notes.txt');
    await both();
    expect(a.disk.contents()).toEqual({ 'notes.txt': 'edited on B', 'stays.txt': 'stays' });
    expect(b.disk.contents()).toEqual(a.disk.contents());
  });

  test('changes of every kind while Satchel is closed are found by the next look', async () => {
    a.disk.put('edit.txt', 'one');
    a.disk.put('move.txt', 'a file that moves');
    a.disk.put('drop.txt', 'gone');
    await both();
    a.disk.put('edit.txt', 'two two');
    a.disk.put('folder', null);
    a.disk.shift('move.txt', 'folder/moved.txt');
    a.disk.drop('drop.txt');
    a.disk.put('new.txt', 'new');
    a.restart();
    await both();
    expect(b.disk.contents()).toEqual({ 'edit.txt': 'two two', 'folder/': '', 'folder/moved.txt': 'a file that moves', 'new.txt': 'new' });
    expect(a.uploads).toBe(5);
  });

  test('offline the disk’s changes are taken in, and reach the others on return', async () => {
    a.disk.put('notes.txt', 'base');
    await both();
    a.device.weather.offline = true;
    a.disk.put('offline.txt', 'made offline');
    a.disk.put('notes.txt', 'edited offline');
    await a.sync();
    a.device.weather.offline = false;
    await both();
    expect(b.disk.contents()).toEqual({ 'notes.txt': 'edited offline', 'offline.txt': 'made offline' });
  });

  test('rules in .satchelignore and the defaults leave things alone on both sides', async () => {
    a.disk.put('.satchelignore', '*.log\n/private/\n');
    a.disk.put('sub/.satchelignore', '!keep.log\n');
    for (const path of ['a.log', 'sub/b.log', 'sub/keep.log', 'private/secret', 'node_modules/x/index.js', '.DS_Store', '~$doc.docx'])
      a.disk.put(path, path);
    await both();
    expect(Object.keys(b.disk.contents())).toEqual(['.satchelignore', 'sub/', 'sub/.satchelignore', 'sub/keep.log']);
    // What becomes ignored later is neither deleted there nor here.
    a.disk.put('late.tmp', 'late');
    await both();
    a.disk.put('.satchelignore', '*.log\n/private/\n*.tmp\n');
    await both();
    a.disk.drop('late.tmp');
    await both();
    expect(server.named('late.tmp')).toHaveLength(1);
  });

  test('a disk that comes back empty deletes nothing: it asks, and gets everything back', async () => {
    for (let index = 0; index < 5; index++) a.disk.put(`folder/${index}.txt`, `text ${index}`);
    await both();
    const before = a.disk.contents();
    a.disk.drop('folder');
    await a.sync();
    expect(a.status()).toMatchObject({ state: 'looks_empty', asks: { deletions: 6, of: 6 } });
    expect(server.named('3.txt')).toHaveLength(1);
    a.answer = { kind: 'restore' };
    await a.sync();
    expect(a.disk.contents()).toEqual(before);
    expect(a.status()?.state).toBe('in_step');
    a.disk.drop('folder');
    await a.sync();
    a.answer = { kind: 'delete', deletions: 6 };
    await both();
    expect(b.disk.contents()).toEqual({});
    expect(a.answer).toBeNull();
  });

  test('more deletions than a person makes in passing wait until they agree', async () => {
    for (let index = 0; index < 120; index++) a.disk.put(`${index % 2}/${index}.txt`, `text ${index}`);
    await both();
    a.disk.drop('0');
    a.disk.put('1/new.txt', 'new');
    await a.sync();
    expect(a.status()?.asks).toEqual({ deletions: 61, of: 123 });
    expect(server.named('0')).toHaveLength(1);
    expect(server.named('new.txt')).toHaveLength(1);
    a.answer = { kind: 'delete', deletions: 61 };
    await both();
    expect(server.named('0')).toEqual([]);
    expect(Object.keys(b.disk.contents())).toHaveLength(62);
  });

  test('an upload that is under way is neither done twice nor overwritten', async () => {
    a.disk.put('notes.txt', 'base');
    await both();
    a.holdUploads = true;
    a.disk.put('notes.txt', 'edited on A');
    a.disk.put('new.txt', 'new');
    await a.sync();
    await a.sync();
    expect(a.uploads).toBe(3);
    b.disk.put('notes.txt', 'edited on B meanwhile');
    await b.sync();
    await a.sync();
    expect(a.disk.contents()).toEqual({ 'new.txt': 'new', 'notes.txt': 'edited on A' });
    a.holdUploads = false;
    await a.stage();
    await both();
    expect(Object.values(a.disk.contents()).sort()).toEqual(['edited on A', 'edited on B meanwhile', 'new']);
    expect(b.disk.contents()).toEqual(a.disk.contents());
  });

  test('a file whose bytes are safe but which the tree does not show yet is left alone', async () => {
    a.disk.put('old.txt', 'old');
    await both();
    a.holdUploads = true;
    a.disk.put('new.txt', 'new');
    a.disk.put('old.txt', 'older, and edited');
    await a.look();
    await a.stage({ shown: false });
    await a.look();
    expect(a.disk.contents()).toEqual({ 'new.txt': 'new', 'old.txt': 'older, and edited' });
    a.holdUploads = false;
    await a.stage();
    await both();
    expect(b.disk.contents()).toEqual({ 'new.txt': 'new', 'old.txt': 'older, and edited' });
    expect([a.uploads, server.entries.size]).toEqual([3, 2]);
  });

  test('content that is not what was promised never reaches the disk', async () => {
    a.disk.put('notes.txt', 'right');
    await both();
    a.disk.put('notes.txt', 'right again');
    await a.sync();
    for (const [digest, content] of bytes) if (content.length === 11) bytes.set(digest, new TextEncoder().encode('wrong bytes'));
    await b.sync();
    expect(b.disk.contents()).toEqual({ 'notes.txt': 'right' });
    expect(b.status()?.state).toBe('working');
  });
});

describe('a folder on disk that is not there', () => {
  test('missing or without permission: nothing is concluded, and it goes on by itself', async () => {
    const server = new NamespaceServer();
    const disk = memoryDisk();
    const a = new DiskDevice('A', server, disk, new Map());
    await connected(a);
    disk.put('notes.txt', 'text');
    await a.sync();
    for (const condition of ['missing', 'permission'] as const) {
      disk.workspace.condition = condition;
      await a.sync();
      expect(a.status()?.state).toBe(condition === 'missing' ? 'missing' : 'needs_permission');
      expect(server.named('notes.txt')).toHaveLength(1);
    }
    disk.workspace.condition = 'ready';
    await a.sync();
    expect(a.status()?.state).toBe('in_step');
  });

  test('names only one side can hold, links and clashes are told and left alone', async () => {
    const server = new NamespaceServer();
    const disk = memoryDisk();
    const a = new DiskDevice('A', server, disk, new Map());
    await connected(a);
    disk.put('README', 'upper');
    disk.put('readme', 'lower');
    disk.put('line\nbreak', 'x');
    disk.workspace.putLink('link');
    await createFolder(a.device.context, server.root, 'what: a name?');
    await a.sync();
    const problems = Object.fromEntries((a.status()?.problems ?? []).map(({ path, reason }) => [path, reason]));
    expect(problems).toEqual({ 'line\nbreak': 'control', link: 'link', readme: 'clash', 'what: a name?': 'disk_name' });
    expect(server.named('what: a name?')).toHaveLength(1);
    expect(server.entries.size).toBe(2);
  });

  test('a second look reads no unchanged file', async () => {
    const server = new NamespaceServer();
    const disk = memoryDisk();
    const a = new DiskDevice('A', server, disk, new Map());
    await connected(a);
    for (let index = 0; index < 50; index++) disk.put(`${index}.txt`, 'the same length');
    await a.sync();
    disk.workspace.reads.clear();
    a.restart();
    await a.sync();
    expect(disk.workspace.reads.size).toBe(0);
  });
});
