'use client';
import { createContext, type ReactNode, useContext } from 'react';
import type { OfflineRow } from '@/lib/sync/adapters/browser/database';
import { pinSummaries } from '@/lib/sync/adapters/browser/pins';
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

/** Reads once for all views which entries are kept offline: pinned folders, and every file that is kept for a pin. */
export function PinnedProvider({ children }: { readonly children: ReactNode }) {
  const { database } = useSession();
  const pinned = useWatched(
    async (): Promise<Pinned> => {
      const rows = await database.offline.where('pinned').equals(1).toArray();
      const states = new Map<EntryId, OfflineRow['state']>();
      for (const [id, { waiting, tooBig }] of await pinSummaries(database)) {
        states.set(id, tooBig > 0 ? 'too_big' : waiting > 0 ? 'wanted' : 'present');
      }
      for (const { entryId, state } of rows) states.set(entryId, state);
      return states;
    },
    { database, tables: ['offline', 'pins'], key: 'pinned', interval: 300, equal: same },
  );
  return <PinnedContext value={pinned ?? NONE}>{children}</PinnedContext>;
}

/** Entries kept offline, and whether their bytes are here already. */
export function usePinned(): Pinned {
  return useContext(PinnedContext);
}
