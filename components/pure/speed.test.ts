import { expect, test } from 'vitest';
import { NO_SPEED, noteBytes, secondsLeft, speedOf } from './speed';

test('speed is bytes over time, within the window only', () => {
  let estimate = NO_SPEED;
  expect(speedOf(estimate)).toBeNull();
  for (let second = 0; second <= 10; second++) estimate = noteBytes(estimate, second * 1000, second * 1_000_000);
  expect(speedOf(estimate)).toBeCloseTo(1_000_000);
  expect(estimate.samples.length).toBeLessThan(9);
  // The network stands still: the speed sinks to nothing.
  for (let second = 11; second <= 20; second++) estimate = noteBytes(estimate, second * 1000, 10_000_000);
  expect(speedOf(estimate)).toBe(0);
  expect(secondsLeft(5, speedOf(estimate))).toBe(Number.POSITIVE_INFINITY);
});

test('a count that falls begins anew instead of showing a negative speed', () => {
  let estimate = noteBytes(noteBytes(NO_SPEED, 0, 0), 1000, 5000);
  estimate = noteBytes(estimate, 2000, 100);
  expect(speedOf(estimate)).toBeNull();
  expect(speedOf(noteBytes(estimate, 3000, 1100))).toBe(1000);
});

test('time left', () => {
  expect(secondsLeft(0, null)).toBe(0);
  expect(secondsLeft(5000, 1000)).toBe(5);
});
