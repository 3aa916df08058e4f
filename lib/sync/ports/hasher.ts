import type { ChunkId } from '../model/ids';

/** SHA-256. A port, because platforms complete in different orders and the simulation must replay. */
export interface Hasher {
  /** Digest of `bytes` as 64 hexadecimal digits. The bytes are not kept. */
  sha256(bytes: Uint8Array<ArrayBuffer>): Promise<ChunkId>;
}
