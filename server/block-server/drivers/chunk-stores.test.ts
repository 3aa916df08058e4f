import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { chunkStoreContract } from '@/tests/contracts/chunk-store-contract';
import { FsChunkStore } from './fs-chunk-store';
import { MemoryChunkStore } from './memory-chunk-store';

const folder = await mkdtemp(join(tmpdir(), 'chunk-store-'));
const opened: FsChunkStore[] = [];
afterAll(async () => {
  await Promise.all(opened.map((store) => store.close()));
  await rm(folder, { recursive: true, force: true });
});

function openStore(): FsChunkStore {
  const store = new FsChunkStore(join(folder, `packs-${randomUUID()}`));
  opened.push(store);
  return store;
}

async function stage(bytes: Uint8Array): Promise<string> {
  const path = join(folder, randomUUID());
  await writeFile(path, bytes);
  return path;
}

async function take(path: string): Promise<Uint8Array | null> {
  const bytes = await readFile(path).catch(() => null);
  await rm(path, { force: true });
  return bytes;
}

chunkStoreContract('fs', async () => ({ store: openStore(), stage }));
chunkStoreContract('memory', async () => ({ store: new MemoryChunkStore(take), stage }));

test('fs: a pack from another file system is copied, and leaves nothing behind', async (context) => {
  const elsewhere = await mkdtemp('/dev/shm/chunk-store-').catch(() => null);
  if (elsewhere === null) return context.skip('there is no second file system');
  try {
    const bytes = randomBytes(100_000);
    const path = join(elsewhere, 'pack');
    await writeFile(path, bytes);
    const packs = join(folder, `packs-${randomUUID()}`);
    const packId = randomUUID();
    const store = new FsChunkStore(packs);
    await store.put(packId, path);
    expect(Buffer.compare(await store.read(packId, 0, bytes.length), bytes)).toBe(0);
    expect(await readdir(elsewhere)).toEqual([]);
    expect(await readdir(join(packs, packId.slice(0, 2)))).toEqual([packId]);
    await store.close();
  } finally {
    await rm(elsewhere, { recursive: true });
  }
});

test('fs: no more than the cache of files stays open', async () => {
  const store = openStore();
  const ids = await Promise.all(
    Array.from({ length: 400 }, async () => {
      const packId = randomUUID();
      await store.put(packId, await stage(randomBytes(10)));
      return packId;
    }),
  );
  const before = (await readdir('/proc/self/fd')).length;
  for (const id of ids) await store.read(id, 0, 10);
  expect((await readdir('/proc/self/fd')).length - before).toBeLessThanOrEqual(256);
  await store.close();
  expect((await readdir('/proc/self/fd')).length).toBeLessThanOrEqual(before + 2);
});

test('fs: a pack id cannot lead out of the folder', async () => {
  const store = new FsChunkStore(join(folder, 'packs'));
  await expect(store.read('../../etc/passwd', 0, 1)).rejects.toThrow(/UUID/);
});
