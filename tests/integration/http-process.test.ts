import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CSRF_HEADER, ROUTES } from '@/lib/sync/protocol/routes';
import { type FreshDatabase, freshDatabase } from '../support/postgres';
import { startTestServer } from '../support/server';

let database: FreshDatabase;
let dataDir: string;
beforeAll(async () => {
  database = await freshDatabase();
  dataDir = mkdtempSync(join(tmpdir(), 'satchel-test-data-'));
});
afterAll(async () => {
  await database.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** `server/main.ts` in a process of its own, as the start script runs it. */
function launch(env: Record<string, string>): { child: ChildProcess; said: () => string; ended: Promise<number | null> } {
  const standard = {
    DATABASE_URL: database.url,
    DATA_DIR: dataDir,
    HOST: '127.0.0.1',
    PORT: '4181',
    SATCHEL_PAGES: 'off',
    LOG_LEVEL: 'warn',
  };
  const child = spawn(process.execPath, ['--import', 'tsx', 'server/main.ts'], {
    env: { PATH: process.env.PATH, NODE_ENV: 'test', ...standard, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => (text += part.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, said: () => text, ended };
}

describe('the process', () => {
  test('says when it is ready, answers, and ends with 0 on SIGTERM', async () => {
    const { child, said, ended } = launch({ PUBLIC_URL: 'https://files.example.org' });
    const [message] = await once(child, 'message');
    expect(message).toEqual({ ready: true, url: 'https://files.example.org' });
    expect((await fetch(`http://127.0.0.1:4181${ROUTES.info}`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(said()).toBe('');
  });

  test('ends by itself when the process that watches over it is gone', async () => {
    const { child } = launch({ PORT: '4182' });
    await once(child, 'message');
    const exited = once(child, 'exit');
    child.disconnect();
    expect(await exited).toEqual([0, null]);
  });

  test('ends with 2 and a sentence when it is told something wrong', async () => {
    const wrong = launch({ PORT: 'many' });
    const absent = launch({ DATABASE_URL: '' });
    expect([await wrong.ended, await absent.ended]).toEqual([2, 2]);
    expect(wrong.said()).toBe(
      'Satchel cannot start: PORT is “many”, which cannot be used. Give a whole number from 0 to 65535, for example PORT=4747.\n',
    );
    expect(absent.said()).toMatch(/^Satchel cannot start: DATABASE_URL is not set\. .*“npm start”.*\n$/);
  });

  test('ends with 1 and a sentence when the port is taken or the database is not there', async () => {
    const squatter = createServer().listen(4183, '127.0.0.1');
    await once(squatter, 'listening');
    const taken = launch({ PORT: '4183' });
    const missing = launch({ DATABASE_URL: database.url.replace(/[^/]+$/, 'no_such_database') });
    expect([await taken.ended, await missing.ended]).toEqual([1, 1]);
    expect(taken.said()).toMatch(/^Satchel cannot start: Port 4183 is in use by another program .*PORT=4184\.\n$/);
    expect(missing.said()).toMatch(/^Satchel cannot start: The database cannot be used: .*no_such_database.*\n$/);
    squatter.close();
  });
});

test('stopping finishes the request in flight and takes no new one', async () => {
  const server = await startTestServer();
  const socket = connect(server.port, '127.0.0.1');
  let heard = '';
  socket.on('data', (part) => (heard += String(part)));
  const body = '{"email":"nobody@example.org"}';
  const head = [
    `POST ${ROUTES.signIn} HTTP/1.1`,
    'Host: x',
    'Content-Type: application/json',
    'Sec-Fetch-Site: same-origin',
    `${CSRF_HEADER}: 1`,
    `Content-Length: ${body.length}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const stopped = server.stop();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const refused = connect(server.port, '127.0.0.1');
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
  expect(heard).toBe('');
  socket.write(body.slice(5));
  await once(socket, 'close');
  expect(heard).toMatch(/^HTTP\/1.1 400 [\s\S]*Connection: close[\s\S]*"bad_request"/i);
  await stopped;
});
