import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DiskReply, Workspace } from '@/lib/sync/ports/workspace';
import { workspaceContract } from '../../contracts/workspace-contract';
import { bundleWorker } from '../client-bytes/bytes-page';
import { newProfile, type Profile } from '../support/browser';
import { allowFolders, offerFolder } from '../support/picked-folder';

/** The adapter in a real page, on a real folder; driven from here, so that the same contract runs over it. */
let server: Server;
let profile: Profile;
let page: Page;
const contents = new Map<number, AsyncIterator<Uint8Array>>();
let lastContent = 0;

beforeAll(async () => {
  const script = await bundleWorker('tests/e2e/picked-folder/workspace-page.ts');
  server = createServer((request, response) => {
    if (request.url === '/script.js') response.setHeader('content-type', 'text/javascript').end(script);
    else response.setHeader('content-type', 'text/html').end('<!doctype html><title>disk</title><script src="/script.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  profile = newProfile();
  allowFolders(profile, origin);
  page = await profile.open();
  await page.exposeFunction('nextPiece', async (id: number) => {
    try {
      const { done, value } = (await contents.get(id)?.next()) ?? { done: true, value: undefined };
      return done ? null : [...(value as Uint8Array)];
    } catch (error) {
      return (error as Error).message;
    }
  });
  await page.goto(origin);
});
afterAll(async () => {
  await profile.remove();
  server.close();
});

function remoteWorkspace(): Workspace {
  const call = <T>(method: string, ...args: readonly unknown[]) =>
    page.evaluate(
      ([name, given]) => (window as unknown as { workspaceCall(...all: unknown[]): Promise<never> }).workspaceCall(name, ...given),
      [method, args] as const,
    ) as Promise<T>;
  return {
    holds: (name) => name.length <= 240,
    state: () => call('state'),
    list: (folder) => call('list', folder),
    stat: (path) => call('stat', path),
    async read(path) {
      const reply = (await page.evaluate(
        (given) => (window as unknown as { workspaceRead(path: string): Promise<never> }).workspaceRead(given),
        path,
      )) as DiskReply<readonly number[]>;
      if (!reply.ok) return reply;
      const bytes = new Uint8Array(reply.value);
      return {
        ok: true,
        value: (async function* () {
          yield bytes;
        })(),
      };
    },
    async write(path, content, how) {
      lastContent += 1;
      contents.set(lastContent, content[Symbol.asyncIterator]());
      const reply = (await page.evaluate(
        ([given, id, options]) =>
          (window as unknown as { workspaceWrite(path: string, id: number, how: unknown): Promise<never> }).workspaceWrite(
            given,
            id,
            options,
          ),
        [path, lastContent, how] as const,
      )) as Awaited<ReturnType<Workspace['write']>> | { readonly thrown: string };
      if ('thrown' in reply) throw new Error(reply.thrown);
      return reply;
    },
    createFolder: (path) => call('createFolder', path),
    removeFile: (path, expected) => call('removeFile', path, expected),
    removeFolder: (path) => call('removeFolder', path),
    moveFile: (from, to, expected) => call('moveFile', from, to, expected),
    moveFolder: (from, to) => call('moveFolder', from, to),
  };
}

workspaceContract('a folder picked in Chromium', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'satchel-picked-'));
  await offerFolder(page, directory);
  return {
    workspace: remoteWorkspace(),
    put: (path, text) => writeFile(join(directory, path), text),
    text: (path) => readFile(join(directory, path), 'utf8').catch(() => null),
    close: () => rm(directory, { recursive: true }),
  };
});

test('names that Chromium refuses are known beforehand, and others are held', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'satchel-picked-'));
  try {
    await offerFolder(page, directory);
    const names = ['a:b', 'what?', 'con.txt', 'dot.', 'space ', 'desktop.ini', 'x.lnk', 'x.url', `${'n'.repeat(250)}`, 'back\\slash'];
    const held = ['.hidden', 'é.txt', 'a~1', '%2f', 'x.exe', 'n'.repeat(240), 'x.part'];
    const answers = await page.evaluate(
      async (all) => {
        const on = (window as unknown as { workspaceCall(...given: unknown[]): Promise<unknown> }).workspaceCall;
        const answers: [boolean, string][] = [];
        for (const name of all) {
          const folder = (window as unknown as { offeredFolder: FileSystemDirectoryHandle }).offeredFolder;
          // What the browser itself says, without our knowledge in between.
          const browser = await folder
            .getFileHandle(name, { create: true })
            .then(
              async (file) => {
                const writable = await file.createWritable();
                await writable.write('x');
                await writable.close();
                return 'held';
              },
              () => 'refused',
            )
            .catch(() => 'refused');
          answers.push([(await on('holds', name)) === true, browser]);
        }
        return answers;
      },
      [...names, ...held],
    );
    expect(answers).toEqual([...names.map(() => [false, 'refused']), ...held.map(() => [true, 'held'])]);
    expect(readFileSync(join(directory, '.hidden'), 'utf8')).toBe('x');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
