'use client';
import { type KeyboardEvent, useRef } from 'react';
import type { EntryId } from '@/lib/sync/model/ids';
import { NOTHING_SELECTED, type Selection, type Step, selectAll, selectOnly, selectRange, stepFrom, toggle } from '../pure/selection';
import { NOTHING_TYPED, type TypeAhead, typed, wanted } from '../pure/type-ahead';

const STEPS: Readonly<Record<string, Step>> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
  Home: 'first',
  End: 'last',
  PageUp: 'page_up',
  PageDown: 'page_down',
};

interface Options {
  readonly ids: readonly EntryId[];
  readonly selection: Selection;
  readonly setSelection: (selection: Selection) => void;
  readonly shape: { readonly columns: number; readonly page: number };
  readonly scrollTo: (index: number) => void;
  readonly onOpen: (id: EntryId) => void;
  readonly onParent?: (() => void) | undefined;
  readonly onRename?: ((id: EntryId) => void) | undefined;
  readonly onDelete?: ((ids: readonly EntryId[]) => void) | undefined;
  readonly onClipboard?: ((mode: 'copy' | 'cut', ids: readonly EntryId[]) => void) | undefined;
  /** Ids whose name begins with the prefix, in any order. */
  readonly findByPrefix?: ((prefix: string) => Promise<readonly EntryId[]>) | undefined;
}

/** The keyboard of a list or grid of entries. */
export function useExplorerKeys(options: Options): (event: KeyboardEvent) => void {
  const typing = useRef<TypeAhead>(NOTHING_TYPED);
  const { ids, selection, setSelection, shape, scrollTo } = options;

  const step = (event: KeyboardEvent, direction: Step): void => {
    const from = selection.focus === null ? -1 : ids.indexOf(selection.focus);
    const to = stepFrom(from, direction, { count: ids.length, ...shape });
    const id = ids[to];
    if (id === undefined) return;
    if (event.shiftKey) setSelection(selectRange(selection, id, ids));
    else if (event.ctrlKey || event.metaKey) setSelection({ ...selection, focus: id });
    else setSelection(selectOnly(id));
    scrollTo(to);
  };

  const typeAhead = async (key: string): Promise<void> => {
    typing.current = typed(typing.current, key, Date.now());
    const { prefix, next } = wanted(typing.current);
    const found = new Set(await options.findByPrefix?.(prefix));
    if (found.size === 0) return;
    const from = selection.focus === null ? -1 : ids.indexOf(selection.focus);
    const start = next ? from + 1 : Math.max(0, from);
    for (let i = 0; i < ids.length; i++) {
      const index = (start + i) % ids.length;
      const id = ids[index] as EntryId;
      if (!found.has(id)) continue;
      setSelection(selectOnly(id));
      scrollTo(index);
      return;
    }
  };

  const withControl = (event: KeyboardEvent): boolean => {
    if (!event.ctrlKey && !event.metaKey) return false;
    const selected = [...selection.ids];
    const key = event.key.toLowerCase();
    if (key === 'a') setSelection(selectAll(selection, ids));
    else if (key === ' ' && selection.focus !== null) setSelection(toggle(selection, selection.focus));
    else if ((key === 'c' || key === 'x') && selected.length > 0 && options.onClipboard)
      options.onClipboard(key === 'c' ? 'copy' : 'cut', selected);
    else return false;
    return true;
  };

  const plain = (event: KeyboardEvent): boolean => {
    const selected = [...selection.ids];
    const only = selected.length === 1 ? (selected[0] as EntryId) : selection.focus;
    if (event.key === 'Enter' && only !== null) options.onOpen(only);
    else if (event.key === 'Backspace' && options.onParent) options.onParent();
    else if (event.key === 'F2' && only !== null && options.onRename) options.onRename(only);
    else if (event.key === 'Delete' && selected.length > 0 && options.onDelete) options.onDelete(selected);
    else if (event.key === 'Escape' && selected.length > 0) setSelection(NOTHING_SELECTED);
    else if (event.key === ' ' && selection.focus !== null && Date.now() - typing.current.at > 900)
      setSelection(toggle(selection, selection.focus));
    else if (event.key.length === 1 && options.findByPrefix && event.key !== '/') void typeAhead(event.key);
    else return false;
    return true;
  };

  return (event) => {
    if (event.target instanceof HTMLInputElement || event.defaultPrevented) return;
    const direction = STEPS[event.key];
    if (event.altKey) {
      if (event.key !== 'ArrowUp' || !options.onParent) return;
      options.onParent();
      event.preventDefault();
      return;
    }
    if (direction !== undefined) {
      step(event, direction);
      event.preventDefault();
    } else if (withControl(event) || (!event.ctrlKey && !event.metaKey && plain(event))) event.preventDefault();
  };
}
