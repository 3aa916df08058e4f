import { z } from 'zod';
import type { Cursor, NamespaceId } from '@/lib/sync/model/ids';
import { manifestsRequestSchema } from '@/lib/sync/protocol/blocks';
import { commitRequestSchema, uuidOf } from '@/lib/sync/protocol/commit';
import { ROUTES } from '@/lib/sync/protocol/routes';
import { isRefused, type Refused, type SyncService } from '../sync-service/sync-service';
import { ApiError } from './api-error';
import type { Route } from './route';

const journalQuery = z.object({
  namespaceId: uuidOf<NamespaceId>(),
  // What a cursor looks like is the store's affair.
  cursor: (z.string().min(1).max(64) as unknown as z.ZodType<Cursor>).optional(),
});

function parsed<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const problem = result.error.issues[0];
  throw new ApiError('bad_request', undefined, { at: problem?.path.join('.') ?? '', problem: problem?.message ?? '' });
}

function granted<T extends object>(answer: T | Refused): T {
  if (isRefused(answer)) throw new ApiError(answer.refused);
  return answer;
}

/** Namespaces, commit, journal, manifests. What is not well-formed is `bad_request` and never reaches the service. */
export function syncRoutes({ service }: { readonly service: SyncService }): readonly Route[] {
  return [
    {
      method: 'GET',
      path: ROUTES.namespaces,
      guard: 'signed_in',
      body: 'none',
      handle: ({ identity }) => service.namespaces(identity),
    },
    {
      method: 'POST',
      path: ROUTES.commit,
      guard: 'signed_in',
      body: 'json',
      handle: async ({ identity }, body) => granted(await service.commit(identity, parsed(commitRequestSchema, body))),
    },
    {
      method: 'GET',
      path: ROUTES.journal,
      guard: 'signed_in',
      body: 'none',
      handle: async ({ identity, url }) => {
        const { namespaceId, cursor } = parsed(journalQuery, Object.fromEntries(url.searchParams));
        return granted(await service.journalSince(identity, namespaceId, cursor ?? null));
      },
    },
    {
      method: 'POST',
      path: ROUTES.manifests,
      guard: 'signed_in',
      body: 'json',
      handle: async ({ identity }, body) => granted(await service.manifests(identity, parsed(manifestsRequestSchema, body))),
    },
  ];
}
