import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';
import { CSRF_HEADER, CSRF_VALUE } from '@/lib/sync/protocol/routes';
import type { BodyKind } from './route';

/** How the server knows where it is reached and who reaches it. */
export interface OriginRules {
  /** Null: taken from each request. */
  readonly publicUrl: string | null;
  /** Proxies in front whose headers are believed. */
  readonly trustProxy: number;
}

const HOST = /^(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

function firstOf(header: string | string[] | undefined): string | undefined {
  return (Array.isArray(header) ? header[0] : header)?.split(',')[0]?.trim();
}

/** The origin the client sees (`https://files.example.org`), or null when the request does not say a usable one. */
export function publicOriginOf(request: IncomingMessage, rules: OriginRules): string | null {
  if (rules.publicUrl !== null) return rules.publicUrl;
  const { headers } = request;
  const proxied = rules.trustProxy > 0;
  const host = (proxied ? firstOf(headers['x-forwarded-host']) : undefined) ?? headers.host;
  if (host === undefined || !HOST.test(host)) return null;
  const https = proxied && firstOf(headers['x-forwarded-proto']) === 'https';
  return new URL(`${https ? 'https' : 'http'}://${host}`).origin;
}

/** True when a browser says that one of our own pages sent this request; also false when it says nothing. */
export function isSameOrigin(request: IncomingMessage, rules: OriginRules): boolean {
  // Browsers fill this in themselves and no page can forge it; but only towards https and localhost.
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin } = request.headers;
  return origin !== undefined && origin === publicOriginOf(request, rules);
}

/**
 * For socket handshakes: a browser always names the origin when a page of another site opens one, so a request that names
 * none is our own page's polling, or no browser at all (which then holds no cookie that it was not given).
 */
export function mayOpenSocket(request: IncomingMessage, rules: OriginRules): boolean {
  const { origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (origin !== undefined) return origin === publicOriginOf(request, rules) || site === 'same-origin';
  return site === undefined || site === 'same-origin';
}

/**
 * The defence against requests that another site makes a signed-in browser send: whatever can change something must come
 * from our own origin and carry a header that other sites cannot set. Forms cannot carry headers, so for them the origin alone serves.
 */
export function isForged(request: IncomingMessage, body: BodyKind, rules: OriginRules): boolean {
  // tus lets a GET call itself a PATCH.
  const unsafe = !SAFE_METHODS.has(request.method ?? 'GET') || request.headers['x-http-method-override'] !== undefined;
  if (!unsafe) return false;
  if (!isSameOrigin(request, rules)) return true;
  return body !== 'form' && request.headers[CSRF_HEADER] !== CSRF_VALUE;
}

/** The network address to count attempts by: behind proxies the one the outermost trusted proxy saw; of IPv6 the /64, which one household shares. */
export function clientAddressOf(request: IncomingMessage, trustProxy: number): string {
  const peer = request.socket.remoteAddress ?? 'unknown';
  const forwarded = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((part) => part.trim());
  const told = trustProxy > 0 ? forwarded[Math.max(0, forwarded.length - trustProxy)] : undefined;
  const address = told && (isIPv4(told) || isIPv6(told)) ? told : peer;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1] as string;
  return isIPv6(address) ? networkOf(address) : address;
}

function networkOf(address: string): string {
  const [head = '', tail = ''] = (address.split('%')[0] as string).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = address.includes('::') ? new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0') : [];
  const groups = [...left, ...zeros, ...right].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${groups.join(':')}::/64`;
}
