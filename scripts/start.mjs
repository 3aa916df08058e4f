/**
 * `npm start` and `npm run dev` (`--dev`): PostgreSQL (unless DATABASE_URL names one), then the server; watches over both, and stops
 * the server before the database. When this process is killed, the server notices by itself and the kernel stops PostgreSQL.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { chooseDataFolder, makeDataFolder } from './data-folder.mjs';
import { startPostgres } from './postgres.mjs';
import { sleep } from './process-identity.mjs';
import { Sentence, stopWith } from './sentence.mjs';
import { BUILD, ROOT } from './stale.mjs';

const dev = process.argv.includes('--dev');
const STOP_MS_MAX = 30_000;
const RESTARTS_MAX = 5;
/** A server that ran this long is counted as healthy again. */
const HEALTHY_MS = 10 * 60_000;
const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
const SIGNAL_CODES = /** @type {Record<string, number>} */ ({
  SIGHUP: 129,
  SIGINT: 130,
  SIGABRT: 134,
  SIGKILL: 137,
  SIGSEGV: 139,
  SIGTERM: 143,
});

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */
/** @typedef {{ code: number, ready: boolean }} Ending */

/** The server now running, if any. @type {ChildProcess | null} */
let server = null;
/** When the first signal to stop came, in milliseconds since 1970. @type {number | null} */
let stoppingSince = null;
let greeted = false;

function onSignal() {
  if (stoppingSince === null) {
    stoppingSince = Date.now();
    console.log('\nStopping …');
    server?.kill('SIGTERM');
    setTimeout(() => server?.kill('SIGKILL'), STOP_MS_MAX).unref();
  } else if (Date.now() - stoppingSince > 1000) {
    // Asked again. (npm passes on the Ctrl-C that the terminal has sent us already: within a second it is the same one.)
    server?.kill('SIGKILL');
  }
}

/** @param {{ url: string, dataFolder: string, embedded: boolean }} about */
function greet({ url, dataFolder, embedded }) {
  if (greeted) return;
  greeted = true;
  const shown = url.replace('//0.0.0.0', '//localhost').replace('//[::]', '//localhost');
  const lines = [
    '',
    `  Satchel is ready:  ${shown}`,
    '',
    '  Open it and make an account; the first one becomes the administrator.',
    '  Phones and other computers need HTTPS: see “HTTPS” in README.md and deploy/Caddyfile.',
    `  Files${embedded ? ' and database' : ''} are kept in ${dataFolder}. Ctrl-C stops everything.`,
    '',
  ];
  console.log(lines.join('\n'));
}

/**
 * Runs the server once, until it ends.
 * @param {{ env: NodeJS.ProcessEnv, dataFolder: string, embedded: boolean }} options
 * @returns {Promise<Ending>}
 */
function runServer({ env, dataFolder, embedded }) {
  const parameters = dev ? ['--import', 'tsx', 'server/main.ts', '--dev'] : ['--enable-source-maps', 'build/server.mjs'];
  // A group of its own: Ctrl-C must reach the server once, from us, and not again from the terminal.
  const child = spawn(process.execPath, parameters, {
    cwd: ROOT,
    env,
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  server = child;
  let ready = false;
  child.on('message', (message) => {
    const { ready: isReady, url } = /** @type {{ ready?: unknown, url?: unknown }} */ (message ?? {});
    if (isReady !== true) return;
    ready = true;
    greet({ url: String(url), dataFolder, embedded });
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      server = null;
      resolve({ code: code ?? SIGNAL_CODES[signal ?? ''] ?? 1, ready });
    });
  });
}

/**
 * Runs the server until it ends on purpose; resolves with the code to end with.
 * @param {{ env: NodeJS.ProcessEnv, dataFolder: string, embedded: boolean }} options
 */
async function keepServer(options) {
  for (let restarts = 0; ; restarts++) {
    const began = Date.now();
    const { code, ready } = await runServer(options);
    // Ended before it was ready: it has said why, and would end again.
    if (stoppingSince !== null || code === 0 || !ready) return code;
    if (Date.now() - began > HEALTHY_MS) restarts = 0;
    if (restarts >= RESTARTS_MAX) {
      console.error(`The server ended unexpectedly (code ${code}), for the ${restarts + 1}th time: giving up.`);
      return code;
    }
    const pause = 500 * 2 ** restarts;
    console.error(`The server ended unexpectedly (code ${code}); starting it again in ${pause / 1000} s.`);
    await sleep(pause);
    if (stoppingSince !== null) return code;
  }
}

async function main() {
  if (fs.existsSync(path.join(ROOT, '.env'))) process.loadEnvFile(path.join(ROOT, '.env'));
  if (!dev && !fs.existsSync(path.join(ROOT, 'build/server.mjs')))
    throw new Sentence('there is no build yet. Run "npm start" (it builds) or "npm run build".');
  const given = process.env.DATABASE_URL?.trim();
  const embedded = !given;
  const { folder, reason } = chooseDataFolder({ root: ROOT, given: process.env.DATA_DIR, embedded });
  makeDataFolder(folder);
  if (reason) console.log(`Note: ${reason}.`);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const postgres = embedded
    ? await startPostgres({ dataDir: path.join(folder, 'postgres'), log: (line) => console.log(`postgres: ${line}`) })
    : null;
  try {
    if (stoppingSince !== null) return 0;
    // What the server writes are people's files: other users of this machine have no business there.
    process.umask(0o077);
    const env = {
      ...process.env,
      NODE_ENV: dev ? 'development' : 'production',
      NEXT_TELEMETRY_DISABLED: '1',
      DATA_DIR: folder,
      DATABASE_URL: postgres?.url ?? given,
    };
    if (dev) {
      // The development workers take the place of the built ones: the next `npm start` has to build again.
      fs.rmSync(path.join(ROOT, BUILD.stamp), { force: true });
      const { buildWorkers, watchServiceWorker } = await import('./build-parts.mjs');
      await buildWorkers({ dev: true });
      await watchServiceWorker();
    }
    return await keepServer({ env, dataFolder: folder, embedded });
  } finally {
    await postgres?.stop();
  }
}

try {
  process.exit(await main());
} catch (error) {
  stopWith(error);
}
