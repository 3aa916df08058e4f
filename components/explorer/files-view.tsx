'use client';
import {
  ArrowDownAZ,
  ClipboardPaste,
  FilePenLine,
  FileText,
  FolderPlus,
  FolderUp,
  Info,
  LayoutGrid,
  List,
  PackageOpen,
  SearchX,
  SortAsc,
  Upload,
} from 'lucide-react';
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { EntryRow } from '@/lib/sync/adapters/browser/database';
import { itemsOfTransfer } from '@/lib/sync/adapters/browser/picked-items';
import { folderIds, pathTo, type Sort, type SortBy } from '@/lib/sync/adapters/browser/read-model';
import { type EntryId, rootOf } from '@/lib/sync/model/ids';
import { idsByPrefix, sameIds } from '../data/folders';
import { usePinned } from '../data/use-pinned';
import { useWatched } from '../data/use-watched';
import { addressOf, navigate, usePlace } from '../navigation/location';
import { NOTHING_SELECTED, type Selection } from '../pure/selection';
import { useConnection, useSession } from '../session/session-context';
import { setPreferences, usePreferences } from '../settings/preferences';
import { usePickers } from '../transfers/pickers';
import { Button, IconButton } from '../ui/button';
import { Empty } from '../ui/empty';
import { ActionMenu, type MenuActions } from '../ui/menu';
import { Tip } from '../ui/tip';
import { Breadcrumbs } from './breadcrumbs';
import { setClipboard, useClipboard } from './clipboard';
import { useCommands } from './commands';
import { DetailsPanel } from './details-panel';
import { entryActions } from './entry-actions';
import { EntryBrowser, type Picked } from './entry-browser';
import { SelectionBar } from './selection-bar';

export interface OpenFolder {
  readonly id: EntryId;
  readonly name: string;
  /** From the top down, the open folder last; empty at the top. */
  readonly path: readonly EntryRow[];
  /** False while it is being looked up or when it does not exist. */
  readonly known: boolean;
}

/** The folder the address names; at the address of a file, the folder it stands in. */
export function useOpenFolder(): OpenFolder {
  const { me, database } = useSession();
  const { view, entryId } = usePlace();
  const root = rootOf(me.rootNamespaceId);
  const wanted = view === 'files' && entryId !== null && entryId !== root ? entryId : null;
  const path = useWatched(() => (wanted === null ? Promise.resolve([]) : pathTo(database, wanted)), {
    database,
    tables: ['entries'],
    key: `path ${wanted}`,
    interval: 300,
    equal: (a, b) =>
      a.length === b.length &&
      a.every((row, index) => row.id === b[index]?.id && row.name === b[index]?.name && row.live === b[index]?.live),
  });
  return useMemo(() => {
    if (wanted === null) return { id: root, name: 'Files', path: [], known: true };
    const folders = path?.filter((row) => row.kind === 'folder') ?? [];
    const last = folders.at(-1);
    const known = path !== undefined && path.length > 0 && path.every((row) => row.live === 1);
    if (path?.at(-1)?.kind === 'file') return { id: last?.id ?? root, name: last?.name ?? 'Files', path: folders, known };
    return { id: wanted, name: last?.name ?? '', path: folders, known };
  }, [wanted, root, path]);
}

/** A folder: where it stands, what is in it, what can be done with it. */
export function FilesView({ folder }: { readonly folder: OpenFolder }) {
  const { me, database } = useSession();
  const { firstSync } = useConnection();
  const commands = useCommands();
  const pickers = usePickers();
  const pinned = usePinned();
  const clipboard = useClipboard();
  const place = usePlace();
  const { layout, sort, details } = usePreferences();
  const [selection, setSelection] = useState<Selection>(NOTHING_SELECTED);
  const [renaming, setRenaming] = useState<EntryId | null>(null);
  const folderId = folder.id;
  const ids = useWatched(() => folderIds(database, folderId, sort), {
    database,
    tables: ['entries'],
    key: `${folderId} ${sort.by} ${sort.descending}`,
    interval: 120,
    equal: sameIds,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another folder begins with nothing selected.
  useEffect(() => {
    setSelection(NOTHING_SELECTED);
    setRenaming(null);
  }, [folderId]);
  useEffect(() => {
    // The address of a file: its folder with the viewer above it.
    if (place.entryId === null || place.entryId === folderId) return;
    const wanted = place.entryId;
    void database.entries.get(wanted).then((row) => {
      if (row?.kind === 'file') navigate(addressOf({ view: 'files', entryId: folder.path.at(-1)?.id ?? null, open: wanted }), 'replace');
    });
  }, [place.entryId, folderId, database, folder.path]);

  const above = folder.path.length === 0 ? null : { entryId: folder.path.at(-2)?.id ?? null };
  const actionsFor = useCallback(
    (picked: Picked): MenuActions =>
      entryActions(picked, { commands, pinned, onRename: setRenaming, onDetails: () => setPreferences({ details: true }) }),
    [commands, pinned],
  );
  const background: MenuActions = [
    { label: 'New folder', icon: FolderPlus, run: () => commands.newFolder(folderId) },
    { label: 'Text file', icon: FileText, run: () => commands.newFile(folderId, 'text') },
    { label: 'Markdown', icon: FilePenLine, run: () => commands.newFile(folderId, 'markdown') },
    { label: 'Upload files', icon: Upload, run: () => pickers.pickFiles(folderId) },
    { label: 'Upload folder', icon: FolderUp, run: () => pickers.pickFolder(folderId) },
    null,
    { label: 'Paste', icon: ClipboardPaste, run: () => commands.paste(folderId), shortcut: 'Ctrl V', disabled: clipboard === null },
  ];
  const selected = [...selection.ids];
  if (!folder.known) return <Missing folder={folder} firstSync={firstSync} />;
  return (
    <div className="flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col">
        <div className="flex h-13 shrink-0 items-center gap-2 pr-3 pl-4 phone:h-12 phone:pr-1 phone:pl-2">
          <h1 className="sr-only">{folder.name}</h1>
          <Breadcrumbs crumbs={[{ id: null, name: 'Files' }, ...folder.path]} root={rootOf(me.rootNamespaceId)} />
          {selected.length > 0 && (
            <SelectionBar
              count={selected.length}
              actions={actionsFor({ ids: selected, row: undefined })}
              near={['Download', 'Move to…', 'Delete']}
              onClear={() => setSelection(NOTHING_SELECTED)}
            />
          )}
          {selected.length === 0 && <Tools />}
        </div>
        <EntryBrowser
          key={layout}
          label={`Contents of ${folder.name}`}
          ids={firstSync && ids?.length === 0 ? undefined : ids}
          layout={layout}
          sort={sort}
          onSort={(next) => setPreferences({ sort: next })}
          actionsFor={actionsFor}
          backgroundActions={background}
          onOpen={commands.open}
          {...(above ? { onParent: () => navigate(addressOf({ view: 'files', ...above })) } : {})}
          onRename={(row, name) => commands.rename(row.id, name)}
          onDelete={commands.remove}
          onClipboard={(mode, cargo) => setClipboard({ mode, ids: cargo })}
          findByPrefix={(prefix) => idsByPrefix(database, folderId, prefix)}
          onMove={(moved, parentId, copy) => (copy ? commands.copy(moved, parentId) : commands.move(moved, parentId))}
          onFiles={(transfer, parentId) => commands.upload(parentId, itemsOfTransfer(transfer))}
          onReplace={(transfer, row) => commands.offerReplace(row, itemsOfTransfer(transfer))}
          selection={selection}
          onSelection={setSelection}
          renaming={renaming}
          onRenaming={setRenaming}
          empty={
            <NothingHere
              top={folder.path.length === 0}
              onFiles={() => pickers.pickFiles(folderId)}
              onFolder={() => pickers.pickFolder(folderId)}
            />
          }
        />
      </div>
      {details && <DetailsPanel ids={selection.ids} onClose={() => setPreferences({ details: false })} />}
    </div>
  );
}

const SORTS: readonly { readonly label: string; readonly sort: Sort }[] = [
  { label: 'Name, A to Z', sort: { by: 'name', descending: false } },
  { label: 'Name, Z to A', sort: { by: 'name', descending: true } },
  { label: 'Newest first', sort: { by: 'mtime', descending: true } },
  { label: 'Oldest first', sort: { by: 'mtime', descending: false } },
  { label: 'Largest first', sort: { by: 'size', descending: true } },
  { label: 'Smallest first', sort: { by: 'size', descending: false } },
];

function Tools() {
  const { layout, sort, details } = usePreferences();
  const icons: Readonly<Record<SortBy, typeof SortAsc>> = { name: ArrowDownAZ, mtime: SortAsc, size: SortAsc };
  return (
    <div role="toolbar" aria-label="View" className="flex items-center gap-0.5">
      <ActionMenu
        title="Sort"
        align="end"
        actions={SORTS.map((choice) => ({
          label: choice.label,
          icon: icons[choice.sort.by],
          checked: choice.sort.by === sort.by && choice.sort.descending === sort.descending,
          run: () => setPreferences({ sort: choice.sort }),
        }))}
      >
        <IconButton label="Sort">
          <SortAsc aria-hidden />
        </IconButton>
      </ActionMenu>
      <Tip text={layout === 'list' ? 'Grid view' : 'List view'}>
        <IconButton
          label={layout === 'list' ? 'Grid view' : 'List view'}
          onClick={() => setPreferences({ layout: layout === 'list' ? 'grid' : 'list' })}
        >
          {layout === 'list' ? <LayoutGrid aria-hidden /> : <List aria-hidden />}
        </IconButton>
      </Tip>
      <Tip text="Details">
        <IconButton label="Details" aria-pressed={details} onClick={() => setPreferences({ details: !details })} className="phone:hidden">
          <Info aria-hidden />
        </IconButton>
      </Tip>
    </div>
  );
}

function NothingHere({ top, onFiles, onFolder }: { readonly top: boolean; readonly onFiles: () => void; readonly onFolder: () => void }) {
  return (
    <Empty
      icon={PackageOpen}
      title={top ? 'Your satchel is empty' : 'Nothing in here yet'}
      actions={
        <>
          <Button look="primary" onClick={onFiles}>
            <Upload aria-hidden className="size-4" />
            Choose files
          </Button>
          <Button onClick={onFolder}>Choose a folder</Button>
        </>
      }
    >
      Drop files or whole folders anywhere on this page. They are kept here at once and sent as soon as there is a network.
    </Empty>
  );
}

function Missing({ folder, firstSync }: { readonly folder: OpenFolder; readonly firstSync: boolean }) {
  if (firstSync) return <div className="flex-1" aria-busy />;
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <Empty
        icon={SearchX}
        title={folder.path.length > 0 ? 'This folder is in the trash' : 'This folder is not here'}
        actions={<Button onClick={() => navigate('/files')}>Go to Files</Button>}
      >
        {folder.path.length > 0
          ? 'Restore it from the trash to see what is in it.'
          : 'It may have been moved or deleted on another device.'}
      </Empty>
    </div>
  );
}
