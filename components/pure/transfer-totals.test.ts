import { expect, test } from 'vitest';
import type { TransferRow } from '@/lib/sync/adapters/browser/database';
import { progressOf, totalsOf, transferSentence } from './transfer-totals';

const row = (change: Partial<TransferRow>): TransferRow =>
  ({ size: 100, sentBytes: 0, stagedBytes: 0, paused: 0, state: 'sending', ...change }) as TransferRow;

test('totals leave out what was cancelled and do not wait for what failed', () => {
  const totals = totalsOf([
    row({ state: 'done' }),
    row({ sentBytes: 40 }),
    row({ state: 'queued' }),
    row({ state: 'staged', paused: 1 }),
    row({ state: 'failed', sentBytes: 90 }),
    row({ state: 'cancelled' }),
  ]);
  expect(totals).toEqual({ files: 5, done: 1, failed: 1, active: 2, paused: 1, bytes: 400, sentBytes: 140, unsafe: 1 });
  expect(progressOf(totals)).toBeCloseTo(0.35);
});

test('empty files move the bar too', () => {
  expect(progressOf(totalsOf([row({ size: 0, state: 'done' }), row({ size: 0, state: 'staged' })]))).toBe(0.5);
  expect(progressOf(totalsOf([]))).toBe(0);
});

test('a transfer says what it waits for', () => {
  expect(transferSentence(row({ state: 'staged' }), false)).toBe('Waiting for the network');
  expect(transferSentence(row({ state: 'sending', paused: 1 }), true)).toBe('Paused');
  expect(transferSentence(row({ state: 'failed', reason: 'quota' }), true)).toBe('This browser has no more room');
});
