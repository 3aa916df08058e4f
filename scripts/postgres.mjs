/**
 * Supervisor of the embedded PostgreSQL: starts it, starts it again when it falls, stops it, and never leaves one behind.
 * It listens on 127.0.0.1 only, on a free port, with a random password.
 */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {
  chooseUser,
  DATABASE_NAME,
  diskFull,
  ensureCluster,
  findBinaries,
  postgresEnvironment,
  prepareDataDir,
} from './postgres-files.mjs';
import { processIdentity, sleep } from './process-identity.mjs';
import { Sentence } from './sentence.mjs';

const START_MS_MAX = 60_000; // recovery after a crash may have much to replay
const STOP_MS_MAX = 30_000;
const RESTART_PAUSE_MS_MAX = 10_000;
const OUTPUT_LINES_MAX = 40;

/** Safety is spelled out although it is the default: nobody's file is worth a faster commit. Memory suits a small home server. */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '128MB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  effective_cache_size: '512MB',
  max_connections: '60',
  jit: 'off',
  random_page_cost: '1.1',
  // Parallel queries need /dev/shm, which is 64 MB in containers.
  max_parallel_workers_per_gather: '0',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  idle_in_transaction_session_timeout: '60s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  // Errors go to the server that asked; here they would only spread people's file names.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};

/**
 * Starts PostgreSQL on `dataDir` (made when absent; only this supervisor writes in it) and keeps it running until `stop`.
 * As root, `dataDir` must lie in folders that others can enter; it may itself be a fresh `mkdtemp` folder.
 * Throws a `Sentence` when a person has to do something first.
 * @param {{ dataDir: string, log?: (line: string) => void }} options
 * @returns {Promise<{ url: string, port: number, stop(): Promise<void> }>} `url` stays valid when PostgreSQL is started again
 */
export async function startPostgres({ dataDir, log = () => {} }) {
  const home = path.resolve(dataDir);
  const cluster = path.join(home, 'cluster');
  const user = chooseUser(cluster);
  prepareDataDir(home, user);
  const release = await takeFolder(home);
  try {
    const binaries = findBinaries(user);
    const password = await ensureCluster({ dataDir: home, binaries, user, log });
    await stopOrphan(cluster, log);
    const supervisor = new Supervisor({ home, cluster, user, program: path.join(binaries.folder, 'bin', 'postgres'), log });
    const port = await supervisor.start();
    return {
      url: `postgresql://${DATABASE_NAME}:${password}@127.0.0.1:${port}/${DATABASE_NAME}`,
      port,
      stop: async () => {
        await supervisor.stop();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** One PostgreSQL process after the other on the same cluster and port. */
class Supervisor {
  /** @param {{ home: string, cluster: string, user: import('./postgres-files.mjs').RunAs | null, program: string, log: (line: string) => void }} options */
  constructor({ home, cluster, user, program, log }) {
    this.home = home;
    this.cluster = cluster;
    this.user = user;
    this.program = program;
    this.log = log;
    this.port = 0;
    this.stopping = false;
    /** @type {import('node:child_process').ChildProcess | null} */
    this.child = null;
    /** @type {string[]} */
    this.output = [];
  }

  /** Resolves with the port once connections are accepted. */
  async start() {
    for (let attempt = 1; ; attempt++) {
      this.port = await freePort();
      try {
        await this.launch();
        return this.port;
      } catch (error) {
        // Between choosing the port and binding it somebody else may have taken it.
        const taken = this.output.some((line) => /could not bind|Address already in use/.test(line));
        const sharing = this.output.some((line) => /pre-existing shared memory block/.test(line));
        if (attempt >= 5 || !(taken || sharing)) throw error;
        await sleep(sharing ? 1000 : 50);
      }
    }
  }

  /** Starts the process once; resolves when it is ready, throws a Sentence when it ends before. */
  async launch() {
    this.output = [];
    const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const parameters = ['-D', this.cluster, '-p', `${this.port}`, ...settings];
    const [program, all] = dieWithParent(this.program, parameters);
    // A group of its own: Ctrl-C in a terminal reaches the whole group, and the server must finish its work before the database goes.
    const child = spawn(program, all, {
      cwd: this.cluster,
      env: postgresEnvironment(),
      detached: process.platform !== 'win32',
      stdio: ['ignore', 'ignore', 'pipe'],
      windowsHide: true,
      ...(this.user && { uid: this.user.uid, gid: this.user.gid }),
    });
    this.child = child;
    /** @type {Error | null} */
    let failure = null;
    child.on('error', (error) => {
      failure = error;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => this.note(text));
    const deadline = Date.now() + START_MS_MAX;
    while (!isReady(this.cluster, child.pid)) {
      const ended = failure || child.exitCode !== null || child.signalCode !== null;
      if (ended || Date.now() > deadline) {
        this.child = null;
        if (!ended) child.kill('SIGKILL');
        await sleep(20); // the last lines are still on their way
        throw this.explain(
          failure ?? new Error(ended ? `it ended with ${child.exitCode ?? child.signalCode}` : 'it did not get ready within a minute'),
        );
      }
      await sleep(15);
    }
    child.once('exit', (code, signal) => {
      this.child = null;
      if (!this.stopping) void this.restart(`${code ?? signal}`);
    });
    if (child.exitCode !== null || child.signalCode !== null) child.emit('exit', child.exitCode, child.signalCode);
  }

  /** @param {string} text */
  note(text) {
    for (const line of text.split('\n')) {
      if (line === '') continue;
      this.output.push(line);
      if (this.output.length > OUTPUT_LINES_MAX) this.output.shift();
      if (/(FATAL|PANIC):/.test(line)) this.log(line);
    }
  }

  /** @param {Error} cause */
  explain(cause) {
    const said = this.output.join('\n');
    if (/No space left on device/.test(said)) return diskFull(this.home);
    return new Sentence(`PostgreSQL did not start on ${this.home}: ${cause.message}.\n${said}`);
  }

  /** @param {string} how */
  async restart(how) {
    this.log(`PostgreSQL ended unexpectedly (${how}); starting it again`);
    for (let pause = 200; !this.stopping; pause = Math.min(2 * pause, RESTART_PAUSE_MS_MAX)) {
      await sleep(pause);
      if (this.stopping) return;
      try {
        await this.launch();
        this.log('PostgreSQL runs again');
        if (this.stopping) await this.stop();
        return;
      } catch (error) {
        this.log(/** @type {Error} */ (error).message);
      }
    }
  }

  /** Ends open connections, writes everything down, resolves when the process is gone. */
  async stop() {
    this.stopping = true;
    const child = this.child;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    askToStop(this.program, this.cluster, child.pid);
    const late = setTimeout(() => child.kill('SIGQUIT'), STOP_MS_MAX);
    await gone;
    clearTimeout(late);
  }
}

/**
 * On Linux the kernel itself tells PostgreSQL (fast shutdown) when we die, even by kill -9.
 * @param {string} program
 * @param {string[]} parameters
 * @returns {[string, string[]]}
 */
function dieWithParent(program, parameters) {
  if (process.platform !== 'linux') return [program, parameters];
  const help = spawnSync('setpriv', ['--help'], { encoding: 'utf8' });
  if (help.error || !help.stdout.includes('--pdeathsig')) return [program, parameters];
  return ['setpriv', ['--pdeathsig', 'INT', program, ...parameters]];
}

/**
 * @param {string} program
 * @param {string} cluster
 * @param {number} pid
 */
function askToStop(program, cluster, pid) {
  if (process.platform === 'win32')
    spawnSync(path.join(path.dirname(program), 'pg_ctl'), ['stop', '-D', cluster, '-m', 'fast', '-W'], { windowsHide: true });
  else process.kill(pid, 'SIGINT');
}

/** @param {string} cluster */
function readPidFile(cluster) {
  try {
    const lines = fs.readFileSync(path.join(cluster, 'postmaster.pid'), 'utf8').split('\n');
    return { pid: Number(lines[0]), status: (lines[7] ?? '').trim() };
  } catch {
    return null;
  }
}

/**
 * @param {string} cluster
 * @param {number | undefined} pid
 */
function isReady(cluster, pid) {
  const file = readPidFile(cluster);
  return file !== null && file.pid === pid && file.status === 'ready';
}

/**
 * Ends a PostgreSQL that an earlier supervisor left behind on this cluster, and clears away a stale pid file whose number
 * now belongs to somebody else (PostgreSQL would refuse to start).
 * @param {string} cluster
 * @param {(line: string) => void} log
 */
async function stopOrphan(cluster, log) {
  const file = readPidFile(cluster);
  if (!file) return;
  if (processIdentity(file.pid) !== null && isPostgresOn(cluster, file.pid)) {
    log(`stopping the PostgreSQL that an earlier start left behind (process ${file.pid})`);
    try {
      process.kill(file.pid, 'SIGINT');
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM') {
        throw new Sentence(
          `a PostgreSQL of another user (process ${file.pid}) still works on ${cluster}. Stop it first: kill -INT ${file.pid}`,
        );
      }
    }
    const deadline = Date.now() + STOP_MS_MAX;
    while (processIdentity(file.pid) !== null && isPostgresOn(cluster, file.pid)) {
      if (Date.now() > deadline)
        throw new Sentence(
          `the PostgreSQL that an earlier start left behind (process ${file.pid}) does not stop. Stop it: kill -QUIT ${file.pid}`,
        );
      await sleep(50);
    }
    return;
  }
  fs.rmSync(path.join(cluster, 'postmaster.pid'), { force: true });
}

/**
 * @param {string} cluster
 * @param {number} pid
 */
function isPostgresOn(cluster, pid) {
  if (process.platform === 'win32') return true;
  const command =
    process.platform === 'linux'
      ? readCommand(pid)
      : spawnSync('ps', ['-ww', '-o', 'command=', '-p', `${pid}`], { encoding: 'utf8' }).stdout;
  return command.includes('postgres') && command.includes(cluster);
}

/** @param {number} pid */
function readCommand(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Makes sure that no other supervisor works on the folder; the answer gives it back.
 * @param {string} home
 */
async function takeFolder(home) {
  const file = path.join(home, 'supervisor.json');
  const mine = JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid) });
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      fs.writeFileSync(file, mine, { flag: 'wx' });
      return () => fs.rmSync(file, { force: true });
    } catch (error) {
      const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code === 'ENOSPC') throw diskFull(home);
      if (code !== 'EEXIST') throw new Sentence(`the folder ${home} cannot be written: ${message}`);
    }
    const other = readSupervisor(file);
    if (other && processIdentity(other.pid) === other.identity) {
      throw new Sentence(`Satchel is already running on ${home} (process ${other.pid}). Stop that one first, or choose another DATA_DIR.`);
    }
    fs.rmSync(file, { force: true });
  }
  throw new Sentence(`another start is busy with ${home}. Try again in a moment.`);
}

/**
 * @param {string} file
 * @returns {{ pid: number, identity: string } | null}
 */
function readSupervisor(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return null; // half-written by a start that was killed
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {net.AddressInfo} */ (probe.address());
      probe.close(() => resolve(port));
    });
  });
}
