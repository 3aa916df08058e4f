import { describe, expect, test } from 'vitest';
import type { DiskStamp } from '@/lib/sync/model/disk';
import { ContentBroken, type Workspace } from '@/lib/sync/ports/workspace';

/** One adapter with an empty folder, and the hand of another program in it. */
export interface WorkspaceUnderTest {
  readonly workspace: Workspace;
  /** Writes a file as another program would (folders above it are there). */
  put(path: string, text: string): Promise<void>;
  text(path: string): Promise<string | null>;
  close(): Promise<void>;
}

export const bytesOf = (text: string) => new TextEncoder().encode(text);

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield bytesOf(text);
}

async function textOf(workspace: Workspace, path: string): Promise<string | null> {
  const opened = await workspace.read(path);
  if (!opened.ok) return null;
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of opened.value) text += decoder.decode(piece, { stream: true });
  return text;
}

async function stampOf(workspace: Workspace, path: string): Promise<DiskStamp> {
  const seen = await workspace.stat(path);
  if (!seen.ok) throw new Error(`${path}: ${seen.reason}`);
  return { size: seen.value.size, mtime: seen.value.mtime };
}

/** What every folder on a disk has to do, whatever is behind it. */
export function workspaceContract(name: string, open: () => Promise<WorkspaceUnderTest>): void {
  const run = (work: (under: WorkspaceUnderTest) => Promise<void>) => async () => {
    const under = await open();
    try {
      await work(under);
    } finally {
      await under.close();
    }
  };
  describe(`workspace: ${name}`, () => {
    test('lists what stands in a folder, with sizes and times, and says what is missing', run(lists));
    test('writes aside and swaps in; the result is what is then seen', run(writes));
    test('never writes over what is not expected, and leaves nothing behind', run(refusesToOverwrite));
    test('a file that changes while its replacement is written is kept', run(keepsWhatChanged));
    test('content that breaks changes nothing, and its error goes on', run(breaks));
    test('removes files and folders only when they are as expected', run(removes));
    test('moves files and folders, never onto something', run(moves));
    test('changes only the case of a name', run(changesCase));
    test('refuses names it cannot hold and leaves nothing behind', run(refusesNames));
  });
}

async function lists({ workspace, put }: WorkspaceUnderTest): Promise<void> {
  expect(await workspace.state()).toBe('ready');
  expect(await workspace.list('')).toEqual({ ok: true, value: [] });
  expect(await workspace.createFolder('folder')).toEqual({ ok: true, value: null });
  expect(await workspace.createFolder('folder')).toEqual({ ok: true, value: null });
  await put('folder/a.txt', 'four');
  const listed = await workspace.list('folder');
  expect(listed).toMatchObject({ ok: true, value: [{ name: 'a.txt', kind: 'file', size: 4 }] });
  expect(await workspace.stat('folder/a.txt')).toEqual({ ok: true, value: listed.ok ? listed.value[0] : null });
  expect(await workspace.stat('folder')).toMatchObject({ ok: true, value: { name: 'folder', kind: 'folder', size: 0, mtime: 0 } });
  for (const path of ['nothing', 'folder/nothing', 'nothing/below']) {
    expect(await workspace.stat(path)).toEqual({ ok: false, reason: 'missing' });
    expect(await workspace.read(path)).toEqual({ ok: false, reason: 'missing' });
  }
  expect(await workspace.list('nothing')).toEqual({ ok: false, reason: 'missing' });
  expect(await textOf(workspace, 'folder/a.txt')).toBe('four');
}

async function writes({ workspace, text }: WorkspaceUnderTest): Promise<void> {
  const first = await workspace.write('a.txt', pieces('one ', 'two'), { expected: null, mtime: 1_700_000_000_000 });
  expect(first).toMatchObject({ ok: true, value: { size: 7 } });
  expect(await stampOf(workspace, 'a.txt')).toEqual(first.ok ? first.value : null);
  const second = await workspace.write('a.txt', pieces('three'), { expected: await stampOf(workspace, 'a.txt'), mtime: 1_700_000_005_000 });
  expect(second).toMatchObject({ ok: true, value: { size: 5 } });
  expect(await text('a.txt')).toBe('three');
  expect(await workspace.write('empty', pieces(), { expected: null, mtime: 0 })).toMatchObject({ ok: true, value: { size: 0 } });
  expect(await text('empty')).toBe('');
  expect(await workspace.write('no/folder', pieces('x'), { expected: null, mtime: 0 })).toEqual({ ok: false, reason: 'missing' });
}

async function names(workspace: Workspace): Promise<string[]> {
  const listed = await workspace.list('');
  return listed.ok ? listed.value.map(({ name }) => name).sort() : [];
}

async function refusesToOverwrite({ workspace, put, text }: WorkspaceUnderTest): Promise<void> {
  await put('a.txt', 'theirs');
  const stamp = await stampOf(workspace, 'a.txt');
  const how = { mtime: 0 };
  expect(await workspace.write('a.txt', pieces('ours'), { ...how, expected: null })).toEqual({ ok: false, reason: 'exists' });
  expect(await workspace.write('a.txt', pieces('ours'), { ...how, expected: { ...stamp, size: 1 } })).toEqual({
    ok: false,
    reason: 'changed',
  });
  expect(await workspace.write('gone', pieces('ours'), { ...how, expected: stamp })).toEqual({ ok: false, reason: 'missing' });
  expect(await text('a.txt')).toBe('theirs');
  expect(await names(workspace)).toEqual(['a.txt']);
}

async function keepsWhatChanged({ workspace, put, text }: WorkspaceUnderTest): Promise<void> {
  await put('a.txt', 'before');
  const expected = await stampOf(workspace, 'a.txt');
  async function* slow() {
    yield bytesOf('ours');
    await put('a.txt', 'somebody was quicker');
  }
  expect(await workspace.write('a.txt', slow(), { expected, mtime: 0 })).toEqual({ ok: false, reason: 'changed' });
  expect(await text('a.txt')).toBe('somebody was quicker');
  async function* slowNew() {
    yield bytesOf('ours');
    await put('b.txt', 'somebody was quicker');
  }
  expect(await workspace.write('b.txt', slowNew(), { expected: null, mtime: 0 })).toEqual({ ok: false, reason: 'exists' });
  expect(await text('b.txt')).toBe('somebody was quicker');
  expect(await names(workspace)).toEqual(['a.txt', 'b.txt']);
}

async function breaks({ workspace, put, text }: WorkspaceUnderTest): Promise<void> {
  await put('a.txt', 'before');
  async function* broken() {
    yield bytesOf('half');
    throw new ContentBroken('the connection');
  }
  const expected = await stampOf(workspace, 'a.txt');
  await expect(workspace.write('a.txt', broken(), { expected, mtime: 0 })).rejects.toThrow('the connection');
  await expect(workspace.write('new', broken(), { expected: null, mtime: 0 })).rejects.toThrow('the connection');
  expect(await text('a.txt')).toBe('before');
  expect(await stampOf(workspace, 'a.txt')).toEqual(expected);
  expect(await names(workspace)).toEqual(['a.txt']);
}

async function removes({ workspace, put, text }: WorkspaceUnderTest): Promise<void> {
  await workspace.createFolder('folder');
  await put('folder/a.txt', 'content');
  const stamp = await stampOf(workspace, 'folder/a.txt');
  expect(await workspace.removeFolder('folder')).toEqual({ ok: false, reason: 'not_empty' });
  expect(await workspace.removeFile('folder/a.txt', { ...stamp, mtime: 1 })).toEqual({ ok: false, reason: 'changed' });
  expect(await text('folder/a.txt')).toBe('content');
  expect(await workspace.removeFile('folder/a.txt', stamp)).toEqual({ ok: true, value: null });
  expect(await workspace.removeFile('folder/a.txt', stamp)).toEqual({ ok: false, reason: 'missing' });
  expect(await workspace.removeFolder('folder')).toEqual({ ok: true, value: null });
  expect(await workspace.removeFolder('folder')).toEqual({ ok: false, reason: 'missing' });
}

async function moves({ workspace, put, text }: WorkspaceUnderTest): Promise<void> {
  for (const folder of ['from', 'from/deep', 'to']) await workspace.createFolder(folder);
  await put('from/a.txt', 'a');
  await put('from/deep/b.txt', 'bb');
  await put('to/taken.txt', 'stays');
  const stamp = await stampOf(workspace, 'from/a.txt');
  expect(await workspace.moveFile('from/a.txt', 'to/taken.txt', stamp)).toEqual({ ok: false, reason: 'exists' });
  expect(await workspace.moveFile('from/a.txt', 'to/new.txt', { ...stamp, size: 9 })).toEqual({ ok: false, reason: 'changed' });
  const moved = await workspace.moveFile('from/a.txt', 'to/new.txt', stamp);
  expect(moved).toEqual({ ok: true, value: await stampOf(workspace, 'to/new.txt') });
  expect([await text('from/a.txt'), await text('to/new.txt'), await text('to/taken.txt')]).toEqual([null, 'a', 'stays']);
  expect(await workspace.moveFolder('from', 'to')).toEqual({ ok: false, reason: 'exists' });
  expect(await workspace.moveFolder('from', 'to/moved')).toEqual({ ok: true, value: null });
  expect(await text('to/moved/deep/b.txt')).toBe('bb');
  expect(await names(workspace)).toEqual(['to']);
}

async function changesCase({ workspace, put, text }: WorkspaceUnderTest): Promise<void> {
  await put('readme.md', 'text');
  await workspace.createFolder('folder');
  await put('folder/in.txt', 'in');
  expect(await workspace.moveFile('readme.md', 'README.md', await stampOf(workspace, 'readme.md'))).toMatchObject({ ok: true });
  expect(await workspace.moveFolder('folder', 'Folder')).toEqual({ ok: true, value: null });
  expect(await names(workspace)).toEqual(['Folder', 'README.md']);
  expect([await text('README.md'), await text('Folder/in.txt')]).toEqual(['text', 'in']);
}

async function refusesNames({ workspace }: WorkspaceUnderTest): Promise<void> {
  const long = 'n'.repeat(300);
  expect(workspace.holds(long)).toBe(false);
  expect(workspace.holds('plain name.txt')).toBe(true);
  expect(await workspace.write(long, pieces('x'), { expected: null, mtime: 0 })).toEqual({ ok: false, reason: 'name' });
  expect(await workspace.createFolder(long)).toEqual({ ok: false, reason: 'name' });
  expect(await names(workspace)).toEqual([]);
}
