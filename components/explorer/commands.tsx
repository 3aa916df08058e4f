'use client';
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from 'react';
import { toast } from 'sonner';
import type { EntryRow } from '@/lib/sync/adapters/browser/database';
import type { PickedItem } from '@/lib/sync/adapters/browser/engine-client-types';
import { entriesByIds } from '@/lib/sync/adapters/browser/read-model';
import { type EntryId, rootOf } from '@/lib/sync/model/ids';
import { addressOf, navigate, placeOf } from '../navigation/location';
import { formatCount } from '../pure/format';
import { type Session, useSession } from '../session/session-context';
import { UploadFlow, type UploadWish } from '../transfers/upload-flow';
import { readClipboard, setClipboard } from './clipboard';
import { downloadFile, downloadZip } from './download';
import { FolderPicker } from './folder-picker';
import { NewFileDialog, NewFolderDialog } from './name-dialog';
import { type ReplaceOffer, ReplaceQuestion } from './replace-question';
import {
  copyUndoable,
  createFolderUndoable,
  fault,
  moveUndoable,
  nameOf,
  removeUndoable,
  renameUndoable,
  replaceUndoable,
  restoreUndoable,
} from './undoable';

/** Everything a person can do with entries, from any menu, key or drop. */
export interface Commands {
  newFolder(parentId: EntryId): void;
  /** Asks for a name and opens the new, empty file. */
  newFile(parentId: EntryId, kind: NewFileKind): void;
  /** Gives a file other bytes; without `file` it asks for them. */
  replace(entryId: EntryId, file?: File): void;
  /** Something was dropped onto a file: asks whether it replaces the file or goes beside it. */
  offerReplace(row: EntryRow, items: Promise<readonly PickedItem[]>): void;
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

export type NewFileKind = 'text' | 'markdown';

const CommandsContext = createContext<Commands | null>(null);

export function useCommands(): Commands {
  const commands = useContext(CommandsContext);
  if (commands === null) throw new Error('useCommands needs a CommandsProvider above it');
  return commands;
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
  const [fileIn, setFileIn] = useState<{ parentId: EntryId; kind: NewFileKind } | null>(null);
  const [offered, setOffered] = useState<ReplaceOffer | null>(null);
  const replacing = useRef<EntryId | null>(null);
  const replaceInput = useRef<HTMLInputElement>(null);
  const [target, setTarget] = useState<{ mode: 'move' | 'copy'; ids: readonly EntryId[] } | null>(null);
  const [wish, setWish] = useState<UploadWish | null>(null);
  const commands = useMemo((): Commands => {
    const { client } = session;
    const copy: Commands['copy'] = (ids, parentId) => void copyUndoable(session, ids, parentId).catch(fault);
    const move: Commands['move'] = (ids, parentId) => void moveUndoable(session, ids, parentId).catch(fault);
    return {
      newFolder: setFolderIn,
      newFile: (parentId, kind) => setFileIn({ parentId, kind }),
      replace: (id, file) => {
        if (file !== undefined) void replaceUndoable(session, id, file).catch(fault);
        else {
          replacing.current = id;
          replaceInput.current?.click();
        }
      },
      offerReplace: (row, items) =>
        void items.then((picked) => {
          const [item] = picked;
          if (picked.length === 1 && item?.kind === 'file') setOffered({ row, item });
          else if (picked.length > 0) setWish({ parentId: row.parentId, items: picked });
        }, fault),
      rename: (id, name) => void renameUndoable(session, id, name).catch(fault),
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
      remove: (ids) => void removeUndoable(session, ids).catch(fault),
      restore: (ids) => void restoreUndoable(session, ids).catch(fault),
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
  const closeFile = useCallback(() => setFileIn(null), []);
  const closeWish = useCallback(() => setWish(null), []);
  return (
    <CommandsContext value={commands}>
      {children}
      <NewFolderDialog
        open={folderIn !== null}
        onClose={closeFolder}
        create={(name) => createFolderUndoable(session, folderIn ?? root, name)}
      />
      <NewFileDialog
        open={fileIn !== null}
        onClose={closeFile}
        suggestion={fileIn?.kind === 'markdown' ? 'Untitled.md' : 'Untitled.txt'}
        create={async (name) => {
          const result = await session.client.createFile(fileIn?.parentId ?? root, name, new Blob([]));
          if (result.ok) navigate(addressOf({ ...placeOf(location.href), open: result.entryId }));
          return result;
        }}
      />
      <input
        ref={replaceInput}
        type="file"
        hidden
        aria-label="File to replace the content with"
        onChange={({ currentTarget }) => {
          const file = currentTarget.files?.[0];
          // Emptied, so that the same file can be picked again.
          currentTarget.value = '';
          if (file !== undefined && replacing.current !== null) commands.replace(replacing.current, file);
        }}
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
      <ReplaceQuestion
        offer={offered}
        onClose={() => setOffered(null)}
        onReplace={({ row, item }) => commands.replace(row.id, item.file)}
        onBeside={({ row, item }) => commands.upload(row.parentId, [item])}
      />
      <UploadFlow wish={wish} onClose={closeWish} />
    </CommandsContext>
  );
}
