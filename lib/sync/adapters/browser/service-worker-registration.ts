import { Workbox } from 'workbox-window';

const ADDRESS = '/service-worker.js';
let workbox: Workbox | null = null;

/**
 * A sentence that says what is missing when the page was opened without HTTPS, else null. Without it the browser hides the
 * private file system, service workers and the cryptography uploads need.
 */
export function secureContextProblem(): string | null {
  if (globalThis.isSecureContext) return null;
  return 'This page was opened without HTTPS, so the browser keeps back what offline use and uploads need. Open it over https:// (or on this computer as http://localhost); the README shows the shortest way.';
}

/**
 * Registers the service worker. `onUpdateWaiting` is told when a new version waits for the person's word (`applyUpdate`).
 * Resolves to false where there can be none (insecure context, old browser, private mode); never throws.
 */
export async function registerServiceWorker(onUpdateWaiting: () => void): Promise<boolean> {
  if (secureContextProblem() !== null || !('serviceWorker' in navigator)) return false;
  try {
    workbox = new Workbox(ADDRESS, { updateViaCache: 'none' });
    workbox.addEventListener('waiting', onUpdateWaiting);
    await workbox.register();
    return true;
  } catch {
    return false;
  }
}

/** Asks the server for a new version now; `onUpdateWaiting` tells when there is one. */
export async function checkForUpdate(): Promise<void> {
  await workbox?.update().catch(() => undefined);
}

/** Lets the waiting version take over and loads the page anew once it did. */
export function applyUpdate(): void {
  if (workbox === null) return;
  workbox.addEventListener('controlling', () => location.reload());
  workbox.messageSkipWaiting();
}
