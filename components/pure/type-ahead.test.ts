import { expect, test } from 'vitest';
import { NOTHING_TYPED, typed, wanted } from './type-ahead';

test('keys within a breath make a word, after a pause a new one', () => {
  const word = typed(typed(NOTHING_TYPED, 'R', 10_000), 'e', 10_300);
  expect(wanted(word)).toEqual({ prefix: 're', next: false });
  expect(typed(word, 'x', 12_000).text).toBe('x');
});

test('the same letter again means the next entry with that letter', () => {
  const twice = typed(typed(NOTHING_TYPED, 'a', 10_000), 'a', 10_200);
  expect(wanted(twice)).toEqual({ prefix: 'a', next: true });
});
