import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isTest, sourceFiles } from './source-files';

/** One promise of docs/SPEC.md: a line `**INV-3** …`, and below it `Held by: path › title` (several, each on its line). */
interface Promised {
  readonly id: string;
  readonly heldBy: readonly { readonly path: string; readonly title: string }[];
}

/** Reads the promises of a SPEC. A `Held by:` may be a list item, and paths and titles may be in backticks. */
function promises(text: string): Promised[] {
  return text.split(/^(?=.*\*\*INV-\d+)/m).flatMap((part) => {
    const id = /\*\*(INV-\d+)/.exec(part)?.[1];
    if (!id) return [];
    const heldBy = [...part.matchAll(/^[\s*-]*Held by:\s*(.+)$/gm)].flatMap((match) => {
      const [path = '', title = ''] = (match[1] ?? '').split('›').map((one) => one.trim().replace(/^[`“"']+|[`”"'.]+$/g, ''));
      return [{ path, title }];
    });
    return [{ id, heldBy }];
  });
}

/** Titles of all tests of a file, as written. */
function titlesOf(text: string): string[] {
  const call = /\b(?:test|it)(?:\.\w+(?:\([^)]*\))?)*\s*\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g;
  const eachCall = /\]\)+\(\s*'((?:[^'\\]|\\.)*)'/g;
  const found = [...text.matchAll(call), ...text.matchAll(eachCall)];
  return [...new Set(found.map((match) => (match[1] ?? match[2] ?? match[3] ?? '').replaceAll("\\'", "'")))];
}

const spec = existsSync('docs/SPEC.md') ? promises(readFileSync('docs/SPEC.md', 'utf8')) : [];

describe('docs/SPEC.md and the tests', () => {
  test('the SPEC promises something, and numbers it once', () => {
    const ids = spec.map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(0);
    expect(ids).toEqual([...new Set(ids)]);
  });

  test('every promise names a test that exists', () => {
    const broken = spec.flatMap(({ id, heldBy }) => {
      if (heldBy.length === 0) return [`${id}: no “Held by:” line`];
      return heldBy.flatMap(({ path, title }) => {
        if (!existsSync(path)) return [`${id}: there is no file ${path}`];
        return titlesOf(readFileSync(path, 'utf8')).some((one) => one === title || one.replace(/^\[INV-\d+\]\s*/, '') === title)
          ? []
          : [`${id}: ${path} has no test “${title}”`];
      });
    });
    expect(broken).toEqual([]);
  });

  test('every test that claims a promise is named by the SPEC', () => {
    const claims = sourceFiles(/\.test\.tsx?$/)
      .filter(({ path }) => isTest(path) && !path.startsWith('tests/tidy/'))
      .flatMap(({ path, lines }) => titlesOf(lines.join('\n')).map((title) => ({ path, title })));
    const unknown = claims.flatMap(({ path, title }) =>
      [...title.matchAll(/\[(INV-\d+)\]/g)].flatMap(([, id]) =>
        spec.some((one) => one.id === id && one.heldBy.some((held) => held.path === path)) ? [] : [`${path} › ${title}`],
      ),
    );
    expect(unknown).toEqual([]);
  });

  test('reads the form it expects', () => {
    const text =
      '# Spec\n\n**INV-1** Nothing refers to what is not yet durable.\nHeld by: `a/b.test.ts` › `does it`\n- Held by: c.test.ts › does more\n\n**INV-2** Nothing.\n';
    expect(promises(text)).toEqual([
      {
        id: 'INV-1',
        heldBy: [
          { path: 'a/b.test.ts', title: 'does it' },
          { path: 'c.test.ts', title: 'does more' },
        ],
      },
      { id: 'INV-2', heldBy: [] },
    ]);
    expect(
      titlesOf(`test('one', () => {});\ntest.runIf(linux)('two', f); test.each([\n  1,\n])('three %s', f);\n  it("it's four", f)`),
    ).toEqual(['one', 'two', 'three %s', "it's four"]);
  });
});
