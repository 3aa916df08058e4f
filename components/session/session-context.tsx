'use client';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { signOut as endSession } from '@/lib/sync/adapters/browser/account-client';
import type { SatchelDatabase } from '@/lib/sync/adapters/browser/database';
import { openEngine } from '@/lib/sync/adapters/browser/engine-client';
import type { ConnectionState, EngineClient } from '@/lib/sync/adapters/browser/engine-client-types';
import { rememberedMe } from '@/lib/sync/adapters/browser/profile';
import type { Me } from '@/lib/sync/protocol/accounts';
import { useWatched } from '../data/use-watched';
import { navigate } from '../navigation/location';

/** What every view of a signed-in person works with. */
export interface Session {
  readonly me: Me;
  readonly client: EngineClient;
  readonly database: SatchelDatabase;
  /** Ends the sign-in here. `forget` also removes the account's data from this browser. */
  signOut(options: { readonly forget: boolean }): Promise<void>;
}

export type SessionState =
  | { readonly status: 'starting' }
  | { readonly status: 'signed_out'; readonly enter: (me: Me) => void }
  | { readonly status: 'failed'; readonly problem: string }
  | { readonly status: 'open'; readonly session: Session };

const SessionContext = createContext<Session | null>(null);

/** Opens the account's store and engine once somebody is signed in; the profile is known without the network. */
export function useSessionState(): SessionState {
  const [me, setMe] = useState<Me | null | undefined>(undefined);
  const [opened, setOpened] = useState<{ me: Me; client: EngineClient; database: SatchelDatabase } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const opening = useRef<Me['userId'] | null>(null);
  useEffect(() => setMe(rememberedMe()), []);
  useEffect(() => {
    if (!me || opening.current === me.userId) return;
    opening.current = me.userId;
    openEngine(me, me.deviceId).then(
      ({ client, database }) => setOpened({ me, client, database }),
      (error: unknown) => {
        console.error(error);
        setProblem(error instanceof Error ? error.message : String(error));
      },
    );
  }, [me]);
  const signOut = useCallback(
    async (options: { readonly forget: boolean }): Promise<void> => {
      await opened?.client.close(options);
      await endSession();
      opening.current = null;
      setOpened(null);
      setMe(null);
      navigate('/sign-in');
    },
    [opened],
  );
  return useMemo((): SessionState => {
    if (problem !== null) return { status: 'failed', problem };
    if (me === null) return { status: 'signed_out', enter: setMe };
    if (opened === null) return { status: 'starting' };
    return { status: 'open', session: { ...opened, signOut } };
  }, [me, opened, problem, signOut]);
}

export function SessionProvider({ session, children }: { readonly session: Session; readonly children: ReactNode }) {
  return <SessionContext value={session}>{children}</SessionContext>;
}

/** The signed-in session; only below `SessionProvider`. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('useSession needs a SessionProvider above it');
  return session;
}

const CONNECTING: ConnectionState = { state: 'connecting', firstSync: true, pulledAt: null };

/** How the engine stands towards the server. */
export function useConnection(): ConnectionState {
  const { database } = useSession();
  const row = useWatched(() => database.settings.get('connection').then((setting) => setting ?? null), {
    database,
    tables: ['settings'],
    key: 'connection',
  });
  return (row?.value as ConnectionState | undefined) ?? CONNECTING;
}

export interface Unsent {
  /** Requests waiting to be committed. */
  readonly changes: number;
  /** Files whose bytes are not all on the server. */
  readonly files: number;
  /** Files with typing that is no revision yet. */
  readonly drafts: number;
}

/** One state at a time is counted by the browser; several at once would be walked row by row, and there may be thousands. */
async function countOf(database: SatchelDatabase): Promise<number> {
  const states = ['queued', 'staging', 'staged', 'sending', 'durable'];
  const counts = await Promise.all(states.map((state) => database.transfers.where('state').equals(state).count()));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** What the server does not have yet. */
export function useUnsent(): Unsent {
  const { database } = useSession();
  const unsent = useWatched(
    async (): Promise<Unsent> => ({
      changes: await database.requests.count(),
      files: await countOf(database),
      drafts: await database.drafts.count(),
    }),
    {
      database,
      tables: ['requests', 'transfers', 'drafts'],
      key: 'unsent',
      interval: 300,
      equal: (a, b) => a.changes === b.changes && a.files === b.files && a.drafts === b.drafts,
    },
  );
  return unsent ?? { changes: 0, files: 0, drafts: 0 };
}
