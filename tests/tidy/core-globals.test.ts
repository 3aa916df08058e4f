import { describe, expect, test } from 'vitest';
import { isTest, type SourceFile, sourceFiles, withoutComments } from './source-files';

/** Ambient time and chance: with them the simulation could not replay anything. `Clock` and `Random` stand in. */
const AMBIENT =
  /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bperformance\.now\b|\bset(?:Timeout|Interval|Immediate)\b|\brandomUUID\b|\bgetRandomValues\b/;

function isCore(path: string): boolean {
  if (path.startsWith('lib/sync/')) return !path.startsWith('lib/sync/adapters/') && path !== 'lib/sync/globals.d.ts';
  return path.startsWith('server/') && !/^server\/(main|start-server)\.ts$|^server\/(http|generated)\/|\/drivers\//.test(path);
}

function breaches(file: SourceFile): string[] {
  return withoutComments(file).flatMap((line, index) => {
    const match = AMBIENT.exec(line);
    return match ? [`${file.path}:${index + 1} uses ${match[0]}`] : [];
  });
}

describe('the core knows neither the time nor chance', () => {
  test('no ambient time or chance in lib/sync and in the rooms of the server', () => {
    const files = sourceFiles(/^(lib\/sync|server)\/.*\.ts$/).filter((file) => isCore(file.path) && !isTest(file.path));
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap(breaches)).toEqual([]);
  });

  test.each(['const a = Date.now();', 'x(new Date())', 'Math.random()', 'setTimeout(f, 1)', 'crypto.randomUUID()'])(
    'notices %s',
    (line) => {
      expect(breaches({ path: 'lib/sync/model/x.ts', lines: [line] })).toHaveLength(1);
    },
  );

  test('is not bothered by comments or by dates made from a number', () => {
    expect(breaches({ path: 'x.ts', lines: ['// Date.now()', '/* new Date() */ new Date(5)'] })).toEqual([]);
  });
});
