import { expect, test } from 'vitest';
import type { ChunkId, NamespaceId } from '@/lib/sync/model/ids';
import type { PackedChunk } from '@/lib/sync/protocol/pack-format';
import { encodePackHeader } from '@/lib/sync/protocol/pack-format';
import type { ChunkIndex } from './chunk-index';
import { StoreFull } from './chunk-store';
import type { Intake } from './pack-intake';
import { takeInPack } from './pack-intake';

const ids = ['a', 'b', 'c'].map((digit) => digit.repeat(64) as ChunkId);
const namespaceId = 'namespace' as NamespaceId;

type Records = Parameters<ChunkIndex['record']>[0];

/** An intake whose steps are written down in order. */
function intakeOf({ chunks = ids, known = [] as ChunkId[], wrong = null as ChunkId | null, failing = '' } = {}) {
  const steps: string[] = [];
  const records: Records[] = [];
  const step = (name: string) => {
    steps.push(name);
    if (failing === name) throw failing === 'put' ? new StoreFull('full') : new Error(`${name} failed`);
  };
  const header = encodePackHeader(chunks.map((id) => ({ id, size: 10 })));
  const intake: Intake = {
    namespaceId,
    packId: 'pack',
    staged: {
      bytes: header.length + 10 * chunks.length,
      head: async (length) => header.subarray(0, length),
      firstMismatch: async () => {
        step('verify');
        return wrong;
      },
      whole: async () => 'whole',
      only: async (kept: readonly PackedChunk[]) => `only ${kept.map(({ id }) => id[0]).join('')}`,
    },
    store: {
      put: async (_, path) => step(path === 'whole' ? 'put' : `put ${path}`),
      read: () => Promise.reject(new Error('not read')),
      delete: async () => step('delete'),
    },
    index: {
      known: async () => {
        step('known');
        return new Set(known);
      },
      record: async (args) => {
        step('record');
        records.push(args);
      },
      unreachable: async () => [],
      locate: async () => [],
    },
  };
  return { intake, steps, records };
}

test('verified, then durable, then recorded: never in another order', async () => {
  const { intake, steps, records } = intakeOf();
  expect(await takeInPack(intake)).toEqual({ ok: true, stored: 3 });
  expect(steps).toEqual(['verify', 'known', 'put', 'record']);
  const start = 8 + 3 * 41;
  expect(records[0]?.places.map(({ offset, packId }) => [offset, packId])).toEqual(
    [start, start + 10, start + 20].map((offset) => [offset, 'pack']),
  );
  expect(records[0]?.pack).toEqual({ id: 'pack', bytes: start + 30 });
});

test('known chunks are left out and granted; places are those of the smaller pack', async () => {
  const { intake, steps, records } = intakeOf({ known: [ids[0] as ChunkId] });
  expect(await takeInPack(intake)).toEqual({ ok: true, stored: 2 });
  expect(steps).toContain('put only bc');
  const start = 8 + 2 * 41;
  expect(records[0]?.places.map(({ id, offset }) => [id, offset])).toEqual([
    [ids[1], start],
    [ids[2], start + 10],
  ]);
  expect(records[0]?.pack?.bytes).toBe(start + 20);
  expect(records[0]?.granted).toEqual(ids);
});

test('only known chunks: nothing is stored, all are granted', async () => {
  const { intake, steps, records } = intakeOf({ known: [...ids] });
  expect(await takeInPack(intake)).toEqual({ ok: true, stored: 0 });
  expect(steps).toEqual(['verify', 'known', 'record']);
  expect(records[0]).toEqual({ pack: null, places: [], namespaceId, granted: ids });
});

test('a chunk that comes twice in one pack is kept once', async () => {
  const { intake, steps, records } = intakeOf({ chunks: [ids[0], ids[1], ids[0]] as ChunkId[] });
  expect(await takeInPack(intake)).toEqual({ ok: true, stored: 2 });
  expect(steps).toContain('put only ab');
  expect(records[0]?.granted.length).toBe(2);
});

test('wrong bytes touch neither store nor index', async () => {
  const { intake, steps } = intakeOf({ wrong: ids[1] as ChunkId });
  expect(await takeInPack(intake)).toEqual({ ok: false, code: 'chunk_mismatch', detail: { chunkId: ids[1] } });
  expect(steps).toEqual(['verify']);
});

test.each([
  ['known', 'unavailable', ['verify', 'known']],
  ['put', 'insufficient_storage', ['verify', 'known', 'put']],
  // The record may have been made although its answer was lost: the pack must stay.
  ['record', 'unavailable', ['verify', 'known', 'put', 'record']],
])('%s fails: %s, and nothing after it is done', async (failing, code, expected) => {
  const { intake, steps } = intakeOf({ failing });
  expect(await takeInPack(intake)).toMatchObject({ ok: false, code });
  expect(steps).toEqual(expected);
});
