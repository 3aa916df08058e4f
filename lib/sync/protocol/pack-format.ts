import type { ChunkId } from '../model/ids';
import { CHUNK_BYTES_MAX, PACK_CHUNKS_MAX } from '../model/limits';
import { readHex, writeHex } from '../model/manifest';

/**
 * A pack: header, then the payloads one after the other.
 *
 *     "SPK1" | count u32 | count × ( chunk id 32 bytes | size u32 | stored u32 | encoding u8 )
 *
 * Integers are big-endian. `size` is the chunk's length in bytes, `stored` that of its payload here; they are equal for
 * encoding raw. The file on the server's disk is the pack exactly as it was uploaded, so a store can be read without its database.
 */
const MAGIC = 0x53504b31;
const PREFIX_BYTES = 8;
const RECORD_BYTES = 41;

/** How a payload is stored. */
export const ENCODINGS = ['raw'] as const;
export type Encoding = (typeof ENCODINGS)[number];

export interface PackedChunk {
  readonly id: ChunkId;
  readonly size: number;
  readonly stored: number;
  readonly encoding: Encoding;
  /** Where the payload begins, counted from the pack's first byte. */
  readonly offset: number;
}

/** Bytes of the header of a pack with `count` chunks. */
export function packHeaderBytes(count: number): number {
  return PREFIX_BYTES + count * RECORD_BYTES;
}

/** The header of a pack that carries these chunks raw, in this order. Throws RangeError for none or more than PACK_CHUNKS_MAX. */
export function encodePackHeader(chunks: readonly { readonly id: ChunkId; readonly size: number }[]): Uint8Array<ArrayBuffer> {
  if (chunks.length === 0 || chunks.length > PACK_CHUNKS_MAX) throw new RangeError(`a pack of ${chunks.length} chunks`);
  const bytes = new Uint8Array(packHeaderBytes(chunks.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, chunks.length);
  chunks.forEach((chunk, index) => {
    const at = PREFIX_BYTES + index * RECORD_BYTES;
    writeHex(chunk.id, bytes, at);
    view.setUint32(at + 32, chunk.size);
    view.setUint32(at + 36, chunk.size);
    view.setUint8(at + 40, 0);
  });
  return bytes;
}

export type PackHeader =
  | { readonly ok: true; readonly chunks: readonly PackedChunk[]; readonly packBytes: number }
  /** `needed`: that many bytes from the start are needed to decide. */
  | { readonly ok: false; readonly needed: number }
  | { readonly ok: false; readonly problem: string };

/** Reads a header from the first bytes of a pack; never trusts a length it has not checked. */
export function decodePackHeader(bytes: Uint8Array): PackHeader {
  if (bytes.length < PREFIX_BYTES) return { ok: false, needed: PREFIX_BYTES };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== MAGIC) return { ok: false, problem: 'not a pack' };
  const count = view.getUint32(4);
  if (count === 0 || count > PACK_CHUNKS_MAX) return { ok: false, problem: `a pack of ${count} chunks` };
  const header = packHeaderBytes(count);
  if (bytes.length < header) return { ok: false, needed: header };
  const chunks: PackedChunk[] = [];
  let offset = header;
  for (let index = 0; index < count; index++) {
    const at = PREFIX_BYTES + index * RECORD_BYTES;
    const size = view.getUint32(at + 32);
    const stored = view.getUint32(at + 36);
    const encoding = ENCODINGS[view.getUint8(at + 40)];
    if (encoding === undefined) return { ok: false, problem: 'unknown encoding' };
    if (size === 0 || size > CHUNK_BYTES_MAX) return { ok: false, problem: `a chunk of ${size} bytes` };
    if (stored !== size) return { ok: false, problem: 'payload length differs from chunk size' };
    chunks.push({ id: readHex(bytes, at) as ChunkId, size, stored, encoding, offset });
    offset += stored;
  }
  return { ok: true, chunks, packBytes: offset };
}
