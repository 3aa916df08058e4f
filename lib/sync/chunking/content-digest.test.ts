import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { chunksOf } from '../adapters/browser/file-chunks';
import { nodeHasher } from '../adapters/node/node-hasher';
import { EMPTY_DIGEST, encodeManifest } from '../model/manifest';
import { contentDigest, verified } from './content-digest';

const bytes = new Uint8Array(3_000_000);
for (let index = 0, state = 7; index < bytes.length; index++) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
  bytes[index] = state >>> 24;
}

async function* sliced(content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  // One buffer for all pieces, as a reader may do.
  const buffer = new Uint8Array(size);
  for (let at = 0; at < content.length; at += size) {
    const piece = content.subarray(at, at + size);
    buffer.set(piece);
    yield buffer.subarray(0, piece.length);
  }
}

async function taken(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts);
}

describe('content', () => {
  test('has the digest that intake gives it, however it comes', async () => {
    const manifest = await chunksOf(bytes, nodeHasher);
    const expected = createHash('sha256').update(encodeManifest(manifest)).digest('hex');
    for (const size of [4_321, 65_536, bytes.length]) expect(await contentDigest(sliced(bytes, size), nodeHasher)).toBe(expected);
    expect(await contentDigest(sliced(new Uint8Array(), 1), nodeHasher)).toBe(EMPTY_DIGEST);
  });

  test('is passed on only where each chunk is what the manifest says', async () => {
    const manifest = await chunksOf(bytes, nodeHasher);
    expect(Buffer.compare(await taken(verified(sliced(bytes, 10_007), manifest, nodeHasher)), bytes)).toBe(0);
    const wrong = bytes.slice();
    wrong[2_000_000] = (wrong[2_000_000] as number) ^ 1;
    await expect(taken(verified(sliced(wrong, 10_007), manifest, nodeHasher))).rejects.toThrow('is not what it should be');
    await expect(taken(verified(sliced(bytes.subarray(0, -1), 10_007), manifest, nodeHasher))).rejects.toThrow('broke off');
    await expect(taken(verified(sliced(bytes, 10_007), manifest.slice(0, -1), nodeHasher))).rejects.toThrow('more bytes');
    expect(await taken(verified(sliced(new Uint8Array(), 1), [], nodeHasher))).toHaveLength(0);
  });
});
