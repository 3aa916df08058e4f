'use client';
import { type FormEvent, useState } from 'react';
import { signIn, signUp } from '@/lib/sync/adapters/browser/account-client';
import { PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN, USER_NAME_CHARACTERS_MAX } from '@/lib/sync/model/limits';
import type { Me } from '@/lib/sync/protocol/accounts';
import { ERRORS } from '@/lib/sync/protocol/error-codes';
import { Button } from '../ui/button';
import { Field, PasswordField } from '../ui/field';

export interface AuthFormProps {
  readonly mode: 'sign-in' | 'sign-up';
  readonly email?: string;
  readonly onEntered: (me: Me) => void;
}

interface Problems {
  readonly name?: string;
  readonly email?: string;
  readonly password?: string;
  readonly form?: string;
}

function check(mode: AuthFormProps['mode'], { name, email, password }: { name: string; email: string; password: string }): Problems {
  return {
    ...(mode === 'sign-up' && name.trim() === '' ? { name: 'Please say what you are called.' } : {}),
    ...(/^\S+@\S+\.\S+$/.test(email.trim()) ? {} : { email: 'Please give an e-mail address, such as you@example.org.' }),
    ...(mode === 'sign-up' && password.length < PASSWORD_CHARACTERS_MIN
      ? { password: `Please take at least ${PASSWORD_CHARACTERS_MIN} characters.` }
      : {}),
    ...(mode === 'sign-in' && password === '' ? { password: 'Please give your password.' } : {}),
  };
}

/** Name, e-mail address, password. What the server refuses is said in a sentence beside the field it is about. */
export function AuthForm({ mode, email: known = '', onEntered }: AuthFormProps) {
  const [name, setName] = useState('');
  const [email, setEmail] = useState(known);
  const [password, setPassword] = useState('');
  const [problems, setProblems] = useState<Problems>({});
  const [busy, setBusy] = useState(false);

  const enter = async (): Promise<void> => {
    const reply =
      mode === 'sign-up'
        ? await signUp({ name: name.trim(), email: email.trim(), password })
        : await signIn({ email: email.trim(), password });
    setBusy(false);
    if (reply.ok) onEntered(reply.value);
    else if (reply.code === 'offline') setProblems({ form: 'The server cannot be reached. Please check your connection.' });
    else if (reply.code === 'email_taken') setProblems({ email: ERRORS.email_taken.sentence });
    else setProblems({ form: ERRORS[reply.code].sentence });
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const found = check(mode, { name, email, password });
    setProblems(found);
    if (Object.keys(found).length > 0) return;
    setBusy(true);
    enter().catch((error: unknown) => {
      console.error(error);
      setBusy(false);
      setProblems({ form: 'Something went wrong on this device. Please try again.' });
    });
  };
  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-4">
      {mode === 'sign-up' && (
        <Field
          label="Name"
          autoComplete="name"
          maxLength={USER_NAME_CHARACTERS_MAX}
          value={name}
          problem={problems.name ?? null}
          onChange={(event) => setName(event.target.value)}
        />
      )}
      <Field
        label="E-mail"
        type="email"
        inputMode="email"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        value={email}
        problem={problems.email ?? null}
        onChange={(event) => setEmail(event.target.value)}
      />
      <PasswordField
        label="Password"
        autoComplete={mode === 'sign-up' ? 'new-password' : 'current-password'}
        maxLength={PASSWORD_CHARACTERS_MAX}
        value={password}
        problem={problems.password ?? null}
        {...(mode === 'sign-up' ? { hint: `At least ${PASSWORD_CHARACTERS_MIN} characters; a short sentence is fine.` } : {})}
        onChange={(event) => setPassword(event.target.value)}
      />
      {problems.form && (
        <p role="alert" className="rounded-md bg-danger-soft px-3.5 py-2.5 text-danger text-sm">
          {problems.form}
        </p>
      )}
      <Button type="submit" look="primary" size="lg" busy={busy} className="mt-1 w-full">
        {mode === 'sign-up' ? 'Create account' : 'Sign in'}
      </Button>
    </form>
  );
}
