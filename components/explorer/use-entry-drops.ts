'use client';
import { type DragEvent, useRef, useState } from 'react';
import type { EntryRow } from '@/lib/sync/adapters/browser/database';
import type { EntryId } from '@/lib/sync/model/ids';
import type { Selection } from '../pure/selection';
import { selectOnly } from '../pure/selection';
import { beginDrag, cargoOf, draggedEntries, endDrag, setDropHint } from './drag';
import { entryAt } from './use-pointer-selection';

interface Options {
  readonly enabled: boolean;
  readonly rowOf: (id: EntryId) => EntryRow | undefined;
  readonly selection: Selection;
  readonly setSelection: (selection: Selection) => void;
  readonly onMove: (ids: readonly EntryId[], parentId: EntryId, copy: boolean) => void;
  readonly onFiles: (transfer: DataTransfer, parentId: EntryId) => void;
  /** One file was dropped onto another. */
  readonly onReplace: (transfer: DataTransfer, row: EntryRow) => void;
}

/** Dragging entries out of rows, dropping entries or files onto folder rows, and one file onto another. */
export function useEntryDrops({ enabled, rowOf, selection, setSelection, onMove, onFiles, onReplace }: Options) {
  const [target, setTarget] = useState<EntryId | null>(null);
  const spring = useRef<EntryId | null>(null);
  /** The row that would take the drop: a folder anything, a file another single file from the disk. */
  const targetUnder = (event: DragEvent): EntryRow | null => {
    const id = entryAt(event.target);
    const row = id === null ? undefined : rowOf(id);
    if (row === undefined) return null;
    if (row.kind === 'file') return cargoOf(event.dataTransfer) === 'files' && event.dataTransfer.items.length === 1 ? row : null;
    return cargoOf(event.dataTransfer) === 'entries' && draggedEntries().includes(row.id) ? null : row;
  };
  const aim = (row: EntryRow | null): void => {
    spring.current = row?.id ?? null;
    setTarget(row?.id ?? null);
    setDropHint(row === null ? null : { id: row.id, name: row.name, kind: row.kind });
  };
  const handlers = {
    onDragStart: (event: DragEvent): void => {
      const id = entryAt(event.target);
      const row = id === null ? undefined : rowOf(id);
      if (!enabled || id === null || row === undefined) {
        event.preventDefault();
        return;
      }
      const ids = selection.ids.has(id) ? [...selection.ids] : [id];
      if (!selection.ids.has(id)) setSelection(selectOnly(id));
      beginDrag(event.dataTransfer, ids, row.name);
    },
    onDragEnd: (): void => {
      endDrag();
      setTarget(null);
    },
    onDragOver: (event: DragEvent): void => {
      if (!enabled || cargoOf(event.dataTransfer) === null) return;
      const row = targetUnder(event);
      if (row?.id !== spring.current || (row === null && target !== null)) aim(row);
      if (row === null) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = cargoOf(event.dataTransfer) === 'entries' && !event.ctrlKey ? 'move' : 'copy';
    },
    onDragLeave: (event: DragEvent): void => {
      if (!event.currentTarget.contains(event.relatedTarget as Node | null)) aim(null);
    },
    onDrop: (event: DragEvent): void => {
      const row = enabled ? targetUnder(event) : null;
      aim(null);
      if (row === null) return;
      event.preventDefault();
      // The page's own drop (into the folder that is open) must not happen as well.
      event.nativeEvent.stopPropagation();
      if (cargoOf(event.dataTransfer) === 'entries') onMove(draggedEntries(), row.id, event.ctrlKey);
      else if (row.kind === 'file') onReplace(event.dataTransfer, row);
      else onFiles(event.dataTransfer, row.id);
      endDrag();
    },
  };
  return { target, handlers };
}
