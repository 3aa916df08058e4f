import { toast } from 'sonner';
import type { EntryRow } from '@/lib/sync/adapters/browser/database';
import type { ContentSource, EditResult, IntentResult } from '@/lib/sync/adapters/browser/engine-client-types';
import { entriesByIds } from '@/lib/sync/adapters/browser/read-model';
import type { EntryId } from '@/lib/sync/model/ids';
import { readContent } from '../editor/use-document';
import { formatCount } from '../pure/format';
import type { Session } from '../session/session-context';

/**
 * Everything a person does to entries, with the way back. Undoing is a wish like every other: durable at once, sent in order, and as
 * good offline as online.
 */

const UNDO_MILLISECONDS = 8000;
/** Bytes that only this device has are held in memory while a toast offers them back; larger ones are not taken back by a toast. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;

type Outcome = IntentResult | EditResult;

/** Says what went wrong, if it did; true when all is well. */
export function said(result: Outcome): boolean {
  if (!result.ok) toast.error(result.sentence);
  return result.ok;
}

/** For what should not happen: a broken promise, not a refusal. */
export function fault(error: unknown): void {
  console.error(error);
  toast.error('This could not be done on this device. Please try again.');
}

/** A message with a way back. */
function offer(message: string, undo: () => Promise<unknown>): void {
  toast(message, { duration: UNDO_MILLISECONDS, action: { label: 'Undo', onClick: () => void undo().catch(fault) } });
}

export async function nameOf(session: Session, ids: readonly EntryId[]): Promise<string> {
  if (ids.length !== 1) return formatCount(ids.length, 'item');
  const [row] = await entriesByIds(session.database, ids);
  return `“${row?.name ?? ''}”`;
}

/** Runs wishes one after the other until one is refused. */
async function inTurn(wishes: readonly (() => Promise<Outcome>)[]): Promise<void> {
  for (const wish of wishes) if (!said(await wish())) return;
}

export async function renameUndoable({ client, database }: Session, id: EntryId, name: string): Promise<void> {
  const before = await database.entries.get(id);
  if (!said(await client.rename(id, name)) || before === undefined || before.name === name) return;
  offer(`Renamed to “${name}”`, async () => said(await client.rename(id, before.name)));
}

export async function createFolderUndoable({ client }: Session, parentId: EntryId, name: string): Promise<IntentResult> {
  const result = await client.createFolder(parentId, name);
  if (result.ok) offer(`Made the folder “${name}”`, async () => said(await client.remove(result.entryIds)));
  return result;
}

export async function moveUndoable(session: Session, ids: readonly EntryId[], parentId: EntryId): Promise<void> {
  const { client, database } = session;
  const moving = (await entriesByIds(database, ids)).filter((row) => row.parentId !== parentId);
  if (moving.length === 0) return;
  const moved = moving.map((row) => row.id);
  if (!said(await client.move(moved, parentId))) return;
  const target = await database.entries.get(parentId);
  offer(`Moved ${await nameOf(session, ids)} to ${target === undefined ? 'Files' : `“${target.name}”`}`, async () => {
    const back = [...new Set(moving.map((row) => row.parentId))].map((from) => {
      const here = moving.filter((row) => row.parentId === from);
      return () =>
        client.move(
          here.map((row) => row.id),
          from,
        );
    });
    // A name that was taken in the new folder became another one: it gets its own back.
    const now = new Map((await entriesByIds(database, moved)).map((row) => [row.id, row.name]));
    const renamed = moving.filter((row) => now.get(row.id) !== row.name).map((row) => () => client.rename(row.id, row.name));
    await inTurn([...back, ...renamed]);
  });
}

export async function copyUndoable(session: Session, ids: readonly EntryId[], parentId: EntryId): Promise<void> {
  const result = await session.client.copy(ids, parentId);
  if (!said(result) || !result.ok) return;
  offer(`Copied ${await nameOf(session, ids)}`, async () => said(await session.client.remove(result.entryIds)));
}

export async function restoreUndoable(session: Session, ids: readonly EntryId[]): Promise<void> {
  if (!said(await session.client.restore(ids))) return;
  offer(`Restored ${await nameOf(session, ids)}`, async () => said(await session.client.remove(ids)));
}

/** The bytes of files that only this device has; undefined for one that cannot be held. */
async function held(session: Session, row: EntryRow): Promise<Blob | undefined> {
  if (row.size > HELD_BYTES_MAX) return undefined;
  const content = await readContent(session, row);
  // Copied: the file they lie in goes with the wish.
  return content.ok ? new Blob([await content.bytes.arrayBuffer()]) : undefined;
}

/** To the trash. A file that never reached the server has no trash to be in: its bytes are held as long as Undo is offered. */
export async function removeUndoable(session: Session, ids: readonly EntryId[]): Promise<void> {
  const { client, database } = session;
  const name = await nameOf(session, ids);
  const rows = await entriesByIds(database, ids);
  const onlyHere = rows.filter((row) => row.kind === 'file' && row.remote === null && row.transferId !== undefined);
  const bytes = new Map<EntryId, Blob | undefined>();
  for (const row of onlyHere) bytes.set(row.id, await held(session, row));
  if (!said(await client.remove(ids))) return;
  offer(`Moved ${name} to the trash`, async () => {
    const left = new Set((await entriesByIds(database, ids)).map((row) => row.id));
    const lost = onlyHere.filter((row) => !left.has(row.id));
    const again = lost.map((row) => async (): Promise<Outcome> => {
      const blob = bytes.get(row.id);
      if (blob === undefined) return { ok: false, sentence: `“${row.name}” was too large to be held; please add it again.` };
      return client.createFile(row.parentId, row.name, blob);
    });
    await inTurn([...(left.size > 0 ? [() => client.restore([...left])] : []), ...again]);
  });
}

/** Where the server has (or will have) the bytes of a row; null while they are on this device only. */
export function sourceOfRow(row: EntryRow): ContentSource | null {
  const { id: entryId, contentRevision, size, digest } = row;
  const unsent = row.transferId !== undefined || (row.remote !== undefined && row.remote !== null && row.remote.digest !== digest);
  return unsent || digest === null ? null : { entryId, contentRevision, size, digest };
}

/** Another file's bytes for this entry; the old ones stay in its history, or are held while Undo is offered. */
export async function replaceUndoable(session: Session, id: EntryId, file: File): Promise<void> {
  const { client, database } = session;
  const row = await database.entries.get(id);
  if (row === undefined) return;
  const source = sourceOfRow(row);
  const bytes = source === null ? await held(session, row) : undefined;
  const { contentRevision, digest } = row;
  const result = await client.writeFile(id, file, { contentRevision, digest }, false);
  if (!said(result) || !result.ok) return;
  const message = `Replaced the content of “${row.name}”`;
  if (source !== null) offer(message, async () => said(await client.replaceContent(id, source)));
  else if (bytes === undefined) toast(message);
  else offer(message, async () => said(await client.writeFile(id, bytes, { contentRevision, digest: result.digest }, true)));
}
