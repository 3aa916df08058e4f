/**
 * Runs before `npm start`, `npm run dev` and `npm test`: makes whatever is missing or stale. Needs nothing but Node itself.
 * --no-build: leave the build alone. --test: also what the tests need.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';

const CHROMIUM = '/usr/lib/chromium/chromium';

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  process.stderr.write(
    `\nSatchel needs Node 20.19 or newer (24 is recommended); this is ${process.versions.node}. Get it from https://nodejs.org\n`,
  );
  process.exit(1);
}

/**
 * Runs a program in the checkout and stops with `sentence` when it fails.
 * @param {string} program
 * @param {string[]} parameters
 * @param {{ cwd: string, sentence: string, env?: NodeJS.ProcessEnv }} options
 */
function run(program, parameters, { cwd, sentence, env = process.env }) {
  const { status, error } = spawnSync(program, parameters, { cwd, env, stdio: 'inherit' });
  if (status === 0) return;
  process.stderr.write(`\n${sentence}${error ? ` (${error.message})` : ''}\n`);
  process.exit(1);
}

/** @param {string} root */
function installPackages(root) {
  console.log('Installing packages (only when they have changed) …');
  const npm = process.env.npm_execpath;
  const [program, first] = npm ? [process.execPath, [npm]] : [process.platform === 'win32' ? 'npm.cmd' : 'npm', []];
  // `npm install` and not `npm ci`, which fails on lockfiles that lack some of the other platforms' packages.
  // The build needs the development packages, whatever NODE_ENV says.
  run(program, [...first, 'install', '--include=dev', '--include=optional', '--no-audit', '--no-fund'], {
    cwd: root,
    sentence: 'Installing packages failed. Is the network there? The lines above say more.',
  });
}

/** @param {string} root */
function installChromium(root) {
  if (fs.existsSync(CHROMIUM)) return;
  const isRoot = typeof process.getuid === 'function' && process.getuid() === 0;
  if (!isRoot || !fs.existsSync('/usr/bin/apt-get')) {
    console.log(`The end-to-end tests need Chromium at ${CHROMIUM}. On Debian: sudo apt-get install --yes chromium`);
    return; // the end-to-end step says so once more, and counts as failed
  }
  console.log("Installing Debian's Chromium for the end-to-end tests …");
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const sentence = 'Chromium could not be installed with apt-get. The lines above say why.';
  run('apt-get', ['update', '-qq'], { cwd: root, sentence, env });
  run('apt-get', ['install', '--yes', '-qq', '--no-install-recommends', 'chromium'], { cwd: root, sentence, env });
}

checkNode();
// Loaded only now: older releases of Node lack some of what they use.
const { ROOT, PACKAGES, PRISMA_CLIENT, BUILD, isStale, hashOf, stampIt } = await import('./stale.mjs');
if (isStale(PACKAGES)) {
  installPackages(ROOT);
  stampIt(PACKAGES, hashOf(PACKAGES.sources));
}
if (isStale(PRISMA_CLIENT)) {
  const hash = hashOf(PRISMA_CLIENT.sources);
  run(process.execPath, ['scripts/generate.mjs'], { cwd: ROOT, sentence: 'The database client could not be generated.' });
  stampIt(PRISMA_CLIENT, hash);
}
if (process.argv.includes('--test')) installChromium(ROOT);
if (!process.argv.includes('--no-build') && isStale(BUILD)) {
  console.log('Building (only when something has changed; about a minute) …');
  run(process.execPath, ['scripts/build.mjs'], { cwd: ROOT, sentence: 'The build failed; the lines above say why. Nothing was started.' });
}
