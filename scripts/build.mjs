/** Production build: Next's pages, the workers, the service worker, the server. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { buildServer, buildServiceWorker, buildWorkers } from './build-parts.mjs';
import { BUILD, hashOf, ROOT, stampIt } from './stale.mjs';

/**
 * @param {string} buildId
 * @returns {Promise<void>}
 */
function nextBuild(buildId) {
  const next = path.join(ROOT, 'node_modules/next/dist/bin/next');
  const env = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1', SATCHEL_BUILD_ID: buildId };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [next, 'build'], { cwd: ROOT, env, stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`next build ended with code ${code}`))));
  });
}

const began = Date.now();
const hash = hashOf(BUILD.sources);
// Without its stamp an interrupted build is made again; Next's own leftovers are kept, they make it faster.
fs.rmSync(path.join(ROOT, BUILD.stamp), { force: true });
fs.mkdirSync(path.join(ROOT, 'build'), { recursive: true });
try {
  await nextBuild(hash.slice(0, 16));
  await buildWorkers({ dev: false });
  const shell = await buildServiceWorker();
  await buildServer();
  stampIt(BUILD, hash);
  console.log(
    `Built in ${((Date.now() - began) / 1000).toFixed(0)} s; kept offline: ${shell.files} files, ${(shell.bytes / 1e6).toFixed(1)} MB.`,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
