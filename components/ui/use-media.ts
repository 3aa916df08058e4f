'use client';
import { useSyncExternalStore } from 'react';

/** True while the media query holds; false while the page is being prerendered. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (onChange) => {
      const list = matchMedia(query);
      list.addEventListener('change', onChange);
      return () => list.removeEventListener('change', onChange);
    },
    () => matchMedia(query).matches,
    () => false,
  );
}

/** Phones and narrow windows: the same edge as the `phone:` styles. */
export function usePhone(): boolean {
  return useMedia('(max-width: 640px)');
}
