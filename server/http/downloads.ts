import type { ServerResponse } from 'node:http';
import type { EntryId, NamespaceId } from '@/lib/sync/model/ids';
import { isUuid } from '@/lib/sync/model/ids';
import { manifestBytes } from '@/lib/sync/model/manifest';
import type { Identity } from '../accounts/identity';
import type { BlockLog } from '../block-server/block-log';
import type { ContentReader } from '../block-server/content-reader';
import { ContentBroken, readContent } from '../block-server/content-reader';
import type { FileRevision, MetadataStore } from '../metadata-server/metadata-store';
import { ApiError } from './api-error';
import { wanted } from './conditional';
import { CONTENT_POLICY, presentation } from './content-type';
import type { RequestContext } from './route';

export interface DownloadsOptions {
  readonly metadata: Pick<MetadataStore, 'roleOf' | 'revisions'>;
  readonly content: ContentReader;
  readonly log: BlockLog;
}

/** Answers GET and HEAD for the bytes of one revision. */
export async function download(
  options: DownloadsOptions,
  { request, response, url, params, identity }: RequestContext<Identity>,
): Promise<undefined> {
  const revision = await findRevision(options, identity, params);
  const size = manifestBytes(revision.manifest);
  const etag = `"${revision.digest}"`;
  const lastModified = httpDate(revision.mtime);
  const want = wanted(request.method ?? 'GET', request.headers, { size, etag, lastModified });

  const asAttachment = url.searchParams.get('download') === '1';
  const { contentType, contentDisposition } = presentation(revision.entry.name, asAttachment);
  response.setHeader('ETag', etag);
  if (lastModified !== null) response.setHeader('Last-Modified', lastModified);
  // A revision's bytes never change, so its address may be kept for ever, but only for whoever was allowed to ask. An
  // attachment also carries the name, which may have changed since: its copy is asked about (and a 304 brings the new name).
  response.setHeader('Cache-Control', asAttachment ? 'private, no-cache' : 'private, max-age=31536000, immutable');
  response.setHeader('Vary', 'Cookie');
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Content-Security-Policy', CONTENT_POLICY);
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  response.setHeader('Content-Type', contentType);
  response.setHeader('Content-Disposition', contentDisposition);
  if (want.kind === 'not_modified' || want.kind === 'precondition_failed') {
    response.statusCode = want.kind === 'not_modified' ? 304 : 412;
    response.end();
    return;
  }
  if (want.kind === 'not_satisfiable') {
    for (const name of ['ETag', 'Last-Modified', 'Cache-Control', 'Content-Type', 'Content-Disposition']) response.removeHeader(name);
    response.setHeader('Content-Range', `bytes */${size}`);
    throw new ApiError('range_not_satisfiable');
  }
  const { start, end } = want.kind === 'part' ? want : { start: 0, end: size };
  if (want.kind === 'part') response.setHeader('Content-Range', `bytes ${start}-${end - 1}/${size}`);
  response.statusCode = want.kind === 'part' ? 206 : 200;
  response.setHeader('Content-Length', end - start);
  if (request.method === 'HEAD') response.end();
  else await send(options, response, readContent(options.content, revision.manifest, start, end));
}

async function findRevision(
  { metadata }: DownloadsOptions,
  identity: Identity,
  params: Readonly<Record<string, string>>,
): Promise<FileRevision> {
  const { namespaceId = '', entryId = '', contentRevision = '' } = params;
  if (!isUuid(namespaceId) || !isUuid(entryId) || !/^[1-9][0-9]{0,8}$/.test(contentRevision)) throw new ApiError('not_found');
  if ((await metadata.roleOf(identity.userId, namespaceId as NamespaceId)) === null) throw new ApiError('not_found');
  const [revision] = await metadata.revisions(namespaceId as NamespaceId, [
    { entryId: entryId as EntryId, contentRevision: Number(contentRevision) },
  ]);
  if (revision === undefined) throw new ApiError('not_found');
  return revision;
}

/** Sends `content` at the client's pace. When it breaks, the connection does too: an incomplete file must never look complete. */
async function send({ log }: DownloadsOptions, response: ServerResponse, content: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const bytes of content) {
      if (response.destroyed) return;
      if (!response.write(bytes)) await drained(response);
    }
    response.end();
  } catch (error) {
    logBroken(log, 'download_broken', error);
    response.destroy();
  }
}

/** Tells of a chunk that could not be given out. */
export function logBroken(log: BlockLog, event: string, error: unknown): void {
  const cause = error instanceof Error && error.cause !== undefined ? { cause: String(error.cause) } : {};
  log.error(event, { problem: String(error), ...(error instanceof ContentBroken && { chunkId: error.chunkId }), ...cause });
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
    // Closed before we listened: there is no event to come.
    if (response.destroyed) done();
  });
}

/** Null where HTTP has no date for it: before 1970, or in the future, which RFC 9110, 8.8.2.1 forbids. */
function httpDate(mtime: number): string | null {
  return mtime >= 0 && mtime <= Date.now() ? new Date(mtime).toUTCString() : null;
}
