import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { chooseUser, findBinaries } from '@/scripts/postgres-files.mjs';
import { migrate } from '@/server/metadata-server/drivers/migrate';
import { freePort } from './free-port';

/** A real PostgreSQL of the tests' own. */
export interface TestPostgres {
  /** Of the maintenance database `postgres`. */
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  /** Stops it (`SIGINT` by default, clean; `SIGKILL` for faults). The data folder stays; `remove` deletes it. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  remove(): void;
}

export interface FreshDatabase {
  /** Connection string of an empty, migrated database. */
  readonly url: string;
  drop(): Promise<void>;
}

/** Set by the global setup, so that all test processes of a run share one server. */
export const TEST_POSTGRES_URL = 'SATCHEL_TEST_POSTGRES_URL';
const TEMPLATE = 'satchel_template';

async function answers(url: string, child: ChildProcess, said: () => string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) throw new Error(`PostgreSQL stopped at once:\n${said()}`);
    const client = new Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }
  throw new Error(`PostgreSQL did not answer:\n${said()}`);
}

/**
 * Starts a server of its own; for tests that stop and start PostgreSQL. Give `dataDir` and `port` of a stopped one to start it again.
 * `durable` turns fsync on (off by default: nothing a test keeps has to outlive the machine).
 */
export async function startTestPostgres(
  options: { dataDir?: string | undefined; port?: number; durable?: boolean } = {},
): Promise<TestPostgres> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'satchel-test-postgres-'));
  const user = chooseUser(dataDir);
  const native = findBinaries(user).folder;
  if (user) chownSync(dataDir, user.uid, user.gid);
  if (!existsSync(join(dataDir, 'PG_VERSION'))) {
    const flags = ['-D', dataDir, '-U', 'satchel', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C'];
    execFileSync(join(native, 'bin', 'initdb'), flags, { stdio: 'pipe', cwd: dataDir, ...user });
  }
  const port = options.port ?? (await freePort());
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'max_connections=200',
    `fsync=${options.durable ? 'on' : 'off'}`,
  ];
  const command = [join(native, 'bin', 'postgres'), '-D', dataDir, ...settings.flatMap((setting) => ['-c', setting])];
  // On Linux the server dies with the test process, however that ends.
  if (process.platform === 'linux') {
    const identity = user ? ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'] : [];
    command.unshift('setpriv', ...identity, '--pdeathsig', 'INT');
  }
  const child = spawn(command[0] as string, command.slice(1), {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: dataDir,
    ...(process.platform === 'linux' ? {} : user),
  });
  let log = '';
  child.stderr?.on('data', (bytes) => {
    log = (log + String(bytes)).slice(-4000);
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `postgresql://satchel@127.0.0.1:${port}/postgres`;
  await answers(url, child, () => log);
  return {
    url,
    port,
    dataDir,
    async stop(signal = 'SIGINT') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
    },
    remove: () => rmSync(dataDir, { recursive: true, force: true }),
  };
}

async function asAdministrator<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function withDatabase(url: string, database: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${database}`;
  return parsed.href;
}

/** For benches with a server of their own: makes one migrated database there and gives its address. */
export async function migratedUrl(url: string): Promise<string> {
  await prepareTemplate(url);
  return withDatabase(url, TEMPLATE);
}

/** Makes the migrated template that `freshDatabase` copies. */
export async function prepareTemplate(url: string): Promise<void> {
  await asAdministrator(url, (client) => client.query(`CREATE DATABASE ${TEMPLATE}`));
  await migrate(withDatabase(url, TEMPLATE));
}

let own: Promise<string> | undefined;

async function sharedUrl(): Promise<string> {
  const given = process.env[TEST_POSTGRES_URL];
  if (given) return given;
  own ??= startTestPostgres().then(async (postgres) => {
    process.once('exit', () => postgres.remove());
    await prepareTemplate(postgres.url);
    return postgres.url;
  });
  return own;
}

/** An empty, migrated database on the run's shared server; made in some 30 ms. Close your pools before `drop`. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const url = await sharedUrl();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asAdministrator(url, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`));
  return {
    url: withDatabase(url, name),
    drop: () => asAdministrator(url, async (client) => void (await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))),
  };
}
