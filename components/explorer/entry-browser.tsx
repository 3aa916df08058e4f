'use client';
import { useVirtualizer } from '@tanstack/react-virtual';
import { clsx } from 'clsx';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { type ReactNode, type RefObject, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { EntryRow } from '@/lib/sync/adapters/browser/database';
import type { Sort, SortBy } from '@/lib/sync/adapters/browser/read-model';
import type { EntryId } from '@/lib/sync/model/ids';
import { useEntryRows } from '../data/use-entry-rows';
import { usePinned } from '../data/use-pinned';
import { keepOnly, type Selection } from '../pure/selection';
import { useSession } from '../session/session-context';
import { ActionSheet, ContextActions, type MenuActions } from '../ui/menu';
import { usePhone } from '../ui/use-media';
import { useClipboard } from './clipboard';
import { type CellProps, ListRow, Tile } from './entry-cells';
import { useEntryDrops } from './use-entry-drops';
import { useExplorerKeys } from './use-explorer-keys';
import { usePointerSelection } from './use-pointer-selection';

/** What is selected, as actions need it: the ids, and the row when it is a single one. */
export interface Picked {
  readonly ids: readonly EntryId[];
  readonly row: EntryRow | undefined;
}

export interface EntryBrowserProps {
  /** Accessible name of the list. */
  readonly label: string;
  /** In order; undefined while they are being read. */
  readonly ids: readonly EntryId[] | undefined;
  readonly layout: 'list' | 'grid';
  readonly dateLabel?: string;
  readonly sort?: Sort;
  readonly onSort?: (sort: Sort) => void;
  readonly actionsFor: (picked: Picked) => MenuActions;
  /** The menu of the empty space. */
  readonly backgroundActions?: MenuActions;
  readonly onOpen: (row: EntryRow) => void;
  readonly onParent?: () => void;
  readonly onRename?: (row: EntryRow, name: string) => void;
  readonly onDelete?: (ids: readonly EntryId[]) => void;
  readonly onClipboard?: (mode: 'copy' | 'cut', ids: readonly EntryId[]) => void;
  readonly findByPrefix?: (prefix: string) => Promise<readonly EntryId[]>;
  readonly onMove?: (ids: readonly EntryId[], parentId: EntryId, copy: boolean) => void;
  readonly onFiles?: (transfer: DataTransfer, parentId: EntryId) => void;
  readonly onReplace?: (transfer: DataTransfer, row: EntryRow) => void;
  readonly empty: ReactNode;
  readonly selection: Selection;
  readonly onSelection: (selection: Selection) => void;
  /** The entry whose name is being changed; asked for from outside by menu actions. */
  readonly renaming: EntryId | null;
  readonly onRenaming: (id: EntryId | null) => void;
  readonly noteOf?: (row: EntryRow) => string | undefined;
}

const TILE_PIXELS = 156;
const NO_IDS: readonly EntryId[] = [];

/** Width of the scroll area, for the number of tiles side by side. */
function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const node = element.current;
    if (node === null) return;
    setWidth(node.clientWidth);
    const observer = new ResizeObserver(() => setWidth(node.clientWidth));
    observer.observe(node);
    return () => observer.disconnect();
  }, [element]);
  return width;
}

/** A list or grid of entries of any length: drawing, selecting, keyboard, menus, dragging. What happens is decided by its owner. */
export function EntryBrowser(props: EntryBrowserProps) {
  const { label, layout, actionsFor, onOpen, onRename, selection, onSelection, renaming, onRenaming } = props;
  const ids = props.ids ?? NO_IDS;
  const { database } = useSession();
  const phone = usePhone();
  const pinned = usePinned();
  const clipboard = useClipboard();
  const scroll = useRef<HTMLDivElement>(null);
  const width = useWidth(scroll);
  const [sheet, setSheet] = useState<EntryId | null>(null);

  const grid = layout === 'grid';
  const gap = phone ? 4 : 8;
  const columns = grid ? Math.max(2, Math.floor((width - 24) / (phone ? 112 : TILE_PIXELS))) : 1;
  const height = grid ? Math.round((width - 24) / columns) + 16 : phone ? 60 : 40;
  const head = grid || phone ? 0 : 36;
  const virtual = useVirtualizer({
    count: Math.ceil(ids.length / columns),
    getScrollElement: () => scroll.current,
    estimateSize: () => height,
    overscan: grid ? 4 : 14,
    // The column heads stick above the rows.
    scrollMargin: head,
    scrollPaddingStart: head,
    paddingEnd: phone ? 96 : 24,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured anew when the shape of a row changes.
  useEffect(() => virtual.measure(), [height, columns]);
  const items = virtual.getVirtualItems();
  const window = { start: (items[0]?.index ?? 0) * columns, end: ((items.at(-1)?.index ?? 0) + 1) * columns };
  const rowOf = useEntryRows(database, ids, window);

  useEffect(() => {
    if (props.ids !== undefined) onSelection(keepOnly(selection, props.ids));
  }, [props.ids, selection, onSelection]);

  const open = (id: EntryId): void => {
    const row = rowOf(id);
    if (row !== undefined) onOpen(row);
    else void database.entries.get(id).then((read) => read && onOpen(read));
  };
  const pointer = usePointerSelection({
    ids,
    selection,
    setSelection: onSelection,
    onOpen: open,
    onMore: (id, at, touch) => {
      if (touch || phone) setSheet(id);
      // The same menu as the right click, where the button stands.
      else
        document
          .getElementById(`entry-${id}`)
          ?.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true, clientX: at.left, clientY: at.bottom + 4 }));
    },
  });
  const onKeyDown = useExplorerKeys({
    ids,
    selection,
    setSelection: onSelection,
    shape: { columns, page: Math.max(1, Math.floor((scroll.current?.clientHeight ?? height) / height)) },
    scrollTo: (index) => virtual.scrollToIndex(Math.floor(index / columns)),
    onOpen: open,
    onParent: props.onParent,
    onRename: onRename ? (id) => onRenaming(id) : undefined,
    onDelete: props.onDelete,
    onClipboard: props.onClipboard,
    findByPrefix: props.findByPrefix,
  });
  const drops = useEntryDrops({
    enabled: props.onMove !== undefined && !phone,
    rowOf,
    selection,
    setSelection: onSelection,
    onMove: (moved, parentId, copy) => props.onMove?.(moved, parentId, copy),
    onFiles: (transfer, parentId) => props.onFiles?.(transfer, parentId),
    onReplace: (transfer, row) => props.onReplace?.(transfer, row),
  });

  const focusBack = (): void => {
    if (renaming === null) scroll.current?.focus({ preventScroll: true });
  };
  const renamed = useMemo(
    () =>
      (id: EntryId) =>
      (name: string | null): void => {
        onRenaming(null);
        scroll.current?.focus({ preventScroll: true });
        const row = rowOf(id);
        if (name !== null && row !== undefined) onRename?.(row, name);
      },
    [onRenaming, onRename, rowOf],
  );
  const cut = useMemo(() => new Set(clipboard?.mode === 'cut' ? clipboard.ids : []), [clipboard]);
  const pickedIds = [...selection.ids];
  const picked: Picked = { ids: pickedIds, row: pickedIds.length === 1 ? rowOf(pickedIds[0] as EntryId) : undefined };
  const actions = pickedIds.length > 0 ? actionsFor(picked) : (props.backgroundActions ?? []);
  const cell = (index: number): (CellProps & { key: EntryId }) | null => {
    const id = ids[index];
    if (id === undefined) return null;
    const row = rowOf(id);
    return {
      key: id,
      id,
      row,
      index,
      selected: selection.ids.has(id),
      focused: selection.focus === id,
      dropTarget: drops.target === id,
      cut: cut.has(id),
      kept: pinned.get(id),
      renaming: renaming === id,
      onRenamed: renaming === id ? renamed(id) : ignore,
      more: true,
      note: row && props.noteOf?.(row),
    };
  };

  const nothing = ids.length === 0;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <ContextActions actions={actions} onClosed={focusBack}>
        {/* biome-ignore lint/a11y/useAriaPropsSupportedByRole: grid and region both carry a name; which one it is, is chosen at run time. */}
        {/* biome-ignore lint/a11y/noStaticElementInteractions: a grid is interactive; while it is empty it still takes drops, keys and menus. */}
        <div
          ref={scroll}
          // A grid without rows is none.
          role={nothing ? 'region' : 'grid'}
          aria-label={label}
          {...(nothing ? {} : { 'aria-multiselectable': true, 'aria-rowcount': grid ? Math.ceil(ids.length / columns) : ids.length + 1 })}
          aria-busy={props.ids === undefined}
          aria-activedescendant={selection.focus !== null ? `entry-${selection.focus}` : undefined}
          tabIndex={0}
          data-scroll
          className={clsx(
            'relative min-h-0 flex-1 overflow-y-auto overflow-x-hidden px-3 outline-none phone:px-1',
            selection.focus === null && 'rounded-md focus-visible:ring-2 focus-visible:ring-accent/60 focus-visible:ring-inset',
          )}
          onKeyDown={onKeyDown}
          {...pointer}
          {...drops.handlers}
        >
          {!grid && !nothing && (
            <ListHead
              dateLabel={props.dateLabel ?? 'Modified'}
              {...(props.sort ? { sort: props.sort } : {})}
              {...(props.onSort ? { onSort: props.onSort } : {})}
            />
          )}
          {nothing && props.ids !== undefined ? (
            props.empty
          ) : (
            <div role={nothing ? 'presentation' : 'rowgroup'} className="relative w-full" style={{ height: virtual.getTotalSize() }}>
              {props.ids === undefined && <Loading grid={grid} />}
              {items.map((item) => (
                <div
                  key={item.key}
                  {...(grid ? { role: 'row', 'aria-rowindex': item.index + 1 } : { role: 'presentation' })}
                  className={clsx('absolute inset-x-0 top-0', grid && 'grid')}
                  style={{
                    height: item.size,
                    transform: `translateY(${item.start - head}px)`,
                    ...(grid ? { gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, columnGap: gap, paddingBottom: gap } : {}),
                  }}
                >
                  {Array.from({ length: columns }, (_, column) => {
                    const properties = cell(item.index * columns + column);
                    if (properties === null) return null;
                    const { key, ...rest } = properties;
                    return grid ? <Tile key={key} {...rest} /> : <ListRow key={key} {...rest} />;
                  })}
                </div>
              ))}
            </div>
          )}
        </div>
      </ContextActions>
      <ActionSheet
        title={(sheet && rowOf(sheet)?.name) ?? ''}
        open={sheet !== null}
        onClose={() => setSheet(null)}
        actions={sheet === null ? [] : actionsFor({ ids: [sheet], row: rowOf(sheet) })}
      />
    </div>
  );
}

function ignore(): void {}

function Loading({ grid }: { readonly grid: boolean }) {
  return (
    <div
      aria-hidden
      className={clsx('animate-late', grid ? 'grid grid-cols-[repeat(auto-fill,minmax(150px,1fr))] gap-3 pt-3' : 'flex flex-col')}
    >
      {['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((key, index) => (
        <div key={key} className={grid ? 'skeleton h-36' : 'flex h-10 items-center gap-3 pl-3'}>
          {!grid && <div className="skeleton size-5" />}
          {!grid && <div className="skeleton h-3.5" style={{ width: 120 + ((index * 67) % 170) }} />}
        </div>
      ))}
    </div>
  );
}

const COLUMNS: readonly { readonly by: SortBy; readonly className: string }[] = [
  { by: 'name', className: 'flex-1 pl-8' },
  { by: 'mtime', className: 'w-36' },
  { by: 'size', className: 'w-20 justify-end' },
];

/** The column heads; pressing one sorts by it, pressing it again turns the order round. */
function ListHead({
  sort,
  onSort,
  dateLabel,
}: {
  readonly sort?: Sort;
  readonly onSort?: (sort: Sort) => void;
  readonly dateLabel: string;
}) {
  const labels: Readonly<Record<SortBy, string>> = { name: 'Name', mtime: dateLabel, size: 'Size' };
  return (
    // biome-ignore lint/a11y/useSemanticElements: part of the virtual grid.
    // biome-ignore lint/a11y/useFocusableInteractive: its buttons are focusable.
    <div
      role="row"
      aria-label="Columns"
      className="sticky top-0 z-10 flex h-9 items-center gap-3 border-line border-b bg-surface pr-1 pl-3 phone:hidden"
    >
      {COLUMNS.map(({ by, className }) => {
        const active = sort?.by === by;
        const Arrow = active && sort.descending ? ArrowDown : ArrowUp;
        return (
          // biome-ignore lint/a11y/useSemanticElements: part of the virtual grid.
          // biome-ignore lint/a11y/useFocusableInteractive: its button is focusable.
          <div
            key={by}
            role="columnheader"
            aria-sort={active ? (sort.descending ? 'descending' : 'ascending') : 'none'}
            className={clsx('flex shrink-0 text-xs', className)}
          >
            {onSort ? (
              <button
                type="button"
                className={clsx('flex items-center gap-1 rounded-sm py-1 font-medium hover:text-ink', active ? 'text-ink' : 'text-ink-3')}
                onClick={() => onSort({ by, descending: active ? !sort.descending : by !== 'name' })}
              >
                {labels[by]}
                {active && <Arrow aria-hidden className="size-3.5" />}
              </button>
            ) : (
              <span className="py-1 font-medium text-ink-3">{labels[by]}</span>
            )}
          </div>
        );
      })}
      {/* biome-ignore lint/a11y/useSemanticElements: part of the virtual grid. */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: nothing to do there. */}
      <div role="columnheader" className="w-9 shrink-0">
        <span className="sr-only">More</span>
      </div>
    </div>
  );
}
