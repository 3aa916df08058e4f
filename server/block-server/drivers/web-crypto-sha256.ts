import { webcrypto } from 'node:crypto';

/** SHA-256 on Node's thread pool, as 64 hexadecimal digits. The main thread goes on serving meanwhile. */
export async function webCryptoSha256(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex');
}
