import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { TokenMaker } from '../account-drivers';

/** Tokens from the system's random source. */
export function createRandomTokenMaker(): TokenMaker {
  return {
    make: () => randomBytes(32).toString('base64url'),
    hash: (token) => new Uint8Array(createHash('sha256').update(token).digest()),
    uuid: () => randomUUID(),
  };
}
