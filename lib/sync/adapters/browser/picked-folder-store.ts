import type { EntryId } from '../../model/ids';
import type { DiskRecords } from '../../ports/workspace';
import type { SatchelDatabase } from './database';
import type { FolderHandle } from './picked-folder-handles';

/** The folder that this device keeps in step, as the person set it up. In the settings table under `workspace`. */
export interface WorkspaceSetup {
  /** New with every pick. */
  readonly id: string;
  readonly handle: FolderHandle;
  /** The folder of the tree that it shows. */
  readonly folderId: EntryId;
  readonly paused: boolean;
}
/** What the person answered to a question, acted on by the engine and then removed. Under `workspace.answer`. */
export type WorkspaceAnswerRow = { readonly kind: 'delete'; readonly deletions: number } | { readonly kind: 'restore' };

/** How it stands, told by the engine. Under `workspace.status`. */
export interface WorkspaceStatusRow {
  readonly state:
    | 'paused'
    | 'starting'
    | 'scanning'
    | 'working'
    | 'in_step'
    | 'needs_permission'
    | 'missing'
    | 'looks_empty'
    | 'target_missing'
    | 'failed';
  readonly found: number;
  readonly waiting: number;
  readonly asks: { readonly deletions: number; readonly of: number } | null;
  readonly problems: readonly { readonly path: string; readonly reason: string }[];
  readonly problemCount: number;
}

export const WORKSPACE_SETUP = 'workspace';
export const WORKSPACE_ANSWER = 'workspace.answer';
export const WORKSPACE_STATUS = 'workspace.status';
/** Counts up when the person gave a permission: the engine looks again. */
export const WORKSPACE_LOOK = 'workspace.look';

export async function readSetup(database: SatchelDatabase): Promise<WorkspaceSetup | null> {
  return ((await database.settings.get(WORKSPACE_SETUP))?.value as WorkspaceSetup | undefined) ?? null;
}

/** Begins with a folder. What was agreed on with an earlier one is forgotten; its files and the tree's stay as they are. */
export async function startWorkspace(database: SatchelDatabase, handle: FolderHandle, folderId: EntryId): Promise<void> {
  const setup: WorkspaceSetup = { id: crypto.randomUUID(), handle, folderId, paused: false };
  await database.transaction('rw', [database.settings, database.disk], async (transaction) => {
    await transaction.table('disk').clear();
    await transaction.table('settings').bulkDelete([WORKSPACE_ANSWER, WORKSPACE_STATUS]);
    await transaction.table('settings').put({ key: WORKSPACE_SETUP, value: setup });
  });
}

/** Lets go of the folder. Nothing is deleted on either side. */
export async function stopWorkspace(database: SatchelDatabase): Promise<void> {
  await database.transaction('rw', [database.settings, database.disk], async (transaction) => {
    await transaction.table('disk').clear();
    await transaction.table('settings').bulkDelete([WORKSPACE_SETUP, WORKSPACE_ANSWER, WORKSPACE_STATUS]);
  });
}

export async function pauseWorkspace(database: SatchelDatabase, paused: boolean): Promise<void> {
  const setup = await readSetup(database);
  if (setup !== null) await database.settings.put({ key: WORKSPACE_SETUP, value: { ...setup, paused } });
}

export async function answerWorkspace(database: SatchelDatabase, answer: WorkspaceAnswerRow): Promise<void> {
  await database.settings.put({ key: WORKSPACE_ANSWER, value: answer });
}

/** Asks for the permission again, in a click. Returns whether it was given. */
export async function allowWorkspace(database: SatchelDatabase): Promise<boolean> {
  const setup = await readSetup(database);
  if (setup === null) return false;
  const given = (await setup.handle.requestPermission({ mode: 'readwrite' })) === 'granted';
  await database.settings.put({ key: WORKSPACE_LOOK, value: Date.now() });
  return given;
}

/** The synced tree of the picked folder in IndexedDB. */
export function createDexieDiskRecords(database: SatchelDatabase): DiskRecords {
  return {
    all: () => database.disk.toArray(),
    put: async (rows) => void (await database.disk.bulkPut([...rows])),
    remove: (entryIds) => database.disk.bulkDelete([...entryIds]),
  };
}
