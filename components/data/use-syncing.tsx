'use client';
import { createContext, type ReactNode, useContext } from 'react';
import type { EntryId } from '@/lib/sync/model/ids';
import { useConnection, useSession } from '../session/session-context';
import { useWatched } from './use-watched';

const NONE: ReadonlySet<EntryId> = new Set();
const SyncingContext = createContext<ReadonlySet<EntryId>>(NONE);
/** More are not told apart from those that wait: nobody looks at so many rows. */
const SHOWN_MAX = 200;

function same(a: ReadonlySet<EntryId>, b: ReadonlySet<EntryId>): boolean {
  return a.size === b.size && [...a].every((id) => b.has(id));
}

/** Finds out once for all views which entries are on their way at this moment: bytes being sent, or the request whose turn it is. */
export function SyncingProvider({ children }: { readonly children: ReactNode }) {
  const { database } = useSession();
  const online = useConnection().state === 'online';
  const syncing = useWatched(
    async (): Promise<ReadonlySet<EntryId>> => {
      if (!online) return NONE;
      const [first, sending] = await Promise.all([
        database.requests.orderBy(':id').first(),
        database.transfers.where('state').equals('sending').limit(SHOWN_MAX).toArray(),
      ]);
      return new Set([...(first?.operations ?? []), ...sending].slice(0, SHOWN_MAX).map(({ entryId }) => entryId));
    },
    { database, tables: ['requests', 'transfers'], key: `syncing ${online}`, interval: 1000, equal: same },
  );
  return <SyncingContext value={syncing ?? NONE}>{children}</SyncingContext>;
}

/** Entries on their way to the server right now. */
export function useSyncing(): ReadonlySet<EntryId> {
  return useContext(SyncingContext);
}
