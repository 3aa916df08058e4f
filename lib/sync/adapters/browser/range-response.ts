import rangeParser from 'range-parser';
import type { LocalContent } from './local-content';

/** Answers a request for bytes this device has, as the server would: one range, `If-Range`, `If-None-Match`; several ranges get everything. */
export function rangeResponse(request: Request, { body, headers: given }: LocalContent): Response {
  const headers = new Headers(given);
  const etag = headers.get('etag');
  headers.set('accept-ranges', 'bytes');
  if (etag !== null && request.headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers });
  const asked = request.headers.get('range');
  const condition = request.headers.get('if-range');
  const parsed = asked === null || (condition !== null && condition !== etag) ? -2 : rangeParser(body.size, asked, { combine: true });
  if (parsed === -1) {
    headers.set('content-range', `bytes */${body.size}`);
    return new Response(null, { status: 416, headers });
  }
  const [range, ...more] = parsed === -2 ? [] : parsed;
  const sliced = range !== undefined && more.length === 0 ? body.slice(range.start, range.end + 1) : body;
  headers.set('content-length', String(sliced.size));
  if (range !== undefined && more.length === 0) headers.set('content-range', `bytes ${range.start}-${range.end}/${body.size}`);
  const content = request.method === 'HEAD' ? null : sliced;
  return new Response(content, { status: sliced === body ? 200 : 206, headers });
}
