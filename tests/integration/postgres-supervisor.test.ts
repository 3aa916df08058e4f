import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { type RunningPostgres, startPostgres } from '@/scripts/postgres.mjs';

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'satchel-supervisor-'));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function start(dataDir: string, log: string[] = []): Promise<RunningPostgres> {
  const postgres = await startPostgres({ dataDir, log: (line) => log.push(line) });
  cleanUps.push(() => postgres.stop());
  return postgres;
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => {}); // tests stop the server under it
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Asks until it answers; PostgreSQL may be on its way back. */
async function queryUntil(url: string, sql: string): Promise<Record<string, unknown>[]> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await query(url, sql);
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

function postmasterPid(dataDir: string): number {
  return Number(readFileSync(join(dataDir, 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0]);
}

/** True while it does anything; a finished process that nobody has collected yet counts as gone. */
function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (condition()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`waited ten seconds in vain for: ${what}`);
}

/** A supervisor in a process of its own; resolves with the connection string. */
async function startElsewhere(dataDir: string, env: NodeJS.ProcessEnv = process.env): Promise<{ url: string; child: ChildProcess }> {
  const script = `const { startPostgres } = await import(${JSON.stringify(resolve('scripts/postgres.mjs'))});
    const postgres = await startPostgres({ dataDir: ${JSON.stringify(dataDir)} });
    console.log(postgres.url); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'], env });
  cleanUps.push(() => void child.kill('SIGKILL'));
  const url = await new Promise<string>((done, fail) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => done(text.trim()));
    child.once('exit', (code) => fail(new Error(`the supervisor ended with ${code}`)));
  });
  return { url, child };
}

describe('the supervisor of the embedded PostgreSQL', () => {
  test('keeps data across a stop and a start, with settings that lose nothing', async () => {
    const folder = freshFolder();
    const first = await start(folder);
    await query(first.url, `CREATE TABLE kept AS SELECT 'Grüße'::text AS greeting`);
    await first.stop();
    await expect(query(first.url, 'SELECT 1')).rejects.toThrow();
    expect(existsSync(join(folder, 'cluster', 'postmaster.pid'))).toBe(false);
    const second = await start(folder);
    expect(await query(second.url, 'SELECT greeting FROM kept')).toEqual([{ greeting: 'Grüße' }]);
    const settings = await query(
      second.url,
      `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit, current_setting('data_checksums') AS checksums,
              current_setting('listen_addresses') AS listen, current_setting('unix_socket_directories') AS sockets, pg_encoding_to_char(encoding) AS encoding
         FROM pg_database WHERE datname = current_database()`,
    );
    expect(settings).toEqual([{ fsync: 'on', commit: 'on', checksums: 'on', listen: '127.0.0.1', sockets: '', encoding: 'UTF8' }]);
  });

  test('keeps the password to its owner and lets nobody in without it', async () => {
    const folder = freshFolder();
    const postgres = await start(folder);
    expect(statSync(join(folder, 'password')).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const wrong = new URL(postgres.url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  });

  test('starts PostgreSQL again under the same address when it is killed', async () => {
    const folder = freshFolder();
    const log: string[] = [];
    const postgres = await start(folder, log);
    await query(postgres.url, 'CREATE TABLE kept (n int)');
    await query(postgres.url, 'INSERT INTO kept VALUES (7)');
    const before = postmasterPid(folder);
    process.kill(before, 'SIGKILL');
    expect(await queryUntil(postgres.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
    expect(postmasterPid(folder)).not.toBe(before);
    await until(() => log.includes('PostgreSQL runs again'), 'the line that says so');
  });

  test.runIf(process.platform === 'linux')('leaves no PostgreSQL behind when the supervisor is killed with kill -9', async () => {
    const folder = freshFolder();
    const { child } = await startElsewhere(folder);
    const pid = postmasterPid(folder);
    expect(runs(pid)).toBe(true);
    child.kill('SIGKILL');
    await until(() => !runs(pid), 'PostgreSQL to follow its supervisor');
    const again = await start(folder);
    expect(await query(again.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test.runIf(process.platform === 'linux')('stops the one left behind where the kernel cannot be asked to', async () => {
    const folder = freshFolder();
    const tools = join(folder, 'tools');
    mkdirSync(tools); // a PATH without setpriv
    const data = join(folder, 'data');
    mkdirSync(data);
    chmodSync(folder, 0o755);
    const { child, url } = await startElsewhere(data, { ...process.env, PATH: tools });
    await query(url, 'CREATE TABLE kept (n int)');
    child.kill('SIGKILL');
    await new Promise((done) => child.once('exit', done));
    const orphan = postmasterPid(data);
    expect(runs(orphan)).toBe(true);
    const log: string[] = [];
    const again = await start(data, log);
    expect(runs(orphan)).toBe(false);
    expect(log.join()).toContain(`process ${orphan}`);
    expect(await query(again.url, 'SELECT count(*)::int AS n FROM kept')).toEqual([{ n: 0 }]);
  });

  test('is not misled by a pid file whose number now belongs to another program', async () => {
    const folder = freshFolder();
    await (await start(folder)).stop();
    const bystander = spawn('sleep', ['60'], { stdio: 'ignore' });
    cleanUps.push(() => void bystander.kill());
    const content = `${bystander.pid}\n${join(folder, 'cluster')}\n1700000000\n5432\n\n127.0.0.1\n  1 1\nready   \n`;
    writeFileSync(join(folder, 'cluster', 'postmaster.pid'), content);
    writeFileSync(join(folder, 'supervisor.json'), JSON.stringify({ pid: bystander.pid, identity: 'somebody earlier' }));
    const postgres = await start(folder);
    expect(await query(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(runs(bystander.pid as number)).toBe(true);
  });

  test('refuses a second supervisor on the same folder in a sentence, and leaves the first alone', async () => {
    const folder = freshFolder();
    const { url } = await startElsewhere(folder);
    await expect(startPostgres({ dataDir: folder })).rejects.toThrow(/already running on .* \(process \d+\)/);
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('refuses the data of another major release without touching it', async () => {
    const folder = freshFolder();
    await (await start(folder)).stop();
    writeFileSync(join(folder, 'cluster', 'PG_VERSION'), '17\n');
    await expect(startPostgres({ dataDir: folder })).rejects.toThrow(/made by PostgreSQL 17.*nothing was changed/s);
    writeFileSync(join(folder, 'cluster', 'PG_VERSION'), '18\n');
    expect(await query((await start(folder)).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('begins anew after a first start that was interrupted', async () => {
    const folder = freshFolder();
    mkdirSync(join(folder, 'cluster.new', 'base'), { recursive: true });
    symlinkSync('nowhere', join(folder, 'cluster.new', 'pg_wal'));
    expect(await query((await start(folder)).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(readdirSync(folder)).not.toContain('cluster.new');
  });

  test.runIf(process.getuid?.() === 0)('says as root when the folder is out of reach of the user PostgreSQL is given', async () => {
    const closed = freshFolder(); // mkdtemp closes it to others
    await expect(startPostgres({ dataDir: join(closed, 'data') })).rejects.toThrow(/cannot reach .* Choose an open place with DATA_DIR/s);
  });
});
