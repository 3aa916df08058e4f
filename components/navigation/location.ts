'use client';
import { useMemo, useSyncExternalStore } from 'react';
import type { EntryId } from '@/lib/sync/model/ids';
import { isUuid } from '@/lib/sync/model/ids';

/** Where the person is. All of it lives in the address, so that reload, Back and a second tab agree. */
export interface Place {
  readonly view: 'files' | 'search' | 'trash' | 'offline' | 'waiting' | 'conflicts' | 'devices' | 'settings' | 'sign-in' | 'sign-up';
  /** The folder (or file) of `/files/:entryId`; null at the top. */
  readonly entryId: EntryId | null;
  /** What is searched for. */
  readonly query: string;
  /** The file shown in the viewer above the view. */
  readonly open: EntryId | null;
}

const VIEWS: readonly Place['view'][] = [
  'files',
  'search',
  'trash',
  'offline',
  'waiting',
  'conflicts',
  'devices',
  'settings',
  'sign-in',
  'sign-up',
];

/** Reads an address (path and query). Unknown addresses lead to the files. */
export function placeOf(address: string): Place {
  const url = new URL(address, 'http://satchel.invalid');
  const [first = '', second = ''] = url.pathname.split('/').filter((part) => part !== '');
  const open = url.searchParams.get('open') ?? '';
  return {
    view: VIEWS.find((view) => view === first) ?? 'files',
    entryId: first === 'files' && isUuid(second) ? (second as EntryId) : null,
    query: url.searchParams.get('q') ?? '',
    open: isUuid(open) ? (open as EntryId) : null,
  };
}

/** The address of a place. */
export function addressOf(place: { readonly view: Place['view'] } & Partial<Place>): string {
  const path = place.view === 'files' && place.entryId ? `/files/${place.entryId}` : `/${place.view}`;
  const query = new URLSearchParams();
  if (place.view === 'search' && place.query) query.set('q', place.query);
  if (place.open) query.set('open', place.open);
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

const CHANGED = 'satchel:navigated';

function subscribe(onChange: () => void): () => void {
  window.addEventListener('popstate', onChange);
  window.addEventListener(CHANGED, onChange);
  return () => {
    window.removeEventListener('popstate', onChange);
    window.removeEventListener(CHANGED, onChange);
  };
}

/** Goes to an address without asking the server for anything, so that it also works offline. */
export function navigate(address: string, how: 'push' | 'replace' = 'push'): void {
  if (address === location.pathname + location.search) return;
  if (how === 'push') history.pushState(null, '', address);
  else history.replaceState(null, '', address);
  window.dispatchEvent(new Event(CHANGED));
}

/** The place now; `/files` while the page is being prerendered. */
export function usePlace(): Place {
  const address = useSyncExternalStore(
    subscribe,
    () => location.pathname + location.search,
    () => '/files',
  );
  return useMemo(() => placeOf(address), [address]);
}
