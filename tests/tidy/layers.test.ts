import { describe, expect, test } from 'vitest';
import { importsOf, isTest, type SourceFile, sourceFiles } from './source-files';

/**
 * Who may import whom. The first room whose folder fits a file is the file's. `may`: beginnings of paths; a room always sees itself.
 * `packages`: 'all', or the names it may use (Node's own are written `node:…`).
 */
const ROOMS: readonly { readonly room: string; readonly may: readonly string[]; readonly packages: 'all' | readonly string[] }[] = [
  { room: 'lib/sync/model/', may: [], packages: [] },
  { room: 'lib/sync/protocol/', may: ['lib/sync/model/'], packages: ['zod'] },
  { room: 'lib/sync/ports/', may: ['lib/sync/protocol/', 'lib/sync/model/'], packages: [] },
  // The three-way comparison of lines and the syntax of gitignore are pure functions; writing our own would only be worse.
  { room: 'lib/sync/planning/', may: ['lib/sync/model/'], packages: ['node-diff3', 'ignore'] },
  { room: 'lib/sync/chunking/', may: ['lib/sync/ports/', 'lib/sync/model/'], packages: [] },
  {
    room: 'lib/sync/engine/',
    may: ['lib/sync/planning/', 'lib/sync/chunking/', 'lib/sync/ports/', 'lib/sync/protocol/', 'lib/sync/model/'],
    packages: [],
  },
  // Chunking too: the thread that reads a picked file also finds its boundaries, because its bytes must not travel twice.
  { room: 'lib/sync/adapters/', may: ['lib/sync/chunking/', 'lib/sync/ports/', 'lib/sync/protocol/', 'lib/sync/model/'], packages: 'all' },
  // Composition roots name the types of what they put together.
  {
    room: 'workers/',
    may: ['lib/sync/engine/', 'lib/sync/adapters/', 'lib/sync/ports/', 'lib/sync/protocol/', 'lib/sync/model/'],
    packages: 'all',
  },
  // Of the protocol: addresses of downloads, error codes and the forms of accounts; requests go through the adapters.
  { room: 'components/', may: ['lib/sync/adapters/browser/', 'lib/sync/protocol/', 'lib/sync/model/'], packages: 'all' },
  { room: 'app/', may: ['components/'], packages: 'all' },
  { room: 'server/', may: ['lib/sync/model/', 'lib/sync/protocol/', 'lib/sync/chunking/'], packages: 'all' },
];
/** Inside the server: where npm and Node may be touched. Everything else takes what it needs as arguments. */
const SERVER_EDGE = /^server\/(main|start-server)\.ts$|^server\/http\/|\/drivers\/|^server\/generated\//;
/** The configuration is checked by the same library as the protocol, and by nothing else. */
const SERVER_CORE_PACKAGES: Readonly<Record<string, readonly string[]>> = { 'server/config.ts': ['zod'] };

function breaches(file: SourceFile): string[] {
  const room = ROOMS.find((one) => file.path.startsWith(one.room));
  if (!room) return [];
  const serverCore = room.room === 'server/' && !SERVER_EDGE.test(file.path);
  const found: string[] = [];
  for (const { line, target, kind } of importsOf(file)) {
    const say = (why: string) => found.push(`${file.path}:${line} imports ${target}: ${why}`);
    if (kind === 'package') {
      const allowed = serverCore ? (SERVER_CORE_PACKAGES[file.path] ?? []) : room.packages;
      if (allowed !== 'all' && !allowed.includes(target))
        say(serverCore ? 'only drivers/, http/ and main.ts touch npm or Node' : `${room.room} uses no such package`);
    } else if (!target.startsWith(room.room) && !room.may.some((other) => target.startsWith(other))) {
      say(`${room.room} does not know that room`);
    } else if (serverCore && SERVER_EDGE.test(`${target}.ts`)) {
      say('drivers and handlers are handed in by main.ts');
    }
  }
  return found;
}

describe('who may import whom', () => {
  const files = sourceFiles(/^(app|components|lib|workers|server)\/.*\.tsx?$/).filter((file) => !isTest(file.path));

  test('every file keeps to its room', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap(breaches)).toEqual([]);
  });

  test('every file of lib/sync stands in a room of the table', () => {
    const homeless = files.filter((file) => file.path.startsWith('lib/') && !ROOMS.some((one) => file.path.startsWith(one.room)));
    expect(homeless.map((file) => file.path)).toEqual(['lib/sync/globals.d.ts']);
  });

  test('nothing but tests and benches imports tests or benches', () => {
    const guilty = files.flatMap((file) =>
      importsOf(file).flatMap(({ line, target }) => (/^(tests|bench)\//.test(target) ? [`${file.path}:${line}`] : [])),
    );
    expect(guilty).toEqual([]);
  });

  test('the pages hold no endpoint: a custom server loads such a module twice', () => {
    expect(files.filter((file) => /^app\/(.*\/)?(route|middleware|proxy)\.tsx?$/.test(file.path)).map((file) => file.path)).toEqual([]);
  });

  test.each([
    ['lib/sync/planning/planner.ts', `import { a } from '../ports/clock';`],
    ['lib/sync/model/entry.ts', `import { z } from 'zod';`],
    ['lib/sync/engine/intake.ts', `const late = await import('@/lib/sync/adapters/browser/dexie-local-store');`],
    ['app/page.tsx', `export * from '@/server/main';`],
    ['server/accounts/accounts.ts', `import { randomBytes } from 'node:crypto';`],
    ['server/accounts/accounts.ts', `import type {\n  Store,\n} from './drivers/prisma-account-store';`],
    ['components/list.tsx', `import '@/lib/sync/engine/intake';`],
  ])('notices a planted breach in %s', (path, text) => {
    expect(breaches({ path, lines: text.split('\n') })).toHaveLength(1);
  });
});
