'use client';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { EntryRow, SatchelDatabase } from '@/lib/sync/adapters/browser/database';
import { entriesByIds } from '@/lib/sync/adapters/browser/read-model';
import type { EntryId } from '@/lib/sync/model/ids';
import { watchTables } from './watch-tables';

/** Rows kept in memory; far more than any screen, far less than a folder of 100,000. */
const CACHE_ROWS_MAX = 4000;
const AROUND = 40;

/**
 * The rows of the visible window of a long list of ids. Rows are read as they come into view and remembered; a row that is not
 * read yet is undefined. Changes in the local store repaint the window.
 */
export function useEntryRows(
  database: SatchelDatabase,
  ids: readonly EntryId[],
  window: { readonly start: number; readonly end: number },
): (id: EntryId) => EntryRow | undefined {
  const cache = useRef(new Map<EntryId, EntryRow>());
  const [, repaint] = useState(0);
  const wanted = useRef({ ids, window });
  wanted.current = { ids, window };
  const reading = useRef(false);

  const read = useCallback(
    async (again: boolean): Promise<void> => {
      const { ids, window } = wanted.current;
      const inView = ids.slice(Math.max(0, window.start - AROUND), window.end + AROUND);
      const missing = again ? inView : inView.filter((id) => !cache.current.has(id));
      if (missing.length === 0) return;
      const rows = await entriesByIds(database, missing);
      if (cache.current.size > CACHE_ROWS_MAX) cache.current = new Map(inView.flatMap((id) => pairOf(cache.current, id)));
      let changed = false;
      for (const row of rows) {
        const before = cache.current.get(row.id);
        if (before !== undefined && sameRow(before, row)) continue;
        cache.current.set(row.id, row);
        changed = true;
      }
      if (changed) repaint((count) => count + 1);
    },
    [database],
  );

  /** One reading at a time; while one is under way the newest window waits, not every window passed by. */
  const readMissing = useCallback((): void => {
    if (reading.current) return;
    reading.current = true;
    const loop = async (): Promise<void> => {
      try {
        let seen: typeof wanted.current | null = null;
        while (seen !== wanted.current) {
          seen = wanted.current;
          await read(false);
        }
      } finally {
        // In the same breath as the last look: a window that comes later starts a reading of its own.
        reading.current = false;
      }
    };
    loop().catch((error: unknown) => {
      if (database.isOpen()) console.error(error);
    });
  }, [read, database]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the window itself is read through `wanted`; its edges say when.
  useEffect(readMissing, [ids, window.start, window.end, readMissing]);
  useEffect(
    () =>
      watchTables(
        database,
        ['entries'],
        () => read(true).catch((error: unknown) => (database.isOpen() ? console.error(error) : undefined)),
        () => 150,
      ),
    [database, read],
  );
  return useCallback((id) => cache.current.get(id), []);
}

function pairOf(cache: ReadonlyMap<EntryId, EntryRow>, id: EntryId): [EntryId, EntryRow][] {
  const row = cache.get(id);
  return row === undefined ? [] : [[id, row]];
}

function sameRow(a: EntryRow, b: EntryRow): boolean {
  return (
    a.revision === b.revision &&
    a.name === b.name &&
    a.state === b.state &&
    a.reason === b.reason &&
    a.size === b.size &&
    a.mtime === b.mtime &&
    a.parentId === b.parentId &&
    a.deletedAt === b.deletedAt &&
    a.contentRevision === b.contentRevision &&
    a.transferId === b.transferId &&
    (a.remote === undefined) === (b.remote === undefined)
  );
}
