/**
 * Keeps the shell so that the page opens with the network off, and serves file content this device has. Everything else goes to the
 * server untouched and is never kept. With every tab closed it goes on with the queue, when the browser wakes it (`sync`).
 */

import { createHandlerBoundToURL, type PrecacheEntry, precacheAndRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { askForDrain, userOfDrainTag } from '@/lib/sync/adapters/browser/background-sync';
import { findLocalContent, findSource, readContentName } from '@/lib/sync/adapters/browser/local-content';
import { rangeResponse } from '@/lib/sync/adapters/browser/range-response';
import { holdLeaseForDrain } from '@/lib/sync/adapters/browser/web-lock-engine-lease';
import type { UserId } from '@/lib/sync/model/ids';
import { DRAIN_MILLISECONDS_MAX } from '@/lib/sync/model/limits';
import { ERRORS } from '@/lib/sync/protocol/error-codes';
import { API, contentAddress } from '@/lib/sync/protocol/routes';
import { drainQueue } from './drain';

declare const self: ServiceWorkerGlobalScope & { readonly __WB_MANIFEST: readonly (PrecacheEntry | string)[] };

// Written into this place by the build; empty in development, where the shell changes all the time.
const manifest = self.__WB_MANIFEST;
precacheAndRoute([...manifest]);
if (manifest.length > 0) {
  // Every page of ours is the one shell; what the server answers for itself is not.
  registerRoute(new NavigationRoute(createHandlerBoundToURL('/'), { denylist: [new RegExp(`^${API}/`)] }));
}

registerRoute(
  ({ url, request, sameOrigin }) => sameOrigin && (request.method === 'GET' || request.method === 'HEAD') && readContentName(url) !== null,
  async ({ url, request }) => {
    const name = readContentName(url);
    const local = name === null ? null : await findLocalContent(name).catch(() => null);
    if (local !== null) return rangeResponse(request, local);
    try {
      const source = name === null ? null : await findSource(name).catch(() => name);
      // The bytes of a copy that the server has not made yet are at the address of what it is a copy of.
      if (source !== null && source !== name) return await fetch(contentAddress(source, source.download), { headers: request.headers });
      return await fetch(request);
    } catch {
      return offlineAnswer(request);
    }
  },
);

self.addEventListener('sync', (event) => {
  const woken = event as ExtendableEvent & { readonly tag: string };
  const userId = userOfDrainTag(woken.tag);
  if (userId !== null) woken.waitUntil(drainForAWhile(userId));
});

self.addEventListener('message', (event) => {
  if ((event.data as { type?: unknown } | null)?.type === 'SKIP_WAITING') void self.skipWaiting();
});
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

/** Rejects when something is left, which makes the browser wake us again later. */
async function drainForAWhile(userId: UserId): Promise<void> {
  const over = AbortSignal.timeout(DRAIN_MILLISECONDS_MAX);
  const end = await holdLeaseForDrain(userId, over, (lost) => drainQueue(userId, self.location.origin, lost));
  // Given back to a tab (or never had): the tab goes on.
  if (end !== 'left' || !over.aborted) return;
  // Chromium takes a new wish from here only while a page of ours is open.
  if (!(await askForDrain(self.registration, userId))) throw new Error('not everything could be sent in time');
}

function offlineAnswer(request: Request): Response {
  const sentence = 'This file is not on this device, and the server cannot be reached at the moment.';
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Not available offline</title><body style="font:16px system-ui;margin:4rem auto;max-width:30rem;padding:0 1rem"><h1 style="font-size:1.25rem">Not available offline</h1><p>${sentence}</p></body></html>`;
  const wantsPage = request.mode === 'navigate';
  const body = wantsPage ? page : JSON.stringify({ error: { code: 'unavailable', message: sentence } });
  return new Response(body, {
    status: ERRORS.unavailable.status,
    headers: { 'content-type': wantsPage ? 'text/html; charset=utf-8' : 'application/json', 'cache-control': 'no-store' },
  });
}
