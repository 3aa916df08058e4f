/** Bundles server/main.ts (and the server's worker threads) into build/. */
export function buildServer(): Promise<void>;
/** Bundles `workers/*.worker.ts` into public/workers/; `dev` goes on watching. */
export function buildWorkers(options: { readonly dev: boolean }): Promise<void>;
/** Bundles the service worker for development, and goes on watching. */
export function watchServiceWorker(): Promise<void>;
/** Bundles the service worker with its list of files to keep; after `next build` and `buildWorkers`. */
export function buildServiceWorker(): Promise<{ readonly files: number; readonly bytes: number }>;
