'use client';
import { createContext, type ReactNode, useContext } from 'react';
import type { OfflineRow } from '@/lib/sync/adapters/browser/database';
import type { EntryId } from '@/lib/sync/model/ids';
import { useSession } from '../session/session-context';
import { useWatched } from './use-watched';

export type Pinned = ReadonlyMap<EntryId, OfflineRow['state']>;

const NONE: Pinned = new Map();
const PinnedContext = createContext<Pinned>(NONE);

function same(a: Pinned, b: Pinned): boolean {
  if (a.size !== b.size) return false;
  for (const [id, state] of a) if (b.get(id) !== state) return false;
  return true;
}

/** Reads once for all views which files are kept offline. */
export function PinnedProvider({ children }: { readonly children: ReactNode }) {
  const { database } = useSession();
  const pinned = useWatched(
    async (): Promise<Pinned> => {
      const rows = await database.offline.where('pinned').equals(1).toArray();
      return new Map(rows.map((row) => [row.entryId, row.state]));
    },
    { database, tables: ['offline'], key: 'pinned', interval: 300, equal: same },
  );
  return <PinnedContext value={pinned ?? NONE}>{children}</PinnedContext>;
}

/** Files kept offline, and whether their bytes are here already. */
export function usePinned(): Pinned {
  return useContext(PinnedContext);
}
