import { type EntryId, type NamespaceId, rootOf } from '../model/ids';
import { COMMIT_OPERATIONS_MAX, DEPTH_MAX, SELECTION_ENTRIES_MAX } from '../model/limits';
import { checkName, NAME_SENTENCES, nameKey } from '../model/names';
import type { Clock, Random } from '../ports/clock';
import type { LocalEntry, LocalReading, LocalStore, LocalWriting } from '../ports/local-store';
import type { Operation } from '../protocol/commit';
import { mustBeHeld } from './held';
import { changedRow, entriesIn, freeNameIn, newRow } from './local-tree';
import { addRequest } from './transfer-commits';

/** What became of a wish: durable on this device, or a sentence that says why not. */
export type Wish = { readonly ok: true; readonly entryIds: readonly EntryId[] } | { readonly ok: false; readonly sentence: string };

export interface IntentContext {
  readonly store: LocalStore;
  readonly random: Random;
  readonly clock: Clock;
  readonly rootNamespaceId: NamespaceId;
  /** Transfers that a wish ended. */
  onTransfers(ids: readonly string[]): void;
}

/** Thrown inside a transaction to undo it; never leaves this room. */
class Refused extends Error {
  override name = 'Refused';
}

const GONE = 'This is not there any more.';

/** Runs a wish in one transaction; a `Refused` undoes it and becomes its sentence. */
export async function wish(context: IntentContext, work: (writing: LocalWriting) => Promise<readonly EntryId[]>): Promise<Wish> {
  try {
    return { ok: true, entryIds: await context.store.write(work) };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, sentence: error.message };
    throw error;
  }
}

export function refuse(sentence: string): never {
  throw new Refused(sentence);
}

/** The namespace a folder belongs to; refuses when it is not a live folder. */
export async function folderNamespace(reading: LocalReading, context: IntentContext, parentId: EntryId): Promise<NamespaceId> {
  if (parentId === rootOf(context.rootNamespaceId)) return context.rootNamespaceId;
  const [row] = await reading.entries([parentId]);
  if (row === undefined) {
    const cursor = (await reading.cursors()).find(({ namespaceId }) => rootOf(namespaceId) === parentId);
    return cursor?.namespaceId ?? refuse('The folder is not there any more.');
  }
  if (row.kind !== 'folder') refuse('Only folders can hold other entries.');
  if (row.deletedAt !== null) refuse('The folder is in the trash.');
  return row.namespaceId;
}

export function usableName(raw: string): string {
  const check = checkName(raw);
  return check.ok ? check.name : refuse(NAME_SENTENCES[check.problem]);
}

/** Ids of the folders above `entryId`, nearest first. */
export async function ancestors(reading: LocalReading, entryId: EntryId): Promise<readonly EntryId[]> {
  const above: EntryId[] = [];
  let [row] = await reading.entries([entryId]);
  while (row !== undefined && above.length <= DEPTH_MAX) {
    above.push(row.parentId);
    [row] = await reading.entries([row.parentId]);
  }
  return above;
}

async function rowsOf(reading: LocalReading, entryIds: readonly EntryId[]): Promise<LocalEntry[]> {
  if (entryIds.length > SELECTION_ENTRIES_MAX) refuse(`Select at most ${SELECTION_ENTRIES_MAX.toLocaleString('en')} entries at once.`);
  const rows = await reading.entries([...new Set(entryIds)]);
  return rows.map((row) => row ?? refuse(GONE));
}

/** Adds operations to the queue, one request per namespace and 1,000 operations; in namespaces of `held` they wait for the person's word. */
export async function queueOperations(
  writing: LocalWriting,
  context: IntentContext,
  operations: readonly { readonly namespaceId: NamespaceId; readonly operation: Operation }[],
  held: ReadonlySet<NamespaceId> = new Set(),
): Promise<void> {
  const namespaces = new Map<NamespaceId, Operation[]>();
  for (const { namespaceId, operation } of operations) {
    const list = namespaces.get(namespaceId) ?? [];
    namespaces.set(namespaceId, list);
    list.push(operation);
  }
  for (const [namespaceId, list] of namespaces) {
    for (let at = 0; at < list.length; at += COMMIT_OPERATIONS_MAX) {
      await addRequest(writing, context, namespaceId, list.slice(at, at + COMMIT_OPERATIONS_MAX), held.has(namespaceId));
    }
  }
}

/** True when the server will hear of the entry only by a transfer that has no request yet: then the row alone is changed. */
function onlyInTransfer(row: LocalEntry, queued: ReadonlySet<EntryId>): boolean {
  return row.remote === null && row.transferId !== undefined && !queued.has(row.id);
}

async function queuedEntries(reading: LocalReading, rows: readonly LocalEntry[]): Promise<ReadonlySet<EntryId>> {
  return rows.some(({ transferId }) => transferId !== undefined) ? entriesIn(await reading.requests()) : new Set();
}

export function createFolder(context: IntentContext, parentId: EntryId, rawName: string): Promise<Wish> {
  return wish(context, async (writing) => {
    const name = usableName(rawName);
    const namespaceId = await folderNamespace(writing, context, parentId);
    if ((await writing.liveByName(parentId, nameKey(name))).length > 0) refuse(`“${name}” is already there.`);
    if ((await ancestors(writing, parentId)).length + 1 >= DEPTH_MAX) refuse('Folders are nested too deeply there.');
    const entryId = context.random.uuid() as EntryId;
    const mtime = context.clock.now();
    await writing.putEntries([newRow({ id: entryId, namespaceId, parentId, name, kind: 'folder', mtime })]);
    await addRequest(writing, context, namespaceId, [{ kind: 'create_folder', entryId, parentId, name, mtime }]);
    return [entryId];
  });
}

export function rename(context: IntentContext, entryId: EntryId, rawName: string): Promise<Wish> {
  return wish(context, async (writing) => {
    const name = usableName(rawName);
    const [row] = await rowsOf(writing, [entryId]);
    if (row === undefined || row.deletedAt !== null) return refuse(GONE);
    if (row.name === name) return [entryId];
    const standing = await writing.liveByName(row.parentId, nameKey(name));
    if (standing.some(({ id }) => id !== entryId)) refuse(`“${name}” is already there.`);
    const queued = await queuedEntries(writing, [row]);
    await writing.putEntries([changedRow(row, { name })]);
    if (onlyInTransfer(row, queued)) return [entryId];
    const { namespaceId, parentId, placeRevision } = row;
    await addRequest(writing, context, namespaceId, [{ kind: 'move', entryId, baseRevision: placeRevision, parentId, name }]);
    return [entryId];
  });
}

export function move(context: IntentContext, entryIds: readonly EntryId[], parentId: EntryId): Promise<Wish> {
  return wish(context, async (writing) => {
    const namespaceId = await folderNamespace(writing, context, parentId);
    const rows = await rowsOf(writing, entryIds);
    const above = new Set([parentId, ...(await ancestors(writing, parentId))]);
    const queued = await queuedEntries(writing, rows);
    const operations: { namespaceId: NamespaceId; operation: Operation }[] = [];
    for (const row of rows) {
      if (row.deletedAt !== null) refuse(GONE);
      if (row.kind === 'folder' && above.has(row.id)) refuse('A folder cannot be moved into itself.');
      if (row.namespaceId !== namespaceId) refuse('This cannot be moved there.');
      if (row.parentId === parentId) continue;
      const name = await freeNameIn(writing, { parentId, name: row.name, except: row.id });
      await writing.putEntries([changedRow(row, { parentId, name })]);
      if (onlyInTransfer(row, queued)) continue;
      const operation = { kind: 'move', entryId: row.id, baseRevision: row.placeRevision, parentId, name } as const;
      operations.push({ namespaceId, operation });
    }
    await queueOperations(writing, context, operations);
    return entryIds;
  });
}

/** Everything below these folders (not themselves), deleted entries included. */
async function below(reading: LocalReading, folders: readonly EntryId[]): Promise<LocalEntry[]> {
  const found: LocalEntry[] = [];
  const open = [...folders];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const child of await reading.children(folder)) {
      found.push(child);
      if (child.kind === 'folder') open.push(child.id);
    }
  }
  return found;
}

/** Uploads into folders that go to the trash end; what is in the queue already goes its way and into the trash with its folder. */
async function endTransfers(writing: LocalWriting, rows: readonly LocalEntry[], queued: ReadonlySet<EntryId>): Promise<readonly string[]> {
  const folders = rows.filter(({ kind }) => kind === 'folder').map(({ id }) => id);
  const inside = await below(writing, folders);
  const gone = new Set([...folders, ...inside.map(({ id }) => id)]);
  const ids = new Set<string>();
  const removed: EntryId[] = [];
  const settled: LocalEntry[] = [];
  for (const row of [...rows, ...inside]) {
    if (row.transferId === undefined || queued.has(row.id)) continue;
    ids.add(row.transferId);
    if (row.remote === null) removed.push(row.id);
    else if (row.remote !== undefined && !rows.includes(row))
      settled.push({ ...row, ...row.remote, transferId: undefined, remote: undefined, state: 'synced' });
  }
  const unstaged = await writing.transfersIn(['queued', 'staging', 'failed']);
  for (const { id, parentId, entryId } of unstaged) if (gone.has(parentId) || gone.has(entryId)) ids.add(id);
  for (const { id, entryId } of unstaged) if (rows.some((row) => row.id === entryId)) ids.add(id);
  await writing.updateTransfers([...ids].map((id) => ({ id, changes: { state: 'cancelled' } })));
  await writing.putEntries(settled);
  await writing.removeEntries(removed);
  return [...ids];
}

/** Live entries that go with these rows, by namespace, themselves included. */
async function taken(reading: LocalReading, rows: readonly LocalEntry[]): Promise<ReadonlyMap<NamespaceId, number>> {
  const folders = rows.filter(({ kind }) => kind === 'folder').map(({ id }) => id);
  const ids = new Map([...rows, ...(await below(reading, folders))].map((row) => [row.id, row]));
  const counts = new Map<NamespaceId, number>();
  for (const { namespaceId, deletedAt } of ids.values()) {
    if (deletedAt === null) counts.set(namespaceId, (counts.get(namespaceId) ?? 0) + 1);
  }
  return counts;
}

async function heldNamespaces(reading: LocalReading, rows: readonly LocalEntry[]): Promise<ReadonlySet<NamespaceId>> {
  const held = new Set<NamespaceId>();
  for (const [namespaceId, entries] of await taken(reading, rows)) {
    if (await mustBeHeld(reading, namespaceId, entries)) held.add(namespaceId);
  }
  return held;
}

/**
 * To the trash. `confirmed`: the person was asked. Without it, a wish that takes much at once (`isMassDeletion`) shows, but is held
 * until `confirmHeld`.
 */
export async function remove(
  context: IntentContext,
  entryIds: readonly EntryId[],
  { confirmed = false }: { readonly confirmed?: boolean } = {},
): Promise<Wish> {
  let ended: readonly string[] = [];
  const result = await wish(context, async (writing) => {
    const rows = (await rowsOf(writing, entryIds)).filter(({ deletedAt }) => deletedAt === null);
    const held = confirmed ? new Set<NamespaceId>() : await heldNamespaces(writing, rows);
    const queued = entriesIn(await writing.requests());
    ended = await endTransfers(writing, rows, queued);
    const operations: { namespaceId: NamespaceId; operation: Operation }[] = [];
    const next: LocalEntry[] = [];
    for (const row of rows) {
      if (onlyInTransfer(row, queued)) continue;
      const { transferId, ...rest } = row;
      const kept = transferId !== undefined && queued.has(row.id) ? row : rest;
      next.push(changedRow(kept, { deletedAt: context.clock.now() }));
      operations.push({ namespaceId: row.namespaceId, operation: { kind: 'delete', entryId: row.id, baseRevision: row.revision } });
    }
    await writing.putEntries(next);
    await queueOperations(writing, context, operations, held);
    return entryIds;
  });
  if (result.ok && ended.length > 0) context.onTransfers(ended);
  return result;
}

/** Whether a folder and everything above it is live. */
async function isLiveFolder(reading: LocalReading, context: IntentContext, folderId: EntryId): Promise<boolean> {
  let id = folderId;
  for (let depth = 0; depth <= DEPTH_MAX; depth++) {
    if (id === rootOf(context.rootNamespaceId)) return true;
    const [row] = await reading.entries([id]);
    if (row === undefined) return (await reading.cursors()).some(({ namespaceId }) => rootOf(namespaceId) === id);
    if (row.deletedAt !== null) return false;
    id = row.parentId;
  }
  return false;
}

export function restore(context: IntentContext, entryIds: readonly EntryId[]): Promise<Wish> {
  return wish(context, async (writing) => {
    const rows = (await rowsOf(writing, entryIds)).filter(({ deletedAt }) => deletedAt !== null);
    // Topmost first: what stands in a folder that comes back with it finds its parent live.
    const depths = new Map<EntryId, number>();
    for (const row of rows) depths.set(row.id, (await ancestors(writing, row.id)).length);
    rows.sort((a, b) => (depths.get(a.id) ?? 0) - (depths.get(b.id) ?? 0));
    const operations: { namespaceId: NamespaceId; operation: Operation }[] = [];
    for (const row of rows) {
      const { id, namespaceId, placeRevision } = row;
      const parentId = (await isLiveFolder(writing, context, row.parentId)) ? row.parentId : rootOf(namespaceId);
      const name = await freeNameIn(writing, { parentId, name: row.name, except: id });
      await writing.putEntries([changedRow(row, { parentId, name, deletedAt: null })]);
      operations.push({ namespaceId, operation: { kind: 'restore', entryId: id, baseRevision: placeRevision, parentId, name } });
    }
    await queueOperations(writing, context, operations);
    return entryIds;
  });
}

export function copy(context: IntentContext, entryIds: readonly EntryId[], parentId: EntryId): Promise<Wish> {
  return wish(context, async (writing) => {
    const namespaceId = await folderNamespace(writing, context, parentId);
    const rows = await rowsOf(writing, entryIds);
    const above = new Set([parentId, ...(await ancestors(writing, parentId))]);
    const made: LocalEntry[] = [];
    const operations: { namespaceId: NamespaceId; operation: Operation }[] = [];
    const copyInto = async (row: LocalEntry, into: EntryId, name: string): Promise<EntryId> => {
      if (made.length >= SELECTION_ENTRIES_MAX)
        refuse(`At most ${SELECTION_ENTRIES_MAX.toLocaleString('en')} entries can be copied at once.`);
      if (row.transferId !== undefined) refuse(`“${row.name}” is still being uploaded; it can be copied afterwards.`);
      const id = context.random.uuid() as EntryId;
      const { kind, size, digest, mtime, contentRevision } = row;
      made.push(newRow({ id, namespaceId, parentId: into, name, kind, size, digest, mtime }));
      const place = { entryId: id, parentId: into, name, mtime };
      if (kind === 'folder' || digest === null) operations.push({ namespaceId, operation: { kind: 'create_folder', ...place } });
      else {
        const content = { from: 'copy' as const, entryId: row.id, contentRevision };
        operations.push({ namespaceId, operation: { kind: 'create_file', ...place, size, digest, content } });
      }
      return id;
    };
    const copied: EntryId[] = [];
    for (const row of rows) {
      if (row.deletedAt !== null) refuse(GONE);
      if (row.kind === 'folder' && above.has(row.id)) refuse('A folder cannot be copied into itself.');
      if (row.namespaceId !== namespaceId) refuse('This cannot be copied there.');
      const top = await copyInto(row, parentId, await freeNameAmong(writing, made, parentId, row.name));
      copied.push(top);
      const open: (readonly [EntryId, EntryId])[] = row.kind === 'folder' ? [[row.id, top]] : [];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        const [from, into] = next;
        for (const child of await writing.children(from)) {
          if (child.deletedAt !== null) continue;
          const id = await copyInto(child, into, child.name);
          if (child.kind === 'folder') open.push([child.id, id]);
        }
      }
    }
    await writing.putEntries(made);
    await queueOperations(writing, context, operations);
    return copied;
  });
}

/** A name free in the folder and among what this very wish puts there. */
function freeNameAmong(reading: LocalReading, made: readonly LocalEntry[], parentId: EntryId, name: string): Promise<string> {
  const taken = new Set(made.filter((row) => row.parentId === parentId).map((row) => nameKey(row.name)));
  return freeNameIn(reading, { parentId, name, taken });
}
