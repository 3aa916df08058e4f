'use client';
import { useSyncExternalStore } from 'react';
import type { Sort } from '@/lib/sync/adapters/browser/read-model';

/** How this browser likes to see things. Kept beside the account's data: it belongs to the screen, not to the person. */
export interface Preferences {
  readonly layout: 'list' | 'grid';
  readonly sort: Sort;
  readonly details: boolean;
}

const KEY = 'satchel-preferences';
const DEFAULTS: Preferences = { layout: 'list', sort: { by: 'name', descending: false }, details: false };

let current: Preferences | null = null;
const listeners = new Set<() => void>();

function load(): Preferences {
  if (current !== null) return current;
  try {
    current = { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Preferences>) };
  } catch {
    current = DEFAULTS;
  }
  return current;
}

export function setPreferences(change: Partial<Preferences>): void {
  current = { ...load(), ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // Storage is forbidden: it holds until the page closes.
  }
  for (const listener of listeners) listener();
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    load,
    () => DEFAULTS,
  );
}
