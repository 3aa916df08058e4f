import type { IncomingMessage } from 'node:http';
import { ApiError } from './api-error';
import type { BodyKind } from './route';

const TYPES = { json: 'application/json', form: 'application/x-www-form-urlencoded' } as const;

/** Reads a request body as its route wants it. Throws `too_large` and `bad_request`. `raw` bodies are left to the handler. */
export async function readBody(request: IncomingMessage, kind: BodyKind, bytesMax: number): Promise<unknown> {
  if (kind === 'raw') return undefined;
  const length = request.headers['content-length'];
  if (kind === 'none') {
    if (request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')) {
      throw new ApiError('bad_request', 'This request takes no body.');
    }
    return undefined;
  }
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== TYPES[kind]) throw new ApiError('bad_request', `The body must be ${TYPES[kind]}.`);
  if (length !== undefined && Number(length) > bytesMax) throw new ApiError('too_large', undefined, { bytesMax });
  const text = decode(await collect(request, bytesMax));
  return kind === 'json' ? parseJson(text) : parseForm(text);
}

async function collect(request: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    // Leaving the loop early must not destroy the connection: the refusal has yet to be sent over it.
    for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      bytes += part.length;
      if (bytes > bytesMax) throw new ApiError('too_large', undefined, { bytesMax });
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError('bad_request', 'The body was cut off.');
  }
  return Buffer.concat(parts);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ApiError('bad_request', 'The body is not UTF-8.');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError('bad_request', 'The body is not JSON.');
  }
}

/** Field name → its values in order. */
function parseForm(text: string): Readonly<Record<string, readonly string[]>> {
  const fields: Record<string, string[]> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    fields[name] ??= [];
    fields[name].push(value);
  }
  return fields;
}
