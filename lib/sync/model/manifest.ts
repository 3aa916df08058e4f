import { assert } from './assert';
import type { ChunkId, Digest } from './ids';
import { isSha256 } from './ids';
import { CHUNK_BYTES_MAX } from './limits';

/** One chunk as a manifest names it; `size` in bytes, 1 … CHUNK_BYTES_MAX. */
export interface ChunkRef {
  readonly id: ChunkId;
  readonly size: number;
}

/** The bytes of one revision: its chunks in order. Empty for an empty file. */
export type Manifest = readonly ChunkRef[];

/** Replaces `remove` chunks of the base manifest, beginning at index `at`, by `insert`. Indices refer to the base; ascending, not overlapping. */
export interface Splice {
  readonly at: number;
  readonly remove: number;
  readonly insert: Manifest;
}

/** Bytes of one manifest record: SHA-256, then the size as unsigned 32-bit big-endian. */
export const MANIFEST_RECORD_BYTES = 36;

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Writes 64 hexadecimal digits as 32 bytes at `offset`. */
export function writeHex(hex: string, target: Uint8Array, offset: number): void {
  assert(isSha256(hex), 'writeHex takes 64 lower-case hexadecimal digits');
  for (let i = 0; i < 32; i++) target[offset + i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
}

/** Reads 32 bytes at `offset` as 64 hexadecimal digits. */
export function readHex(source: Uint8Array, offset: number): string {
  let hex = '';
  for (let i = 0; i < 32; i++) hex += HEX[source[offset + i] as number];
  return hex;
}

/** The compact form that is stored and hashed: 36 bytes a chunk, in order. */
export function encodeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(manifest.length * MANIFEST_RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  manifest.forEach((chunk, index) => {
    assert(Number.isInteger(chunk.size) && chunk.size > 0 && chunk.size <= CHUNK_BYTES_MAX, `chunk size ${chunk.size}`);
    writeHex(chunk.id, bytes, index * MANIFEST_RECORD_BYTES);
    view.setUint32(index * MANIFEST_RECORD_BYTES + 32, chunk.size);
  });
  return bytes;
}

/** Inverse of `encodeManifest`; throws BrokenPromise when the bytes are not a whole number of records. */
export function decodeManifest(bytes: Uint8Array): Manifest {
  assert(bytes.length % MANIFEST_RECORD_BYTES === 0, `manifest of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const manifest: ChunkRef[] = [];
  for (let at = 0; at < bytes.length; at += MANIFEST_RECORD_BYTES) {
    manifest.push({ id: readHex(bytes, at) as ChunkId, size: view.getUint32(at + 32) });
  }
  return manifest;
}

/** Sum of the chunk sizes: the size of the file in bytes. */
export function manifestBytes(manifest: Manifest): number {
  return manifest.reduce((sum, chunk) => sum + chunk.size, 0);
}

/** Applies splices to a base manifest; `null` when they do not fit it. */
export function applySplices(base: Manifest, splices: readonly Splice[]): Manifest | null {
  const result: ChunkRef[] = [];
  let read = 0;
  for (const splice of splices) {
    if (splice.at < read || splice.remove < 0 || splice.at + splice.remove > base.length) return null;
    for (; read < splice.at; read++) result.push(base[read] as ChunkRef);
    for (const chunk of splice.insert) result.push(chunk);
    read = splice.at + splice.remove;
  }
  for (; read < base.length; read++) result.push(base[read] as ChunkRef);
  return result;
}

/** The one splice that turns `base` into `next`: everything between their common prefix and common suffix. Empty when they are equal. */
export function spliceBetween(base: Manifest, next: Manifest): readonly Splice[] {
  const shorter = Math.min(base.length, next.length);
  let prefix = 0;
  while (prefix < shorter && base[prefix]?.id === next[prefix]?.id) prefix++;
  let suffix = 0;
  while (suffix < shorter - prefix && base[base.length - 1 - suffix]?.id === next[next.length - 1 - suffix]?.id) suffix++;
  if (prefix === base.length && prefix === next.length) return [];
  return [{ at: prefix, remove: base.length - prefix - suffix, insert: next.slice(prefix, next.length - suffix) }];
}

/** A file's digest is the SHA-256 of its encoded manifest; this is the one of the empty file (SHA-256 of nothing). */
export const EMPTY_DIGEST = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' as Digest;
