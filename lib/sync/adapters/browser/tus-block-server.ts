import { DetailedError, type HttpStack, Upload, type UploadOptions } from 'tus-js-client';
import type { BlockServer, PackUpload } from '../../ports/block-server';
import type { Reply } from '../../ports/sync-service';
import type { MissingReply } from '../../protocol/blocks';
import { ERRORS, type ErrorCode, isErrorCode } from '../../protocol/error-codes';
import { CSRF_HEADER, CSRF_VALUE, ROUTES } from '../../protocol/routes';
import { type FetchReplyOptions, fetchReply, OFFLINE_SENTENCE } from './fetch-reply';
import { fetchHttpStack } from './tus-fetch-stack';

/**
 * Smaller packs travel with the request that creates the upload: one round trip. Larger ones are created first, because their
 * address must be durable here before the first byte goes: a reply lost with the connection would lose the bytes with it.
 * So at most this much is ever sent twice.
 */
const ONE_REQUEST_BYTES_MAX = 512 * 1024;

export interface TusBlockServerOptions extends Pick<FetchReplyOptions, 'fetch' | 'headers'> {
  /** Scheme, host and port of the server; that of the page or worker unless given. */
  readonly origin?: string;
}

type PutReply = Awaited<ReturnType<BlockServer<Blob>['put']>>;

/** The block server over HTTP: questions by fetch, packs by tus. Sends by XHR where there is one (progress), else by fetch. */
export function createTusBlockServer(options: TusBlockServerOptions = {}): BlockServer<Blob> {
  const origin = options.origin ?? globalThis.location.origin;
  const requests: FetchReplyOptions = { ...options, origin };
  const headers = { ...options.headers, [CSRF_HEADER]: CSRF_VALUE };
  const httpStack: { httpStack?: HttpStack } = typeof XMLHttpRequest === 'undefined' ? { httpStack: fetchHttpStack(options.fetch) } : {};
  return {
    async missing(namespaceId, chunkIds) {
      if (chunkIds.length === 0) return { ok: true, value: [] };
      const reply = await fetchReply<MissingReply>(ROUTES.missing, { ...requests, method: 'POST', body: { namespaceId, chunkIds } });
      return reply.ok ? { ok: true, value: reply.value.missing } : reply;
    },
    put: (upload) => put(upload, { endpoint: origin + ROUTES.packs, headers, ...httpStack }),
    async discard(address) {
      // Nothing depends on it, so nobody is told when it fails.
      await Upload.terminate(address, { headers, retryDelays: null, ...httpStack }).catch(() => undefined);
    },
  };
}

function put(upload: PackUpload<Blob>, transport: Pick<UploadOptions, 'endpoint' | 'headers' | 'httpStack'>): Promise<PutReply> {
  if (upload.signal.aborted) return Promise.resolve(ABORTED);
  return new Promise((resolve, reject) => {
    let told = upload.address;
    let telling: Promise<void> = Promise.resolve();
    const end = (reply: PutReply): void => {
      upload.signal.removeEventListener('abort', stop);
      telling.then(() => resolve(reply), reject);
    };
    const tus = new Upload(upload.body, {
      ...transport,
      uploadUrl: upload.address,
      uploadSize: upload.body.size,
      uploadDataDuringCreation: upload.body.size <= ONE_REQUEST_BYTES_MAX,
      metadata: { namespaceId: upload.namespaceId },
      fileReader: { openFile: (body: Blob) => Promise.resolve(sliced(body)) },
      // Addresses are kept in our own rows, and trying again is the sender's business.
      fingerprint: () => Promise.resolve(upload.packId),
      storeFingerprintForResuming: false,
      retryDelays: null,
      onUploadUrlAvailable: () => {
        if (tus.url === null || tus.url === told) return;
        told = tus.url;
        telling = upload.onAddress(tus.url);
      },
      onBeforeRequest: () => telling,
      onProgress: (bytes) => upload.onProgress(bytes),
      onSuccess: () => end({ ok: true, value: null }),
      onError: (error) => end(refusalOf(error)),
    });
    const stop = (): void => {
      void tus.abort(false);
      end(ABORTED);
    };
    upload.signal.addEventListener('abort', stop, { once: true });
    tus.start();
  });
}

const ABORTED: PutReply = { ok: false, code: 'aborted', message: 'stopped' };

function sliced(body: Blob) {
  return {
    size: body.size,
    slice: (start: number, end: number) => Promise.resolve({ value: body.slice(start, end), done: end >= body.size }),
    close: () => undefined,
  };
}

function refusalOf(error: Error): Reply<never> {
  const response = error instanceof DetailedError ? error.originalResponse : null;
  // Status 0 is how XHR says that no answer came.
  if (response === null || response.getStatus() === 0) return { ok: false, code: 'offline', message: OFFLINE_SENTENCE };
  const status = response.getStatus();
  // 409: our offset is not the server's any more (browsers send a request again by themselves when a kept-alive connection
  // breaks); 423: the broken request before us still holds the upload. Asking for the offset mends both.
  const code = status === 409 || status === 423 ? 'unavailable' : (codeIn(response.getBody()) ?? codeOfStatus(status));
  return code === 'offline' ? { ok: false, code, message: OFFLINE_SENTENCE } : { ok: false, code, message: ERRORS[code].sentence };
}

function codeIn(body: string): ErrorCode | null {
  try {
    const parsed = JSON.parse(body) as { error?: { code?: unknown } } | null;
    return isErrorCode(parsed?.error?.code) ? parsed.error.code : null;
  } catch {
    return null; // tus itself answers in plain text.
  }
}

/** tus's own answers, and those of servers in between. */
function codeOfStatus(status: number): ErrorCode | 'offline' {
  if (status === 401) return 'not_signed_in';
  if (status === 403) return 'not_allowed';
  if (status === 404 || status === 410) return 'not_found';
  if (status === 413) return 'too_large';
  if (status === 429) return 'too_many_requests';
  if (status === 507) return 'insufficient_storage';
  if (status === 502 || status === 504) return 'offline';
  return status >= 500 ? 'unavailable' : 'bad_request';
}
