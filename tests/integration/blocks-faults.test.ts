import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { packOf, randomChunks, sha256, startBlockServer, storedChunk, TusClient } from './blocks-harness';

const PORT = 4210;
const userId = randomUUID();
const who = `${userId}/${randomUUID()}`;
const namespaceId = randomUUID();
const folder = await mkdtemp(join(tmpdir(), 'blocks-faults-'));
const children: ChildProcess[] = [];
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

interface Child {
  readonly process: ChildProcess;
  /** Resolves when the child has printed `word`. */
  printed(word: string): Promise<void>;
}

async function startChild(dataDir: string, port: number, mode = ''): Promise<Child> {
  const role = `${userId} ${namespaceId}`;
  const child = spawn(process.execPath, ['--import', 'tsx', 'tests/integration/blocks-child.ts', dataDir, String(port), role, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let output = '';
  child.stdout.on('data', (bytes) => {
    output += String(bytes);
  });
  const printed = async (word: string) => {
    while (!output.includes(word)) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
      await sleep(10);
    }
  };
  await printed('listening');
  return { process: child, printed };
}

async function killed({ process }: Child): Promise<void> {
  const gone = new Promise((resolve) => process.on('exit', resolve));
  process.kill('SIGKILL');
  await gone;
}

/** Sends `bytes` slowly in a PATCH that will not end well; resolves when `sent` bytes went out. */
async function beginPatch(origin: string, address: string, bytes: Uint8Array, sent: number): Promise<void> {
  const headers = {
    'tus-resumable': '1.0.0',
    'x-who': who,
    'upload-offset': '0',
    'content-type': 'application/offset+octet-stream',
    'content-length': bytes.length,
  };
  const request = httpRequest(origin + address, { method: 'PATCH', headers });
  request.on('error', () => undefined);
  for (let at = 0; at < sent; at += 65_536) {
    const part = bytes.subarray(at, Math.min(at + 65_536, sent));
    if (!request.write(part)) await new Promise((resolve) => request.once('drain', resolve));
  }
}

/** Waits until that much of the one upload is in the server's files: how quickly it reads is the machine's business. */
async function arrived(dataDir: string, bytes: number): Promise<void> {
  const incoming = join(dataDir, 'incoming');
  const largest = (): number => Math.max(0, ...readdirSync(incoming).map((name) => statSync(join(incoming, name)).size));
  for (const until = Date.now() + 60_000; largest() < bytes; await sleep(20))
    if (Date.now() > until) throw new Error(`only ${largest()} bytes came`);
}

test('the server is killed in the middle of a PATCH: the upload goes on near the byte where it was', async () => {
  const dataDir = join(folder, 'killed');
  const chunks = randomChunks(60, 256 * 1024);
  const pack = packOf(chunks);
  const first = await startChild(dataDir, PORT);
  const client = new TusClient(`http://127.0.0.1:${PORT}`, who, namespaceId);
  const { address } = await client.create(pack.length);
  const sent = 9_000_000;
  await beginPatch(client.origin, address, pack, sent);
  await arrived(dataDir, sent - 1024 * 1024);
  await killed(first);

  const under = await startBlockServer(dataDir, PORT);
  under.metadata.roles.set(`${userId} ${namespaceId}`, 'owner');
  const { offset } = await client.head(address);
  // What the sockets and our queue held is all that may be missing.
  expect(offset).toBeGreaterThan(sent - 1024 * 1024);
  expect(offset).toBeLessThanOrEqual(sent);
  expect((await client.patch(address, offset as number, pack.subarray(offset as number))).status).toBe(204);
  for (const bytes of chunks) expect(Buffer.compare((await storedChunk(under, sha256(bytes))) as Uint8Array, bytes)).toBe(0);
  await under.close();
});

test('the server is killed between the last byte and the record: the client sends one byte, and the pack is there', async () => {
  const dataDir = join(folder, 'killed-late');
  const chunks = randomChunks(8, 100_000);
  const pack = packOf(chunks);
  const first = await startChild(dataDir, PORT + 1, 'hang');
  const client = new TusClient(`http://127.0.0.1:${PORT + 1}`, who, namespaceId);
  const { address } = await client.create(pack.length);
  const lost = client.patch(address, 0, pack).catch(() => null);
  await first.printed('verified');
  await killed(first);
  expect(await lost).toBeNull();

  const under = await startBlockServer(dataDir, PORT + 1);
  under.metadata.roles.set(`${userId} ${namespaceId}`, 'owner');
  expect((await client.head(address)).offset).toBe(pack.length - 1);
  expect((await client.patch(address, pack.length - 1, pack.subarray(-1))).status).toBe(204);
  for (const bytes of chunks) expect(Buffer.compare((await storedChunk(under, sha256(bytes))) as Uint8Array, bytes)).toBe(0);
  await under.close();
});

/** Mounts a small file system, or says why it cannot. */
function mountSmall(path: string, size: string): string | null {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], { stdio: 'pipe' });
    return null;
  } catch (error) {
    return `a full disk cannot be made here: ${String(error)}`;
  }
}

test('the disk becomes full in the middle of an upload: what came is kept, and the upload ends when there is room', async (context) => {
  const dataDir = join(folder, 'small');
  await mkdir(dataDir);
  const problem = mountSmall(dataDir, '40m');
  if (problem !== null) return context.skip(problem);
  const under = await startBlockServer(dataDir, PORT + 2);
  try {
    under.metadata.roles.set(`${userId} ${namespaceId}`, 'owner');
    const client = new TusClient(under.origin, who, namespaceId);
    const chunks = randomChunks(64, 256 * 1024);
    const pack = packOf(chunks);
    const { address } = await client.create(pack.length);
    await writeFile(join(dataDir, 'ballast'), randomBytes(32 * 1024 * 1024));
    const refused = await client.patch(address, 0, pack);
    expect(refused.status).toBe(507);
    expect(refused.code).toBe('insufficient_storage');
    const { offset } = await client.head(address);
    expect(offset).toBeGreaterThan(6 * 1024 * 1024);
    expect(offset).toBeLessThan(pack.length);
    const again = await client.patch(address, offset as number, pack.subarray(offset as number));
    expect(again.code).toBe('insufficient_storage');

    await rm(join(dataDir, 'ballast'));
    const now = (await client.head(address)).offset as number;
    expect(now).toBeGreaterThanOrEqual(offset as number);
    expect((await client.patch(address, now, pack.subarray(now))).status).toBe(204);
    for (const bytes of chunks) expect(Buffer.compare((await storedChunk(under, sha256(bytes))) as Uint8Array, bytes)).toBe(0);

    // No room for the smaller pack that dedup wants to write: nothing is lost, and it is taken in later.
    const mixed = [chunks[0] as Buffer, ...randomChunks(30, 256 * 1024)];
    const second = packOf(mixed);
    const { address: other } = await client.create(second.length);
    expect((await client.patch(other, 0, second.subarray(0, -1))).offset).toBe(second.length - 1);
    await writeFile(join(dataDir, 'ballast'), randomBytes(13 * 1024 * 1024));
    expect((await client.patch(other, second.length - 1, second.subarray(-1))).code).toBe('insufficient_storage');
    await rm(join(dataDir, 'ballast'));
    const rest = (await client.head(other)).offset as number;
    expect((await client.patch(other, rest, second.subarray(rest))).status).toBe(204);
    for (const bytes of mixed) expect(Buffer.compare((await storedChunk(under, sha256(bytes))) as Uint8Array, bytes)).toBe(0);
    expect((await readdir(join(dataDir, 'incoming'))).filter((name) => !name.endsWith('.json'))).toEqual([]);
  } finally {
    await under.close();
    execFileSync('umount', [dataDir]);
  }
});
