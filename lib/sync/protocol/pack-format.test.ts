import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChunkId } from '../model/ids';
import { CHUNK_BYTES_MAX, PACK_CHUNKS_MAX } from '../model/limits';
import { decodePackHeader, encodePackHeader, packHeaderBytes } from './pack-format';

const chunkId = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('') as ChunkId);
const chunk = fc.record({ id: chunkId, size: fc.integer({ min: 1, max: CHUNK_BYTES_MAX }) });
const chunks = fc.array(chunk, { minLength: 1, maxLength: 50 });

describe('pack header', () => {
  test('comes back as it was written, with the places of the payloads', () => {
    fc.assert(
      fc.property(chunks, fc.uint8Array({ maxLength: 100 }), (written, payload) => {
        const header = encodePackHeader(written);
        expect(header.length).toBe(packHeaderBytes(written.length));
        const read = decodePackHeader(new Uint8Array([...header, ...payload]));
        if (!read.ok) throw new Error('the header was refused');
        let offset = header.length;
        for (const [index, { id, size }] of written.entries()) {
          expect(read.chunks[index]).toEqual({ id, size, stored: size, encoding: 'raw', offset });
          offset += size;
        }
        expect(read.chunks.length).toBe(written.length);
        expect(read.packBytes).toBe(offset);
      }),
    );
  });

  test('asks for as many bytes as it needs, and no more', () => {
    fc.assert(
      fc.property(chunks, fc.nat(), (written, at) => {
        const header = encodePackHeader(written);
        const cut = at % header.length;
        const read = decodePackHeader(header.subarray(0, cut));
        expect(read).toEqual({ ok: false, needed: cut < 8 ? 8 : header.length });
      }),
    );
  });

  test('reads any bytes without throwing, and never promises more than it checked', () => {
    const magic = fc.uint8Array({ maxLength: 300 }).map((bytes) => new Uint8Array([0x53, 0x50, 0x4b, 0x31, 0, 0, 0, 1, ...bytes]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), magic), (bytes) => {
        const read = decodePackHeader(bytes);
        if (!read.ok) return;
        for (const { size, stored } of read.chunks) {
          expect(size).toBeGreaterThan(0);
          expect(size).toBeLessThanOrEqual(CHUNK_BYTES_MAX);
          expect(stored).toBe(size);
        }
      }),
    );
  });

  test('reads within a larger buffer', () => {
    const header = encodePackHeader([{ id: 'ab'.repeat(32) as ChunkId, size: 7 }]);
    const shifted = new Uint8Array(header.length + 5);
    shifted.set(header, 5);
    expect(decodePackHeader(shifted.subarray(5))).toMatchObject({ ok: true, packBytes: header.length + 7 });
  });

  const one = () => encodePackHeader([{ id: 'ab'.repeat(32) as ChunkId, size: 7 }]);
  const refused: [string, (header: Uint8Array) => void][] = [
    ['another magic', (header) => header.set([0x50], 0)],
    ['no chunks', (header) => header.set([0, 0, 0, 0], 4)],
    ['too many chunks', (header) => new DataView(header.buffer).setUint32(4, PACK_CHUNKS_MAX + 1)],
    ['an empty chunk', (header) => new DataView(header.buffer).setUint32(8 + 32, 0)],
    ['a chunk beyond the ceiling', (header) => new DataView(header.buffer).setUint32(8 + 32, CHUNK_BYTES_MAX + 1)],
    ['a stored length that differs', (header) => new DataView(header.buffer).setUint32(8 + 36, 8)],
    ['an unknown encoding', (header) => header.set([1], 8 + 40)],
  ];
  test.each(refused)('refuses %s', (_, spoil) => {
    const header = one();
    spoil(header);
    expect(decodePackHeader(header)).toHaveProperty('problem');
  });

  test('is not written for none or too many', () => {
    expect(() => encodePackHeader([])).toThrow(RangeError);
    expect(() =>
      encodePackHeader(Array.from({ length: PACK_CHUNKS_MAX + 1 }, () => ({ id: 'ab'.repeat(32) as ChunkId, size: 1 }))),
    ).toThrow(RangeError);
  });
});
