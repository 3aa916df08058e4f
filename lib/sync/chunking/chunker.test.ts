import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHUNK_BYTES_AVERAGE, CHUNK_BYTES_FORCED, CHUNK_BYTES_MIN } from '../model/limits';
import { Chunker } from './chunker';

/** Bytes that look random and are the same everywhere. */
function randomBytes(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    words[i] = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** Lengths of all chunks when the stream comes in pieces of these sizes, over and over. */
function lengths(bytes: Uint8Array, pieces: readonly number[] = [bytes.length]): number[] {
  const chunker = new Chunker();
  const ends: number[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const piece = bytes.subarray(at, at + Math.max(1, pieces[turn % pieces.length] as number));
    for (const end of chunker.push(piece)) ends.push(at + end);
    at += piece.length;
  }
  if (chunker.finish()) ends.push(bytes.length);
  return ends.map((end, index) => end - (ends[index - 1] ?? 0));
}

describe('chunker', () => {
  test('cuts a known stream where it always did', () => {
    const bytes = randomBytes(4 * 1024 * 1024 + 17, 0x12345678);
    expect(createHash('sha256').update(bytes).digest('hex').slice(0, 16)).toBe('11bef916a33216cb');
    expect(lengths(bytes)).toEqual([
      300283, 238413, 114932, 320156, 289501, 333885, 244482, 219655, 357301, 328953, 305001, 220157, 319134, 215887, 268239, 118342,
    ]);
  });

  test('the boundaries do not depend on how the stream is sliced', () => {
    const bytes = randomBytes(3 * 1024 * 1024, 7);
    bytes.fill(0, 1_000_000, 2_200_000);
    const whole = lengths(bytes);
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 1_500_000 })), { minLength: 1, maxLength: 6 }),
        (pieces) => {
          // Tiny pieces alone would make a run of a million calls.
          expect(lengths(bytes, [...pieces, 300_000])).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
    expect(lengths(bytes.subarray(0, 300_000), [1])).toEqual(lengths(bytes.subarray(0, 300_000)));
  });

  test('nor on where the bytes lie in memory', () => {
    const bytes = randomBytes(1024 * 1024, 11);
    for (const shift of [1, 2, 3]) {
      const moved = new Uint8Array(bytes.length + shift).subarray(shift);
      moved.set(bytes);
      expect(lengths(moved)).toEqual(lengths(bytes));
    }
  });

  test('keeps its limits, and hits its average on random bytes', () => {
    const found = lengths(randomBytes(64 * 1024 * 1024, 3));
    const whole = found.slice(0, -1);
    expect(Math.min(...whole)).toBeGreaterThanOrEqual(CHUNK_BYTES_MIN);
    expect(Math.max(...found)).toBeLessThanOrEqual(CHUNK_BYTES_FORCED);
    const mean = whole.reduce((sum, length) => sum + length, 0) / whole.length;
    expect(Math.abs(mean / CHUNK_BYTES_AVERAGE - 1)).toBeLessThan(0.1);
  });

  test('zeros are cut at the forced length only', () => {
    expect(lengths(new Uint8Array(2 * CHUNK_BYTES_FORCED + 5))).toEqual([CHUNK_BYTES_FORCED, CHUNK_BYTES_FORCED, 5]);
  });

  test('small and empty streams are one chunk and none', () => {
    expect(lengths(randomBytes(100, 1))).toEqual([100]);
    expect(new Chunker().push(new Uint8Array(0))).toEqual([]);
    expect(new Chunker().finish()).toBe(false);
  });

  test('one byte put in front moves only the first boundaries', () => {
    const bytes = randomBytes(8 * 1024 * 1024, 5);
    const moved = new Uint8Array(bytes.length + 1);
    moved.set(bytes, 1);
    const names = (of: Uint8Array): string[] => {
      let at = 0;
      return lengths(of).map((length) => {
        at += length;
        return createHash('sha256')
          .update(of.subarray(at - length, at))
          .digest('hex');
      });
    };
    const before = new Set(names(bytes));
    const fresh = names(moved).filter((name) => !before.has(name));
    expect(fresh.length).toBeLessThanOrEqual(2);
  });
});
