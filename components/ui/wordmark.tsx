import { clsx } from 'clsx';

/** The satchel: body, flap and clasp. The same drawing as public/icons/satchel.svg. */
export function Mark({ className }: { readonly className?: string }) {
  return (
    <svg viewBox="0 0 48 48" aria-hidden="true" className={clsx('shrink-0', className)}>
      <path
        d="M16 16v-3.5A6.5 6.5 0 0 1 22.5 6h3a6.5 6.5 0 0 1 6.5 6.5V16"
        fill="none"
        stroke="var(--color-folder-deep)"
        strokeWidth="3.2"
        strokeLinecap="round"
      />
      <rect x="5" y="14" width="38" height="28" rx="7" fill="var(--color-folder)" />
      <path
        d="M5 21a7 7 0 0 1 7-7h24a7 7 0 0 1 7 7v2.5c0 4-2.6 6.9-6.5 7.5L26 32.4a13 13 0 0 1-4 0L11.5 31C7.6 30.4 5 27.5 5 23.5Z"
        fill="var(--color-accent)"
      />
      <rect x="20.5" y="27.5" width="7" height="9" rx="2.2" fill="var(--color-accent-soft)" />
      <circle cx="24" cy="32" r="1.4" fill="var(--color-accent)" />
    </svg>
  );
}

export function Wordmark({ className }: { readonly className?: string }) {
  return (
    <span className={clsx('flex items-center gap-2.5', className)}>
      <Mark className="size-7" />
      <span className="font-semibold text-lg tracking-[-0.02em]">Satchel</span>
    </span>
  );
}
