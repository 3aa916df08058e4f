'use client';
import { useSyncExternalStore } from 'react';
import type { EntryId } from '@/lib/sync/model/ids';

/** Marks a drag of entries inside the page, so that it is never taken for files from the disk. */
export const ENTRIES_TYPE = 'application/x-satchel-entries';

/** What a drag hovers over. `id` is the folder it would land in, or the file it could replace. */
export interface DropHint {
  readonly id: EntryId;
  readonly name: string;
  readonly kind: 'folder' | 'file';
}

// A drag is one for the whole page, and `dragover` may not read what is dragged: so it is remembered here.
let dragged: readonly EntryId[] = [];
let hint: DropHint | null = null;
const listeners = new Set<() => void>();

export function draggedEntries(): readonly EntryId[] {
  return dragged;
}

export function setDropHint(next: DropHint | null): void {
  if (hint?.id === next?.id) return;
  hint = next;
  for (const listener of listeners) listener();
}

/** The folder under the drag; null: none in particular. */
export function useDropHint(): DropHint | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => hint,
    () => null,
  );
}

export type DragCargo = 'entries' | 'files' | null;

export function cargoOf(transfer: DataTransfer | null): DragCargo {
  if (transfer === null) return null;
  if (transfer.types.includes(ENTRIES_TYPE)) return 'entries';
  return transfer.types.includes('Files') ? 'files' : null;
}

/** Starts a drag of entries; its picture is a card with the name, and the count when there are several. */
export function beginDrag(transfer: DataTransfer, ids: readonly EntryId[], name: string): void {
  dragged = ids;
  transfer.effectAllowed = 'copyMove';
  transfer.setData(ENTRIES_TYPE, String(ids.length));
  const card = document.createElement('div');
  card.className =
    'fixed -top-96 left-0 flex h-9 max-w-64 items-center gap-2 rounded-md bg-ink px-3 font-medium text-canvas text-sm shadow-2';
  const label = document.createElement('span');
  label.className = 'truncate';
  label.textContent = ids.length === 1 ? name : `${ids.length.toLocaleString('en')} items`;
  card.append(label);
  document.body.append(card);
  transfer.setDragImage(card, -10, 14);
  // The browser has taken its picture by the next task.
  setTimeout(() => card.remove());
}

export function endDrag(): void {
  dragged = [];
  setDropHint(null);
}
