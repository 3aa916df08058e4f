'use client';
import { type MouseEvent, type PointerEvent, useRef } from 'react';
import type { EntryId } from '@/lib/sync/model/ids';
import { NOTHING_SELECTED, type Selection, selectOnly, selectRange, toggle } from '../pure/selection';

const LONG_PRESS_MILLISECONDS = 420;
const SLOP_PIXELS = 9;

/** The entry a DOM event happened on. */
export function entryAt(target: EventTarget | null): EntryId | null {
  const element = target instanceof Element ? target.closest<HTMLElement>('[data-entry]') : null;
  return (element?.dataset.entry as EntryId | undefined) ?? null;
}

interface Options {
  readonly ids: readonly EntryId[];
  readonly selection: Selection;
  readonly setSelection: (selection: Selection) => void;
  readonly onOpen: (id: EntryId) => void;
  /** The “more” button of an entry, with where it stands. */
  readonly onMore: (id: EntryId, at: DOMRect, touch: boolean) => void;
}

/** Mouse: click, Ctrl, Shift, double click. Touch: tap opens, a long press selects, then taps add. */
export function usePointerSelection({ ids, selection, setSelection, onOpen, onMore }: Options) {
  const press = useRef<{ timer: ReturnType<typeof setTimeout>; x: number; y: number } | null>(null);
  const touch = useRef(false);
  const swallowClick = useRef(false);
  const endPress = (): void => {
    if (press.current) clearTimeout(press.current.timer);
    press.current = null;
  };
  const onPointerDown = (event: PointerEvent): void => {
    touch.current = event.pointerType !== 'mouse';
    swallowClick.current = false;
    const id = entryAt(event.target);
    if (!touch.current || id === null || (event.target as Element).closest('[data-more],input')) return;
    // Keeps the library's own long-press menu closed: here a long press selects.
    event.preventDefault();
    const timer = setTimeout(() => {
      swallowClick.current = true;
      navigator.vibrate?.(8);
      setSelection(toggle(selection, id));
    }, LONG_PRESS_MILLISECONDS);
    press.current = { timer, x: event.clientX, y: event.clientY };
  };
  const onPointerMove = (event: PointerEvent): void => {
    if (press.current && Math.hypot(event.clientX - press.current.x, event.clientY - press.current.y) > SLOP_PIXELS) endPress();
  };
  const onClick = (event: MouseEvent): void => {
    endPress();
    if (swallowClick.current) {
      swallowClick.current = false;
      return;
    }
    const id = entryAt(event.target);
    const more = (event.target as Element).closest('[data-more]');
    if (id === null) {
      if (!(event.target as Element).closest('button,a,input')) setSelection(NOTHING_SELECTED);
      return;
    }
    if (more !== null) {
      if (!selection.ids.has(id)) setSelection(touch.current ? selection : selectOnly(id));
      onMore(id, more.getBoundingClientRect(), touch.current);
      return;
    }
    if (touch.current) {
      if (selection.ids.size > 0) setSelection(toggle(selection, id));
      else onOpen(id);
    } else if (event.shiftKey) setSelection(selectRange(selection, id, ids));
    else if (event.ctrlKey || event.metaKey) setSelection(toggle(selection, id));
    else setSelection(selectOnly(id));
  };
  const onDoubleClick = (event: MouseEvent): void => {
    const id = entryAt(event.target);
    if (
      id === null ||
      touch.current ||
      event.ctrlKey ||
      event.metaKey ||
      event.shiftKey ||
      (event.target as Element).closest('[data-more],input')
    )
      return;
    onOpen(id);
  };
  const onContextMenu = (event: MouseEvent): void => {
    if (touch.current && event.isTrusted) {
      event.preventDefault();
      return;
    }
    const id = entryAt(event.target);
    if (id === null) setSelection(NOTHING_SELECTED);
    else if (!selection.ids.has(id)) setSelection(selectOnly(id));
  };
  return { onPointerDown, onPointerMove, onPointerUp: endPress, onPointerCancel: endPress, onClick, onDoubleClick, onContextMenu };
}
