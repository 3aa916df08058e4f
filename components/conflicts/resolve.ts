import { toast } from 'sonner';
import type { EntryRow } from '@/lib/sync/adapters/browser/database';
import type { EditResult, IntentResult } from '@/lib/sync/adapters/browser/engine-client-types';
import { freeName } from '@/lib/sync/model/names';
import type { Conflict } from '../data/conflicts';
import { readContent } from '../editor/use-document';
import { fault, said, sourceOfRow } from '../explorer/undoable';
import type { Session } from '../session/session-context';

export type Choice = 'original' | 'copy' | 'both';

/** Makes the one decision a conflict asks for. Whatever is not kept goes to the trash or into the file's history, and Undo brings it back. */
export async function resolveConflict(session: Session, conflict: Conflict, choice: Choice): Promise<void> {
  const { copy, original, named } = conflict;
  const { client } = session;
  if (choice === 'original' && original !== null) {
    if (!said(await client.remove([copy.id]))) return;
    offer(`Kept “${original.name}” as it is; the other version is in the trash`, () => client.restore([copy.id]));
    return;
  }
  if (choice === 'copy' && original !== null) return keepCopy(session, copy, original);
  const name = choice === 'copy' ? named.original : await freeBeside(session, copy, named.original);
  if (!said(await client.rename(copy.id, name))) return;
  offer(choice === 'copy' ? `Kept as “${name}”` : `Kept both; the other version is “${name}” now`, () => client.rename(copy.id, copy.name));
}

/** The copy's bytes become a new revision of the original, and the copy goes. */
async function keepCopy(session: Session, copy: EntryRow, original: EntryRow): Promise<void> {
  const { client } = session;
  const before = sourceOfRow(original);
  const source = sourceOfRow(copy);
  let written: IntentResult | EditResult;
  if (source !== null) written = await client.replaceContent(original.id, source);
  else {
    // Its bytes are on this device only: they are written anew.
    const content = await readContent(session, copy);
    if (!content.ok) {
      toast.error('The other version cannot be read at the moment. It stays where it is.');
      return;
    }
    const bytes = new Blob([await content.bytes.arrayBuffer()]);
    const { contentRevision, digest } = original;
    written = await client.writeFile(original.id, bytes, { contentRevision, digest }, true);
  }
  if (!said(written)) return;
  if (!said(await client.remove([copy.id]))) return;
  const message = `“${original.name}” has the other version’s content now`;
  if (before === null || source === null) {
    toast(message);
    return;
  }
  offer(message, async () => {
    const back = await client.replaceContent(original.id, before);
    return back.ok ? client.restore([copy.id]) : back;
  });
}

async function freeBeside({ database }: Session, copy: EntryRow, name: string): Promise<string> {
  const siblings = await database.entries.where('[parentId+nameKey]').between([copy.parentId, ''], [copy.parentId, '\uffff']).toArray();
  const taken = new Set(siblings.filter(({ live }) => live === 1).map(({ nameKey }) => nameKey));
  return freeName(name, (key) => taken.has(key));
}

function offer(message: string, undo: () => Promise<IntentResult | EditResult>): void {
  toast(message, { duration: 8000, action: { label: 'Undo', onClick: () => void undo().then(said, fault) } });
}
