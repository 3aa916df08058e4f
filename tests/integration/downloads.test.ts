import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, open, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ChunkId } from '@/lib/sync/model/ids';
import type { Manifest } from '@/lib/sync/model/manifest';
import { contentAddress, ROUTES } from '@/lib/sync/protocol/routes';
import type { FileRevision } from '@/server/metadata-server/metadata-store';
import type { BlockServerUnderTest } from './blocks-harness';
import { packOf, packPath, randomChunks, sha256, startBlockServer, TusClient } from './blocks-harness';

const PORT = 4220;
const userId = randomUUID();
const who = `${userId}/${randomUUID()}`;
const namespaceId = randomUUID();
let dataDir: string;
let under: BlockServerUnderTest;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'downloads-'));
  under = await startBlockServer(dataDir, PORT);
  under.metadata.roles.set(`${userId} ${namespaceId}`, 'owner');
});
afterAll(async () => {
  await under.close();
  await rm(dataDir, { recursive: true });
});
beforeEach(() => {
  under.logged.length = 0;
});

async function upload(chunks: readonly Buffer[]): Promise<Manifest> {
  expect((await new TusClient(under.origin, who, namespaceId).put(packOf(chunks))).status).toBe(204);
  return chunks.map((bytes) => ({ id: sha256(bytes), size: bytes.length }));
}

async function addFile(name: string, chunks: readonly Buffer[], mtime?: number): Promise<FileRevision> {
  return under.metadata.addFile(name, chunks.length === 0 ? [] : await upload(chunks), mtime === undefined ? {} : { mtime });
}

function get(
  file: FileRevision,
  headers: Record<string, string> = {},
  { method = 'GET', query = '', asker = who } = {},
): Promise<Response> {
  const address = contentAddress({ namespaceId, entryId: file.entry.id, contentRevision: file.contentRevision });
  return fetch(under.origin + address + query, { method, headers: { 'x-who': asker, ...headers } });
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

describe('content', () => {
  test('comes whole, with validators and length; HEAD says the same without it', async () => {
    // Chunks from two packs, one of them twice.
    const [a, b] = [randomChunks(7, 200_001), randomChunks(9, 90_001)];
    const manifest = [...(await upload(a)), ...(await upload(b))];
    const file = under.metadata.addFile('data.bin', [...manifest, manifest[2] as Manifest[number]]);
    const content = Buffer.concat([...a, ...b, a[2] as Buffer]);
    const response = await get(file);
    expect(response.status).toBe(200);
    expect(Buffer.compare(await bytesOf(response), content)).toBe(0);
    const head = await get(file, {}, { method: 'HEAD' });
    for (const about of [response, head]) {
      expect(about.headers.get('etag')).toBe(`"${file.digest}"`);
      expect(about.headers.get('content-length')).toBe(String(content.length));
      expect(about.headers.get('accept-ranges')).toBe('bytes');
      expect(about.headers.get('last-modified')).toBe('Tue, 02 Jan 2024 03:04:06 GMT');
      expect(about.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
      expect(about.headers.get('x-content-type-options')).toBe('nosniff');
      expect(about.headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none'/);
      expect(about.headers.get('cross-origin-resource-policy')).toBe('same-origin');
    }
    expect((await bytesOf(head)).length).toBe(0);
  });

  test('an empty file', async () => {
    const response = await get(await addFile('empty', []));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('0');
    expect((await get(await addFile('empty', []), { range: 'bytes=0-' })).status).toBe(416);
  });

  test('any single range is exactly those bytes', async () => {
    const chunks = randomChunks(12, 70_001);
    const file = await addFile('ranges.bin', chunks);
    const content = Buffer.concat(chunks);
    const size = content.length;
    const random = Array.from({ length: 20 }, () => {
      const start = Math.floor(Math.random() * size);
      return [`bytes=${start}-${Math.min(size - 1, start + Math.floor(Math.random() * 300_000))}`] as const;
    });
    for (const [range] of [
      ['bytes=0-0'],
      ['bytes=0-'],
      [`bytes=${size - 1}-`],
      ['bytes=-1'],
      ['bytes=-100000'],
      [`bytes=70000-70001`],
      [`bytes=5-${size * 2}`],
      ...random,
    ]) {
      const response = await get(file, { range });
      expect(response.status).toBe(206);
      const [, start, end] = /^bytes (\d+)-(\d+)\//.exec(response.headers.get('content-range') ?? '') ?? [];
      const expected = content.subarray(Number(start), Number(end) + 1);
      const body = await bytesOf(response);
      expect(response.headers.get('content-length')).toBe(String(expected.length));
      expect(Buffer.compare(body, expected), range).toBe(0);
    }
    expect((await get(file, { range: 'bytes=70000-70001' })).headers.get('content-range')).toBe(`bytes 70000-70001/${size}`);
  });

  test('ranges that cannot be, and those that are answered with the whole', async () => {
    const file = await addFile('x.bin', randomChunks(1, 1000));
    const beyond = await get(file, { range: 'bytes=1000-' });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get('content-range')).toBe('bytes */1000');
    expect(await beyond.text()).toContain('range_not_satisfiable');
    for (const range of ['bytes=0-1,5-6', 'lines=1-2', 'bytes=x-y', 'bytes']) expect((await get(file, { range })).status, range).toBe(200);
  });

  test('conditions', async () => {
    const file = await addFile('x.bin', randomChunks(1, 1000));
    const etag = `"${file.digest}"`;
    const modified = 'Tue, 02 Jan 2024 03:04:06 GMT';
    const cases: [Record<string, string>, number][] = [
      [{ 'if-none-match': etag }, 304],
      [{ 'if-none-match': `W/${etag}` }, 304],
      [{ 'if-none-match': `"other", ${etag}` }, 304],
      [{ 'if-none-match': '*' }, 304],
      [{ 'if-none-match': '"other"' }, 200],
      [{ 'if-none-match': '"other"', 'if-modified-since': modified }, 200],
      [{ 'if-modified-since': modified }, 304],
      [{ 'if-modified-since': 'Mon, 01 Jan 2024 00:00:00 GMT' }, 200],
      [{ 'if-match': etag }, 200],
      [{ 'if-match': '"other"' }, 412],
      [{ 'if-match': `W/${etag}` }, 412],
      [{ 'if-unmodified-since': 'Mon, 01 Jan 2024 00:00:00 GMT' }, 412],
      [{ range: 'bytes=0-9', 'if-range': etag }, 206],
      [{ range: 'bytes=0-9', 'if-range': `W/${etag}` }, 200],
      [{ range: 'bytes=0-9', 'if-range': '"other"' }, 200],
      [{ range: 'bytes=0-9', 'if-range': modified }, 206],
      [{ range: 'bytes=0-9', 'if-range': 'Tue, 02 Jan 2024 03:04:07 GMT' }, 200],
      [{ range: 'bytes=0-9', 'if-none-match': etag }, 304],
    ];
    for (const [headers, status] of cases) expect((await get(file, headers)).status, JSON.stringify(headers)).toBe(status);
  });

  test('a time that HTTP cannot say is left out', async () => {
    for (const mtime of [-1, Date.now() + 1_000_000, 8_640_000_000_000_000]) {
      expect((await get(await addFile('x', randomChunks(1, 10), mtime))).headers.get('last-modified')).toBeNull();
    }
  });
});

describe('who may', () => {
  test('a member, whatever the role; to others, and for what is not there, the same answer', async () => {
    const file = await addFile('secret.txt', randomChunks(1, 100));
    const viewer = randomUUID();
    under.metadata.roles.set(`${viewer} ${namespaceId}`, 'viewer');
    expect((await get(file, {}, { asker: `${viewer}/${randomUUID()}` })).status).toBe(200);
    const stranger = await get(file, {}, { asker: `${randomUUID()}/${randomUUID()}` });
    const unknown = await get({ ...file, entry: { ...file.entry, id: randomUUID() as typeof file.entry.id } });
    expect([stranger.status, unknown.status]).toEqual([404, 404]);
    expect(await stranger.text()).toBe(await unknown.text());
    for (const revision of [2, 0, '1e0', 'x', '99999999999']) {
      const address = `${ROUTES.files}/${namespaceId}/${file.entry.id}/${revision}/content`;
      expect((await fetch(under.origin + address, { headers: { 'x-who': who } })).status).toBe(404);
    }
  });
});

describe('names and types', () => {
  const cases: [string, string, string][] = [
    ['page.html', 'text/plain; charset=utf-8', 'inline'],
    ['page.xhtml', 'text/plain; charset=utf-8', 'inline'],
    ['feed.xml', 'text/plain; charset=utf-8', 'inline'],
    ['style.xsl', 'text/plain; charset=utf-8', 'inline'],
    ['code.js', 'text/plain; charset=utf-8', 'inline'],
    ['code.mjs', 'text/plain; charset=utf-8', 'inline'],
    ['style.css', 'text/plain; charset=utf-8', 'inline'],
    ['data.json', 'text/plain; charset=utf-8', 'inline'],
    ['notes.md', 'text/plain; charset=utf-8', 'inline'],
    ['picture.svg', 'image/svg+xml', 'inline'],
    ['picture.PNG', 'image/png', 'inline'],
    ['clip.mp4', 'video/mp4', 'inline'],
    ['song.mp3', 'audio/mpeg', 'inline'],
    ['paper.pdf', 'application/octet-stream', 'attachment'],
    ['module.wasm', 'application/octet-stream', 'attachment'],
    ['movie.swf', 'application/octet-stream', 'attachment'],
    ['old.mht', 'application/octet-stream', 'attachment'],
    ['no-extension', 'application/octet-stream', 'attachment'],
    ['page.html\u200b', 'application/octet-stream', 'attachment'],
  ];
  test.each(cases)('%s is %s, %s', async (name, type, disposition) => {
    const file = await addFile(name, [Buffer.from('<script>alert(1)</script>')]);
    const response = await get(file);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('content-disposition')?.split(';')[0]).toBe(disposition);
    const saved = await get(file, {}, { query: '?download=1' });
    expect(saved.headers.get('content-disposition')).toMatch(/^attachment/);
    // A copy that carries a name must be asked about: the name may change, the address does not.
    expect(saved.headers.get('cache-control')).toBe('private, no-cache');
    expect(saved.headers.get('content-type')).not.toMatch(/html|\/xml|script|^text\/css/);
  });

  test('a name of any script survives, and cannot break out of the header', async () => {
    const name = 'Ünïcode “qu"ote” €\u{1f600}.txt';
    const header = (await get(await addFile(name, randomChunks(1, 10)))).headers.get('content-disposition') ?? '';
    const encoded = /filename\*=UTF-8''([^;]+)/i.exec(header)?.[1] ?? '';
    expect(decodeURIComponent(encoded)).toBe(name);
  });
});

describe('damaged storage never looks like a shorter or different file', () => {
  async function damaged(): Promise<{ file: FileRevision; path: string; second: { id: ChunkId; offset: number } }> {
    const chunks = randomChunks(30, 200_000);
    const file = await addFile('damaged.bin', chunks);
    const id = sha256(chunks[20] as Buffer);
    const place = under.index.places.get(id);
    if (place === undefined) throw new Error('the chunk was not stored');
    return { file, path: packPath(dataDir, place.packId), second: { id, offset: place.offset } };
  }
  async function expectBroken(file: FileRevision): Promise<void> {
    await expect(get(file).then(bytesOf)).rejects.toThrow();
    expect(under.logged.map(({ event }) => event)).toContain('download_broken');
  }

  test('one flipped bit', async () => {
    const { file, path, second } = await damaged();
    const pack = await open(path, 'r+');
    const byte = Buffer.alloc(1);
    await pack.read(byte, 0, 1, second.offset + 100);
    byte[0] = (byte[0] as number) ^ 4;
    await pack.write(byte, 0, 1, second.offset + 100);
    await pack.close();
    await expectBroken(file);
    expect(under.logged[0]?.detail).toMatchObject({ chunkId: second.id });
    // Other chunks of the same file can still be read.
    expect((await bytesOf(await get(file, { range: 'bytes=0-999999' }))).length).toBe(1_000_000);
  });

  test('a pack that was cut', async () => {
    const { file, path, second } = await damaged();
    await truncate(path, second.offset + 10);
    await expectBroken(file);
  });

  test('a pack that is gone', async () => {
    const { file, path } = await damaged();
    await under.store.close();
    await rm(path);
    await expectBroken(file);
  });

  test('a chunk without a place, and a size that differs from the manifest', async () => {
    const { file, second } = await damaged();
    const place = under.index.places.get(second.id);
    if (place === undefined) throw new Error('the chunk was not stored');
    under.index.places.set(second.id, { ...place, size: place.size - 1, stored: place.stored - 1 });
    await expectBroken(file);
    under.index.places.delete(second.id);
    under.logged.length = 0;
    await expectBroken(file);
  });
});

test('a large file goes out in constant memory at the reader’s pace', async () => {
  const chunks = randomChunks(16, 256 * 1024);
  const manifest = await upload(chunks);
  const repeated = Array.from({ length: 100 }, () => manifest).flat();
  const file = under.metadata.addFile('large.bin', repeated);
  const response = await get(file);
  const hash = createHash('sha256');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const first = await reader.read();
  hash.update(first.value as Uint8Array);
  const before = process.memoryUsage();
  // The reader sleeps; a server that does not wait for it would now buffer 400 MB.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const grown = process.memoryUsage().arrayBuffers - before.arrayBuffers;
  expect(grown).toBeLessThan(30_000_000);
  let total = first.value?.length ?? 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    hash.update(part.value);
    total += part.value.length;
  }
  expect(total).toBe(100 * 16 * 256 * 1024);
  const expected = createHash('sha256');
  for (let i = 0; i < 100; i++) for (const chunk of chunks) expected.update(chunk);
  expect(hash.digest('hex')).toBe(expected.digest('hex'));
});

test('a reader who leaves early leaves nothing behind', async () => {
  const chunks = randomChunks(16, 256 * 1024);
  const manifest = await upload(chunks);
  const file = under.metadata.addFile('left.bin', Array.from({ length: 50 }, () => manifest).flat());
  for (let i = 0; i < 5; i++) {
    const stop = new AbortController();
    const address = contentAddress({ namespaceId, entryId: file.entry.id, contentRevision: 1 });
    const response = await fetch(under.origin + address, { headers: { 'x-who': who }, signal: stop.signal });
    await (response.body as ReadableStream<Uint8Array>).getReader().read();
    stop.abort();
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(under.logged).toEqual([]);
  expect(await new Promise((resolve) => under.server.getConnections((_, count) => resolve(count)))).toBeLessThan(5);
});
