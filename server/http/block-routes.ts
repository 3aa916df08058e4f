import { missingRequestSchema } from '@/lib/sync/protocol/blocks';
import { ROUTES } from '@/lib/sync/protocol/routes';
import type { BlockLog } from '../block-server/block-log';
import type { ChunkIndex } from '../block-server/chunk-index';
import type { ChunkStore } from '../block-server/chunk-store';
import { webCryptoSha256 } from '../block-server/drivers/web-crypto-sha256';
import type { MetadataStore } from '../metadata-server/metadata-store';
import { ApiError } from './api-error';
import { download } from './downloads';
import type { PackUploads } from './pack-uploads';
import type { Route } from './route';
import { downloadZip } from './zip';

export interface BlockRoutesDeps {
  readonly metadata: Pick<MetadataStore, 'roleOf' | 'revisions' | 'walk'>;
  readonly index: ChunkIndex;
  readonly store: ChunkStore;
  /** From `openPackUploads`. */
  readonly uploads: PackUploads;
  readonly log: BlockLog;
}

/** The block server's requests: what is missing, packs in, contents and ZIPs out. */
export function blockRoutes({ metadata, index, store, uploads, log }: BlockRoutesDeps): readonly Route[] {
  const content = { index, store, sha256: webCryptoSha256 };
  const path = `${ROUTES.files}/:namespaceId/:entryId/:contentRevision/content`;
  const packs = ['', '/:uploadId'].map(
    (rest): Route => ({
      method: 'ANY',
      path: `${ROUTES.packs}${rest}`,
      guard: 'signed_in',
      body: 'raw',
      handle: ({ request, response, identity }) => uploads.handle(request, response, identity),
    }),
  );
  return [
    ...packs,
    {
      method: 'POST',
      path: ROUTES.missing,
      guard: 'signed_in',
      body: 'json',
      handle: async ({ identity }, body) => {
        const asked = missingRequestSchema.safeParse(body);
        if (!asked.success) throw new ApiError('bad_request');
        const { namespaceId, chunkIds } = asked.data;
        if ((await metadata.roleOf(identity.userId, namespaceId)) === null) throw new ApiError('not_found');
        return { missing: await index.unreachable(identity.userId, chunkIds) };
      },
    },
    { method: 'GET', path, guard: 'signed_in', body: 'none', handle: (context) => download({ metadata, content, log }, context) },
    { method: 'HEAD', path, guard: 'signed_in', body: 'none', handle: (context) => download({ metadata, content, log }, context) },
    {
      method: 'POST',
      path: ROUTES.zip,
      guard: 'signed_in',
      body: 'form',
      handle: (context, body) => downloadZip({ metadata, content, log }, context, body),
    },
  ];
}
