'use client';
import { useEffect, useRef, useState } from 'react';
import type { SatchelDatabase } from '@/lib/sync/adapters/browser/database';
import { watchTables } from './watch-tables';

type Tables = Parameters<typeof watchTables>[1];

export interface WatchOptions<T> {
  readonly database: SatchelDatabase;
  readonly tables: Tables;
  /** The query runs anew when this changes; the value is undefined until it answered. */
  readonly key: string;
  /** Milliseconds between two readings at least. */
  readonly interval?: number;
  /** Equal values keep their identity, so that nothing is drawn anew. */
  readonly equal?: (a: T, b: T) => boolean;
}

/** The answer of a query over the local store, kept up to date. A slow query is repeated less often. */
export function useWatched<T>(query: () => Promise<T>, options: WatchOptions<T>): T | undefined {
  const { database, key, interval = 120 } = options;
  const [answer, setAnswer] = useState<{ readonly key: string; readonly value: T } | null>(null);
  const latest = useRef({ query, options });
  latest.current = { query, options };
  const tables = options.tables.join();
  useEffect(() => {
    let closed = false;
    let cost = 0;
    const read = async (): Promise<void> => {
      const began = performance.now();
      try {
        const value = await latest.current.query();
        if (closed) return;
        setAnswer((before) => {
          if (before?.key === key && latest.current.options.equal?.(before.value, value)) return before;
          return { key, value };
        });
      } catch (error) {
        // Closing the database (sign-out) breaks queries that are under way; anything else is a fault worth seeing.
        if (!closed && database.isOpen()) console.error(error);
      }
      cost = performance.now() - began;
    };
    const stop = watchTables(database, tables.split(',') as unknown as Tables, read, () => Math.max(interval, cost * 10));
    void read();
    return () => {
      closed = true;
      stop();
    };
  }, [database, key, tables, interval]);
  return answer?.key === key ? answer.value : undefined;
}
