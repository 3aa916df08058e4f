import { createHash } from 'node:crypto';
import { Chunker } from '@/lib/sync/chunking/chunker';

/** `npx tsx bench/chunker.ts`: boundaries beside the two things they are compared with, one thread, MB/s (10^6). */
const BLOCK = new Uint8Array(256 * 1024 * 1024);
let state = 0x12345678;
const words = new Uint32Array(BLOCK.buffer);
for (let i = 0; i < words.length; i++) {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  words[i] = state ^ (state >>> 15);
}

function rate(label: string, work: () => string): void {
  work();
  const started = performance.now();
  const said = work();
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `${label.padEnd(22)} ${Math.round(BLOCK.length / 1e6 / seconds)
      .toString()
      .padStart(6)} MB/s  ${said}`,
  );
}

const copy = new Uint8Array(4 * 1024 * 1024);
rate('memory copy', () => {
  for (let at = 0; at < BLOCK.length; at += copy.length) copy.set(BLOCK.subarray(at, at + copy.length));
  return '';
});
rate('SHA-256 (node:crypto)', () => {
  const hash = createHash('sha256');
  for (let at = 0; at < BLOCK.length; at += copy.length) hash.update(BLOCK.subarray(at, at + copy.length));
  hash.digest();
  return '';
});
rate('chunker', () => {
  const chunker = new Chunker();
  let chunks = 0;
  for (let at = 0; at < BLOCK.length; at += copy.length) chunks += chunker.push(BLOCK.subarray(at, at + copy.length)).length;
  if (chunker.finish()) chunks++;
  return `${chunks} chunks, mean ${Math.round(BLOCK.length / chunks / 1024)} KiB`;
});
