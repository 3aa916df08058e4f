import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/** Paths of the machine somebody happened to work on, in a form that does not find itself. */
const MACHINE_PATHS = new RegExp(
  ['work', 'root', 'home/[a-z]+', 'Users/[A-Za-z]+'].map((folder) => `(?<![\\w.$}~@-])/${folder}/`).join('|'),
);
/** Whose business such a path is: it is about machines, and shows one as an example. */
const ALLOWED = /^(tests\/tidy\/portable\.test\.ts|package-lock\.json)$/;
const BINARY = /\.(png|ico|jpe?g|webp|woff2?|gz|zip)$/;

function trackedFiles(): string[] {
  return execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0').filter(Boolean);
}

describe('the project runs anywhere', () => {
  test('no file holds a path of somebody’s machine', () => {
    const found = trackedFiles()
      .filter((path) => !ALLOWED.test(path) && !BINARY.test(path) && statSync(path, { throwIfNoEntry: false })?.isFile())
      .flatMap((path) =>
        readFileSync(path, 'utf8')
          .split('\n')
          .flatMap((line, index) => (MACHINE_PATHS.test(line) ? [`${path}:${index + 1} ${line.trim().slice(0, 80)}`] : [])),
      );
    expect(found).toEqual([]);
  });

  test('the lockfile names no server, so that everybody’s npm asks their own registry', () => {
    expect(readFileSync('package-lock.json', 'utf8').match(/"[a-z+]+:\/\/[^"]*\.tgz"/g)).toBeNull();
  });

  test('nothing that is made is committed', () => {
    expect(
      trackedFiles().filter((path) =>
        /^(node_modules|\.next|build|\.data|server\/generated|public\/workers)\/|^public\/service-worker\.js$|\.tsbuildinfo$/.test(path),
      ),
    ).toEqual([]);
  });
});
