'use client';
import { useEffect } from 'react';
import { noteSeen } from '@/lib/sync/adapters/browser/offline-content';
import { watchTables } from '../data/watch-tables';
import { type Session, useSession } from '../session/session-context';
import { recoverDrafts } from './drafts';

/** Edits that are on the server stay readable here: their files are kept like files that were looked at. Rows of edits that are over go. */
async function keepEdited({ database, client }: Session): Promise<void> {
  const done = await database.transfers
    .where('quiet')
    .equals(1)
    // Lost: the browser died before the bytes were safe; the draft has them.
    .filter(({ state }) => state === 'done' || state === 'lost')
    .toArray();
  if (done.length === 0) return;
  const rows = await database.entries.bulkGet(done.map(({ entryId }) => entryId));
  for (const row of rows) if (row !== undefined && row.live === 1) await noteSeen(database, row, Date.now());
  await database.transfers.bulkDelete(done.map(({ id }) => id));
  client.wake();
}

/** What editing needs while no editor is open: saves what was typed before a crash, and keeps what was edited here. Draws nothing. */
export function EditorBackground() {
  const session = useSession();
  useEffect(() => {
    const { database } = session;
    // What cannot be done now is done at the next opening.
    const told = (error: unknown): void => {
      if (database.isOpen()) console.error(error);
    };
    recoverDrafts(session).catch(told);
    keepEdited(session).catch(told);
    return watchTables(
      database,
      ['transfers'],
      () => keepEdited(session).catch(told),
      () => 1000,
    );
  }, [session]);
  return null;
}
