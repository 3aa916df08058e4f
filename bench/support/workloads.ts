import { createCipheriv, createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Deterministic data sets: the same bytes on every machine, so that figures can be compared. */

/** Incompressible bytes from a seed (AES-256-CTR keystream). Returns `take(n)`, the next n bytes. */
export function keystream(seed: string): (bytes: number) => Buffer {
  const cipher = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16));
  return (bytes) => cipher.update(Buffer.alloc(bytes));
}

/** Uniform numbers in [0, 1) from a seed (32-bit xorshift on a hashed seed). */
export function uniform(seed: string): () => number {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(4) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
}

/** One incompressible file of `bytes` at `path`; kept when it is there already with that size. */
export function bigFile(path: string, bytes: number): string {
  if (existsSync(path) && statSync(path).size === bytes) return path;
  const take = keystream(`big:${bytes}`);
  const file = openSync(path, 'w');
  for (let left = bytes; left > 0; ) {
    const n = Math.min(left, 4 * 1024 * 1024);
    writeSync(file, take(n));
    left -= n;
  }
  closeSync(file);
  return path;
}

/** `count` files of log-normal size (mean 100 KB, sigma 1.2) in folders of about 50; returns their total bytes. */
export function smallFiles(folder: string, count: number): number {
  const random = uniform(`small:${count}`);
  const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const sizes = Array.from({ length: count }, () => Math.min(20e6, Math.exp(Math.log(100_000) - 0.72 + 1.2 * gauss())));
  const factor = (count * 100_000) / sizes.reduce((sum, size) => sum + size, 0);
  const take = keystream(`small:${count}`);
  const made = existsSync(folder);
  let total = 0;
  sizes.forEach((size, index) => {
    const bytes = Math.max(1, Math.round(size * factor));
    total += bytes;
    if (made) return;
    const dir = join(folder, `d${String(index % Math.max(1, Math.round(count / 50))).padStart(3, '0')}`);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, `f${String(index).padStart(5, '0')}.bin`), take(bytes));
  });
  return total;
}

/** Middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
