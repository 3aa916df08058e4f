import { describe, expect, test } from 'vitest';
import { isTest, type SourceFile, sourceFiles, withoutComments } from './source-files';

const SOURCE_LINES_MAX = 400;
const TEST_LINES_MAX = 700;
/** Next wants default exports of its pages; tools want them of their configuration. */
const DEFAULT_EXPORT_ALLOWED =
  /^app\/(.*\/)?(page|layout|loading|error|not-found|global-error|template)\.tsx$|^[^/]+\.config\.(ts|js|mjs)$/;
const SUPPRESSION = /(?:biome-ignore\s+\S+|@ts-(?:expect-error|ignore|nocheck))(.*)$/;

const code = sourceFiles(/^(app|components|lib|workers|server|tests|bench|scripts)\/.*\.(tsx?|mjs)$|^[^/]+\.(ts|js|mjs)$/).filter(
  (file) => file.path !== 'next-env.d.ts',
);

function lineHits(files: readonly SourceFile[], pattern: RegExp): string[] {
  return files.flatMap((file) => withoutComments(file).flatMap((line, index) => (pattern.test(line) ? [`${file.path}:${index + 1}`] : [])));
}

/** Suppressions that give no reason of some words: behind them, behind a colon or a dash, or in a comment on the line above. */
function reasonless(file: SourceFile): string[] {
  return file.lines.flatMap((line, index) => {
    const match = /\/[/*]/.test(line) ? SUPPRESSION.exec(line) : null;
    if (!match) return [];
    const reason = (match[1] ?? '').replace(/^[\s:—-]+|[\s*/}]+$/g, '');
    return reason.split(/\s+/).length >= 2 ? [] : [`${file.path}:${index + 1}`];
  });
}

/** A file that does nothing but pass on other files' exports. */
function isBarrel(file: SourceFile): boolean {
  const statements = withoutComments(file)
    .join('\n')
    .split(/;|\n(?=export|import)/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return statements.length > 0 && statements.every((part) => /^export\s+(type\s+)?(\*|\{)[\s\S]*\bfrom\b/.test(part));
}

describe('style', () => {
  test('no file is longer than a reader likes', () => {
    const long = code.flatMap(({ path, lines }) =>
      lines.length - 1 > (isTest(path) ? TEST_LINES_MAX : SOURCE_LINES_MAX) ? [`${path}: ${lines.length - 1} lines`] : [],
    );
    expect(long).toEqual([]);
  });

  test('files are named in kebab-case', () => {
    const misnamed = code.filter(({ path }) => !/^\.?[a-z0-9]+(?:[-.][a-z0-9]+)*$/.test(path.split('/').at(-1) as string));
    expect(misnamed.map(({ path }) => path)).toEqual([]);
  });

  test('named exports only, except where Next or a tool wants a default', () => {
    expect(
      lineHits(
        code.filter(({ path }) => !DEFAULT_EXPORT_ALLOWED.test(path) && !path.startsWith('tests/tidy/')),
        /^\s*export\s+default\b|\bas\s+default\b/,
      ),
    ).toEqual([]);
  });

  test('no barrels', () => {
    expect(code.filter(isBarrel).map(({ path }) => path)).toEqual([]);
  });

  test('no rule is switched off without a reason', () => {
    expect(code.filter(({ path }) => !path.startsWith('tests/tidy/')).flatMap(reasonless)).toEqual([]);
  });

  test('no test is switched off or alone', () => {
    expect(
      lineHits(
        code.filter(({ path }) => isTest(path) && !path.startsWith('tests/tidy/')),
        /\b(?:test|describe|it)\.(?:only|skip|todo)\(/,
      ),
    ).toEqual([]);
  });

  test('notices planted faults', () => {
    const file = (text: string): SourceFile => ({ path: 'x.ts', lines: text.split('\n') });
    expect(reasonless(file('// biome-ignore lint/a/b: \n// biome-ignore lint/a/b: the types lie here\n// @ts-expect-error'))).toEqual([
      'x.ts:1',
      'x.ts:3',
    ]);
    expect(isBarrel(file(`// all of it\nexport * from './a';\nexport type { B } from './b';\n`))).toBe(true);
    expect(isBarrel(file(`export * from './a';\nexport const b = 1;\n`))).toBe(false);
  });
});
