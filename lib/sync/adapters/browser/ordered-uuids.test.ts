import { expect, test } from 'vitest';
import { isUuid } from '../../model/ids';
import { orderedUuids } from './ordered-uuids';

test('ids made one after the other sort in that order, whatever the clock does', () => {
  const times = [1000, 1000, 1000, 1001, 900, 900, 2 ** 47];
  let at = 0;
  const next = orderedUuids(
    () => times[Math.min(at++ >> 8, times.length - 1)] as number,
    (bytes) => bytes.fill(0xff),
  );
  const ids = Array.from({ length: 256 * times.length }, next);
  expect(ids.every(isUuid)).toBe(true);
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^.{14}7.{4}[89ab]/);
});

test('two makers do not meet', () => {
  const fill = (bytes: Uint8Array<ArrayBuffer>) => void crypto.getRandomValues(bytes);
  const one = orderedUuids(() => 5, fill);
  const other = orderedUuids(() => 5, fill);
  const ids = new Set(Array.from({ length: 1000 }, () => [one(), other()]).flat());
  expect(ids.size).toBe(2000);
});
