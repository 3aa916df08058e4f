'use client';
import { clsx } from 'clsx';
import { MoreHorizontal } from 'lucide-react';
import { memo, useLayoutEffect, useRef, useState } from 'react';
import type { EntryRow, OfflineRow } from '@/lib/sync/adapters/browser/database';
import type { EntryId } from '@/lib/sync/model/ids';
import { splitExtension } from '@/lib/sync/model/names';
import { viewerKind } from '../pure/file-kind';
import { formatBytes, formatDate, formatMoment } from '../pure/format';
import { FileIcon } from '../ui/file-icon';
import { contentOf } from './download';
import { StateBadge } from './state-badge';

/** Larger images are not fetched only to be shown small. */
const THUMBNAIL_BYTES_MAX = 2_000_000;

export interface CellProps {
  readonly id: EntryId;
  readonly row: EntryRow | undefined;
  readonly index: number;
  readonly selected: boolean;
  readonly focused: boolean;
  readonly dropTarget: boolean;
  readonly cut: boolean;
  readonly kept: OfflineRow['state'] | undefined;
  readonly renaming: boolean;
  /** `null`: given up. */
  readonly onRenamed: (name: string | null) => void;
  readonly more: boolean;
  /** What stands under the name instead of nothing, as the place of a search result. */
  readonly note?: string | undefined;
}

const MENU_CLOSING_MILLISECONDS = 250;

/** The name being changed: the stem selected, Enter keeps, Escape gives up. */
function RenameField({
  row,
  onRenamed,
  className,
}: {
  readonly row: EntryRow;
  readonly onRenamed: (name: string | null) => void;
  readonly className?: string;
}) {
  const [name, setName] = useState(row.name);
  const input = useRef<HTMLInputElement>(null);
  const done = useRef(false);
  const begun = useRef(0);
  const focus = (): void => input.current?.focus({ preventScroll: true });
  // At once, so that what is typed right after F2 lands here and not in the list.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when it appears; a change from another device must not move the caret.
  useLayoutEffect(() => {
    begun.current = performance.now();
    focus();
    input.current?.setSelectionRange(0, row.kind === 'file' ? splitExtension(row.name).stem.length : row.name.length);
  }, []);
  const blurred = (): void => {
    // The menu that asked for it gives the focus back to its button: that is not the person leaving the field.
    if (performance.now() - begun.current < MENU_CLOSING_MILLISECONDS) setTimeout(focus);
    else finish(name);
  };
  const finish = (value: string | null): void => {
    if (done.current) return;
    done.current = true;
    onRenamed(value === null || value === row.name || value.trim() === '' ? null : value);
  };
  return (
    <input
      ref={input}
      aria-label={`New name of ${row.name}`}
      className={clsx(
        'min-w-0 rounded-sm border border-accent bg-surface px-1.5 py-0.5 text-ink outline-none ring-3 ring-accent/20',
        className,
      )}
      value={name}
      spellCheck={false}
      onChange={(event) => setName(event.target.value)}
      onBlur={blurred}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === 'Enter') finish(name);
        if (event.key === 'Escape') finish(null);
      }}
      onClick={(event) => event.stopPropagation()}
      onDoubleClick={(event) => event.stopPropagation()}
      onContextMenu={(event) => event.stopPropagation()}
    />
  );
}

function Thumbnail({ row, className, plain }: { readonly row: EntryRow; readonly className: string; readonly plain: string }) {
  const [broken, setBroken] = useState(false);
  if (
    broken ||
    row.kind === 'folder' ||
    row.size > THUMBNAIL_BYTES_MAX ||
    row.size === 0 ||
    viewerKind(row.name) !== 'image' ||
    row.name.endsWith('.svg')
  ) {
    return <FileIcon entry={row} className={plain} />;
  }
  const address = contentOf(row);
  return (
    // biome-ignore lint/performance/noImgElement: content addresses are served by the service worker, also offline; an image optimizer would break that.
    <img
      key={address}
      src={address}
      alt=""
      loading="lazy"
      decoding="async"
      draggable={false}
      className={className}
      onError={() => setBroken(true)}
    />
  );
}

function MoreButton({ name, className }: { readonly name: string; readonly className?: string }) {
  return (
    <button
      type="button"
      data-more
      tabIndex={-1}
      aria-label={`More for ${name}`}
      className={clsx(
        'inline-flex size-7 items-center justify-center rounded-md text-ink-3 hover:bg-pressed hover:text-ink phone:size-11',
        className,
      )}
    >
      <MoreHorizontal aria-hidden className="size-[18px]" />
    </button>
  );
}

/** One row of the list. What is clicked is found by `data-entry`, so that no row needs handlers of its own. */
export const ListRow = memo(function ListRow(props: CellProps) {
  const { id, row, index, selected, focused, dropTarget, cut, kept, renaming, onRenamed, more, note } = props;
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the grid holds the focus and points here with aria-activedescendant.
    // biome-ignore lint/a11y/useSemanticElements: a virtual list draws only the visible rows; a table cannot be laid out that way.
    <div
      id={`entry-${id}`}
      role="row"
      aria-label={row?.name ?? 'Loading'}
      aria-selected={selected}
      aria-rowindex={index + 2}
      data-entry={id}
      draggable={!renaming && row !== undefined}
      className={clsx(
        'group/row flex h-full select-none items-center gap-3 rounded-md pr-1 pl-3 phone:pl-2',
        selected ? 'bg-accent-soft' : 'fine:hover:bg-hover',
        dropTarget && 'bg-accent-soft! ring-2 ring-accent ring-inset',
        cut && 'opacity-50',
        focused && 'in-focus-visible:ring-2 in-focus-visible:ring-accent in-focus-visible:ring-inset',
      )}
    >
      {row === undefined ? (
        <div aria-hidden className="skeleton h-3.5 w-48 animate-late" />
      ) : (
        <>
          {/* biome-ignore lint/a11y/useSemanticElements: as the row. */}
          {/* biome-ignore lint/a11y/useFocusableInteractive: as the row. */}
          <div role="gridcell" className="flex min-w-0 flex-1 items-center gap-3">
            <Thumbnail row={row} plain="size-5 phone:size-7" className="size-5 shrink-0 rounded-[3px] object-cover phone:size-7" />
            {renaming ? (
              <RenameField row={row} onRenamed={onRenamed} className="-ml-1.5 w-full max-w-md" />
            ) : (
              <span className="flex min-w-0 flex-col">
                <span className="flex min-w-0 items-center gap-2">
                  <span className={clsx('truncate', selected && 'text-accent-ink')}>{row.name}</span>
                  <StateBadge row={row} kept={kept} />
                </span>
                {note !== undefined && <span className="truncate text-ink-3 text-xs">{note}</span>}
                <span className="truncate text-ink-3 text-xs desk:hidden">
                  {row.kind === 'file' ? `${formatBytes(row.size)} · ` : ''}
                  {formatDate(row.mtime, Date.now())}
                </span>
              </span>
            )}
          </div>
          {/* biome-ignore lint/a11y/useSemanticElements: as the row. */}
          {/* biome-ignore lint/a11y/useFocusableInteractive: as the row. */}
          <div
            role="gridcell"
            className="w-36 shrink-0 truncate text-ink-3 text-sm tabular-nums phone:hidden"
            title={formatMoment(row.mtime)}
          >
            {formatDate(row.mtime, Date.now())}
          </div>
          {/* biome-ignore lint/a11y/useSemanticElements: as the row. */}
          {/* biome-ignore lint/a11y/useFocusableInteractive: as the row. */}
          <div role="gridcell" className="w-20 shrink-0 text-right text-ink-3 text-sm tabular-nums phone:hidden">
            {row.kind === 'file' ? formatBytes(row.size) : ''}
          </div>
          {/* biome-ignore lint/a11y/useSemanticElements: as the row. */}
          {/* biome-ignore lint/a11y/useFocusableInteractive: as the row. */}
          <div role="gridcell" className="flex w-9 shrink-0 justify-end phone:w-11">
            {more && (
              <MoreButton
                name={row.name}
                className={clsx('desk:opacity-0 desk:group-hover/row:opacity-100', selected && 'desk:opacity-100')}
              />
            )}
          </div>
        </>
      )}
    </div>
  );
});

/** One tile of the grid. */
export const Tile = memo(function Tile(props: CellProps) {
  const { id, row, selected, focused, dropTarget, cut, kept, renaming, onRenamed, more } = props;
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the grid holds the focus and points here with aria-activedescendant.
    // biome-ignore lint/a11y/useSemanticElements: as the row of the list.
    <div
      id={`entry-${id}`}
      role="gridcell"
      aria-label={row?.name ?? 'Loading'}
      aria-selected={selected}
      data-entry={id}
      draggable={!renaming && row !== undefined}
      className={clsx(
        'group/row relative flex h-full min-w-0 select-none flex-col rounded-lg p-2',
        selected ? 'bg-accent-soft' : 'fine:hover:bg-hover',
        dropTarget && 'bg-accent-soft! ring-2 ring-accent ring-inset',
        cut && 'opacity-50',
        focused && 'in-focus-visible:ring-2 in-focus-visible:ring-accent in-focus-visible:ring-inset',
      )}
    >
      <div
        className={clsx(
          'flex min-h-0 flex-1 items-center justify-center overflow-hidden rounded-md',
          row?.kind !== 'folder' && 'bg-sunken',
        )}
      >
        {row ? (
          <Thumbnail row={row} plain={row.kind === 'folder' ? 'size-18' : 'size-11'} className="size-full object-cover" />
        ) : (
          <div className="skeleton size-full animate-late" />
        )}
      </div>
      <div className="flex h-9 shrink-0 items-center justify-center gap-1.5 px-1 pt-1.5 text-sm">
        {row && renaming ? (
          <RenameField row={row} onRenamed={onRenamed} className="w-full text-center" />
        ) : (
          <>
            <span className={clsx('truncate', selected && 'text-accent-ink')} title={row?.name}>
              {row?.name}
            </span>
            {row && <StateBadge row={row} kept={kept} />}
          </>
        )}
      </div>
      {row && more && (
        <MoreButton
          name={row.name}
          className="absolute! top-2.5 right-2.5 bg-raised/85 shadow-1 desk:opacity-0 desk:group-hover/row:opacity-100 phone:top-1! phone:right-1! phone:size-8! phone:rounded-full"
        />
      )}
    </div>
  );
});
