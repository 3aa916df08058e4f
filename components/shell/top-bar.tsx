'use client';
import { clsx } from 'clsx';
import { CloudOff, CloudUpload, Search, Split, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useConflictCount } from '../data/use-conflict-count';
import { Link } from '../navigation/link';
import { addressOf, navigate, usePlace } from '../navigation/location';
import { formatCount } from '../pure/format';
import { useConnection, useUnsent } from '../session/session-context';
import { Tip } from '../ui/tip';
import { AccountMenu } from './account-menu';

/** Search, and how this device stands towards the server. */
export function TopBar() {
  return (
    <header className="flex h-14 shrink-0 items-center gap-3 desk:pr-1 phone:h-13 phone:pl-3">
      <SearchField />
      <div className="ml-auto flex items-center gap-1">
        <ConflictsChip />
        <ConnectionChip />
        <div className="desk:hidden">
          <AccountMenu compact />
        </div>
      </div>
    </header>
  );
}

function SearchField() {
  const { view, query } = usePlace();
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(query);
  const searching = view === 'search';
  useEffect(() => {
    setText(searching ? query : '');
  }, [searching, query]);
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof HTMLElement && (event.target.isContentEditable || event.target.matches('input,textarea,[role=dialog] *')))
        return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    window.addEventListener('keydown', focus);
    return () => window.removeEventListener('keydown', focus);
  }, []);
  const search = (next: string): void => {
    setText(next);
    if (next.trim() === '') navigate('/files', searching ? 'replace' : 'push');
    else navigate(addressOf({ view: 'search', query: next }), searching ? 'replace' : 'push');
  };
  return (
    <search className="relative w-full max-w-xl">
      <Search aria-hidden className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-3" />
      <input
        ref={field}
        type="search"
        aria-label="Search your files"
        placeholder="Search your files"
        autoComplete="off"
        value={text}
        onChange={(event) => search(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            search('');
            field.current?.blur();
          }
        }}
        className="h-9.5 w-full rounded-full border border-line bg-surface pr-10 pl-9.5 outline-none transition-shadow placeholder:text-ink-3 focus:border-accent focus:ring-3 focus:ring-accent/20 [&::-webkit-search-cancel-button]:hidden"
      />
      {text === '' ? (
        <kbd
          aria-hidden
          className="pointer-events-none absolute top-1/2 right-3 -translate-y-1/2 rounded-sm border border-line px-1.5 text-ink-3 text-xs phone:hidden"
        >
          /
        </kbd>
      ) : (
        <button
          type="button"
          aria-label="Clear the search"
          onClick={() => search('')}
          className="absolute top-1/2 right-1.5 flex size-7 -translate-y-1/2 items-center justify-center rounded-full text-ink-3 hover:bg-hover"
        >
          <X aria-hidden className="size-4" />
        </button>
      )}
    </search>
  );
}

const CHIP = 'flex h-7.5 items-center gap-2 whitespace-nowrap rounded-full px-3 text-xs';

/** On phones, whose tab bar has no room for it, the way to what wants a decision. */
function ConflictsChip() {
  const count = useConflictCount();
  if (count === 0) return null;
  return (
    <Link href="/conflicts" className={clsx(CHIP, 'bg-danger-soft text-danger desk:hidden')}>
      <Split aria-hidden className="size-3.5" />
      <span className="sr-only">{formatCount(count, 'conflict')}</span>
      <span aria-hidden>{count.toLocaleString('en')}</span>
    </Link>
  );
}

/** Quiet while all is well and sent; otherwise it says what is going on, and leads to what waits. */
function ConnectionChip() {
  const { state, firstSync } = useConnection();
  const { changes, files } = useUnsent();
  const waiting = changes + files;
  if (state === 'offline') {
    return (
      <Tip text="Your changes are kept on this device and sent when the network is back.">
        <Link href="/waiting" className={clsx(CHIP, 'bg-warn-soft text-warn')}>
          <CloudOff aria-hidden className="size-3.5" />
          <span aria-live="polite">
            Offline{waiting > 0 ? ` · ${waiting.toLocaleString('en')}` : ''}
            {waiting > 0 && <span className="phone:sr-only"> waiting</span>}
          </span>
        </Link>
      </Tip>
    );
  }
  if (state === 'signed_out') return null;
  if (state === 'connecting' || firstSync || waiting > 0) {
    const text = state === 'connecting' ? 'Connecting…' : firstSync ? 'Reading your files…' : `Syncing ${waiting.toLocaleString('en')}`;
    return (
      <Link href="/waiting" className={clsx(CHIP, 'animate-late text-ink-3 hover:bg-hover hover:text-ink')}>
        <CloudUpload aria-hidden className="size-3.5" />
        <span aria-live="polite">{text}</span>
      </Link>
    );
  }
  return (
    <span role="status" className={clsx(CHIP, 'text-ink-3 phone:hidden')}>
      <span aria-hidden className="size-2 rounded-full bg-good" />
      Up to date
    </span>
  );
}
