import { describe, expect, test } from 'vitest';
import { formatAgo, formatBytes, formatCount, formatDate, formatRemaining } from './format';

describe('what a person reads', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 KB'],
    [1234, '1.2 KB'],
    [99_940, '99.9 KB'],
    [999_499, '999 KB'],
    [999_500, '1 MB'],
    [1_073_741_824, '1.1 GB'],
    [2 ** 40, '1.1 TB'],
  ])('%d bytes is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test('one and many', () => {
    expect(formatCount(1, 'file')).toBe('1 file');
    expect(formatCount(0, 'file')).toBe('0 files');
    expect(formatCount(12_000, 'entry', 'entries')).toBe('12,000 entries');
  });

  test.each([
    [3, 'a few seconds'],
    [41, '50 seconds'],
    [60, '1 minute'],
    [61, '2 minutes'],
    [3600, '1 h'],
    [7500, '2 h 5 min'],
    [300_000, '3 days'],
    [Number.POSITIVE_INFINITY, ''],
  ])('%d seconds left is “%s”', (seconds, text) => {
    expect(formatRemaining(seconds)).toBe(text);
  });

  test('dates grow coarser with distance', () => {
    const now = new Date(2026, 4, 20, 15, 0).getTime();
    expect(formatDate(new Date(2026, 4, 20, 9, 5).getTime(), now)).toBe('Today, 09:05');
    expect(formatDate(new Date(2026, 0, 3).getTime(), now)).toBe('3 Jan');
    expect(formatDate(new Date(2020, 1, 3).getTime(), now)).toBe('3 Feb 2020');
    expect(formatAgo(now - 30_000, now)).toBe('just now');
    expect(formatAgo(now - 3 * 86_400_000, now)).toBe('3 days ago');
  });
});
