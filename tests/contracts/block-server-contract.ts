import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { NamespaceId } from '@/lib/sync/model/ids';
import { CHUNK_BYTES_MAX } from '@/lib/sync/model/limits';
import type { BlockServer, PackUpload } from '@/lib/sync/ports/block-server';
import { encodePackHeader } from '@/lib/sync/protocol/pack-format';
import { sha256 } from '../integration/blocks-harness';

/** What a test can do to the server behind the adapter. */
export interface BlockServerCase {
  readonly blocks: BlockServer<Blob>;
  /** Where this account may write. */
  readonly namespaceId: NamespaceId;
  /** Breaks the connection of the next upload once this many bytes of it came in. */
  breakNext(afterBytes: number): void;
  /** Bytes of upload bodies that came in so far. */
  received(): number;
}

export function pack(chunks: readonly Uint8Array<ArrayBuffer>[]): Blob {
  return new Blob([encodePackHeader(chunks.map((bytes) => ({ id: sha256(bytes), size: bytes.length }))), ...chunks]);
}

function upload(body: Blob, namespaceId: NamespaceId, changes: Partial<PackUpload<Blob>> = {}) {
  const told: string[] = [];
  const progress: number[] = [];
  const whole: PackUpload<Blob> = {
    packId: randomUUID(),
    namespaceId,
    body,
    address: null,
    onAddress: async (address) => {
      told.push(address);
    },
    onProgress: (bytes) => progress.push(bytes),
    signal: new AbortController().signal,
    ...changes,
  };
  return { whole, told, progress };
}

const chunk = (bytes: number): Uint8Array<ArrayBuffer> => new Uint8Array(randomBytes(bytes));

/** Every adapter of the port `BlockServer` keeps these promises. */
export function blockServerContract(name: string, open: () => BlockServerCase): void {
  describe(`block server: ${name}`, () => {
    test('what was put is missing no more, what was not still is', async () => {
      const { blocks, namespaceId } = open();
      const [sent, other] = [chunk(300_000), chunk(10)];
      const ids = [sha256(sent), sha256(other)];
      expect(await blocks.missing(namespaceId, ids)).toEqual({ ok: true, value: ids });
      expect(await blocks.put(upload(pack([sent]), namespaceId).whole)).toEqual({ ok: true, value: null });
      expect(await blocks.missing(namespaceId, ids)).toEqual({ ok: true, value: [sha256(other)] });
      expect(await blocks.missing(namespaceId, [])).toEqual({ ok: true, value: [] });
    });

    test('the address is told and kept before the first byte of a large pack goes', async () => {
      const { blocks, namespaceId, received } = open();
      const before = received();
      let atAddress = -1;
      const { whole, progress } = upload(pack([chunk(2_000_000)]), namespaceId, {
        onAddress: async () => {
          await new Promise((resolve) => setTimeout(resolve, 50));
          atAddress = received() - before;
        },
      });
      expect((await blocks.put(whole)).ok).toBe(true);
      expect(atAddress).toBe(0);
      expect(progress.at(-1)).toBe(whole.body.size);
    });

    test('after a broken connection the same pack goes on where the server is', async () => {
      const { blocks, namespaceId, breakNext, received } = open();
      const { whole, told } = upload(pack(Array.from({ length: 5 }, () => chunk(CHUNK_BYTES_MAX))), namespaceId);
      breakNext(2 * CHUNK_BYTES_MAX);
      expect(await blocks.put(whole)).toMatchObject({ ok: false, code: 'offline' });
      expect(told).toHaveLength(1);
      const before = received();
      // The server may still be busy with the request that broke.
      let reply = await blocks.put({ ...whole, address: told[0] as string });
      for (let turn = 0; turn < 20 && !reply.ok && reply.code === 'unavailable'; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        reply = await blocks.put({ ...whole, address: told[0] as string });
      }
      expect(reply).toEqual({ ok: true, value: null });
      expect(received() - before).toBeLessThan(4 * CHUNK_BYTES_MAX);
      expect(told).toHaveLength(1);
    });

    test('an address the server forgot is replaced by a new one', async () => {
      const { blocks, namespaceId } = open();
      const { whole, told } = upload(pack([chunk(1_000_000)]), namespaceId);
      expect((await blocks.put(whole)).ok).toBe(true);
      const gone = (told[0] as string).replace(/[0-9a-f-]{36}$/, randomUUID());
      const again = upload(pack([chunk(1_000_000)]), namespaceId, { address: gone });
      expect(await blocks.put(again.whole)).toEqual({ ok: true, value: null });
      expect(again.told).toHaveLength(1);
      expect(again.told[0]).not.toBe(gone);
    });

    test('wrong bytes are refused by their name', async () => {
      const { blocks, namespaceId } = open();
      const bytes = chunk(5000);
      const damaged = bytes.slice();
      damaged[17] = (damaged[17] as number) ^ 1;
      const body = new Blob([encodePackHeader([{ id: sha256(bytes), size: bytes.length }]), damaged]);
      expect(await blocks.put(upload(body, namespaceId).whole)).toMatchObject({ ok: false, code: 'chunk_mismatch' });
      expect(await blocks.put(upload(new Blob([chunk(900)]), namespaceId).whole)).toMatchObject({ ok: false, code: 'bad_pack' });
      expect(await blocks.missing(namespaceId, [sha256(bytes)])).toEqual({ ok: true, value: [sha256(bytes)] });
    });

    test('a foreign namespace is refused', async () => {
      const { blocks } = open();
      const reply = await blocks.put(upload(pack([chunk(100)]), randomUUID() as NamespaceId).whole);
      expect(reply.ok).toBe(false);
      expect(['not_found', 'not_allowed']).toContain(reply.ok ? '' : reply.code);
    });

    test('an aborted upload stops, also before it began, and can be discarded', async () => {
      const { blocks, namespaceId } = open();
      const before = new AbortController();
      before.abort();
      const early = upload(pack([chunk(100)]), namespaceId, { signal: before.signal });
      expect(await blocks.put(early.whole)).toMatchObject({ ok: false, code: 'aborted' });
      expect(early.told).toEqual([]);
      const during = new AbortController();
      let address = '';
      const { whole } = upload(pack([chunk(3_000_000)]), namespaceId, {
        signal: during.signal,
        onAddress: async (told) => {
          address = told;
          during.abort();
        },
      });
      expect(await blocks.put(whole)).toMatchObject({ ok: false, code: 'aborted' });
      await blocks.discard(address);
      await blocks.discard(address);
    });
  });
}
