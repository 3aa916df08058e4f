import { Dexie } from 'dexie';
import type { SatchelDatabase } from '@/lib/sync/adapters/browser/database';

type TableName = 'entries' | 'cursors' | 'requests' | 'transfers' | 'offline' | 'settings' | 'pins' | 'drafts';

/**
 * Calls `onChange` after changes to the tables, from this tab, its worker or another tab; at most once per `interval`
 * milliseconds, however many thousand changes arrive. The first change after a quiet time is told at once.
 * (Dexie's liveQuery would read a folder of 100,000 entries anew for every one of them.)
 */
export function watchTables(
  database: SatchelDatabase,
  tables: readonly TableName[],
  onChange: () => void | Promise<void>,
  interval: () => number,
): () => void {
  const prefixes = tables.map((table) => `idb://${database.name}/${table}/`);
  let closed = false;
  let running = false;
  let dirty = false;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let endedAt = Number.NEGATIVE_INFINITY;
  const run = async (): Promise<void> => {
    timer = null;
    running = true;
    dirty = false;
    try {
      await onChange();
    } finally {
      running = false;
      endedAt = performance.now();
    }
    if (dirty) schedule();
  };
  const schedule = (): void => {
    if (closed || timer !== null) return;
    if (running) {
      dirty = true;
      return;
    }
    timer = setTimeout(() => void run(), Math.max(0, endedAt + interval() - performance.now()));
  };
  const listen = (parts: Readonly<Record<string, unknown>>): void => {
    // `all` stands for “anything may have changed”.
    if (Object.keys(parts).some((part) => part === 'all' || prefixes.some((prefix) => part.startsWith(prefix)))) schedule();
  };
  Dexie.on.storagemutated.subscribe(listen);
  return () => {
    closed = true;
    if (timer !== null) clearTimeout(timer);
    Dexie.on.storagemutated.unsubscribe(listen);
  };
}
