'use client';
import { clsx } from 'clsx';
import {
  CloudDownload,
  FilePenLine,
  Files,
  FileText,
  FolderPlus,
  FolderUp,
  type LucideIcon,
  Plus,
  Settings,
  Smartphone,
  Split,
  Trash2,
  Upload,
} from 'lucide-react';
import { useConflictCount } from '../data/use-conflict-count';
import { useCommands } from '../explorer/commands';
import type { OpenFolder } from '../explorer/files-view';
import { Link } from '../navigation/link';
import { addressOf, type Place, usePlace } from '../navigation/location';
import { usePickers } from '../transfers/pickers';
import { Button } from '../ui/button';
import { ActionMenu, type MenuActions } from '../ui/menu';
import { Wordmark } from '../ui/wordmark';
import { AccountMenu } from './account-menu';

interface Destination {
  readonly view: Place['view'];
  readonly label: string;
  readonly icon: LucideIcon;
}

const DESTINATIONS: readonly Destination[] = [
  { view: 'files', label: 'Files', icon: Files },
  { view: 'offline', label: 'Offline', icon: CloudDownload },
  { view: 'trash', label: 'Trash', icon: Trash2 },
  { view: 'conflicts', label: 'Conflicts', icon: Split },
  { view: 'devices', label: 'Devices', icon: Smartphone },
  { view: 'settings', label: 'Settings', icon: Settings },
];

function useNewActions(folder: OpenFolder): MenuActions {
  const commands = useCommands();
  const pickers = usePickers();
  return [
    { label: 'New folder', icon: FolderPlus, run: () => commands.newFolder(folder.id) },
    { label: 'Text file', icon: FileText, run: () => commands.newFile(folder.id, 'text') },
    { label: 'Markdown', icon: FilePenLine, run: () => commands.newFile(folder.id, 'markdown') },
    null,
    { label: 'Upload files', icon: Upload, run: () => pickers.pickFiles(folder.id) },
    { label: 'Upload folder', icon: FolderUp, run: () => pickers.pickFolder(folder.id) },
  ];
}

/** The left side of wide windows. */
export function Sidebar({ folder }: { readonly folder: OpenFolder }) {
  const { view } = usePlace();
  const actions = useNewActions(folder);
  const conflicts = useConflictCount();
  const destinations = DESTINATIONS.filter(({ view: target }) => target !== 'conflicts' || conflicts > 0 || view === 'conflicts');
  return (
    <nav aria-label="Main" className="flex w-57 shrink-0 flex-col gap-0.5 px-3 pt-3.5 pb-3 phone:hidden">
      <Link href="/files" aria-label="Satchel, to your files" className="mb-4 rounded-md px-1.5">
        <Wordmark />
      </Link>
      <ActionMenu title="New" actions={actions}>
        <Button look="primary" className="mb-4 w-full">
          <Plus aria-hidden className="size-4" />
          New
        </Button>
      </ActionMenu>
      {destinations.map(({ view: target, label, icon: Icon }) => {
        const here = view === target || (target === 'files' && view === 'search');
        return (
          <Link
            key={target}
            href={addressOf({ view: target })}
            aria-current={here ? 'page' : undefined}
            className={clsx(
              'flex h-9 items-center gap-3 rounded-md px-2.5 transition-colors duration-100',
              here ? 'bg-accent-soft font-medium text-accent-ink' : 'text-ink-2 hover:bg-hover hover:text-ink',
            )}
          >
            <Icon aria-hidden className="size-[18px]" />
            {label}
            {target === 'conflicts' && conflicts > 0 && (
              <span className="ml-auto rounded-full bg-danger-soft px-2 text-danger text-xs tabular-nums">{conflicts}</span>
            )}
          </Link>
        );
      })}
      <div className="mt-auto">
        <AccountMenu />
      </div>
    </nav>
  );
}

/** The lower edge of phones, with the button for new things above it. */
export function TabBar({ folder }: { readonly folder: OpenFolder }) {
  const { view } = usePlace();
  const actions = useNewActions(folder);
  return (
    <nav
      aria-label="Main"
      className="relative z-10 flex shrink-0 border-line border-t bg-raised pb-[env(safe-area-inset-bottom)] desk:hidden"
    >
      {view === 'files' && (
        <ActionMenu title="New" actions={actions}>
          <button
            type="button"
            aria-label="New"
            className="absolute right-4 bottom-[calc(100%+16px)] flex size-14 items-center justify-center rounded-xl bg-accent text-on-accent shadow-3 active:bg-accent-strong"
          >
            <Plus aria-hidden className="size-6" />
          </button>
        </ActionMenu>
      )}
      {DESTINATIONS.filter(({ view: target }) => target !== 'conflicts').map(({ view: target, label, icon: Icon }) => (
        <Link
          key={target}
          href={addressOf({ view: target })}
          aria-current={view === target ? 'page' : undefined}
          className={clsx(
            'flex h-14 flex-1 flex-col items-center justify-center gap-0.5 text-xs',
            view === target ? 'font-medium text-accent' : 'text-ink-3',
          )}
        >
          <Icon aria-hidden className="size-5" />
          {label}
        </Link>
      ))}
    </nav>
  );
}
