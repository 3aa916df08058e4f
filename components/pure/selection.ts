import type { EntryId } from '@/lib/sync/model/ids';

/** What is selected in one list. `anchor` is where a range begins, `focus` where the keyboard stands. */
export interface Selection {
  readonly ids: ReadonlySet<EntryId>;
  readonly anchor: EntryId | null;
  readonly focus: EntryId | null;
}

export const NOTHING_SELECTED: Selection = { ids: new Set(), anchor: null, focus: null };

/** Selects one entry and nothing else. */
export function selectOnly(id: EntryId): Selection {
  return { ids: new Set([id]), anchor: id, focus: id };
}

/** Adds or removes one entry (Ctrl-click, long-press mode). */
export function toggle(selection: Selection, id: EntryId): Selection {
  const ids = new Set(selection.ids);
  if (!ids.delete(id)) ids.add(id);
  return { ids, anchor: id, focus: id };
}

/** Everything between the anchor and `id` in `order` (Shift-click, Shift-arrow). Without a usable anchor: `id` alone. */
export function selectRange(selection: Selection, id: EntryId, order: readonly EntryId[]): Selection {
  const from = selection.anchor === null ? -1 : order.indexOf(selection.anchor);
  const to = order.indexOf(id);
  if (from < 0 || to < 0) return selectOnly(id);
  return { ids: new Set(order.slice(Math.min(from, to), Math.max(from, to) + 1)), anchor: selection.anchor, focus: id };
}

export function selectAll(selection: Selection, order: readonly EntryId[]): Selection {
  return { ids: new Set(order), anchor: order[0] ?? null, focus: selection.focus ?? order[0] ?? null };
}

/** Drops what is no longer in the list; the same object when nothing changed. */
export function keepOnly(selection: Selection, order: readonly EntryId[]): Selection {
  if (selection.ids.size === 0 && selection.focus === null) return selection;
  const present = new Set(order);
  const ids = new Set([...selection.ids].filter((id) => present.has(id)));
  const keep = (id: EntryId | null): EntryId | null => (id !== null && present.has(id) ? id : null);
  const next = { ids, anchor: keep(selection.anchor), focus: keep(selection.focus) };
  return ids.size === selection.ids.size && next.anchor === selection.anchor && next.focus === selection.focus ? selection : next;
}

export type Step = 'up' | 'down' | 'left' | 'right' | 'first' | 'last' | 'page_up' | 'page_down';

/** The index the keyboard moves to. `columns` is 1 in a list; `page` is the number of rows in view. */
export function stepFrom(index: number, step: Step, shape: { count: number; columns: number; page: number }): number {
  const { count, columns, page } = shape;
  if (count === 0) return -1;
  if (index < 0) return step === 'last' || step === 'up' ? count - 1 : 0;
  const moves: Readonly<Record<Step, number>> = {
    up: index - columns,
    down: index + columns,
    left: columns === 1 ? index : index - 1,
    right: columns === 1 ? index : index + 1,
    first: 0,
    last: count - 1,
    page_up: index - columns * Math.max(1, page - 1),
    page_down: index + columns * Math.max(1, page - 1),
  };
  const to = moves[step];
  if (step === 'up' && to < 0) return index;
  // Below a short last row of tiles the last tile is what the person means.
  if (step === 'down' && to >= count) return Math.floor(index / columns) < Math.floor((count - 1) / columns) ? count - 1 : index;
  return Math.max(0, Math.min(count - 1, to));
}
