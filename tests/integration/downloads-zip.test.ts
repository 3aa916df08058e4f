import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { EntryId } from '@/lib/sync/model/ids';
import { SELECTION_ENTRIES_MAX } from '@/lib/sync/model/limits';
import type { Manifest } from '@/lib/sync/model/manifest';
import { ROUTES } from '@/lib/sync/protocol/routes';
import { sendZip } from '@/server/http/zip';
import { ZipMembers } from '@/server/http/zip-members';
import type { BlockServerUnderTest } from './blocks-harness';
import { entryOf, packOf, packPath, randomChunks, sha256, startBlockServer, TusClient } from './blocks-harness';

const PORT = 4230;
const userId = randomUUID();
const who = `${userId}/${randomUUID()}`;
const namespaceId = randomUUID();
let dataDir: string;
let under: BlockServerUnderTest;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'downloads-zip-'));
  under = await startBlockServer(dataDir, PORT);
  under.metadata.roles.set(`${userId} ${namespaceId}`, 'viewer');
});
afterAll(async () => {
  await under.close();
  await rm(dataDir, { recursive: true });
});
beforeEach(() => {
  under.metadata.entries = [];
  under.logged.length = 0;
});

async function upload(chunks: readonly Buffer[]): Promise<Manifest> {
  under.metadata.roles.set(`${userId} ${namespaceId}`, 'owner');
  expect((await new TusClient(under.origin, who, namespaceId).put(packOf(chunks))).status).toBe(204);
  return chunks.map((bytes) => ({ id: sha256(bytes), size: bytes.length }));
}

function addFolder(name: string, path: string, parentId = randomUUID() as EntryId): EntryId {
  const entry = entryOf({ name, kind: 'folder', parentId, mtime: Date.UTC(2020, 5, 6) });
  under.metadata.entries.push({ entry, path });
  return entry.id;
}

function ask(fields: [string, string][], asker = who): Promise<Response> {
  return fetch(under.origin + ROUTES.zip, { method: 'POST', headers: { 'x-who': asker }, body: new URLSearchParams(fields) });
}

const selection = (name = 'Selection'): [string, string][] => [
  ['namespaceId', namespaceId],
  ['entryId', randomUUID()],
  ['name', name],
];

interface Listed {
  readonly name: string;
  readonly size: number;
  readonly mtime: number;
  readonly folder: boolean;
}

/** What Python's zipfile, written by other people, sees; it also checks every checksum. Null when Python is not there. */
async function listed(zip: Uint8Array): Promise<readonly Listed[] | null> {
  const path = join(dataDir, 'archive.zip');
  await writeFile(path, zip);
  const script = `
import json, struct, sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
def mtime(i):
    e = i.extra
    while e:
        kind, size = struct.unpack('<HH', e[:4])
        if kind == 0x5455: return struct.unpack('<i', e[5:9])[0]
        e = e[4 + size:]
print(json.dumps([{'name': i.filename, 'size': i.file_size, 'mtime': mtime(i), 'folder': i.is_dir()} for i in z.infolist()]))`;
  try {
    return JSON.parse(execFileSync('python3', ['-c', script, path], { encoding: 'utf8', maxBuffer: 1 << 30 })) as Listed[];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

test('a selection: names in any script, empty folders, times, name clashes', async (context) => {
  const chunks = randomChunks(5, 30_000);
  const manifest = await upload(chunks);
  const docs = addFolder('Dókumente', 'Dókumente');
  addFolder('leer', 'Dókumente/leer', docs);
  const time = Date.UTC(2021, 2, 3, 4, 5, 6);
  under.metadata.addFile('日本語.bin', manifest, { path: 'Dókumente/日本語.bin', parentId: docs, mtime: time });
  under.metadata.addFile('same.txt', manifest.slice(0, 1), { mtime: -5000 });
  under.metadata.addFile('SAME.txt', manifest.slice(1, 2), { mtime: 8_640_000_000_000_000 });
  under.metadata.addFile('c:drive', []);
  const second = addFolder('dókumente', 'dókumente');
  under.metadata.addFile('inner', manifest.slice(2, 3), { path: 'dókumente/inner', parentId: second });
  // Selected by itself as well as with its folder: once is enough.
  under.metadata.entries.push({ ...(under.metadata.entries[2] as (typeof under.metadata.entries)[number]), path: '日本語.bin' });

  const response = await ask(selection('Ünser Paket'));
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/zip');
  expect(decodeURIComponent(response.headers.get('content-disposition') ?? '')).toContain("filename*=UTF-8''Ünser Paket.zip");
  const bytes = new Uint8Array(await response.arrayBuffer());
  expect(response.headers.get('content-length')).toBe(String(bytes.length));
  const list = await listed(bytes);
  if (list === null) return context.skip('python3 is not there to read the ZIP');
  expect(list.map(({ name, size, folder }) => [name, size, folder])).toEqual([
    ['Dókumente/', 0, true],
    ['Dókumente/leer/', 0, true],
    ['dókumente (2)/', 0, true],
    ['Dókumente/日本語.bin', 150_000, false],
    ['same.txt', 30_000, false],
    ['SAME (2).txt', 30_000, false],
    ['c_drive', 0, false],
    ['dókumente (2)/inner', 30_000, false],
  ]);
  expect(list.find(({ name }) => name === 'Dókumente/日本語.bin')?.mtime).toBe(time / 1000);
  expect(list.find(({ name }) => name === 'Dókumente/')?.mtime).toBe(Date.UTC(2020, 5, 6) / 1000);
});

test('thousands of files, asked for in batches', async (context) => {
  const manifest = await upload(randomChunks(10, 3000));
  const parent = addFolder('many', 'many');
  for (let i = 0; i < 3000; i++)
    under.metadata.addFile(`f${i}`, [manifest[i % 10] as Manifest[number]], { path: `many/f${i}`, parentId: parent });
  const list = await listed(new Uint8Array(await (await ask(selection())).arrayBuffer()));
  if (list === null) return context.skip('python3 is not there to read the ZIP');
  expect(list.length).toBe(3001);
  expect(list.every(({ folder, size }) => folder || size === 3000)).toBe(true);
});

test('refusals come before the first byte', async () => {
  expect((await ask(selection())).status).toBe(404);
  addFolder('x', 'x');
  expect((await ask(selection(), `${randomUUID()}/${randomUUID()}`)).status).toBe(404);
  expect(
    (
      await ask([
        ['namespaceId', namespaceId],
        ['name', 'x'],
      ])
    ).status,
  ).toBe(400);
  expect(
    (
      await ask([
        ['namespaceId', 'x'],
        ['entryId', randomUUID()],
        ['name', 'x'],
      ])
    ).status,
  ).toBe(400);
  for (let i = 0; i < SELECTION_ENTRIES_MAX; i++) addFolder(`f${i}`, `f${i}`);
  expect((await ask(selection())).status).toBe(413);
});

test('a damaged chunk breaks the download', async () => {
  const chunks = randomChunks(10, 100_000);
  const manifest = await upload(chunks);
  under.metadata.addFile('good', manifest.slice(0, 5));
  under.metadata.addFile('bad', manifest.slice(5));
  const place = under.index.places.get(sha256(chunks[8] as Buffer));
  if (place === undefined) throw new Error('the chunk was not stored');
  const path = packPath(dataDir, place.packId);
  const pack = Buffer.concat([await under.store.read(place.packId, 0, place.offset), randomBytes(chunks.length * 100_000)]);
  await writeFile(path, pack);
  await expect(ask(selection()).then((response) => response.arrayBuffer())).rejects.toThrow();
  expect(under.logged.map(({ event }) => event)).toEqual(['zip_broken']);
});

/** Takes a response's bytes, keeps the last of them and counts all. */
class TailSink extends Writable {
  total = 0;
  tail = Buffer.alloc(0);
  readonly headers = new Map<string, unknown>();
  headersSent = false;

  override _write(bytes: Buffer, _: BufferEncoding, done: () => void): void {
    this.total += bytes.length;
    this.tail = Buffer.concat([this.tail, bytes]).subarray(-(1 << 16));
    done();
  }

  setHeader(name: string, value: unknown): void {
    this.headers.set(name, value);
  }
}

async function sent(members: ZipMembers, open: () => Promise<AsyncIterable<Uint8Array>>): Promise<TailSink> {
  const sink = new TailSink({ highWaterMark: 1 << 20 });
  const log = { warn: () => undefined, error: (event: string, detail: unknown) => expect.fail(`${event} ${JSON.stringify(detail)}`) };
  // Only what sendZip uses of a response.
  await sendZip({ response: sink as unknown as ServerResponse, members, open, log });
  return sink;
}

/** Entries and directory offset as the ZIP64 end record says them. */
function endRecord(tail: Buffer): { entries: bigint; directoryAt: bigint } {
  const at = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x06, 0x06]));
  expect(at).toBeGreaterThan(-1);
  return { entries: tail.readBigUInt64LE(at + 32), directoryAt: tail.readBigUInt64LE(at + 48) };
}

test('more than 4 GiB in one file: ZIP64, constant memory, the announced length', { timeout: 240_000 }, async () => {
  const members = new ZipMembers();
  const block = Buffer.alloc(4 * 1024 * 1024, 7);
  const size = 1025 * block.length;
  members.add(entryOf({ name: 'huge', kind: 'file', size }));
  members.add(entryOf({ name: 'after', kind: 'file', size: 0 }));
  let opened = 0;
  const before = process.memoryUsage().rss;
  const sink = await sent(members, async () =>
    (async function* () {
      for (let i = 0; opened === 0 && i < 1025; i++) yield block;
      opened++;
    })(),
  );
  expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
  expect(sink.total).toBeGreaterThan(2 ** 32);
  expect(sink.headers.get('Content-Length')).toBe(sink.total);
  const { entries, directoryAt } = endRecord(sink.tail);
  expect(entries).toBe(2n);
  expect(directoryAt).toBeGreaterThan(BigInt(size));
});
