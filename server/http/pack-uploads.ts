import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Upload } from '@tus/server';
import { Server } from '@tus/server';
import type { NamespaceId, UserId } from '@/lib/sync/model/ids';
import { isUuid } from '@/lib/sync/model/ids';
import { PACK_BYTES_MAX } from '@/lib/sync/model/limits';
import type { ErrorBody, ErrorCode } from '@/lib/sync/protocol/error-codes';
import { ERRORS } from '@/lib/sync/protocol/error-codes';
import { packHeaderBytes } from '@/lib/sync/protocol/pack-format';
import { ROUTES } from '@/lib/sync/protocol/routes';
import type { Identity } from '../accounts/identity';
import type { BlockLog } from '../block-server/block-log';
import type { ChunkIndex } from '../block-server/chunk-index';
import type { ChunkStore } from '../block-server/chunk-store';
import { FsPackStaging } from '../block-server/drivers/fs-pack-staging';
import { PackVerifier } from '../block-server/drivers/pack-verifier';
import { drainBody } from '../block-server/drivers/receive-body';
import type { Exchange } from '../block-server/drivers/tus-pack-store';
import { TusPackStore } from '../block-server/drivers/tus-pack-store';
import { UploadLocker } from '../block-server/drivers/upload-locker';
import type { MetadataStore } from '../metadata-server/metadata-store';
import { ApiError } from './api-error';

/** Kept free on the disk: PostgreSQL and the packs that are on their way need room when uploads are already refused. */
const RESERVE_BYTES = 64 * 1024 * 1024;
const SWEEP_MILLISECONDS = 3_600_000;
const VERIFIER_THREADS = 2;
/** How long a refused client may go on sending before the connection is closed under it. */
const DRAIN_MILLISECONDS = 20_000;

export interface PackUploadsOptions {
  /** Holds `incoming/`; on the same file system as the packs, so that a finished one moves by name. */
  readonly dataDir: string;
  readonly metadata: Pick<MetadataStore, 'roleOf'>;
  readonly index: ChunkIndex;
  readonly store: ChunkStore;
  readonly log: BlockLog;
  readonly reserveBytes?: number;
}

/** The tus 1.0.0 endpoint for packs. */
export interface PackUploads {
  /** Answers one request that the guard let through. */
  handle(request: IncomingMessage, response: ServerResponse, identity: Identity): Promise<void>;
  /** Ends timer and threads; requests must have ended before. */
  close(): Promise<void>;
}

/** Opens the endpoint; forgets what expired, now and every hour. */
export async function openPackUploads(options: PackUploadsOptions): Promise<PackUploads> {
  const { index, store, log } = options;
  const verifier = new PackVerifier(VERIFIER_THREADS);
  const staging = new FsPackStaging(join(options.dataDir, 'incoming'), verifier);
  await staging.open();
  const exchanges = new AsyncLocalStorage<Exchange>();
  const mayWrite = ({ userId, namespaceId }: { userId: UserId; namespaceId: NamespaceId }) => canWrite(options, userId, namespaceId);
  const packs = new TusPackStore({ staging, index, store, mayWrite, exchanges, log });
  const tus = new Server({
    path: ROUTES.packs,
    datastore: packs,
    locker: new UploadLocker(() => exchanges.getStore()),
    relativeLocation: true,
    // No other site is named, so no answer carries a header that would let one read it.
    allowedOrigins: [],
    maxSize: PACK_BYTES_MAX,
    namingFunction: () => randomUUID(),
    onUploadCreate: async (_, upload) => {
      await admit(upload, exchanges.getStore() as Exchange, mayWrite);
      if ((await staging.room()) < (upload.size ?? 0) + (options.reserveBytes ?? RESERVE_BYTES)) throw new ApiError('insufficient_storage');
      return {};
    },
    onIncomingRequest: async (request, id) => {
      // Before the lock is asked for, or a stranger could interrupt an upload by asking about it.
      if (request.method !== 'POST') await packs.find(id);
    },
    onResponseError: (_, error) => errorAnswer(error, log),
  });
  const sweep = () => packs.deleteExpired().catch((error: unknown) => log.warn('sweep_failed', { cause: String(error) }));
  await sweep();
  const timer = setInterval(sweep, SWEEP_MILLISECONDS);
  timer.unref();
  return {
    handle: (request, response, identity) => answer(tus, exchanges, { request, response, identity }),
    close: async () => {
      clearInterval(timer);
      await verifier.close();
    },
  };
}

async function canWrite({ metadata, log }: PackUploadsOptions, userId: UserId, namespaceId: NamespaceId): Promise<boolean> {
  try {
    const role = await metadata.roleOf(userId, namespaceId);
    return role === 'owner' || role === 'editor';
  } catch (error) {
    log.error('role_unknown', { cause: String(error) });
    throw new ApiError('unavailable');
  }
}

async function admit(
  upload: Upload,
  { identity }: Exchange,
  mayWrite: (who: { userId: UserId; namespaceId: NamespaceId }) => Promise<boolean>,
): Promise<void> {
  const namespaceId = upload.metadata?.namespaceId;
  if (typeof namespaceId !== 'string' || !isUuid(namespaceId))
    throw new ApiError('bad_request', 'Upload-Metadata has no valid namespaceId.');
  if ((upload.size ?? 0) <= packHeaderBytes(1)) throw new ApiError('bad_pack');
  if (!(await mayWrite({ userId: identity.userId, namespaceId: namespaceId as NamespaceId }))) throw new ApiError('not_found');
}

async function answer(
  tus: Server,
  exchanges: AsyncLocalStorage<Exchange>,
  { request, response, identity }: { request: IncomingMessage; response: ServerResponse; identity: Identity },
): Promise<void> {
  const stop = new AbortController();
  const exchange: Exchange = { identity, request, stopped: stop.signal, stop: () => stop.abort() };
  const reply = await exchanges.run(exchange, () => tus.handleWeb(webRequest(request)));
  const body = reply.status >= 400 ? errorBody(reply.status, await reply.text()) : await reply.text();
  if (stop.signal.aborted) {
    // The client has opened another connection; on this one nobody listens any more.
    request.destroy();
    return;
  }
  if (!request.readableEnded) await drainBody(request, DRAIN_MILLISECONDS);
  if (response.destroyed) return;
  response.statusCode = reply.status;
  for (const [name, value] of reply.headers)
    if (!name.startsWith('access-control-') && name !== 'content-length') response.setHeader(name, value);
  if (reply.status >= 400) response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('cache-control', 'no-store');
  response.end(body === '' || request.method === 'HEAD' ? undefined : body);
}

/** The request as tus wants it, without the body, which TusPackStore takes from the connection. */
function webRequest(request: IncomingMessage): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) if (typeof value === 'string') headers.set(name, value);
  return new Request(new URL(request.url ?? '/', 'http://localhost'), { method: request.method ?? 'GET', headers });
}

function errorAnswer(error: Error | { status_code: number; body: string }, log: BlockLog): { status_code: number; body: string } {
  if (error instanceof ApiError) return { status_code: ERRORS[error.code].status, body: bodyOf(error.code, error.message, error.detail) };
  // tus throws its own errors as plain objects, and StreamLimiter's as an Error with the same fields.
  if ('status_code' in error)
    return {
      status_code: error.status_code as number,
      body: errorBody(error.status_code as number, String((error as { body: unknown }).body)),
    };
  log.error('pack_upload_failed', { cause: error.stack ?? String(error) });
  return { status_code: 500, body: bodyOf('internal') };
}

function bodyOf(code: ErrorCode, message: string = code, detail?: ErrorBody['error']['detail']): string {
  return JSON.stringify({
    error: { code, message: message === code ? ERRORS[code].sentence : message, ...(detail && { detail }) },
  } satisfies ErrorBody);
}

/** Gives tus's own plain-text refusals our form. Statuses stay those of the tus protocol, clients rely on them. */
function errorBody(status: number, body: string): string {
  if (body.startsWith('{')) return body;
  const code: ErrorCode =
    status === 404 || status === 410
      ? 'not_found'
      : status === 413
        ? 'too_large'
        : status >= 500 && status !== 501
          ? 'internal'
          : 'bad_request';
  return bodyOf(code, code === 'bad_request' ? body.trim() : code);
}
