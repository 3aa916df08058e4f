import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { importsOf, sourceFiles } from './source-files';

const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Partial<Record<(typeof KINDS)[number], Record<string, string>>>;
const declared = new Map(KINDS.flatMap((kind) => Object.entries(manifest[kind] ?? {})));

/** A dependency's line: `- **name** …: a sentence.`; one line may name several, each in bold. */
function documented(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const heads = /^- ((?:\*\*[^*]+\*\*(?:, )?)+)(.*)$/.exec(line);
    return heads && (heads[2] ?? '').trim().length > 20
      ? [...(heads[1] ?? '').matchAll(/\*\*([^*]+)\*\*/g)].map((match) => match[1] as string)
      : [];
  });
}

describe('dependencies', () => {
  test('every one has its sentence in docs/DEPENDENCIES.md, and no sentence is left over', () => {
    const lines = documented(readFileSync('docs/DEPENDENCIES.md', 'utf8'));
    expect(lines.toSorted()).toEqual([...declared.keys()].toSorted());
  });

  test('every version is exact', () => {
    expect([...declared].filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  });

  test('everything imported is declared', () => {
    const files = sourceFiles(/^(app|components|lib|workers|server|tests|bench|scripts)\/.*\.(tsx?|mjs)$|^[^/]+\.(ts|js|mjs)$/);
    const missing = files.flatMap((file) =>
      importsOf(file).flatMap(({ target, kind, line }) =>
        kind === 'package' && !target.startsWith('node:') && !declared.has(target) ? [`${file.path}:${line} ${target}`] : [],
      ),
    );
    expect(missing.filter((one) => !one.startsWith('tests/tidy/'))).toEqual([]);
  });
});
