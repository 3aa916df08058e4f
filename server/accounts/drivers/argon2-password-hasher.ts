import { randomBytes } from 'node:crypto';
import { hash, type Options, verify } from '@node-rs/argon2';
import type { PasswordHasher } from '../account-drivers';

/** OWASP's recommendation: 19 MiB, 2 passes, 1 lane; argon2id (2 is its number, the package's enum cannot be used with isolated modules). Some 16 ms. */
const OPTIONS: Options = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** argon2id. Hashing runs outside the main thread. */
export function createArgon2PasswordHasher(): PasswordHasher {
  // What an unknown address is compared with, so that it takes as long as a known one.
  const decoy = hash(randomBytes(32), OPTIONS);
  // Made early, awaited at the first use: a failure must be that sign-in's, not the process's.
  decoy.catch(() => undefined);
  return {
    hash: (password) => hash(password.normalize('NFC'), OPTIONS),
    async matches(stored, password) {
      const matches = await verify(stored ?? (await decoy), password.normalize('NFC'));
      return stored !== null && matches;
    },
  };
}
