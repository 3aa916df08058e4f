import type { ReactNode } from 'react';

/** Title line of a view that is not a folder. */
export function Heading({ title, note, children }: { readonly title: string; readonly note?: string; readonly children?: ReactNode }) {
  return (
    <div className="flex min-h-13 shrink-0 items-center gap-3 py-2 pr-3 pl-5 phone:pl-4">
      <div className="min-w-0 flex-1">
        <h1 className="truncate font-semibold text-lg tracking-[-0.01em]">{title}</h1>
        {note && <p className="truncate text-ink-3 text-sm">{note}</p>}
      </div>
      {children}
    </div>
  );
}

/** A titled card in pages made of them. */
export function Card({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="rounded-lg border border-line bg-raised">
      <h2 className="border-line border-b px-5 py-3 font-medium text-md">{title}</h2>
      <div className="px-5 py-4">{children}</div>
    </section>
  );
}
