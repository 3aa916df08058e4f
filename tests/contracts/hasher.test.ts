import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { webCryptoHasher } from '@/lib/sync/adapters/browser/web-crypto-hasher';
import { nodeHasher } from '@/lib/sync/adapters/node/node-hasher';
import { EMPTY_DIGEST } from '@/lib/sync/model/manifest';
import type { Hasher } from '@/lib/sync/ports/hasher';

const HASHERS: Readonly<Record<string, Hasher>> = { node: nodeHasher, 'web crypto': webCryptoHasher };

describe.each(Object.entries(HASHERS))('hasher: %s', (_, hasher) => {
  test('knows the digests of FIPS 180-4', async () => {
    expect(await hasher.sha256(new Uint8Array(0))).toBe(EMPTY_DIGEST);
    expect(await hasher.sha256(new TextEncoder().encode('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  test('hashes the part it is given, not the buffer it lies in, and leaves it alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.nat(50), async (given, shift) => {
        const around = new Uint8Array(given.length + 2 * shift);
        around.set(given, shift);
        const part = around.subarray(shift, shift + given.length);
        expect(await hasher.sha256(part)).toBe(await nodeHasher.sha256(new Uint8Array(given)));
        expect([...part]).toEqual([...given]);
      }),
      { numRuns: 50 },
    );
  });
});
