import type { DraftRow } from '@/lib/sync/adapters/browser/database';
import type { EditResult } from '@/lib/sync/adapters/browser/engine-client-types';
import { type EntryId, rootOf } from '@/lib/sync/model/ids';
import { freeName } from '@/lib/sync/model/names';
import type { Session } from '../session/session-context';

/**
 * One editor per file and browser profile: whoever holds this lock writes its draft. Runs `work` while holding it; `work` begins when
 * the file is free. Without Web Locks (no secure context) nobody waits.
 */
export async function withEditLock(entryId: EntryId, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  if (navigator.locks === undefined) return work();
  try {
    await navigator.locks.request(`satchel-edit-${entryId}`, { signal }, work);
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'AbortError')) throw error;
  }
}

/** Makes revisions of what was typed before a crash. Files that are being edited right now see to their drafts themselves. */
export async function recoverDrafts(session: Session): Promise<void> {
  for (const entryId of await session.database.drafts.toCollection().primaryKeys()) {
    const save = async (): Promise<void> => {
      const draft = await session.database.drafts.get(entryId);
      if (draft === undefined) return;
      const result = await saveDraft(session, draft);
      if (result.ok && result.safe) await session.database.drafts.delete(entryId);
    };
    if (navigator.locks === undefined) await save();
    else await navigator.locks.request(`satchel-edit-${entryId}`, { ifAvailable: true }, (lock) => (lock === null ? undefined : save()));
  }
}

/** Onto its file; into a new file beside it, or at the top, when the file is gone. */
async function saveDraft({ client, database, me }: Session, draft: DraftRow): Promise<EditResult> {
  const bytes = new Blob([draft.text]);
  const written = await client.writeFile(draft.entryId, bytes, draft.base, true);
  const row = await database.entries.get(draft.entryId);
  if (written.ok || row?.live === 1) return written;
  for (const parentId of [draft.parentId, rootOf(me.rootNamespaceId)]) {
    const siblings = await database.entries.where('[parentId+nameKey]').between([parentId, ''], [parentId, '\uffff']).toArray();
    const taken = new Set(siblings.filter(({ live }) => live === 1).map(({ nameKey }) => nameKey));
    const made = await client.createFile(
      parentId,
      freeName(draft.name, (key) => taken.has(key)),
      bytes,
    );
    if (made.ok) return made;
  }
  return written;
}
