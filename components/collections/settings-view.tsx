'use client';
import { clsx } from 'clsx';
import { Monitor, Moon, Sun } from 'lucide-react';
import { type FormEvent, useEffect, useState } from 'react';
import { toast } from 'sonner';
import { changePassword, info } from '@/lib/sync/adapters/browser/account-client';
import { PASSWORD_CHARACTERS_MIN } from '@/lib/sync/model/limits';
import { ERRORS } from '@/lib/sync/protocol/error-codes';
import { useSession } from '../session/session-context';
import { OfflineSpace } from '../settings/offline-space';
import { type Theme, useTheme } from '../settings/theme';
import { WorkspaceSection } from '../settings/workspace-section';
import { Button } from '../ui/button';
import { PasswordField } from '../ui/field';
import { Card, Heading } from './heading';
import { StorageBar } from './offline-view';

const THEMES: readonly { readonly theme: Theme; readonly label: string; readonly icon: typeof Sun }[] = [
  { theme: 'system', label: 'System', icon: Monitor },
  { theme: 'light', label: 'Light', icon: Sun },
  { theme: 'dark', label: 'Dark', icon: Moon },
];

/** Account, appearance, storage, version. */
export function SettingsView() {
  const { me } = useSession();
  const [theme, setTheme] = useTheme();
  const [version, setVersion] = useState<string | null>(null);
  useEffect(() => {
    void info().then((reply) => reply.ok && setVersion(reply.value.version));
  }, []);
  return (
    <div className="min-h-0 flex-1 overflow-y-auto pb-10">
      <Heading title="Settings" />
      <div className="mx-5 flex max-w-2xl flex-col gap-4 phone:mx-3">
        <Card title="Account">
          <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1.5">
            <dt className="text-ink-3">Name</dt>
            <dd className="truncate">{me.name}</dd>
            <dt className="text-ink-3">E-mail</dt>
            <dd className="truncate">{me.email}</dd>
            {me.isAdmin && (
              <>
                <dt className="text-ink-3">Role</dt>
                <dd>Administrator</dd>
              </>
            )}
          </dl>
        </Card>
        <Card title="Appearance">
          <fieldset>
            <legend className="sr-only">Theme</legend>
            <div className="grid grid-cols-3 gap-2">
              {THEMES.map(({ theme: choice, label, icon: Icon }) => (
                <label
                  key={choice}
                  className={clsx(
                    'flex cursor-default flex-col items-center gap-1.5 rounded-md border px-2 py-3 text-center text-sm has-focus-visible:outline-2 has-focus-visible:outline-accent has-focus-visible:outline-offset-2',
                    theme === choice ? 'border-accent bg-accent-soft font-medium text-accent-ink' : 'border-line text-ink-2 hover:bg-hover',
                  )}
                >
                  <input type="radio" name="theme" className="sr-only" checked={theme === choice} onChange={() => setTheme(choice)} />
                  <Icon aria-hidden className="size-5" />
                  {label}
                </label>
              ))}
            </div>
          </fieldset>
        </Card>
        <OfflineSpace />
        <Card title="Password">
          <PasswordChangeForm />
        </Card>
        <WorkspaceSection />
      </div>
      <div className="mt-4 max-w-2xl desk:mr-0">
        <StorageBar />
      </div>
      <p className="mx-6 mt-4 text-ink-3 text-sm">Satchel{version ? ` ${version}` : ''} · free software, yours to run and to change</p>
    </div>
  );
}

function PasswordChangeForm() {
  const [oldPassword, setOld] = useState('');
  const [newPassword, setNew] = useState('');
  const [problem, setProblem] = useState<{ old?: string; fresh?: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (newPassword.length < PASSWORD_CHARACTERS_MIN) {
      setProblem({ fresh: `Please take at least ${PASSWORD_CHARACTERS_MIN} characters.` });
      return;
    }
    setBusy(true);
    const reply = await changePassword({ oldPassword, newPassword });
    setBusy(false);
    if (reply.ok) {
      setProblem(null);
      setOld('');
      setNew('');
      toast('Your password is changed. Other devices have to sign in again.');
    } else if (reply.code === 'wrong_credentials') setProblem({ old: 'This is not your present password.' });
    else setProblem({ fresh: reply.code === 'offline' ? 'The server cannot be reached at the moment.' : ERRORS[reply.code].sentence });
  };
  return (
    <form onSubmit={(event) => void save(event)} className="flex flex-col gap-3.5">
      <PasswordField
        label="Present password"
        autoComplete="current-password"
        value={oldPassword}
        problem={problem?.old ?? null}
        onChange={(event) => setOld(event.target.value)}
      />
      <PasswordField
        label="New password"
        autoComplete="new-password"
        value={newPassword}
        problem={problem?.fresh ?? null}
        onChange={(event) => setNew(event.target.value)}
      />
      <Button type="submit" busy={busy} disabled={oldPassword === '' || newPassword === ''} className="self-start">
        Change password
      </Button>
    </form>
  );
}
