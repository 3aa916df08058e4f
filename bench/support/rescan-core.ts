import { WorkspaceDisk } from '@/lib/sync/engine/workspace-disk';
import { type DiskRecord, splitPath } from '@/lib/sync/model/disk';
import type { Digest, EntryId } from '@/lib/sync/model/ids';
import { planWorkspace } from '@/lib/sync/planning/workspace-plan';
import type { TreeEntry } from '@/lib/sync/planning/workspace-trees';
import type { Hasher } from '@/lib/sync/ports/hasher';
import type { DiskRecords, Workspace } from '@/lib/sync/ports/workspace';

const ROOT = 'root' as EntryId;
const options = { signal: new AbortController().signal, onFound: () => undefined };

async function scanned(workspace: Workspace, hasher: Hasher): Promise<WorkspaceDisk> {
  const disk = new WorkspaceDisk(workspace, hasher);
  const refused = await disk.scan('', true, options);
  if (refused !== null) throw new Error(`the folder cannot be listed: ${refused}`);
  return disk;
}

/** Records as if everything on the disk were in step. */
export async function learn(workspace: Workspace, hasher: Hasher): Promise<DiskRecord[]> {
  const disk = await scanned(workspace, hasher);
  return disk.nodes().map(({ path, folder, kind, size, mtime }) => {
    const { name } = splitPath(path);
    const parentId = folder === '' ? ROOT : (folder as EntryId);
    const digest = kind === 'file' ? ('0'.repeat(64) as Digest) : null;
    return { entryId: path as EntryId, parentId, name, diskName: name, kind: kind as 'file', size, mtime, digest, contentRevision: 1 };
  });
}

/** A first look after a start: read the records, look at the whole disk, plan. Nothing may come of it. */
export async function rescan(workspace: Workspace, hasher: Hasher, records: DiskRecords) {
  const began = performance.now();
  const rows = await records.all();
  const read = performance.now();
  const disk = await scanned(workspace, hasher);
  const nodes = disk.nodes();
  const walked = performance.now();
  const known = new Map(rows.map((row) => [row.entryId, row]));
  const tree = new Map(rows.map((row): [EntryId, TreeEntry] => [row.entryId, { ...row, id: row.entryId, onServer: true, unsent: false }]));
  const plan = planWorkspace({
    rootId: ROOT,
    disk: nodes,
    unreadable: disk.unreadable,
    records: known,
    tree,
    ignored: (path, isFolder) => disk.rules.ignores(path, isFolder),
    holds: (name) => workspace.holds(name),
    conflictName: (name) => name,
    deletionsAllowed: 0,
  });
  if (plan.actions.length + plan.problems.length > 0) throw new Error(`a plan for unchanged files: ${JSON.stringify(plan.actions[0])}`);
  const ended = performance.now();
  return { entries: nodes.length, records: read - began, walk: walked - read, plan: ended - walked, all: ended - began };
}
