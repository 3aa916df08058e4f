import type { SyncService } from '../../ports/sync-service';
import { ROUTES } from '../../protocol/routes';
import { type FetchReplyOptions, fetchReply } from './fetch-reply';

/** The synchronization service over HTTP. Works in pages, workers and (with `origin` and a cookie header) in Node. */
export function createFetchSyncService(options: Pick<FetchReplyOptions, 'fetch' | 'origin' | 'headers' | 'timeout'> = {}): SyncService {
  return {
    namespaces: () => fetchReply(ROUTES.namespaces, options),
    commit: (request) => fetchReply(ROUTES.commit, { ...options, method: 'POST', body: request }),
    journalSince(namespaceId, cursor) {
      const query = new URLSearchParams({ namespaceId });
      if (cursor !== null) query.set('cursor', cursor);
      return fetchReply(`${ROUTES.journal}?${query}`, options);
    },
    manifests: (request) => fetchReply(ROUTES.manifests, { ...options, method: 'POST', body: request }),
  };
}
