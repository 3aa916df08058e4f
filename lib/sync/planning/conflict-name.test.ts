import { describe, expect, test } from 'vitest';
import { NAME_BYTES_MAX } from '../model/limits';
import { checkName } from '../model/names';
import { conflictName, isoDay } from './conflict-name';

describe('conflict names', () => {
  test('days agree with the platform’s calendar over 400 years', () => {
    for (let day = -80_000; day < 80_000; day += 7) {
      const at = day * 86_400_000 + 86_399_999;
      expect(isoDay(at)).toBe(new Date(at).toISOString().slice(0, 10));
    }
  });

  test('the rule, with any device name and never too long', () => {
    const at = Date.UTC(2026, 1, 28);
    expect(conflictName('plan.tar.gz', 'Chrome on Windows', at)).toBe('plan.tar (conflicted copy, Chrome on Windows, 2026-02-28).gz');
    expect(conflictName('.env', 'a/b\nc', at)).toBe('.env (conflicted copy, a b c, 2026-02-28)');
    expect(conflictName('a', '', at)).toBe('a (conflicted copy, unknown device, 2026-02-28)');
    const long = conflictName(`${'é'.repeat(200)}.txt`, '🦊'.repeat(60), at);
    expect(checkName(long)).toEqual({ ok: true, name: long });
    expect(new TextEncoder().encode(long).length).toBeLessThanOrEqual(NAME_BYTES_MAX);
  });
});
