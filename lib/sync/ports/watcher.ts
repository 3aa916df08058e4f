/**
 * `folder`: what stands directly in the folder changed, or newly appeared in it; `deep`: look at everything below it.
 * `lost`: events were lost, look at everything again.
 */
export type WatchEvent = { readonly kind: 'folder'; readonly path: string; readonly deep: boolean } | { readonly kind: 'lost' };

/** Notices changes on a disk. Events are hints: late, doubled or lost ones cost delay only, because the disk is looked at again anyway. */
export interface Watcher {
  /** Begins; resolves to false where this cannot be done. */
  start(onEvent: (event: WatchEvent) => void): Promise<boolean>;
  stop(): void;
}
