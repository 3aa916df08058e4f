'use client';
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react';
import { toast } from 'sonner';
import type { EntryRow } from '@/lib/sync/adapters/browser/database';
import type { IntentResult, PickedItem } from '@/lib/sync/adapters/browser/engine-client-types';
import { entriesByIds } from '@/lib/sync/adapters/browser/read-model';
import { type EntryId, rootOf } from '@/lib/sync/model/ids';
import { addressOf, navigate, placeOf } from '../navigation/location';
import { formatCount } from '../pure/format';
import { type Session, useSession } from '../session/session-context';
import { UploadFlow, type UploadWish } from '../transfers/upload-flow';
import { readClipboard, setClipboard } from './clipboard';
import { downloadFile, downloadZip } from './download';
import { FolderPicker } from './folder-picker';
import { NewFolderDialog } from './name-dialog';

/** Everything a person can do with entries, from any menu, key or drop. */
export interface Commands {
  newFolder(parentId: EntryId): void;
  rename(entryId: EntryId, name: string): void;
  /** Asks where to. */
  chooseTarget(mode: 'move' | 'copy', ids: readonly EntryId[]): void;
  move(ids: readonly EntryId[], parentId: EntryId): void;
  copy(ids: readonly EntryId[], parentId: EntryId): void;
  paste(parentId: EntryId): void;
  remove(ids: readonly EntryId[]): void;
  restore(ids: readonly EntryId[]): void;
  download(ids: readonly EntryId[]): void;
  keepOffline(ids: readonly EntryId[]): void;
  releaseOffline(ids: readonly EntryId[]): void;
  /** Folders open in place, files in the viewer. */
  open(row: EntryRow): void;
  /** Uploads what was picked; the promise may still be reading a dropped tree. */
  upload(parentId: EntryId, items: readonly PickedItem[] | Promise<readonly PickedItem[]>): void;
}

const CommandsContext = createContext<Commands | null>(null);

export function useCommands(): Commands {
  const commands = useContext(CommandsContext);
  if (commands === null) throw new Error('useCommands needs a CommandsProvider above it');
  return commands;
}

/** Says what went wrong, if it did; true when all is well. */
function said(result: IntentResult): boolean {
  if (!result.ok) toast.error(result.sentence);
  return result.ok;
}

function fault(error: unknown): void {
  console.error(error);
  toast.error('This could not be done on this device. Please try again.');
}

async function nameOf(session: Session, ids: readonly EntryId[]): Promise<string> {
  if (ids.length !== 1) return formatCount(ids.length, 'item');
  const [row] = await entriesByIds(session.database, ids);
  return `“${row?.name ?? ''}”`;
}

function byParent(rows: readonly EntryRow[]): Map<EntryId, EntryRow[]> {
  const groups = new Map<EntryId, EntryRow[]>();
  for (const row of rows) groups.set(row.parentId, [...(groups.get(row.parentId) ?? []), row]);
  return groups;
}

async function moveWithUndo(session: Session, ids: readonly EntryId[], parentId: EntryId): Promise<void> {
  const before = await entriesByIds(session.database, ids);
  const moving = before.filter((row) => row.parentId !== parentId);
  if (moving.length === 0) return;
  const result = await session.client.move(
    moving.map((row) => row.id),
    parentId,
  );
  if (!said(result)) return;
  const undo = async (): Promise<void> => {
    for (const [from, rows] of byParent(moving)) {
      if (
        !said(
          await session.client.move(
            rows.map((row) => row.id),
            from,
          ),
        )
      )
        return;
    }
  };
  const target = await session.database.entries.get(parentId);
  toast(`Moved ${await nameOf(session, ids)} to ${target === undefined ? 'Files' : `“${target.name}”`}`, {
    action: { label: 'Undo', onClick: () => void undo().catch(fault) },
  });
}

async function removeWithUndo(session: Session, ids: readonly EntryId[]): Promise<void> {
  const name = await nameOf(session, ids);
  if (!said(await session.client.remove(ids))) return;
  toast(`Moved ${name} to the trash`, {
    duration: 8000,
    action: { label: 'Undo', onClick: () => void session.client.restore(ids).then(said, fault) },
  });
}

async function downloadAny(session: Session, ids: readonly EntryId[]): Promise<void> {
  const rows = await entriesByIds(session.database, ids);
  const [first] = rows;
  if (first === undefined) return;
  if (rows.length === 1 && first.kind === 'file') {
    downloadFile(first);
    return;
  }
  if (!navigator.onLine) {
    toast('Folders can be downloaded when you are online again.');
    return;
  }
  downloadZip({
    namespaceId: first.namespaceId,
    ids,
    name: rows.length === 1 ? first.name : 'Satchel',
    onRefused: () => toast.error('The download could not be started. What is still on its way to the server cannot be downloaded yet.'),
  });
}

export function CommandsProvider({ children }: { readonly children: ReactNode }) {
  const session = useSession();
  const [folderIn, setFolderIn] = useState<EntryId | null>(null);
  const [target, setTarget] = useState<{ mode: 'move' | 'copy'; ids: readonly EntryId[] } | null>(null);
  const [wish, setWish] = useState<UploadWish | null>(null);
  const commands = useMemo((): Commands => {
    const { client } = session;
    const copy: Commands['copy'] = (ids, parentId) => {
      void client.copy(ids, parentId).then(async (result) => {
        if (said(result)) toast(`Copied ${await nameOf(session, ids)}`);
      }, fault);
    };
    const move: Commands['move'] = (ids, parentId) => void moveWithUndo(session, ids, parentId).catch(fault);
    return {
      newFolder: setFolderIn,
      rename: (id, name) => void client.rename(id, name).then(said, fault),
      chooseTarget: (mode, ids) => setTarget({ mode, ids }),
      move,
      copy,
      paste: (parentId) => {
        const clipboard = readClipboard();
        if (clipboard === null) return;
        if (clipboard.mode === 'copy') copy(clipboard.ids, parentId);
        else {
          move(clipboard.ids, parentId);
          setClipboard(null);
        }
      },
      remove: (ids) => void removeWithUndo(session, ids).catch(fault),
      restore: (ids) =>
        void client.restore(ids).then(async (result) => said(result) && toast(`Restored ${await nameOf(session, ids)}`), fault),
      download: (ids) => void downloadAny(session, ids).catch(fault),
      keepOffline: (ids) => void client.pin(ids).then(async () => toast(`Keeping ${await nameOf(session, ids)} on this device`), fault),
      releaseOffline: (ids) =>
        void client
          .unpin(ids)
          .then((keptBy) => keptBy !== null && toast(`This stays on this device: it is in “${keptBy.name}”, which is kept offline`), fault),
      open: (row) => {
        if (row.kind === 'folder') navigate(addressOf({ view: 'files', entryId: row.id }));
        else navigate(addressOf({ ...placeOf(location.href), open: row.id }));
      },
      upload: (parentId, items) => setWish({ parentId, items }),
    };
  }, [session]);
  const root = rootOf(session.me.rootNamespaceId);
  const closeFolder = useCallback(() => setFolderIn(null), []);
  const closeWish = useCallback(() => setWish(null), []);
  return (
    <CommandsContext value={commands}>
      {children}
      <NewFolderDialog
        open={folderIn !== null}
        onClose={closeFolder}
        create={(name) => session.client.createFolder(folderIn ?? root, name)}
      />
      <FolderPicker
        open={target !== null}
        title={target === null ? '' : `${target.mode === 'move' ? 'Move' : 'Copy'} ${formatCount(target.ids.length, 'item')} to…`}
        verb={target?.mode === 'copy' ? 'Copy here' : 'Move here'}
        excluded={useMemo(() => new Set(target?.ids ?? []), [target])}
        onClose={() => setTarget(null)}
        onPick={(parentId) => {
          if (target !== null) commands[target.mode](target.ids, parentId);
          setTarget(null);
        }}
      />
      <UploadFlow wish={wish} onClose={closeWish} />
    </CommandsContext>
  );
}
