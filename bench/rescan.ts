import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryDiskRecords } from '@/lib/sync/adapters/memory/memory-workspace';
import { nodeHasher } from '@/lib/sync/adapters/node/node-hasher';
import { NodeWorkspace } from '@/lib/sync/adapters/node/node-workspace';
import { bundleWorker } from '../tests/e2e/client-bytes/bytes-page';
import { newProfile } from '../tests/e2e/support/browser';
import { allowFolders, offerFolder } from '../tests/e2e/support/picked-folder';
import { learn, rescan } from './support/rescan-core';

/**
 * `npm run bench:rescan`: a look at 50,000 unchanged files after a start (records read, disk walked, plan made, no content read), in
 * Node and in real Chromium over the File System Access API; beside each, a plain walk that asks for every file's size and time.
 */
const FOLDERS = 500;
const FILES = 100;
const RUNS = 3;

type Rescan = Awaited<ReturnType<typeof rescan>>;

function makeFiles(directory: string): void {
  for (let folder = 0; folder < FOLDERS; folder++) {
    const path = join(directory, `folder ${folder}`);
    mkdirSync(path);
    for (let file = 0; file < FILES; file++) writeFileSync(join(path, `file ${file}.txt`), `${folder} ${file}`);
  }
}

async function plainWalk(directory: string): Promise<number> {
  const began = performance.now();
  const open = [directory];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) open.push(path);
      else await lstat(path);
    }
  }
  return performance.now() - began;
}

const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(2).padStart(6);

function tell(where: string, plain: number, runs: readonly Rescan[]): void {
  const best = [...runs].sort((a, b) => a.all - b.all)[0] as Rescan;
  console.log(
    `${where.padEnd(10)} plain walk ${seconds(plain)} s   rescan ${seconds(best.all)} s  (${(best.all / plain).toFixed(2)} of it)`,
  );
  console.log(
    `${''.padEnd(10)} records ${seconds(best.records)} s   walk ${seconds(best.walk)} s   plan ${seconds(best.plan)} s   ${best.entries} entries`,
  );
}

async function inNode(directory: string): Promise<void> {
  const workspace = new NodeWorkspace(directory);
  const records = new MemoryDiskRecords();
  await records.put(await learn(workspace, nodeHasher));
  const plain = Math.min(await plainWalk(directory), await plainWalk(directory));
  const runs: Rescan[] = [];
  for (let run = 0; run < RUNS; run++) runs.push(await rescan(workspace, nodeHasher, records));
  tell('Node', plain, runs);
}

async function inChromium(directory: string): Promise<void> {
  const script = await bundleWorker('bench/support/rescan-page.ts');
  const server = createServer((request, response) => {
    if (request.url === '/script.js') response.setHeader('content-type', 'text/javascript').end(script);
    else response.setHeader('content-type', 'text/html').end('<!doctype html><title>rescan</title><script src="/script.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const profile = newProfile();
  try {
    allowFolders(profile, origin);
    const page = await profile.open();
    await page.goto(origin);
    await offerFolder(page, directory);
    await page.evaluate('prepare()');
    const plain = (await page.evaluate('plainWalk()')) as { milliseconds: number };
    const runs: Rescan[] = [];
    for (let run = 0; run < RUNS; run++) runs.push((await page.evaluate('window.rescan()')) as Rescan);
    tell('Chromium', plain.milliseconds, runs);
  } finally {
    await profile.remove();
    server.close();
  }
}

const directory = mkdtempSync(join(tmpdir(), 'satchel-rescan-'));
try {
  makeFiles(directory);
  console.log(`${(FOLDERS * FILES).toLocaleString('en')} files in ${FOLDERS} folders; the best of ${RUNS} runs`);
  await inNode(directory);
  await inChromium(directory);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
