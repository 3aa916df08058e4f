/** The steps of `npm test`. Each answers how many tests passed and failed. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { BUILD, isStale, ROOT } from './stale.mjs';

/** @typedef {{ passed: number, failed: number }} Count */
/** @typedef {{ name: string, run: () => Promise<Count> }} Step */

const CHROMIUM = '/usr/lib/chromium/chromium';
const TSCONFIGS = ['.', 'lib/sync', 'workers', 'server', 'tests', 'scripts'];
/** What vitest's project `main` is made of; each can be asked for by name. */
const MAIN_PARTS = /** @type {Record<string, string[]>} */ ({
  unit: ['lib/', 'server/', 'workers/', 'components/', 'app/'],
  tidy: ['tests/tidy/'],
  contracts: ['tests/contracts/'],
  integration: ['tests/integration/'],
  simulation: ['tests/simulation/'],
  conformance: ['tests/conformance/'],
});
const PASSED = { passed: 1, failed: 0 };
const FAILED = { passed: 0, failed: 1 };

/** Every word that `npm test -- <word>` takes. */
export const STEP_NAMES = ['types', 'lint', ...Object.keys(MAIN_PARTS), 'build', 'e2e'];

/**
 * Runs one of node_modules' programs, its output going to ours; resolves with its code.
 * @param {string} file
 * @param {string[]} parameters
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>}
 */
function runNode(file, parameters, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(ROOT, file), ...parameters], { cwd: ROOT, stdio: 'inherit', env });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

async function types() {
  // Next writes the types of its own imports (styles, images, routes) into files that are not committed, differently for development.
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
  if ((await runNode('node_modules/next/dist/bin/next', ['typegen'], env)) !== 0) return FAILED;
  let failed = false;
  for (const folder of TSCONFIGS) {
    if (!fs.existsSync(path.join(ROOT, folder, 'tsconfig.json'))) continue;
    const code = await runNode('node_modules/typescript/bin/tsc', [
      '-p',
      path.join(folder, 'tsconfig.json'),
      '--noEmit',
      '--pretty',
      'false',
    ]);
    if (code !== 0) failed = true;
  }
  return failed ? FAILED : PASSED;
}

async function lint() {
  return (await runNode('node_modules/@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '--max-diagnostics=50'])) === 0
    ? PASSED
    : FAILED;
}

async function build() {
  if (!isStale(BUILD)) {
    console.log('The build is fresh.');
    return PASSED;
  }
  return (await runNode('scripts/build.mjs', [])) === 0 ? PASSED : FAILED;
}

/**
 * @param {'main' | 'e2e'} project
 * @param {string[]} filters parts of paths; none means all of the project
 * @returns {Promise<Count>}
 */
async function vitest(project, filters) {
  const report = path.join(ROOT, 'build', `tests-${project}.json`);
  fs.mkdirSync(path.dirname(report), { recursive: true });
  fs.rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await runNode('node_modules/vitest/vitest.mjs', [
    'run',
    `--project=${project}`,
    '--passWithNoTests',
    ...reporters,
    ...filters,
  ]);
  if (!fs.existsSync(report)) return FAILED; // no test was found, or none could be started
  return countReport(JSON.parse(fs.readFileSync(report, 'utf8')), code);
}

/**
 * Counts a report of vitest. A file that could not even be loaded, and errors outside any test, count as failures too.
 * @param {{ numPassedTests: number, numFailedTests: number, testResults: { status: string, assertionResults: unknown[] }[] }} report
 * @param {number} code the code that vitest ended with
 * @returns {Count}
 */
export function countReport(report, code) {
  const brokenFiles = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
  const failed = report.numFailedTests + brokenFiles;
  return { passed: report.numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed };
}

async function e2e() {
  if (!fs.existsSync(CHROMIUM)) {
    console.error(`The end-to-end tests need Chromium at ${CHROMIUM}. On Debian: sudo apt-get install --yes chromium`);
    return FAILED;
  }
  if (isStale(BUILD)) {
    console.error('The end-to-end tests need a fresh build, and there is none.');
    return FAILED;
  }
  return vitest('e2e', []);
}

/**
 * The steps asked for, in order; all of them when no name is given.
 * @param {string[]} names
 * @returns {Step[]}
 */
export function chooseSteps(names) {
  const all = names.length === 0;
  const parts = Object.keys(MAIN_PARTS).filter((name) => names.includes(name));
  const filters = parts.flatMap((name) => MAIN_PARTS[name] ?? []);
  /** @type {(Step | false)[]} */
  const steps = [
    (all || names.includes('types')) && { name: 'types', run: types },
    (all || names.includes('lint')) && { name: 'lint', run: lint },
    (all || parts.length > 0) && { name: all ? 'tests without a browser' : parts.join(', '), run: () => vitest('main', filters) },
    (all || names.includes('build') || names.includes('e2e')) && { name: 'build', run: build },
    (all || names.includes('e2e')) && { name: 'end-to-end in Chromium', run: e2e },
  ];
  return steps.filter((step) => step !== false);
}
