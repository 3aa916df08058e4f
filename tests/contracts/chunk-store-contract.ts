import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ChunkStore } from '@/server/block-server/chunk-store';
import { PackMissing } from '@/server/block-server/chunk-store';

export interface ChunkStoreUnderTest {
  readonly store: ChunkStore;
  /** Makes a local file with these bytes and gives its path. */
  stage(bytes: Uint8Array): Promise<string>;
}

/** What every chunk store promises. `open` gives a fresh, empty one. */
export function chunkStoreContract(name: string, open: () => Promise<ChunkStoreUnderTest>): void {
  describe(`chunk store contract: ${name}`, () => {
    test('gives back any range of a pack', async () => {
      const { store, stage } = await open();
      const bytes = randomBytes(300_000);
      const packId = randomUUID();
      await store.put(packId, await stage(bytes));
      for (const [offset, length] of [
        [0, 300_000],
        [0, 1],
        [299_999, 1],
        [1234, 150_000],
      ] as const) {
        expect(Buffer.compare(await store.read(packId, offset, length), bytes.subarray(offset, offset + length))).toBe(0);
      }
    });

    test('takes the file over: put again after a lost answer succeeds and changes nothing', async () => {
      const { store, stage } = await open();
      const bytes = randomBytes(1000);
      const packId = randomUUID();
      const path = await stage(bytes);
      await store.put(packId, path);
      await store.put(packId, path);
      expect(Buffer.compare(await store.read(packId, 0, 1000), bytes)).toBe(0);
    });

    test('refuses a pack whose file is not there', async () => {
      const { store, stage } = await open();
      const path = await stage(randomBytes(10));
      await store.put(randomUUID(), path);
      await expect(store.put(randomUUID(), path)).rejects.toThrow();
    });

    test('says PackMissing for an unknown pack and for bytes beyond its end', async () => {
      const { store, stage } = await open();
      const packId = randomUUID();
      await expect(store.read(packId, 0, 1)).rejects.toBeInstanceOf(PackMissing);
      await store.put(packId, await stage(randomBytes(100)));
      await expect(store.read(packId, 50, 51)).rejects.toBeInstanceOf(PackMissing);
      await expect(store.read(packId, 100, 1)).rejects.toBeInstanceOf(PackMissing);
    });

    test('delete removes, also twice, also after a read', async () => {
      const { store, stage } = await open();
      const packId = randomUUID();
      await store.put(packId, await stage(randomBytes(100)));
      await store.read(packId, 0, 100);
      await store.delete(packId);
      await store.delete(packId);
      await expect(store.read(packId, 0, 1)).rejects.toBeInstanceOf(PackMissing);
    });

    test('many packs are written and read at once', async () => {
      const { store, stage } = await open();
      const packs = await Promise.all(
        Array.from({ length: 400 }, async () => {
          const bytes = randomBytes(2000);
          const packId = randomUUID();
          await store.put(packId, await stage(bytes));
          return { packId, bytes };
        }),
      );
      const reads = await Promise.all(
        packs.flatMap(({ packId, bytes }) =>
          [0, 500, 1000].map(async (offset) =>
            Buffer.compare(await store.read(packId, offset, 1000), bytes.subarray(offset, offset + 1000)),
          ),
        ),
      );
      expect(reads.every((difference) => difference === 0)).toBe(true);
    });
  });
}
