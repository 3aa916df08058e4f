'use client';
import { useSyncExternalStore } from 'react';
import type { EntryId } from '@/lib/sync/model/ids';

/** Entries copied or cut inside the page. The system's clipboard cannot carry them. */
export interface Clipboard {
  readonly mode: 'copy' | 'cut';
  readonly ids: readonly EntryId[];
}

let clipboard: Clipboard | null = null;
const listeners = new Set<() => void>();

export function setClipboard(next: Clipboard | null): void {
  clipboard = next;
  for (const listener of listeners) listener();
}

export function readClipboard(): Clipboard | null {
  return clipboard;
}

export function useClipboard(): Clipboard | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    readClipboard,
    () => null,
  );
}
