'use client';
import { useEffect, useState } from 'react';
import { info } from '@/lib/sync/adapters/browser/account-client';
import type { Me, ServerInfo } from '@/lib/sync/protocol/accounts';
import { Link } from '../navigation/link';
import { InsecureNotice } from '../shell/notices';
import { Mark } from '../ui/wordmark';
import { AuthForm } from './auth-form';

/** The page before the files: sign in, or make an account. */
export function AuthView({ mode, onEntered }: { readonly mode: 'sign-in' | 'sign-up'; readonly onEntered: (me: Me) => void }) {
  const [server, setServer] = useState<ServerInfo | null>(null);
  useEffect(() => {
    let gone = false;
    void info().then((reply) => {
      if (!gone && reply.ok) setServer(reply.value);
    });
    return () => {
      gone = true;
    };
  }, []);
  const open = server === null || server.signUp === 'open' || server.firstAccount;
  // On a new server there is nobody who could sign in.
  const shown = server?.firstAccount || (mode === 'sign-up' && open) ? 'sign-up' : 'sign-in';
  return (
    <div className="flex h-dvh flex-col overflow-y-auto">
      <InsecureNotice />
      <main className="m-auto w-full max-w-[400px] px-5 py-10">
        <div className="mb-7 flex flex-col items-center text-center">
          <Mark className="mb-4 size-16" />
          <h1 className="font-semibold text-2xl tracking-[-0.025em]">{shown === 'sign-up' ? 'Create your account' : 'Welcome back'}</h1>
          <p className="mt-1.5 text-balance text-ink-2 text-md">
            {server?.firstAccount
              ? 'You are the first here: this account becomes the administrator.'
              : 'Your files, on every device, with or without a network.'}
          </p>
        </div>
        <div className="rounded-xl border border-line bg-surface p-6 shadow-2">
          <AuthForm key={shown} mode={shown} onEntered={onEntered} />
        </div>
        <p className="mt-5 text-center text-ink-2">
          {server?.firstAccount ? null : shown === 'sign-up' ? (
            <>
              Already have an account?{' '}
              <Link href="/sign-in" className="font-medium text-accent underline-offset-3 hover:underline">
                Sign in
              </Link>
            </>
          ) : open ? (
            <>
              New here?{' '}
              <Link href="/sign-up" className="font-medium text-accent underline-offset-3 hover:underline">
                Create an account
              </Link>
            </>
          ) : (
            'Ask the administrator for an account.'
          )}
        </p>
      </main>
    </div>
  );
}
