'use client';
import { ChevronsUpDown, LogOut, Settings } from 'lucide-react';
import { useState } from 'react';
import { navigate } from '../navigation/location';
import { useSession, useUnsent } from '../session/session-context';
import { Button } from '../ui/button';
import { ActionMenu } from '../ui/menu';
import { Confirm } from '../ui/modal';

/** A letter in a circle: who is signed in. */
export function Avatar({ name }: { readonly name: string }) {
  return (
    <span
      aria-hidden
      className="flex size-8 shrink-0 items-center justify-center rounded-full bg-accent-soft font-semibold text-accent-ink text-sm"
    >
      {Array.from(name.trim())[0]?.toUpperCase() ?? '?'}
    </span>
  );
}

/** Who is signed in, and the way out. */
export function AccountMenu({ compact = false }: { readonly compact?: boolean }) {
  const { me, signOut } = useSession();
  const unsent = useUnsent();
  const [asking, setAsking] = useState(false);
  const waiting = unsent.changes + unsent.files + unsent.drafts;
  const leave = (forget: boolean): void => {
    setAsking(false);
    void signOut({ forget });
  };
  return (
    <>
      <ActionMenu
        title={me.name}
        align={compact ? 'end' : 'start'}
        header={
          <div className="px-2.5 pt-1.5 pb-2">
            <p className="truncate font-medium">{me.name}</p>
            <p className="truncate text-ink-3 text-xs">{me.email}</p>
          </div>
        }
        actions={[
          { label: 'Settings', icon: Settings, run: () => navigate('/settings') },
          null,
          { label: 'Sign out', icon: LogOut, run: () => (waiting > 0 ? setAsking(true) : leave(true)) },
        ]}
      >
        {compact ? (
          <button type="button" aria-label={`Account: ${me.name}`} className="flex size-11 items-center justify-center rounded-full">
            <Avatar name={me.name} />
          </button>
        ) : (
          <button type="button" className="flex h-12 w-full items-center gap-2.5 rounded-md px-2 text-left hover:bg-hover">
            <Avatar name={me.name} />
            <span className="min-w-0 flex-1">
              <span className="sr-only">Account: </span>
              <span className="block truncate font-medium leading-4.5">{me.name}</span>
              <span className="block truncate text-ink-3 text-xs">{me.isAdmin ? 'Administrator' : me.email}</span>
            </span>
            <ChevronsUpDown aria-hidden className="size-4 text-ink-3" />
          </button>
        )}
      </ActionMenu>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title="Some changes are only on this device"
        cancel="Stay signed in"
        actions={
          <>
            <Button onClick={() => leave(false)}>Sign out, keep them here</Button>
            <Button look="danger" onClick={() => leave(true)}>
              Sign out and discard
            </Button>
          </>
        }
      >
        {waiting === 1 ? 'One change has' : `${waiting} changes have`} not reached the server yet. Kept here, they are sent when you sign in
        again in this browser.
      </Confirm>
    </>
  );
}
