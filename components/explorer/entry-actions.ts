import {
  CircleMinus,
  Copy,
  Download,
  Eye,
  FilePenLine,
  FolderInput,
  FolderOpen,
  Info,
  Pencil,
  Pin,
  Replace,
  RotateCcw,
  Scissors,
  Trash2,
} from 'lucide-react';
import type { EntryId } from '@/lib/sync/model/ids';
import type { Pinned } from '../data/use-pinned';
import { isText } from '../pure/file-kind';
import type { MenuActions } from '../ui/menu';
import { setClipboard } from './clipboard';
import type { Commands } from './commands';
import type { Picked } from './entry-browser';

interface Options {
  readonly commands: Commands;
  readonly pinned: Pinned;
  readonly onRename: (id: EntryId) => void;
  /** Shows where a found entry stands. */
  readonly onShow?: (id: EntryId) => void;
  readonly onDetails?: () => void;
}

/** What a selection of live entries offers, in every menu the same. */
export function entryActions({ ids, row }: Picked, { commands, pinned, onRename, onShow, onDetails }: Options): MenuActions {
  const one = ids.length === 1;
  const kept = ids.some((id) => pinned.has(id));
  const allKept = one && kept;
  return [
    ...(row
      ? [
          {
            label: row.kind === 'folder' ? 'Open' : isText(row.name) ? 'Edit' : 'View',
            icon: row.kind === 'folder' ? FolderOpen : isText(row.name) ? FilePenLine : Eye,
            run: () => commands.open(row),
            shortcut: '↵',
          },
        ]
      : []),
    ...(one && onShow ? [{ label: 'Show in its folder', icon: FolderOpen, run: () => onShow(ids[0] as EntryId) }] : []),
    { label: 'Download', icon: Download, run: () => commands.download(ids) },
    ...(allKept ? [] : [{ label: 'Keep offline', icon: Pin, run: () => commands.keepOffline(ids) }]),
    ...(kept ? [{ label: 'Remove offline copy', icon: CircleMinus, run: () => commands.releaseOffline(ids) }] : []),
    null,
    ...(one ? [{ label: 'Rename', icon: Pencil, run: () => onRename(ids[0] as EntryId), shortcut: 'F2' }] : []),
    ...(one && row?.kind === 'file' ? [{ label: 'Replace with…', icon: Replace, run: () => commands.replace(row.id) }] : []),
    { label: 'Move to…', icon: FolderInput, run: () => commands.chooseTarget('move', ids) },
    { label: 'Copy to…', icon: Copy, run: () => commands.chooseTarget('copy', ids) },
    { label: 'Cut', icon: Scissors, run: () => setClipboard({ mode: 'cut', ids }), shortcut: 'Ctrl X' },
    ...(onDetails && one ? [{ label: 'Details', icon: Info, run: onDetails }] : []),
    null,
    { label: 'Delete', icon: Trash2, run: () => commands.remove(ids), shortcut: 'Del', danger: true },
  ];
}

/** What an entry in the trash offers. */
export function trashActions({ ids }: Picked, commands: Commands): MenuActions {
  return [{ label: 'Restore', icon: RotateCcw, run: () => commands.restore(ids) }];
}
