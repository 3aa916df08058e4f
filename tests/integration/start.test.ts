import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ROUTES } from '@/lib/sync/protocol/routes';
import { buildServer } from '@/scripts/build-parts.mjs';
import { signIn, signUp } from '../support/server';

/** `npm start` after its preparations: one command, one process to stop. Without pages, so that no build of them is needed. */
interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly said: () => string;
  /** Resolves with the code it ends with. */
  readonly ended: Promise<number | null>;
}

const WAIT_MS = 20_000;
const cleanUps: (() => Promise<unknown> | unknown)[] = [];
let nextPort = 4350;

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'satchel-start-'));
  chmodSync(folder, 0o711); // PostgreSQL's user passes through
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

function launch(dataDir: string, env: Readonly<Record<string, string>> = {}): Started {
  const port = env.PORT ?? String(nextPort++);
  const { DATABASE_URL: _, ...inherited } = process.env;
  const child = spawn(process.execPath, ['scripts/start.mjs'], {
    env: { ...inherited, SATCHEL_PAGES: 'off', LOG_LEVEL: 'warn', HOST: '127.0.0.1', PORT: port, DATA_DIR: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout?.on('data', (data: Buffer) => (said += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (said += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  cleanUps.push(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return { child, url: `http://127.0.0.1:${port}`, said: () => said, ended };
}

async function until(condition: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for: ${what()}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url + ROUTES.info).then(
    (response) => response.ok,
    () => false,
  );
}

async function ready(started: Started): Promise<Started> {
  await until(
    () => started.said().includes('Satchel is ready'),
    () => `the greeting; said so far: ${started.said()}`,
  );
  return started;
}

/** Processes that work on the data folder or are the server on it: none may be left over. */
function processesOn(dataDir: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      const environment = /server\.mjs/.test(command) ? readFileSync(`/proc/${name}/environ`, 'utf8') : '';
      return command.includes(dataDir) || environment.includes(`DATA_DIR=${dataDir}`) ? [Number(name)] : [];
    } catch {
      return []; // it ended between the listing and the look, or belongs to somebody else
    }
  });
}

function serverPid(dataDir: string): number {
  const pid = processesOn(dataDir).find((one) => readFileSync(`/proc/${one}/cmdline`, 'utf8').includes('server.mjs'));
  if (pid === undefined) throw new Error('no server runs on the folder');
  return pid;
}

describe.runIf(process.platform === 'linux')('npm start', () => {
  beforeAll(buildServer);

  test('brings database and server, says where it is, and stops both on SIGTERM', async () => {
    const folder = freshFolder();
    const started = await ready(launch(folder));
    expect(started.said()).toContain(`Satchel is ready:  ${started.url}`);
    expect(started.said()).toContain(folder);
    expect(await answers(started.url)).toBe(true);
    expect(processesOn(folder).length).toBeGreaterThan(1);
    started.child.kill('SIGTERM');
    expect(await started.ended).toBe(0);
    expect(await answers(started.url)).toBe(false);
    expect(processesOn(folder)).toEqual([]);
  });

  test('keeps accounts across a stop and a start', async () => {
    const folder = freshFolder();
    const first = await ready(launch(folder));
    const { me, password } = await signUp(first.url);
    first.child.kill('SIGINT');
    // npm hands on the Ctrl-C that the terminal has delivered already; both together are one wish.
    first.child.kill('SIGINT');
    expect(await first.ended).toBe(0);
    const second = await ready(launch(folder));
    expect((await signIn(second.url, { email: me.email, password })).me.userId).toBe(me.userId);
    const open = readdirSync(folder).filter((name) => (statSync(join(folder, name)).mode & 0o077) !== 0);
    expect(open).toEqual([]); // other users of the machine can look into nothing
  });

  test('starts a server that crashed again', async () => {
    const folder = freshFolder();
    const started = await ready(launch(folder));
    const { me, password } = await signUp(started.url);
    const before = serverPid(folder);
    process.kill(before, 'SIGKILL');
    await until(
      () => started.said().includes('starting it again'),
      () => 'the line that says so',
    );
    await until(
      () => answers(started.url),
      () => 'the server to come back',
    );
    expect(serverPid(folder)).not.toBe(before);
    expect((await signIn(started.url, { email: me.email, password })).me.userId).toBe(me.userId);
  });

  test('leaves nothing running when it is killed with kill -9, and starts again on the same data', async () => {
    const folder = freshFolder();
    const started = await ready(launch(folder));
    await signUp(started.url);
    started.child.kill('SIGKILL');
    await until(
      () => processesOn(folder).length === 0,
      () => `all to end; left: ${processesOn(folder)}`,
    );
    const again = await ready(launch(folder));
    const info = (await (await fetch(again.url + ROUTES.info)).json()) as { firstAccount: boolean };
    expect(info.firstAccount).toBe(false);
  });

  test('stops with a sentence when a variable is wrong, and leaves no database running', async () => {
    const folder = freshFolder();
    const started = launch(folder, { SIGN_UP: 'perhaps' });
    expect(await started.ended).toBe(2);
    expect(started.said()).toMatch(/SIGN_UP is “perhaps”.*Give SIGN_UP=open or SIGN_UP=closed\./s);
    expect(started.said()).not.toMatch(/\n\s+at /);
    expect(processesOn(folder)).toEqual([]);
  });

  test('stops with a sentence when the port is taken', async () => {
    const squatter = createServer();
    const port = nextPort++;
    await new Promise<void>((done) => squatter.listen(port, '127.0.0.1', done));
    cleanUps.push(() => new Promise((done) => squatter.close(done)));
    const folder = freshFolder();
    const started = launch(folder, { PORT: String(port) });
    expect(await started.ended).toBe(1);
    expect(started.said()).toMatch(new RegExp(`${port}.*PORT=`, 's'));
    expect(processesOn(folder)).toEqual([]);
  });

  test('refuses a second start on the same data and leaves the first alone', async () => {
    const folder = freshFolder();
    const first = await ready(launch(folder));
    const second = launch(folder);
    expect(await second.ended).toBe(1);
    expect(second.said()).toMatch(/already running/);
    expect(await answers(first.url)).toBe(true);
  });
});
