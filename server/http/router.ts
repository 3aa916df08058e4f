import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ZodError } from 'zod';
import { REQUEST_BYTES_MAX } from '@/lib/sync/model/limits';
import type { Guard } from '../accounts/guard';
import { ApiError } from './api-error';
import { readBody } from './body';
import { isForged, type OriginRules } from './origin';
import type { RequestContext, Route } from './route';
import { sendError, sendJson } from './send';
import type { ServerLog } from './server-log';

export interface RouterOptions {
  readonly routes: readonly Route[];
  readonly guard: Guard;
  readonly rules: OriginRules;
  readonly log: ServerLog;
  /** True for errors that mean “the database does not answer”: the client is told to come back. */
  readonly isDatabaseGone: (error: unknown) => boolean;
}

/** JSON or form bytes read from people who need not be signed in: nothing they send is larger. */
const STRANGER_BYTES_MAX = 64 * 1024;
/** How long a refused client may go on sending before it is cut off. */
const DISCARD_MS_MAX = 5_000;

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Answers every request to the server's own interface from the list of routes; never throws, and answers `not_found` for what is not in the list. */
export function createRouter(options: RouterOptions): RequestHandler {
  const routes = options.routes.map((route) => ({ route, parts: route.path.split('/') }));
  return async (request, response) => {
    // 'self': a refused download comes back into the hidden frame that asked for it, and our page reads it there.
    response.setHeader('content-security-policy', "default-src 'none'; frame-ancestors 'self'");
    try {
      const url = urlOf(request);
      const matches = routes.flatMap(({ route, parts }) => {
        const params = paramsOf(parts, url.pathname.split('/'));
        return params === null ? [] : [{ route, params }];
      });
      const match = choose(matches, request.method ?? 'GET');
      if (match !== null) await answer(options, { match, url, request, response });
      else if (matches.length === 0) throw new ApiError('not_found', 'There is nothing at this address.');
      else refuseMethod(response, matches);
    } catch (error) {
      answerError(options, request, response, error);
    }
  };
}

function urlOf(request: IncomingMessage): URL {
  try {
    return new URL(request.url ?? '/', 'http://localhost');
  } catch {
    throw new ApiError('bad_request');
  }
}

function paramsOf(pattern: readonly string[], path: readonly string[]): Record<string, string> | null {
  if (pattern.length !== path.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const given = path[index] as string;
    if (!part.startsWith(':')) {
      if (part !== given) return null;
      continue;
    }
    try {
      params[part.slice(1)] = decodeURIComponent(given);
    } catch {
      return null;
    }
    if (given === '') return null;
  }
  return params;
}

/** The route of exactly this method, else one for any, else for HEAD the one for GET. */
function choose(matches: readonly Match[], method: string): Match | null {
  const of = (wanted: string) => matches.find(({ route }) => route.method === wanted);
  return of(method) ?? of('ANY') ?? (method === 'HEAD' ? of('GET') : undefined) ?? null;
}

function refuseMethod(response: ServerResponse, matches: readonly Match[]): void {
  response.setHeader('allow', [...new Set(matches.map(({ route }) => route.method))].join(', '));
  sendError(response, new ApiError('bad_request', 'This address does not take requests of this kind.'), 405);
}

async function answer(
  { guard, rules }: RouterOptions,
  { match: { route, params }, url, request, response }: { match: Match; url: URL; request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  if (isForged(request, route.body, rules)) throw new ApiError('foreign_origin');
  const identified = await guard.identify(request.headers.cookie);
  const context: RequestContext = { request, response, url, params, identity: identified.ok ? identified.identity : null };
  let value: unknown;
  if (route.guard === 'signed_in') {
    // Before the body is read: a stranger's bytes cost nothing.
    if (!identified.ok) throw new ApiError(identified.problem);
    const body = await readBody(request, route.body, REQUEST_BYTES_MAX);
    value = await route.handle({ ...context, identity: identified.identity }, body);
  } else {
    value = await route.handle(context, await readBody(request, route.body, STRANGER_BYTES_MAX));
  }
  if (value !== undefined) sendJson(response, 200, value);
}

function answerError({ log, isDatabaseGone }: RouterOptions, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    // Cutting the connection is the only way left to say that what was sent is not whole.
    if (!response.writableEnded) {
      log.error('answer_broken_off', { error });
      response.destroy();
    }
    return;
  }
  if (response.destroyed) return;
  sendError(response, asApiError(error, log, isDatabaseGone));
  if (!request.complete) discardRest(request);
}

/** Node reads on and throws away; closing at once would make the client's system forget the answer. Who goes on for long is cut. */
function discardRest(request: IncomingMessage): void {
  const timer = setTimeout(() => request.socket.destroy(), DISCARD_MS_MAX);
  timer.unref();
  for (const event of ['end', 'close']) request.once(event, () => clearTimeout(timer));
}

function asApiError(error: unknown, log: ServerLog, isDatabaseGone: (error: unknown) => boolean): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ZodError) {
    // Paths and reasons only: the values may be passwords or names.
    const problems = error.issues.slice(0, 10).map((issue) => ({ at: issue.path.join('.'), code: issue.code }));
    return new ApiError('bad_request', undefined, { problems });
  }
  if (isDatabaseGone(error)) {
    log.warn('database_gone', { error });
    return new ApiError('unavailable', undefined, { retryAfterSeconds: 2 });
  }
  const errorId = randomUUID();
  log.error('request_failed', { errorId, error });
  return new ApiError('internal', undefined, { errorId });
}
