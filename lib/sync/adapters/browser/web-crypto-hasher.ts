import type { ChunkId } from '../../model/ids';
import { readHex } from '../../model/manifest';
import type { Hasher } from '../../ports/hasher';

/** SHA-256 by WebCrypto, which works beside the thread that asks. Needs a secure context. */
export const webCryptoHasher: Hasher = {
  async sha256(bytes) {
    return readHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), 0) as ChunkId;
  },
};
