import { describe, expect, test } from 'vitest';
import type { ChunkId, NamespaceId } from '../../model/ids';
import { PACK_BYTES_MAX, PACK_BYTES_TARGET, PACK_CHUNKS_MAX } from '../../model/limits';
import { packHeaderBytes } from '../../protocol/pack-format';
import type { PackRow } from './database';
import { type NextPack, SendPlan, type StagedChunk } from './send-plan';

const N = 'n' as NamespaceId;
const NOTHING: ReadonlySet<ChunkId> = new Set();

function chunks(transferId: string, names: readonly string[], size = 1000): StagedChunk[] {
  return names.map((name, index) => ({ id: name as ChunkId, size, segment: `s-${transferId}`, offset: index * size, transferId }));
}
function packOf(plan: SendPlan, next: NextPack | null, id = 'p'): PackRow {
  if (next === null) throw new Error('no pack');
  const pack: PackRow = { ...next, id, state: 'sending', address: null, bytes: 0 };
  plan.adopt(pack);
  return pack;
}

describe('send plan', () => {
  test('a chunk that two transfers hold is sent once and counts for both, as often as they hold it', () => {
    const plan = new SendPlan();
    plan.open('a', N, 2000);
    plan.open('b', N, 3000);
    plan.add('a', 0, chunks('a', ['x', 'y']), NOTHING);
    plan.add('b', 0, chunks('b', ['y', 'y', 'z']), new Set(['z' as ChunkId]));
    const pack = packOf(plan, plan.nextPack(true));
    expect(pack.chunks.map((chunk) => chunk.id)).toEqual(['x', 'y']);
    expect(plan.nextPack(true)).toBeNull();
    expect(plan.isComplete('b')).toBe(false);
    expect(plan.settle(pack)).toEqual(new Set(['a', 'b']));
    expect(plan.isComplete('a')).toBe(true);
    expect(plan.isComplete('b')).toBe(true);
    expect(plan.queuedBytes()).toBe(0);
  });

  test('the same part added twice counts once', () => {
    const plan = new SendPlan();
    plan.open('a', N, 1000);
    plan.add('a', 0, chunks('a', ['x']), new Set(['x' as ChunkId]));
    plan.add('a', 0, chunks('a', ['x']), new Set(['x' as ChunkId]));
    expect(plan.durableBytes('a')).toBe(1000);
  });

  test('dropping a transfer keeps what another one waits for', () => {
    const plan = new SendPlan();
    plan.open('a', N, 2000);
    plan.open('b', N, 1000);
    plan.add('a', 0, chunks('a', ['x', 'y']), NOTHING);
    plan.add('b', 0, chunks('b', ['y']), NOTHING);
    plan.drop('a');
    expect(plan.segmentsInUse()).toEqual(new Set(['s-a']));
    const pack = packOf(plan, plan.nextPack(true));
    expect(pack.chunks.map((chunk) => chunk.id)).toEqual(['y']);
    expect(plan.isAwaited(pack)).toBe(true);
    plan.drop('b');
    expect(plan.isAwaited(pack)).toBe(false);
    plan.giveBack(pack);
    expect(plan.segmentsInUse().size).toBe(0);
    expect(plan.nextPack(true)).toBeNull();
  });

  test('a pack that is given up goes back to the queue', () => {
    const plan = new SendPlan();
    plan.open('a', N, 1000);
    plan.add('a', 0, chunks('a', ['x']), NOTHING);
    const pack = packOf(plan, plan.nextPack(true));
    plan.giveBack(pack);
    expect(plan.queuedBytes()).toBe(1000);
    expect(plan.nextPack(true)?.chunks).toEqual(pack.chunks);
  });

  test('packs keep their limits, and only full ones go while more is coming', () => {
    const plan = new SendPlan();
    plan.open('a', N, 1);
    const big = chunks(
      'a',
      Array.from({ length: 100 }, (_, index) => `b${index}`),
      900_000,
    );
    plan.add('a', 0, big, NOTHING);
    let sent = 0;
    for (let turn = 0; ; turn++) {
      const next = plan.nextPack(false);
      if (next === null) break;
      const bytes = next.chunks.reduce((sum, chunk) => sum + chunk.size, 0);
      expect(bytes).toBeGreaterThanOrEqual(PACK_BYTES_TARGET);
      expect(bytes + packHeaderBytes(next.chunks.length)).toBeLessThanOrEqual(PACK_BYTES_MAX);
      sent += packOf(plan, next, `p${turn}`).chunks.length;
    }
    const rest = plan.nextPack(true);
    expect(sent + (rest?.chunks.length ?? 0)).toBe(100);

    const tiny = new SendPlan();
    tiny.open('t', N, 1);
    tiny.add(
      't',
      0,
      chunks(
        't',
        Array.from({ length: PACK_CHUNKS_MAX + 1 }, (_, index) => `t${index}`),
        1,
      ),
      NOTHING,
    );
    expect(tiny.nextPack(false)?.chunks).toHaveLength(PACK_CHUNKS_MAX);
  });
});
