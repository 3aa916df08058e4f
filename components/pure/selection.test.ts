import { describe, expect, test } from 'vitest';
import type { EntryId } from '@/lib/sync/model/ids';
import { keepOnly, NOTHING_SELECTED, selectAll, selectOnly, selectRange, stepFrom, toggle } from './selection';

const order = ['a', 'b', 'c', 'd', 'e'] as EntryId[];
const [a, b, c, d] = order as [EntryId, EntryId, EntryId, EntryId];

describe('selection', () => {
  test('a range grows and shrinks around its anchor', () => {
    const grown = selectRange(selectOnly(b), d, order);
    expect([...grown.ids]).toEqual([b, c, d]);
    expect([...selectRange(grown, a, order).ids]).toEqual([a, b]);
  });

  test('without an anchor a range is one entry', () => {
    expect([...selectRange(NOTHING_SELECTED, c, order).ids]).toEqual([c]);
  });

  test('toggling twice leaves the others alone', () => {
    const both = toggle(selectOnly(a), c);
    expect([...both.ids]).toEqual([a, c]);
    expect([...toggle(both, c).ids]).toEqual([a]);
  });

  test('what vanished from the list leaves the selection; nothing else changes identity', () => {
    const all = selectAll(selectOnly(b), order);
    expect(all.focus).toBe(b);
    const rest = keepOnly(all, [a, c]);
    expect([...rest.ids]).toEqual([a, c]);
    expect(rest.focus).toBeNull();
    expect(keepOnly(rest, order)).toBe(rest);
  });
});

describe('keyboard steps', () => {
  const list = { count: 10, columns: 1, page: 4 };
  const tiles = { count: 10, columns: 4, page: 2 };
  test('in a list', () => {
    expect(stepFrom(-1, 'down', list)).toBe(0);
    expect(stepFrom(9, 'down', list)).toBe(9);
    expect(stepFrom(0, 'up', list)).toBe(0);
    expect(stepFrom(3, 'right', list)).toBe(3);
    expect(stepFrom(1, 'page_down', list)).toBe(4);
    expect(stepFrom(1, 'page_up', list)).toBe(0);
  });
  test('among tiles', () => {
    expect(stepFrom(1, 'down', tiles)).toBe(5);
    expect(stepFrom(7, 'down', tiles)).toBe(9);
    expect(stepFrom(8, 'down', tiles)).toBe(8);
    expect(stepFrom(2, 'up', tiles)).toBe(2);
    expect(stepFrom(3, 'right', tiles)).toBe(4);
    expect(stepFrom(4, 'last', tiles)).toBe(9);
  });
  test('in an empty list there is nowhere to go', () => {
    expect(stepFrom(-1, 'down', { count: 0, columns: 1, page: 1 })).toBe(-1);
  });
});
