'use client';
import { LockOpen, LogIn, ShieldQuestion } from 'lucide-react';
import { useEffect, useState } from 'react';
import { secureContextProblem } from '@/lib/sync/adapters/browser/service-worker-registration';
import { AuthForm } from '../auth/auth-form';
import { useWatched } from '../data/use-watched';
import { formatCount } from '../pure/format';
import { useConnection, useSession, useUnsent } from '../session/session-context';
import { Button } from '../ui/button';
import { Modal } from '../ui/modal';

/** Says what the browser keeps back when the page was opened without HTTPS. */
export function InsecureNotice() {
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => setProblem(secureContextProblem()), []);
  if (problem === null) return null;
  return (
    <div role="alert" className="flex items-start gap-2.5 border-line border-b bg-warn-soft px-4 py-2.5 text-sm text-warn">
      <LockOpen aria-hidden className="mt-0.5 size-4 shrink-0" />
      <p>{problem}</p>
    </div>
  );
}

/** The session ended elsewhere: what is here stays, and goes on after signing in again. */
export function SignedOutNotice() {
  const { me } = useSession();
  const connection = useConnection();
  const unsent = useUnsent();
  const [open, setOpen] = useState(false);
  if (connection.state !== 'signed_out') return null;
  const waiting = unsent.changes + unsent.files;
  return (
    <div role="alert" className="flex flex-wrap items-center gap-x-4 gap-y-2 border-line border-b bg-warn-soft px-4 py-2.5 text-sm">
      <p className="min-w-0 flex-1">
        <strong className="font-semibold">This device was signed out.</strong>{' '}
        {waiting > 0
          ? `${waiting} changes that are not on the server yet are kept here and are sent after you sign in again.`
          : 'Your files here stay readable. Sign in to go on.'}
      </p>
      <Button look="primary" onClick={() => setOpen(true)}>
        <LogIn aria-hidden className="size-4" />
        Sign in again
      </Button>
      <Modal open={open} onClose={() => setOpen(false)} title="Sign in again">
        <AuthForm
          mode="sign-in"
          email={me.email}
          // The engine ended with the session; a fresh start of the page takes up everything that waits.
          onEntered={() => location.reload()}
        />
      </Modal>
    </div>
  );
}

/** Much was deleted or emptied at once by something that is not a person in the page: nothing of it is sent before a person says so. */
export function HeldNotice() {
  const { client, database } = useSession();
  const held = useWatched(
    async () => (await database.requests.toArray()).reduce((sum, row) => sum + (row.held === undefined ? 0 : row.operations.length), 0),
    { database, tables: ['requests'], key: 'held', interval: 500 },
  );
  if (held === undefined || held === 0) return null;
  return (
    <div role="alert" className="flex flex-wrap items-center gap-x-4 gap-y-2 border-line border-b bg-warn-soft px-4 py-2.5 text-sm">
      <ShieldQuestion aria-hidden className="size-4 shrink-0 text-warn" />
      <p className="min-w-0 flex-1">
        <strong className="font-semibold">{formatCount(held, 'change')} would delete or empty a large part of your files.</strong> They are
        held on this device until you say whether they are meant.
      </p>
      <Button onClick={() => void client.discardHeld()}>Bring everything back</Button>
      <Button look="danger" onClick={() => void client.confirmHeld()}>
        Go ahead
      </Button>
    </div>
  );
}
