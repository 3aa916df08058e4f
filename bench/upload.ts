/**
 * Upload from real Chromium: one 1 GiB file, and 10,000 files of 100 KB mean, beside bare HTTP PUTs of the same bytes from
 * the same browser to a plain Node server writing to the same disk, in the same run.
 *
 *     npm run bench:upload            (options: --mib 1024 --files 10000 --runs 3)
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { newProfile, type Profile, residentBytes } from '../tests/e2e/support/browser';
import { enterAccount, transfersDone, uploadInput } from '../tests/e2e/support/page';
import { startSatchel } from '../tests/e2e/support/satchel';
import { setup as startPostgres } from '../tests/support/postgres-global-setup';
import { startPlainPut } from './support/plain-put';
import { bigFile, median, smallFiles } from './support/workloads';

const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const MIB = option('mib', 1024);
const FILES = option('files', 10_000);
const RUNS = option('runs', 3);
const folder = join(tmpdir(), 'satchel-bench');

interface Peak {
  page: number;
  server: number;
}

/** Watches resident memory while `work` runs; bytes above what was there before. */
async function watched<T>(profile: Profile, serverPid: number, work: () => Promise<T>): Promise<{ value: T; peak: Peak }> {
  const idle: Peak = { page: profile.rendererBytes(), server: residentBytes(serverPid) };
  const peak: Peak = { page: 0, server: 0 };
  const timer = setInterval(() => {
    peak.page = Math.max(peak.page, profile.rendererBytes() - idle.page);
    peak.server = Math.max(peak.server, residentBytes(serverPid) - idle.server);
  }, 200);
  try {
    return { value: await work(), peak };
  } finally {
    clearInterval(timer);
  }
}

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
};

async function plainRun(kind: 'big' | 'small', path: string): Promise<number> {
  const target = mkdtempSync(join(folder, 'put-'));
  const server = await startPlainPut(target);
  const profile = newProfile();
  try {
    const page = await profile.open();
    // The loader of TypeScript names functions by a helper that the page does not have.
    await page.addInitScript('globalThis.__name = (named) => named');
    await page.goto(server.url);
    await page.setInputFiles(kind === 'big' ? '#files' : '#folder', path);
    return await seconds(() => page.evaluate(putAll, kind === 'big' ? '#files' : '#folder'));
  } finally {
    await profile.remove();
    await server.stop();
    rmSync(target, { recursive: true, force: true });
  }
}

/** Runs in the page: PUTs every file of the input, six in flight. */
async function putAll(selector: string): Promise<void> {
  const files = [...((document.querySelector(selector) as HTMLInputElement).files ?? [])];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let file = files[next++]; file; file = files[next++]) {
      const response = await fetch('/file', { method: 'PUT', body: file });
      if (!response.ok) throw new Error(`PUT answered ${response.status}`);
    }
  };
  await Promise.all(Array.from({ length: 6 }, lane));
}

async function satchelRun(kind: 'big' | 'small', path: string, files: number): Promise<{ seconds: number; peak: Peak }> {
  const satchel = await startSatchel({}, { direct: true });
  const profile = newProfile();
  try {
    const page: Page = await profile.open();
    await enterAccount(page, satchel.url, 'bench@example.org');
    await page.waitForTimeout(1500);
    const { value, peak } = await watched(profile, satchel.pid(), () =>
      seconds(async () => {
        await uploadInput(page, kind === 'big' ? 'files' : 'folder', path);
        await transfersDone(page, files);
      }),
    );
    return { seconds: value, peak };
  } finally {
    await profile.remove();
    await satchel.stop();
  }
}

async function main(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const stopPostgres = await startPostgres();
  try {
    const big = bigFile(join(folder, `big-${MIB}.bin`), MIB * 1024 * 1024);
    const small = join(folder, `small-${FILES}`);
    const smallBytes = smallFiles(small, FILES);
    const rows: Record<string, Record<string, string>> = {};
    for (const [kind, path, files, bytes] of [
      ['big', big, 1, MIB * 1024 * 1024],
      ['small', small, FILES, smallBytes],
    ] as const) {
      const put: number[] = [];
      const own: number[] = [];
      const peak: Peak = { page: 0, server: 0 };
      for (let run = 0; run < RUNS; run++) {
        put.push(await plainRun(kind, path));
        const result = await satchelRun(kind, path, files);
        own.push(result.seconds);
        peak.page = Math.max(peak.page, result.peak.page);
        peak.server = Math.max(peak.server, result.peak.server);
      }
      const [p, s] = [median(put), median(own)];
      rows[kind === 'big' ? `${MIB} MiB in one file` : `${FILES} files, ${(bytes / 1e6).toFixed(0)} MB`] = {
        'PUT s': p.toFixed(2),
        'Satchel s': s.toFixed(2),
        'PUT MB/s': (bytes / 1e6 / p).toFixed(0),
        'Satchel MB/s': (bytes / 1e6 / s).toFixed(0),
        'files/s': (files / s).toFixed(0),
        'rate ÷ PUT': (p / s).toFixed(2),
        'page +MB': (peak.page / 1e6).toFixed(0),
        'server +MB': (peak.server / 1e6).toFixed(0),
      };
    }
    console.table(rows);
    console.log(`Medians of ${RUNS} runs; memory is the highest resident size above idle over all runs.`);
  } finally {
    await stopPostgres();
  }
}

await main();
