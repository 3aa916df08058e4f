'use client';
import { clsx } from 'clsx';
import { ChevronRight, FolderOpen, MoreHorizontal } from 'lucide-react';
import { type DragEvent, useState } from 'react';
import { itemsOfTransfer } from '@/lib/sync/adapters/browser/picked-items';
import type { EntryId } from '@/lib/sync/model/ids';
import { Link } from '../navigation/link';
import { addressOf, navigate } from '../navigation/location';
import { ActionMenu } from '../ui/menu';
import { usePhone } from '../ui/use-media';
import { useCommands } from './commands';
import { cargoOf, draggedEntries, endDrag, setDropHint } from './drag';

export interface Crumb {
  /** null: the top. */
  readonly id: EntryId | null;
  readonly name: string;
}

/** The way from the top to the open folder. What does not fit goes into a menu; each part takes drops. */
export function Breadcrumbs({ crumbs, root }: { readonly crumbs: readonly Crumb[]; readonly root: EntryId }) {
  const phone = usePhone();
  const room = phone ? 1 : 4;
  const hidden = crumbs.length > room + 1 ? crumbs.slice(phone ? 0 : 1, crumbs.length - room + (phone ? 0 : 1)) : [];
  const shown = crumbs.filter((crumb) => !hidden.includes(crumb));
  return (
    <nav aria-label="Folders above" className="flex min-w-0 flex-1 items-center">
      <ol className="flex min-w-0 items-center">
        {shown.map((crumb, index) => (
          <li key={crumb.id ?? 'top'} className={clsx('flex items-center', index === shown.length - 1 ? 'min-w-0' : 'min-w-10 shrink')}>
            {hidden.length > 0 && index === (phone ? 0 : 1) && (
              <>
                {!phone && <Separator />}
                <ActionMenu
                  title="Folders above"
                  actions={hidden.map((above) => ({
                    label: above.name,
                    icon: FolderOpen,
                    run: () => navigate(addressOf({ view: 'files', entryId: above.id })),
                  }))}
                >
                  <button
                    type="button"
                    aria-label="Folders in between"
                    className="flex size-8 items-center justify-center rounded-md text-ink-3 hover:bg-hover"
                  >
                    <MoreHorizontal aria-hidden className="size-[18px]" />
                  </button>
                </ActionMenu>
              </>
            )}
            {(index > 0 || (phone && hidden.length > 0)) && <Separator />}
            <Part crumb={crumb} root={root} last={index === shown.length - 1} />
          </li>
        ))}
      </ol>
    </nav>
  );
}

function Separator() {
  return <ChevronRight aria-hidden className="size-4 shrink-0 text-ink-3" />;
}

function Part({ crumb, root, last }: { readonly crumb: Crumb; readonly root: EntryId; readonly last: boolean }) {
  const commands = useCommands();
  const [over, setOver] = useState(false);
  const target = crumb.id ?? root;
  const drop = (event: DragEvent): void => {
    setOver(false);
    const cargo = cargoOf(event.dataTransfer);
    if (cargo === null) return;
    event.preventDefault();
    event.nativeEvent.stopPropagation();
    if (cargo === 'files') commands.upload(target, itemsOfTransfer(event.dataTransfer));
    else if (event.ctrlKey) commands.copy(draggedEntries(), target);
    else commands.move(draggedEntries(), target);
    endDrag();
  };
  const hover = (event: DragEvent): void => {
    if (cargoOf(event.dataTransfer) === null) return;
    event.preventDefault();
    setOver(true);
    setDropHint({ id: target, name: crumb.name, kind: 'folder' });
  };
  const leave = (): void => {
    setOver(false);
    setDropHint(null);
  };
  return (
    <Link
      href={addressOf({ view: 'files', entryId: crumb.id })}
      aria-current={last ? 'page' : undefined}
      onDragOver={hover}
      onDragLeave={leave}
      onDrop={drop}
      className={clsx(
        'min-w-0 truncate rounded-md px-2 py-1 text-md',
        last ? 'font-semibold text-ink' : 'text-ink-2 hover:bg-hover hover:text-ink',
        over && 'bg-accent-soft text-accent-ink ring-2 ring-accent',
      )}
    >
      {crumb.name}
    </Link>
  );
}
