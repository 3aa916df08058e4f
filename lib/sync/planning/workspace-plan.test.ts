import { describe, expect, test } from 'vitest';
import { type DiskRecord, joinPath, splitPath } from '../model/disk';
import type { Digest, EntryId } from '../model/ids';
import { planWorkspace } from './workspace-plan';
import type { DiskNode, TreeEntry, WorkspaceTrees } from './workspace-trees';

/**
 * The planner alone. A world is written as lines: `path content` for files, `path/` for folders. Content is size, time and digest in
 * one; `?` in front of it on the disk: not read yet.
 */
const ROOT = 'root' as EntryId;

interface Line {
  readonly path: string;
  readonly kind: 'file' | 'folder';
  readonly content: string;
}

function linesOf(text: string): Line[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const [path = '', content = ''] = line.split(' ');
      return path.endsWith('/') ? { path: path.slice(0, -1), kind: 'folder', content: '' } : { path, kind: 'file', content };
    });
}

const stampOf = (content: string) => ({
  size: content.length,
  mtime: [...content].reduce((sum, sign) => sum * 31 + sign.charCodeAt(0), 7) % 1e9,
});

/** Entry ids are the paths at which record and tree name them first: `id=path` moves one. */
function world(
  texts: { readonly disk: string; readonly record: string; readonly tree: string },
  more: Partial<WorkspaceTrees> = {},
): WorkspaceTrees {
  const disk = linesOf(texts.disk).map(({ path, kind, content }): DiskNode => {
    const { folder, name } = splitPath(path);
    if (kind === 'folder') return { path, folder, name, kind, size: 0, mtime: 0 };
    const known = content.replace('?', '');
    return { path, folder, name, kind, ...stampOf(known), ...(content.startsWith('?') ? {} : { digest: known as Digest }) };
  });
  const placed = (text: string) => {
    const ids = new Map<string, EntryId>([['', ROOT]]);
    return linesOf(text).map(({ path: given, kind, content }) => {
      const [id, path = id] = given.includes('=') ? (given.split('=') as [string, string]) : [given, given];
      const { folder, name } = splitPath(path);
      ids.set(path, id as EntryId);
      const digest = kind === 'file' ? (content as Digest) : null;
      return { id: id as EntryId, parentId: ids.get(folder) as EntryId, name, kind, digest, contentRevision: 1, content };
    });
  };
  const records = placed(texts.record).map(({ id, content, ...row }): DiskRecord => {
    const stamp = row.kind === 'folder' ? { size: 0, mtime: 0 } : stampOf(content);
    return { ...row, entryId: id, diskName: row.name, ...stamp };
  });
  const tree = placed(texts.tree).map(
    ({ content, ...row }): TreeEntry => ({ ...row, size: content.length, onServer: true, unsent: false }),
  );
  return {
    rootId: ROOT,
    disk,
    unreadable: new Set(),
    records: new Map(records.map((row) => [row.entryId, row])),
    tree: new Map(tree.map((row) => [row.id, row])),
    ignored: () => false,
    holds: () => true,
    conflictName: (name) => `${name}-conflict`,
    deletionsAllowed: 0,
    ...more,
  };
}

/** The plan in words. */
function planned(trees: WorkspaceTrees): string[] {
  return planWorkspace(trees).actions.map((action) => {
    switch (action.kind) {
      case 'record':
        return `record ${action.record.entryId}`;
      case 'forget':
        return `forget ${action.entryIds.join()}`;
      case 'set_aside':
        return `set_aside ${action.node.path} → ${action.to}`;
      case 'tree_folder':
        return `tree_folder ${action.node.path}`;
      case 'tree_move':
        return `tree_move ${action.record.entryId} → ${joinPath(action.parentId === ROOT ? '' : action.parentId, action.name)}`;
      case 'upload':
        return `upload ${action.node.path} ${action.record === null ? 'new' : `on ${action.baseRevision}`}`;
      case 'disk_move':
        return `disk_move ${action.node.path} → ${action.to}`;
      case 'disk_write':
        return `disk_write ${action.path} ${action.expected === null ? 'new' : 'over'}`;
      case 'disk_remove':
        return `disk_remove ${action.node.path}`;
      case 'tree_remove':
        return `tree_remove ${action.path} forget ${action.forget.join()}`;
      case 'disk_folder':
        return `disk_folder ${action.path}`;
      default:
        return `fingerprint ${action.node.path}`;
    }
  });
}

const same = 'd/\nd/a one\nb two';

describe('planner of a folder on disk', () => {
  test('three equal trees: nothing', () => {
    expect(planned(world({ disk: same, record: same, tree: same }))).toEqual([]);
  });

  test('one side changed: the other follows', () => {
    expect(planned(world({ disk: 'a three-longer', record: 'a one', tree: 'a one' }))).toEqual(['upload a on 1']);
    expect(planned(world({ disk: 'a one', record: 'a one', tree: 'a two' }))).toEqual(['disk_write a over']);
    expect(planned(world({ disk: 'a one\nb new', record: 'a one', tree: 'a one' }))).toEqual(['upload b new']);
    expect(planned(world({ disk: 'a one', record: 'a one', tree: 'a one\nb new\nc/' }))).toEqual(['disk_write b new', 'disk_folder c']);
    expect(planned(world({ disk: 'b two', record: 'a one\nb two', tree: 'a one\nb two' }))).toEqual(['tree_remove a forget a']);
    expect(planned(world({ disk: 'a one\nb two', record: 'a one\nb two', tree: 'b two' }))).toEqual(['disk_remove a']);
  });

  test('what stands in a folder that has yet to be made comes later', () => {
    expect(planned(world({ disk: 'n/\nn/a one', record: '', tree: '' }))).toEqual(['tree_folder n']);
    expect(planned(world({ disk: '', record: '', tree: 'n/\nn/a one' }))).toEqual(['disk_folder n']);
  });

  test('a file of the same size is read before it is judged; equal bytes never conflict', () => {
    expect(planned(world({ disk: 'a ?two', record: 'a one', tree: 'a one' }))).toEqual(['fingerprint a']);
    expect(planned(world({ disk: 'a two', record: 'a one', tree: 'a two' }))).toEqual(['record a']);
    expect(planned(world({ disk: 'a ?two', record: '', tree: 'a two' }))).toEqual(['fingerprint a']);
    expect(planned(world({ disk: 'a two', record: '', tree: 'a two' }))).toEqual(['record a']);
  });

  test('changed on both sides: the tree keeps the name, and nothing unsent is replaced', () => {
    expect(planned(world({ disk: 'a longer', record: 'a one', tree: 'a two' }))).toEqual(['upload a on 1']);
    const trees = world({ disk: 'a longer', record: 'a one', tree: 'a two' });
    const unsent = new Map([...trees.tree].map(([id, entry]) => [id, { ...entry, unsent: true }]));
    expect(planned({ ...trees, tree: unsent })).toEqual(['set_aside a → a-conflict']);
    expect(planned(world({ disk: 'a longer', record: '', tree: 'a two' }))).toEqual(['set_aside a → a-conflict']);
  });

  test('delete against edit keeps the edit', () => {
    expect(planned(world({ disk: 'b two', record: 'a one\nb two', tree: 'a edited\nb two' }))).toEqual(['forget a']);
    expect(planned(world({ disk: 'a edited\nb two', record: 'a one\nb two', tree: 'b two' }))).toEqual(['forget a']);
    // A folder goes without what somebody changed or added in it.
    expect(planned(world({ disk: 'b two', record: 'd/\nd/a one\nb two', tree: 'd/\nd/a one\nd/new x\nb two' }))).toEqual([
      'forget d',
      'tree_remove d/a forget d/a',
    ]);
    expect(planned(world({ disk: 'd/\nd/a one\nd/c edited', record: 'd/\nd/a one\nd/c old', tree: '' })).sort()).toEqual([
      'disk_remove d/a',
      'forget d',
      'forget d/c',
    ]);
  });

  test('renames are found by content, folders by what went along', () => {
    expect(planned(world({ disk: 'moved one', record: 'a one', tree: 'a one' }))).toEqual(['tree_move a → moved']);
    expect(planned(world({ disk: 'moved ?one', record: 'a one', tree: 'a one' }))).toEqual(['fingerprint moved']);
    const before = 'd/\nd/a one\nd/b second\nd/c third!';
    expect(planned(world({ disk: 'e/\ne/a ?one\ne/b ?second\ne/c ?changed-meanwhile', record: before, tree: before }))).toEqual([
      'tree_move d → e',
      'upload e/c on 1',
    ]);
    expect(planned(world({ disk: 'A one', record: 'a one', tree: 'a one' }))).toEqual(['tree_move a → A']);
    expect(planned(world({ disk: 'a one', record: 'a one', tree: 'a=z one' }))).toEqual(['disk_move a → z']);
  });

  test('moved on both sides: the tree’s place counts', () => {
    expect(planned(world({ disk: 'x one', record: 'a one', tree: 'a=y one' }))).toEqual(['disk_move x → y']);
    // Each side moved one folder into the other: the disk gives way, first to what stands free.
    const trees = world({ disk: 'q/\nq/p/\nq/p/f one', record: 'p/\np/f one\nq/', tree: 'p/\np/f one\nq=p/q/' });
    expect(planned(trees)).toEqual(['disk_move q/p → p']);
  });

  test('what cannot be read, or is not read yet, is never taken for deleted', () => {
    const trees = world({ disk: 'd/\nb two', record: same, tree: same }, { unreadable: new Set(['d']) });
    expect(planned(trees)).toEqual([]);
    expect(planWorkspace(trees).problems).toEqual([{ path: 'd', reason: 'unreadable' }]);
    // It may be the file that vanished.
    expect(planned(world({ disk: 'b two\nn ?new', record: 'a one\nb two', tree: 'a one\nb two' }))).toEqual(['fingerprint n']);
  });

  test('many deletions at once are held until the person agrees to as many', () => {
    const many = Array.from({ length: 60 }, (_, index) => `f${index} content${index}`).join('\n');
    const texts = { disk: '', record: many, tree: many };
    expect(planWorkspace(world(texts))).toMatchObject({ actions: [], held: { deletions: 60, of: 60 } });
    expect(planWorkspace(world(texts, { deletionsAllowed: 59 })).held).not.toBeNull();
    expect(planWorkspace(world(texts, { deletionsAllowed: 60 })).actions).toHaveLength(60);
    const few = many.split('\n').slice(0, 50).join('\n');
    expect(planWorkspace(world({ disk: '', record: few, tree: few })).actions).toHaveLength(50);
  });

  test('what is ignored or cannot be held stays as it is on both sides', () => {
    const ignored = (path: string) => path.endsWith('.log');
    expect(planned(world({ disk: '', record: 'a.log one', tree: 'a.log one' }, { ignored }))).toEqual(['forget a.log']);
    expect(planned(world({ disk: '', record: '', tree: 'a.log one' }, { ignored }))).toEqual([]);
    const holds = (name: string) => !name.includes(':');
    const trees = world({ disk: 'a one', record: 'a one', tree: 'a=x:y one\nn:n two' }, { holds });
    expect(planned(trees)).toEqual([]);
    expect(planWorkspace(trees).problems.map(({ reason }) => reason)).toEqual(['disk_name', 'disk_name']);
  });

  test('a swap in the tree takes a detour on the disk', () => {
    const record = 'a one\nb second';
    expect(planned(world({ disk: record, record, tree: 'a=b one\nb=a second' }))).toEqual(['disk_move a → a (2)']);
  });
});
