import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConflictName } from '../model/conflict-names';
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

test('the name of a conflict copy is recognised, whatever the names', () => {
  const device = fc.string({ unit: 'grapheme', minLength: 0, maxLength: 60 });
  const stem = fc.stringMatching(/^[A-Za-z][A-Za-z0-9 ._-]{0,40}$/);
  const extension = fc.constantFrom('', '.txt', '.md', '.gz');
  fc.assert(
    fc.property(stem, extension, device, fc.integer({ min: 0, max: 4_000_000_000_000 }), (base, end, where, at) => {
      const name = `${base.replace(/[ .]+$/, 'x')}${end}`;
      expect(parseConflictName(conflictName(name, where, at))).toMatchObject({ original: name.normalize('NFC'), day: isoDay(at) });
    }),
  );
});
