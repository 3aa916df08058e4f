'use client';
import { useEffect } from 'react';
import { Toaster } from 'sonner';
import { AuthView } from './auth/auth-view';
import { PinnedProvider } from './data/use-pinned';
import { SyncingProvider } from './data/use-syncing';
import { CommandsProvider } from './explorer/commands';
import { navigate, usePlace } from './navigation/location';
import { SessionProvider, type SessionState, useSessionState } from './session/session-context';
import { Shell } from './shell/shell';
import { UpdatePrompt } from './shell/update-prompt';
import { PickersProvider } from './transfers/pickers';
import { TipProvider } from './ui/tip';
import { Mark } from './ui/wordmark';

/** The whole page: sign-in, or the shell of a signed-in person. */
export function SatchelApp() {
  const state = useSessionState();
  return (
    <TipProvider delayDuration={500}>
      <Inside state={state} />
      <UpdatePrompt />
      <Toaster
        position="bottom-center"
        offset={20}
        mobileOffset={{ bottom: 84 }}
        toastOptions={{ className: 'satchel-toast' }}
        theme="system"
        closeButton={false}
      />
    </TipProvider>
  );
}

function Inside({ state }: { readonly state: SessionState }) {
  const { view } = usePlace();
  const outside = view === 'sign-in' || view === 'sign-up';
  useEffect(() => {
    if (state.status === 'signed_out' && !outside) navigate('/sign-in', 'replace');
    if (state.status === 'open' && outside) navigate('/files', 'replace');
  }, [state.status, outside]);
  if (state.status === 'signed_out') return <AuthView mode={view === 'sign-up' ? 'sign-up' : 'sign-in'} onEntered={state.enter} />;
  if (state.status === 'failed') {
    return (
      <main className="flex h-dvh flex-col items-center justify-center gap-3 px-6 text-center">
        <Mark className="size-14" />
        <h1 className="font-semibold text-xl">Satchel cannot open its storage in this browser</h1>
        <p className="max-w-md text-ink-2">{state.problem}</p>
        <p className="max-w-md text-ink-3 text-sm">
          Private windows and blocked site data are the usual reasons. Nothing on the server is affected.
        </p>
      </main>
    );
  }
  if (state.status === 'starting') {
    return (
      <main aria-busy="true" className="flex h-dvh items-center justify-center">
        <Mark className="size-14 animate-late" />
      </main>
    );
  }
  return (
    <SessionProvider session={state.session}>
      <PinnedProvider>
        <SyncingProvider>
          <CommandsProvider>
            <PickersProvider>
              <Shell />
            </PickersProvider>
          </CommandsProvider>
        </SyncingProvider>
      </PinnedProvider>
    </SessionProvider>
  );
}
