import { describe, expect, test } from 'vitest';
import { parseConflictName } from './conflict-names';

describe('names of conflict copies', () => {
  test.each([
    ['report (conflicted copy, Chrome on Linux, 2026-02-28).txt', 'report.txt', 'Chrome on Linux'],
    ['Makefile (conflicted copy, Ada’s phone, 2026-12-01)', 'Makefile', 'Ada’s phone'],
    ['a.b (conflicted copy, Chrome (4.5), 2026-12-01) (2).gz', 'a.b.gz', 'Chrome (4.5)'],
    ['x (conflicted copy, version 4.5, 2026-12-01)', 'x', 'version 4.5'],
    ['x (conflicted copy, A, 2026-12-01) (conflicted copy, B, 2026-12-02).md', 'x (conflicted copy, A, 2026-12-01).md', 'B'],
  ])('%s', (name, original, device) => {
    expect(parseConflictName(name)).toMatchObject({ original, device });
  });

  test.each(['report.txt', 'conflicted copy.txt', 'a (conflicted copy, B).txt', '(conflicted copy, B, 2026-12-01).txt', 'a (2).txt'])(
    'not %s',
    (name) => expect(parseConflictName(name)).toBeNull(),
  );
});
