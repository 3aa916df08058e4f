import type { IncomingHttpHeaders } from 'node:http';
import parseRange from 'range-parser';

/** What the client's conditions and ranges ask for (RFC 9110, 13 and 14). */
export type Wanted =
  | { readonly kind: 'whole' }
  /** Bytes [start, end). */
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'not_modified' }
  | { readonly kind: 'precondition_failed' }
  | { readonly kind: 'not_satisfiable' };

/** A representation as conditions see it; `etag` is strong, with its quotes, `lastModified` an HTTP date or null. */
export interface Validators {
  readonly size: number;
  readonly etag: string;
  readonly lastModified: string | null;
}

/**
 * Evaluates in the order of RFC 9110, 13.2.2. Several ranges, other units and malformed ones are answered with the whole,
 * which the RFC allows: multipart answers help nobody here and cost much. Dates count only when there is no tag.
 */
export function wanted(method: string, headers: IncomingHttpHeaders, { size, etag, lastModified }: Validators): Wanted {
  const match = headers['if-match'];
  if (match !== undefined && !lists(match, etag, 'strong')) return { kind: 'precondition_failed' };
  const unmodified = headers['if-unmodified-since'];
  if (match === undefined && unmodified !== undefined && lastModified !== null && Date.parse(lastModified) > Date.parse(unmodified))
    return { kind: 'precondition_failed' };
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) {
    if (lists(noneMatch, etag, 'weak')) return { kind: 'not_modified' };
  } else if (
    headers['if-modified-since'] !== undefined &&
    lastModified !== null &&
    Date.parse(lastModified) <= Date.parse(headers['if-modified-since'])
  ) {
    return { kind: 'not_modified' };
  }
  if (method !== 'GET' || headers.range === undefined || !rangeStillFits(headers['if-range'], etag, lastModified)) return { kind: 'whole' };
  return part(size, headers.range);
}

function part(size: number, header: string): Wanted {
  if (!/^bytes=/i.test(header)) return { kind: 'whole' };
  const ranges = parseRange(size, header);
  if (ranges === -2) return { kind: 'whole' };
  if (ranges === -1) return { kind: 'not_satisfiable' };
  const [range, ...others] = ranges;
  if (range === undefined || others.length > 0) return { kind: 'whole' };
  return { kind: 'part', start: range.start, end: range.end + 1 };
}

/** Without If-Range a range always fits; with it, only for exactly this representation. */
function rangeStillFits(ifRange: string | string[] | undefined, etag: string, lastModified: string | null): boolean {
  if (ifRange === undefined) return true;
  return ifRange === etag || (lastModified !== null && ifRange === lastModified);
}

function lists(header: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((tag) => {
    const trimmed = tag.trim();
    return (comparison === 'weak' ? trimmed.replace(/^W\//, '') : trimmed) === etag;
  });
}
