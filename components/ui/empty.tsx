import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

/** What an empty view says: what would be here, and how it comes here. */
export function Empty({
  icon: Icon,
  title,
  children,
  actions,
}: {
  readonly icon: LucideIcon;
  readonly title: string;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
}) {
  return (
    <div className="flex h-full min-h-72 animate-late flex-col items-center justify-center px-6 pb-16 text-center">
      <div className="mb-5 flex size-18 items-center justify-center rounded-xl bg-accent-soft text-accent">
        <Icon aria-hidden className="size-8" strokeWidth={1.6} />
      </div>
      <h2 className="font-semibold text-lg tracking-[-0.01em]">{title}</h2>
      {children && <p className="mt-1.5 max-w-sm text-balance text-ink-2">{children}</p>}
      {actions && <div className="mt-5 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}
