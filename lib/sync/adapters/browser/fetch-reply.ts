import type { Reply } from '../../ports/sync-service';
import { ERRORS, type ErrorCode, isErrorCode } from '../../protocol/error-codes';
import { CSRF_HEADER, CSRF_VALUE } from '../../protocol/routes';

/** The sentence for “no answer came”; it has no code of the server's because the server never spoke. */
export const OFFLINE_SENTENCE = 'The server cannot be reached. It will be tried again.';

export interface FetchReplyOptions {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Milliseconds until the request counts as lost; `offline` then. */
  readonly timeout?: number;
  readonly fetch?: typeof globalThis.fetch;
  /** Put in front of the path; tests in Node need it, pages do not. */
  readonly origin?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const TIMEOUT_MILLISECONDS = 60_000;

/** A status that is not ours (a proxy's error page) read as the nearest code of ours. */
function codeOfStatus(status: number): ErrorCode | 'offline' {
  if (status === 401) return 'not_signed_in';
  if (status === 403) return 'not_allowed';
  if (status === 404) return 'not_found';
  if (status === 413) return 'too_large';
  if (status === 429) return 'too_many_requests';
  if (status === 507) return 'insufficient_storage';
  // A gateway that answers for a server it cannot reach says nothing about whether the request was applied.
  if (status === 502 || status === 503 || status === 504) return 'offline';
  return status >= 500 ? 'internal' : 'bad_request';
}

/** An answer that is no success, as a reply. */
export async function refusal(response: Response): Promise<Reply<never>> {
  const body: unknown = await response.json().catch(() => null);
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : null;
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  if (isErrorCode(code)) {
    const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : null;
    return { ok: false, code, message: typeof message === 'string' ? message : ERRORS[code].sentence };
  }
  const guess = codeOfStatus(response.status);
  return { ok: false, code: guess, message: guess === 'offline' ? OFFLINE_SENTENCE : ERRORS[guess].sentence };
}

/** One JSON request to our own server. Never throws for what network or server do; answers without a body give `null` as value. */
export async function fetchReply<T>(path: string, options: FetchReplyOptions = {}): Promise<Reply<T>> {
  const { method = 'GET', body, timeout = TIMEOUT_MILLISECONDS, fetch = globalThis.fetch, origin = '' } = options;
  try {
    const response = await fetch(origin + path, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      headers: {
        accept: 'application/json',
        ...(method === 'GET' ? {} : { [CSRF_HEADER]: CSRF_VALUE }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeout),
    });
    if (!response.ok) return await refusal(response);
    const text = await response.text();
    return { ok: true, value: (text === '' ? null : JSON.parse(text)) as T };
  } catch {
    // No connection, a timeout, or an answer that broke off: whether the request was applied is unknown.
    return { ok: false, code: 'offline', message: OFFLINE_SENTENCE };
  }
}
