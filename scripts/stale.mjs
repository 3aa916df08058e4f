/** Decides what has to be made again, by the content of what it is made from; times of files say nothing after a `git checkout`. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const BUILD_SOURCES = [
  'app',
  'components',
  'lib',
  'workers',
  'server',
  'prisma',
  'public',
  'scripts/build.mjs',
  'scripts/build-parts.mjs',
  'next.config.js',
  'postcss.config.mjs',
  'tsconfig.json',
  'package.json',
  'package-lock.json',
];
const PRISMA_SOURCES = ['prisma/schema.prisma', 'scripts/generate.mjs', 'package-lock.json'];
/** Made by the build itself, or of no influence on it. */
const LEFT_OUT = /^(public\/workers|public\/service-worker\.js|server\/generated)|\.test\.tsx?$|\.tsbuildinfo$/;

/** @param {string[]} sources files and folders, relative to the checkout */
export function hashOf(sources) {
  const hash = createHash('sha256');
  for (const file of sources.flatMap(filesUnder)) {
    hash
      .update(`${file}\n`)
      .update(fs.readFileSync(path.join(ROOT, file)))
      .update('\n');
  }
  return hash.digest('hex').slice(0, 32);
}

/**
 * @param {string} source
 * @returns {string[]}
 */
function filesUnder(source) {
  if (LEFT_OUT.test(source)) return [];
  const stat = fs.statSync(path.join(ROOT, source), { throwIfNoEntry: false });
  if (!stat) return [];
  if (!stat.isDirectory()) return [source];
  return fs
    .readdirSync(path.join(ROOT, source))
    .sort()
    .flatMap((name) => filesUnder(`${source}/${name}`));
}

/**
 * A thing that is made from sources. `stamp` remembers from which.
 * @typedef {{ sources: string[], stamp: string, products: string[] }} Made
 */

/** @type {Made} */
export const BUILD = {
  sources: BUILD_SOURCES,
  stamp: 'build/stamp',
  products: ['build/server.mjs', '.next/BUILD_ID', 'public/service-worker.js'],
};
/** @type {Made} */
export const PRISMA_CLIENT = { sources: PRISMA_SOURCES, stamp: 'build/prisma-stamp', products: ['server/generated/prisma'] };
/** The stamp lies in node_modules, so that it goes when they go. @type {Made} */
export const PACKAGES = {
  sources: ['package.json', 'package-lock.json'],
  stamp: 'node_modules/.satchel-stamp',
  products: ['node_modules/next'],
};

/**
 * True when it has to be made again.
 * @param {Made} made
 */
export function isStale(made) {
  if (made.products.some((product) => !fs.existsSync(path.join(ROOT, product)))) return true;
  const stamp = path.join(ROOT, made.stamp);
  return !fs.existsSync(stamp) || fs.readFileSync(stamp, 'utf8') !== hashOf(made.sources);
}

/**
 * Remembers from what it was made; take `hash` before the making, so that a change in between is noticed next time.
 * @param {Made} made
 * @param {string} hash
 */
export function stampIt(made, hash) {
  const stamp = path.join(ROOT, made.stamp);
  fs.mkdirSync(path.dirname(stamp), { recursive: true });
  fs.writeFileSync(stamp, hash);
}
