/**
 * The parts of the build that Next does not do: the server and the browser's workers, both by esbuild.
 *
 * Workers keep fixed names (/workers/sync.worker.js, /service-worker.js). A page that the service worker controls gets its workers
 * from the same precache as itself, so the two always match; before that, they are served with revalidation.
 */
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import * as esbuild from 'esbuild';
import { getManifest, injectManifest } from 'workbox-build';
import { ROOT } from './stale.mjs';

const SERVICE_WORKER = 'workers/service-worker.ts';

/** @returns {string[]} all `workers/*.worker.ts`, relative to the checkout */
function workerEntries() {
  const names = fs.readdirSync(path.join(ROOT, 'workers'));
  return names.filter((name) => name.endsWith('.worker.ts')).map((name) => `workers/${name}`);
}

/**
 * @param {{ dev: boolean }} options
 * @returns {esbuild.BuildOptions}
 */
function browserOptions({ dev }) {
  return {
    absWorkingDir: ROOT,
    bundle: true,
    // One plain script each: it runs as a classic and as a module worker alike.
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    sourcemap: true,
    minify: !dev,
    logLevel: 'warning',
    define: { 'process.env.NODE_ENV': JSON.stringify(dev ? 'development' : 'production') },
  };
}

/**
 * The server as one file, and its worker threads (`*.thread.ts`), each beside it by its own name. Packages stay outside.
 * @returns {Promise<void>}
 */
export async function buildServer() {
  const threads = fs
    .readdirSync(path.join(ROOT, 'server'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.thread.ts'));
  const entryPoints = [
    { in: 'server/main.ts', out: 'server' },
    ...threads.map((name) => ({ in: `server/${name}`, out: path.basename(name, '.ts') })),
  ];
  await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints,
    outdir: 'build',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: true,
    logLevel: 'warning',
  });
}

/** @param {{ dev: boolean }} options */
export async function buildWorkers({ dev }) {
  const options = { ...browserOptions({ dev }), entryPoints: workerEntries(), outdir: 'public/workers' };
  if (!dev) await esbuild.build(options);
  else await (await esbuild.context(options)).watch();
}

/** The service worker for development: alive, but keeping nothing of the shell, which changes with every edit. */
export async function watchServiceWorker() {
  if (!fs.existsSync(path.join(ROOT, SERVICE_WORKER))) return;
  const options = browserOptions({ dev: true });
  const context = await esbuild.context({
    ...options,
    entryPoints: [SERVICE_WORKER],
    outfile: 'public/service-worker.js',
    define: { ...options.define, 'self.__WB_MANIFEST': '[]' },
  });
  await context.watch();
}

/**
 * The service worker with the list of everything the shell needs offline. Runs after `next build` and `buildWorkers`.
 * @returns {Promise<{ files: number, bytes: number }>} what a first visit will fetch ahead
 */
export async function buildServiceWorker() {
  const buildId = fs.readFileSync(path.join(ROOT, '.next/BUILD_ID'), 'utf8').trim();
  const draft = path.join(ROOT, 'build', `service-worker.${randomUUID()}.js`);
  await esbuild.build({ ...browserOptions({ dev: false }), sourcemap: false, entryPoints: [SERVICE_WORKER], outfile: draft });
  try {
    const own = await getManifest({
      globDirectory: path.join(ROOT, 'public'),
      globPatterns: ['workers/*.js', 'icons/**/*', '*.{js,webmanifest,svg,png,ico}'],
      globIgnores: ['service-worker.js'],
      modifyURLPrefix: { '': '/' },
    });
    const result = await injectManifest({
      swSrc: draft,
      swDest: path.join(ROOT, 'public/service-worker.js'),
      globDirectory: path.join(ROOT, '.next/static'),
      globPatterns: ['**/*.{js,css,woff2,svg,png}'],
      modifyURLPrefix: { '': '/_next/static/' },
      // Next puts a hash of the content into these names.
      dontCacheBustURLsMatching: /_next\/static\/(chunks|media)\//,
      additionalManifestEntries: [{ url: '/', revision: buildId }, ...own.manifestEntries],
      maximumFileSizeToCacheInBytes: 8 * 1024 * 1024,
    });
    for (const warning of [...own.warnings, ...result.warnings]) console.warn(warning);
    return { files: result.count, bytes: result.size };
  } finally {
    fs.rmSync(draft, { force: true });
  }
}
