'use client';
import { useSession } from '../session/session-context';
import { conflictCount } from './conflicts';
import { useWatched } from './use-watched';

/** How many conflict copies wait for a decision. */
export function useConflictCount(): number {
  const { database } = useSession();
  return useWatched(() => conflictCount(database), { database, tables: ['entries'], key: 'conflict count', interval: 500 }) ?? 0;
}
