import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChunkId } from './ids';
import type { Manifest } from './manifest';
import { applySplices, decodeManifest, EMPTY_DIGEST, encodeManifest, manifestBytes, spliceBetween } from './manifest';

const id = (seed: number): ChunkId => createHash('sha256').update(String(seed)).digest('hex') as ChunkId;
const manifest = fc
  .array(fc.tuple(fc.nat(12), fc.integer({ min: 1, max: 4 * 1024 * 1024 })), { maxLength: 40 })
  .map((pairs): Manifest => pairs.map(([seed, size]) => ({ id: id(seed), size })));

describe('manifest', () => {
  test('encoding and decoding are inverse, 36 bytes a chunk', () => {
    fc.assert(
      fc.property(manifest, (m) => {
        const bytes = encodeManifest(m);
        expect(bytes.length).toBe(36 * m.length);
        expect(decodeManifest(bytes)).toEqual(m);
      }),
    );
  });
  test('the splice between two manifests rebuilds the second from the first', () => {
    fc.assert(
      fc.property(manifest, manifest, (a, b) => {
        const next = [...a.slice(0, 5), ...b, ...a.slice(7)];
        const splices = spliceBetween(a, next);
        const rebuilt = applySplices(a, splices);
        expect(rebuilt?.map((chunk) => chunk.id)).toEqual(next.map((chunk) => chunk.id));
      }),
      { numRuns: 500 },
    );
  });
  test('one changed chunk among many travels as one chunk', () => {
    const base = Array.from({ length: 1000 }, (_, i) => ({ id: id(i), size: 10 }));
    const next = base.map((chunk, i) => (i === 500 ? { id: id(5000), size: 12 } : chunk));
    expect(spliceBetween(base, next)).toEqual([{ at: 500, remove: 1, insert: [{ id: id(5000), size: 12 }] }]);
    expect(spliceBetween(base, base)).toEqual([]);
  });
  test('splices that overlap or reach outside the base are refused', () => {
    const base = Array.from({ length: 3 }, (_, i) => ({ id: id(i), size: 10 }));
    expect(applySplices(base, [{ at: 2, remove: 2, insert: [] }])).toBeNull();
    expect(
      applySplices(base, [
        { at: 1, remove: 1, insert: [] },
        { at: 1, remove: 1, insert: [] },
      ]),
    ).toBeNull();
    expect(applySplices(base, [{ at: 0, remove: -1, insert: [] }])).toBeNull();
  });
  test('a chunk of no bytes or of more than 4 MiB cannot be encoded; half a record cannot be decoded', () => {
    expect(() => encodeManifest([{ id: id(1), size: 0 }])).toThrow();
    expect(() => encodeManifest([{ id: id(1), size: 4 * 1024 * 1024 + 1 }])).toThrow();
    expect(() => decodeManifest(new Uint8Array(35))).toThrow();
  });
  test('the digest of the empty file is the SHA-256 of nothing, its size zero', () => {
    expect(createHash('sha256').update(encodeManifest([])).digest('hex')).toBe(EMPTY_DIGEST);
    expect(manifestBytes([])).toBe(0);
  });
});
