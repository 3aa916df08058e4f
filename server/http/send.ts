import type { ServerResponse } from 'node:http';
import { ERRORS, type ErrorBody } from '@/lib/sync/protocol/error-codes';
import type { ApiError } from './api-error';

/** Answers with JSON. Nothing of the interface is ever cached by browser or proxy, unless a handler answers by itself. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.statusCode = status;
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('content-length', body.length);
  if (!response.hasHeader('cache-control')) response.setHeader('cache-control', 'no-store');
  // Node leaves the bytes out by itself when the request was HEAD.
  response.end(body);
}

/** Answers `{ error }` with the code's status; `status` overrules it. */
export function sendError(response: ServerResponse, error: ApiError, status: number = ERRORS[error.code].status): void {
  const message = error.message === error.code ? ERRORS[error.code].sentence : error.message;
  const retryAfterSeconds = error.detail?.retryAfterSeconds;
  if (typeof retryAfterSeconds === 'number') response.setHeader('retry-after', String(retryAfterSeconds));
  sendJson(response, status, { error: { code: error.code, message, ...(error.detail && { detail: error.detail }) } } satisfies ErrorBody);
}
