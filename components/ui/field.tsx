'use client';
import { clsx } from 'clsx';
import { Eye, EyeOff } from 'lucide-react';
import { type ComponentProps, useId, useState } from 'react';

export interface FieldProps extends Omit<ComponentProps<'input'>, 'id'> {
  readonly label: string;
  /** A sentence that says what is wrong. */
  readonly problem?: string | null;
  readonly hint?: string;
}

const INPUT =
  'h-11 w-full rounded-md border bg-surface px-3.5 text-md text-ink outline-none transition-shadow placeholder:text-ink-3 focus:border-accent focus:ring-3 focus:ring-accent/20';

function Note({ id, problem, hint }: Pick<FieldProps, 'problem' | 'hint'> & { readonly id: string }) {
  const text = problem ?? hint;
  if (!text) return null;
  return (
    <p id={id} className={clsx('mt-1.5 text-sm', problem ? 'text-danger' : 'text-ink-3')} role={problem ? 'alert' : undefined}>
      {text}
    </p>
  );
}

export function Field({ label, problem, hint, className, ...rest }: FieldProps) {
  const id = useId();
  const note = problem ?? hint;
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 block font-medium text-sm">
        {label}
      </label>
      <input
        id={id}
        aria-invalid={problem ? true : undefined}
        aria-describedby={note ? `${id}-note` : undefined}
        className={clsx(INPUT, problem ? 'border-danger' : 'border-edge')}
        {...rest}
      />
      <Note id={`${id}-note`} problem={problem} hint={hint} />
    </div>
  );
}

/** A password with a button that shows it. */
export function PasswordField({ label, problem, hint, className, ...rest }: FieldProps) {
  const id = useId();
  const [shown, setShown] = useState(false);
  const note = problem ?? hint;
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 block font-medium text-sm">
        {label}
      </label>
      <div className="relative">
        <input
          id={id}
          type={shown ? 'text' : 'password'}
          spellCheck={false}
          autoCapitalize="off"
          aria-invalid={problem ? true : undefined}
          aria-describedby={note ? `${id}-note` : undefined}
          className={clsx(INPUT, 'pr-12', problem ? 'border-danger' : 'border-edge')}
          {...rest}
        />
        <button
          type="button"
          aria-label={shown ? 'Hide what is typed' : 'Show what is typed'}
          aria-pressed={shown}
          className="absolute inset-y-0 right-0 flex w-11 items-center justify-center rounded-md text-ink-3 hover:text-ink"
          onClick={() => setShown(!shown)}
        >
          {shown ? <EyeOff aria-hidden className="size-[18px]" /> : <Eye aria-hidden className="size-[18px]" />}
        </button>
      </div>
      <Note id={`${id}-note`} problem={problem} hint={hint} />
    </div>
  );
}
