import { createHash } from 'node:crypto';
import type { ChunkId } from '../../model/ids';
import type { Hasher } from '../../ports/hasher';

/** SHA-256 by OpenSSL on the thread that asks: WebCrypto in Node is many times slower for chunks. */
export const nodeHasher: Hasher = {
  sha256: (bytes) => Promise.resolve(createHash('sha256').update(bytes).digest('hex') as ChunkId),
};
