import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from '../accounts/identity';

/** What a handler is given. `identity` is null only for routes with `guard: 'anyone'` asked without a valid session. */
export interface RequestContext<I extends Identity | null = Identity | null> {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** Values of the `:name` parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly identity: I;
}

/**
 * One route of the server's own interface. The list of all routes is the only place where addresses are handled, so that
 * tests can walk it. `signed_in`: the guard has found an identity. `body`: how the router treats the request body.
 * A handler returns a value to be sent as JSON (200), or `undefined` when it has answered by itself.
 */
export type Route =
  | {
      readonly method: Method;
      readonly path: string;
      readonly guard: 'anyone';
      readonly body: BodyKind;
      handle(context: RequestContext, body: unknown): Promise<unknown>;
    }
  | {
      readonly method: Method;
      readonly path: string;
      readonly guard: 'signed_in';
      readonly body: BodyKind;
      handle(context: RequestContext<Identity>, body: unknown): Promise<unknown>;
    };

export type Method = 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE' | 'ANY';
/** `json`: parsed, at most REQUEST_BYTES_MAX. `form`: urlencoded, parsed to string → string[]. `raw`: untouched stream. `none`: refused if present. */
export type BodyKind = 'none' | 'json' | 'form' | 'raw';
