'use client';
import { type RefObject, useEffect, useRef, useState } from 'react';
import type { EntryRow } from '@/lib/sync/adapters/browser/database';
import type { ContentBase } from '@/lib/sync/adapters/browser/engine-client-types';
import { readLocalContent, sourceOf } from '@/lib/sync/adapters/browser/local-content';
import type { EntryId } from '@/lib/sync/model/ids';
import { contentAddress } from '@/lib/sync/protocol/routes';
import { type Session, useSession } from '../session/session-context';
import type { EditorHandle } from './code-editor';
import { DocumentSession, type SaveState } from './document-session';
import { withEditLock } from './drafts';
import { decodeText, EDIT_BYTES_MAX, type Text } from './text-codec';

export type Problem = 'offline' | 'gone' | 'not_text' | 'too_large';

export type DocumentState =
  | { readonly phase: 'loading' }
  | { readonly phase: 'problem'; readonly problem: Problem }
  | {
      readonly phase: 'ready';
      readonly initial: Text;
      /** Changes when the editor has to begin anew. */
      readonly generation: number;
      /** False while another tab has the file open for editing. */
      readonly mine: boolean;
    };

/** Reads the content a row stands for: from this device if it is here, else from the server. */
export async function readContent(
  { database, me }: Session,
  row: EntryRow,
): Promise<{ readonly ok: true; readonly bytes: Blob } | { readonly ok: false; readonly problem: Problem }> {
  if (row.size === 0) return { ok: true, bytes: new Blob([]) };
  const { namespaceId, id: entryId, contentRevision } = row;
  const source = await sourceOf(database, { namespaceId, entryId, contentRevision, download: false });
  const local = await readLocalContent(database, me.userId, source);
  if (local !== null) return { ok: true, bytes: local.body };
  try {
    const response = await fetch(contentAddress(source));
    if (response.ok) return { ok: true, bytes: await response.blob() };
    return { ok: false, problem: response.status === 503 ? 'offline' : 'gone' };
  } catch {
    return { ok: false, problem: 'offline' };
  }
}

interface Loaded {
  readonly text: Text;
  readonly base: ContentBase;
}

async function load(session: Session, entryId: EntryId): Promise<Loaded | Problem> {
  for (let attempt = 0; ; attempt++) {
    const row = await session.database.entries.get(entryId);
    if (row === undefined) return 'gone';
    if (row.size > EDIT_BYTES_MAX) return 'too_large';
    const content = await readContent(session, row);
    const after = await session.database.entries.get(entryId);
    // The bytes belong to the row only if it stayed the same while they were read.
    if ((after?.digest !== row.digest || after?.contentRevision !== row.contentRevision) && attempt < 5) continue;
    if (!content.ok) return content.problem;
    const text = decodeText(new Uint8Array(await content.bytes.arrayBuffer()));
    return text === null ? 'not_text' : { text, base: { contentRevision: row.contentRevision, digest: row.digest } };
  }
}

export interface Document {
  readonly state: DocumentState;
  readonly saving: SaveState;
  /** Another device changed the file while it is being edited here. */
  readonly overtaken: boolean;
  readonly edited: () => void;
  readonly flush: () => void;
}

/** The open text file `row`: loaded, locked against other tabs, saved, and brought up to date when it changes elsewhere. */
export function useDocument(
  row: EntryRow,
  handle: RefObject<EditorHandle | null>,
  onClosed: (change: { readonly before: Loaded; readonly after: ContentBase }) => void,
  onCopied: () => void,
): Document {
  const session = useSession();
  const [state, setState] = useState<DocumentState>({ phase: 'loading' });
  const [saving, setSaving] = useState<SaveState>({ kind: 'clean' });
  const [overtaken, setOvertaken] = useState(false);
  const document = useRef<DocumentSession | null>(null);
  const latest = useRef({ row, onClosed, onCopied });
  latest.current = { row, onClosed, onCopied };
  const entryId = row.id;

  useEffect(() => {
    const closing = new AbortController();
    const open = async (): Promise<void> => {
      const loaded = await load(session, entryId);
      if (closing.signal.aborted) return;
      if (typeof loaded === 'string') {
        setState({ phase: 'problem', problem: loaded });
        return;
      }
      setState({ phase: 'ready', initial: loaded.text, generation: 0, mine: false });
      await withEditLock(entryId, closing.signal, () => edit(loaded));
    };
    const edit = async (shown: Loaded): Promise<void> => {
      const { database, client } = session;
      // While another tab had the file, its content may have moved on; and a crash may have left a draft.
      const draft = await database.drafts.get(entryId);
      const same = (await database.entries.get(entryId))?.digest === shown.base.digest;
      const now = same ? shown : await load(session, entryId);
      const loaded = typeof now === 'string' ? shown : now;
      if (closing.signal.aborted) return;
      let lastRead = loaded.text.text;
      const made = new DocumentSession(
        {
          read: () => {
            lastRead = handle.current?.read() ?? lastRead;
            return lastRead;
          },
          write: (text, base) => client.writeFile(entryId, new Blob([text]), base, true),
          putDraft: async ({ text, base }) => {
            const { namespaceId, parentId, name } = latest.current.row;
            await database.drafts.put({ entryId, namespaceId, parentId, name, text, base, at: Date.now() });
          },
          dropDraft: () => database.drafts.delete(entryId),
          onState: setSaving,
          onCopied: () => latest.current.onCopied(),
        },
        draft?.base ?? loaded.base,
      );
      document.current = made;
      const text = draft === undefined ? loaded.text : { ...loaded.text, text: draft.text };
      lastRead = text.text;
      setState({ phase: 'ready', initial: text, generation: text === shown.text ? 0 : 1, mine: true });
      if (draft !== undefined) made.changed();
      await new Promise((resolve) => closing.signal.addEventListener('abort', resolve, { once: true }));
      await made.close();
      if (document.current === made) document.current = null;
      if (made.touched && made.base.digest !== loaded.base.digest) latest.current.onClosed({ before: loaded, after: made.base });
    };
    const leaving = (): void => {
      document.current?.keepDraftNow();
      if (globalThis.document.visibilityState === 'hidden') void document.current?.flush();
    };
    open().catch((error: unknown) => {
      console.error(error);
      if (!closing.signal.aborted) setState({ phase: 'problem', problem: 'gone' });
    });
    globalThis.document.addEventListener('visibilitychange', leaving);
    window.addEventListener('pagehide', leaving);
    return () => {
      // Read now: the editor is taken down with the page's next breath.
      document.current?.keepDraftNow();
      closing.abort();
      globalThis.document.removeEventListener('visibilitychange', leaving);
      window.removeEventListener('pagehide', leaving);
    };
  }, [session, entryId, handle]);

  const ready = state.phase === 'ready' ? state : null;
  const theirs = row.remote ?? null;
  const remoteRevision = theirs?.contentRevision ?? row.contentRevision;
  // biome-ignore lint/correctness/useExhaustiveDependencies: looked at when the row's content, the server's, or the state of saving moves.
  useEffect(() => {
    const open = document.current;
    if (ready === null || !ready.mine || open === null) return;
    const base = open.base;
    const foreign = row.transferId === undefined ? row.digest !== base.digest : theirs !== null && remoteRevision > base.contentRevision;
    setOvertaken(foreign && (open.busy || row.transferId !== undefined));
    if (open.busy || row.digest === base.digest) {
      if (!open.busy && row.digest === base.digest && row.transferId === undefined)
        open.rebased({ contentRevision: row.contentRevision, digest: row.digest });
      return;
    }
    let stale = false;
    void load(session, entryId).then((loaded) => {
      if (stale || typeof loaded === 'string' || open.busy || document.current !== open) return;
      open.rebased(loaded.base);
      if (loaded.text.lineEnd === ready.initial.lineEnd) handle.current?.replace(loaded.text.text);
      else setState({ ...ready, initial: loaded.text, generation: ready.generation + 1 });
    });
    return () => {
      stale = true;
    };
  }, [row.digest, row.contentRevision, remoteRevision, row.transferId, saving.kind, ready?.mine]);

  return {
    state,
    saving,
    overtaken,
    edited: () => document.current?.changed(),
    flush: () => void document.current?.flush(),
  };
}
