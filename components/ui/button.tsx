import { clsx } from 'clsx';
import { LoaderCircle } from 'lucide-react';
import type { ComponentProps } from 'react';

type Look = 'primary' | 'plain' | 'quiet' | 'danger';

const LOOKS: Readonly<Record<Look, string>> = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong shadow-1',
  plain: 'bg-raised text-ink border border-line hover:bg-hover shadow-1',
  quiet: 'text-ink-2 hover:bg-hover hover:text-ink active:bg-pressed',
  danger: 'bg-danger text-on-danger hover:brightness-95 shadow-1',
};

export interface ButtonProps extends ComponentProps<'button'> {
  readonly look?: Look;
  readonly busy?: boolean;
  readonly size?: 'md' | 'lg';
}

export function Button({ look = 'plain', busy = false, size = 'md', className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={clsx(
        'inline-flex shrink-0 select-none items-center justify-center gap-2 whitespace-nowrap rounded-md font-medium transition-colors duration-100 disabled:opacity-55',
        size === 'md' ? 'h-9 px-3.5 text-base phone:h-11 phone:px-4' : 'h-11 px-5 text-md',
        LOOKS[look],
        className,
      )}
      {...rest}
    >
      {busy && <LoaderCircle aria-hidden className="size-4 animate-spin" />}
      {children}
    </button>
  );
}

/** A square button with an icon; `label` is its accessible name. */
export function IconButton({ label, className, children, ...rest }: ComponentProps<'button'> & { readonly label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      className={clsx(
        'inline-flex size-8 shrink-0 items-center justify-center rounded-md text-ink-2 transition-colors duration-100 hover:bg-hover hover:text-ink active:bg-pressed disabled:opacity-40 aria-pressed:bg-pressed aria-pressed:text-ink phone:size-11 [&_svg]:size-[18px]',
        className,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}
