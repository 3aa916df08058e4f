import { describe, expect, test } from 'vitest';
import { newRow, settledRow } from '@/lib/sync/engine/local-tree';
import type { ChunkId, Cursor, Digest, EntryId, NamespaceId, RequestId } from '@/lib/sync/model/ids';
import type { Manifest } from '@/lib/sync/model/manifest';
import { nameKey } from '@/lib/sync/model/names';
import type { LocalEntry, LocalRequest, LocalStore, LocalTransfer } from '@/lib/sync/ports/local-store';

export interface StoreUnderTest {
  readonly store: LocalStore;
  /** What intake does: a transfer, with the chunks of its staged parts. */
  putTransfer(transfer: LocalTransfer, manifest: Manifest | null): Promise<void>;
  close(): Promise<void>;
}

const namespaceId = '00000000-0000-4000-8000-000000000001' as NamespaceId;
const root = namespaceId as unknown as EntryId;
const idOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as EntryId;

function folder(n: number, name: string, change: Partial<LocalEntry> = {}): LocalEntry {
  return { ...newRow({ id: idOf(n), namespaceId, parentId: root, name, kind: 'folder', mtime: 1 }), ...change };
}

function request(n: number): LocalRequest {
  const operations = [{ kind: 'delete', entryId: idOf(n), baseRevision: 1 } as const];
  return { requestId: idOf(n) as unknown as RequestId, namespaceId, operations, createdAt: 1, attempts: 0 };
}

function transfer(n: number, change: Partial<LocalTransfer> = {}): LocalTransfer {
  return {
    id: `t${n}`,
    namespaceId,
    parentId: root,
    entryId: idOf(n),
    baseRevision: null,
    name: `f${n}`,
    size: 3,
    mtime: 1,
    state: 'durable',
    paused: 0,
    stagedBytes: 3,
    sentBytes: 3,
    digest: 'd'.repeat(64) as Digest,
    ...change,
  };
}

/** What every local store promises. */
export function localStoreContract(name: string, make: () => Promise<StoreUnderTest>): void {
  const withStore = (work: (under: StoreUnderTest) => Promise<void>) => async () => {
    const under = await make();
    try {
      await work(under);
    } finally {
      await under.close();
    }
  };

  describe(`local store: ${name}`, () => {
    test(
      'keeps entries as they were put and finds them by id, folder and name',
      withStore(async ({ store }) => {
        expect(await store.read((reading) => reading.isEmpty())).toBe(true);
        const waiting = folder(1, 'Straße', { state: 'failed', reason: 'stale_base', remote: null, transferId: 't1' });
        const { state: _, remote: __, ...entry } = folder(2, 'b', { deletedAt: 5 });
        const settled = settledRow(entry, namespaceId);
        await store.write((writing) => writing.putEntries([waiting, settled]));
        const rows = await store.read((reading) => reading.entries([idOf(2), idOf(9), idOf(1)]));
        expect(rows[0]).toMatchObject(settled);
        expect(rows[0]).not.toHaveProperty('remote');
        expect(rows[1]).toBeUndefined();
        expect(rows[2]).toMatchObject(waiting);
        expect((await store.read((reading) => reading.children(root))).map(({ id }) => id).sort()).toEqual([idOf(1), idOf(2)]);
        const byName = (text: string) => store.read((reading) => reading.liveByName(root, nameKey(text)));
        expect((await byName('STRASSE')).map(({ id }) => id)).toEqual([idOf(1)]);
        expect(await byName('b')).toEqual([]);
        expect([...(await store.read((reading) => reading.entryIds(namespaceId)))].sort()).toEqual([idOf(1), idOf(2)]);
        expect(await store.read((reading) => reading.entryIds(idOf(77) as unknown as NamespaceId))).toEqual([]);
        expect(await store.read((reading) => reading.isEmpty())).toBe(false);
        await store.write((writing) => writing.removeEntries([idOf(1)]));
        expect((await store.read((reading) => reading.entries([idOf(1)])))[0]).toBeUndefined();
      }),
    );

    test(
      'the queue keeps its order; requests are replaced in place, also between others',
      withStore(async ({ store }) => {
        for (const n of [3, 1, 2]) await store.write((writing) => writing.addRequest(request(n)));
        const before = await store.read((reading) => reading.requests());
        expect(before.map(({ requestId }) => requestId)).toEqual([idOf(3), idOf(1), idOf(2)]);
        const [first, second] = before.map(({ order }) => order) as [number, number];
        await store.write(async (writing) => {
          await writing.putRequest({ ...request(7), order: (first + second) / 2 });
          await writing.putRequest({ ...request(8), order: second });
        });
        const after = await store.read((reading) => reading.requests());
        expect(after.map(({ requestId }) => requestId)).toEqual([idOf(3), idOf(7), idOf(8), idOf(2)]);
        await store.write((writing) => writing.removeRequest(first));
        expect((await store.read((reading) => reading.firstRequest()))?.requestId).toBe(idOf(7));
        await store.write((writing) => writing.addRequest(request(9)));
        expect((await store.read((reading) => reading.requests())).at(-1)?.requestId).toBe(idOf(9));
      }),
    );

    test(
      'nothing of a failed transaction remains',
      withStore(async ({ store }) => {
        await store.write((writing) => writing.putEntries([folder(1, 'a')]));
        const failed = store.write(async (writing) => {
          await writing.putEntries([folder(1, 'changed'), folder(2, 'new')]);
          await writing.addRequest(request(1));
          await writing.putCursor({ namespaceId, kind: 'root', role: 'owner', cursor: 'c' as Cursor });
          await writing.putConnection({ state: 'online', firstSync: false, pulledAt: 1 });
          throw new RangeError('stop');
        });
        await expect(failed).rejects.toThrow(RangeError);
        const [rows, queue, cursors, connection] = await store.read((reading) =>
          Promise.all([reading.children(root), reading.requests(), reading.cursors(), reading.connection()]),
        );
        expect(rows.map((row) => row.name)).toEqual(['a']);
        expect([queue, cursors, connection]).toEqual([[], [], null]);
      }),
    );

    test(
      'transactions that read and then write do not lose each other’s work',
      withStore(async ({ store }) => {
        await store.write((writing) => writing.putEntries([folder(1, '0')]));
        const increment = () =>
          store.write(async (writing) => {
            const [row] = await writing.entries([idOf(1)]);
            if (row !== undefined) await writing.putEntries([{ ...row, name: String(Number(row.name) + 1) }]);
          });
        await Promise.all(Array.from({ length: 20 }, increment));
        expect((await store.read((reading) => reading.entries([idOf(1)])))[0]?.name).toBe('20');
      }),
    );

    test(
      'a transaction outlives hundreds of awaits between its steps',
      withStore(async ({ store }) => {
        const pause = async (depth: number): Promise<void> => {
          if (depth > 0) await pause(depth - 1);
        };
        const planned = await store.write(async (writing) => {
          for (let n = 0; n < 300; n++) {
            await pause(5);
            await writing.putEntries([folder(n, `f${n}`)]);
          }
          for (let n = 0; n < 500; n++) await pause(5);
          return (await writing.children(root)).length;
        });
        expect(planned).toBe(300);
      }),
    );

    test(
      'transfers are found by state and entry, changed in part, and know their chunks in order',
      withStore(async ({ store, putTransfer }) => {
        const manifest = Array.from({ length: 5 }, (_, n) => ({ id: String(n).repeat(64) as ChunkId, size: n + 1 }));
        await putTransfer(transfer(1, { size: 15 }), manifest);
        await putTransfer(transfer(2, { state: 'queued' }), null);
        await putTransfer(transfer(3), null);
        const wanted = ['t1', 't2', 't1', 't3'].map((id, n) => ({ id, size: [15, 3, 14, 0][n] as number }));
        expect(await store.read((reading) => reading.stagedManifests(wanted))).toEqual([manifest, null, null, []]);
        const durable = await store.read((reading) => reading.transfersIn(['durable'], 10));
        expect(durable.map(({ id }) => id).sort()).toEqual(['t1', 't3']);
        expect(await store.read((reading) => reading.transfersIn(['durable', 'queued'], 1))).toHaveLength(1);
        expect(await store.read((reading) => reading.transfersIn(['durable', 'queued']))).toHaveLength(3);
        await store.write((writing) =>
          writing.updateTransfers([
            { id: 't2', changes: { state: 'cancelled' } },
            { id: 'unknown', changes: { state: 'done' } },
          ]),
        );
        const [second, unknown] = await store.read((reading) => reading.transfers(['t2', 'unknown']));
        expect(second).toMatchObject({ ...transfer(2), state: 'cancelled' });
        expect(unknown).toBeUndefined();
        expect((await store.read((reading) => reading.transfersOf([idOf(3), idOf(9)]))).map(({ id }) => id)).toEqual(['t3']);
        expect(await store.read((reading) => reading.transfersOf([]))).toEqual([]);
      }),
    );

    test(
      'cursors and the connection are replaced',
      withStore(async ({ store }) => {
        const row = { namespaceId, kind: 'root', role: 'owner', cursor: null } as const;
        await store.write((writing) => writing.putCursor(row));
        await store.write((writing) => writing.putCursor({ ...row, cursor: 'c' as Cursor }));
        expect(await store.read((reading) => reading.cursors())).toEqual([{ ...row, cursor: 'c' }]);
        const connection = { state: 'online', firstSync: false, pulledAt: 3 } as const;
        await store.write((writing) => writing.putConnection(connection));
        expect(await store.read((reading) => reading.connection())).toEqual(connection);
      }),
    );
  });
}
