import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ChunkId } from '@/lib/sync/model/ids';
import { PACK_BYTES_MAX } from '@/lib/sync/model/limits';
import { encodePackHeader } from '@/lib/sync/protocol/pack-format';
import { ROUTES } from '@/lib/sync/protocol/routes';
import type { BlockServerUnderTest } from './blocks-harness';
import { packOf, randomChunks, sha256, startBlockServer, storedChunk, TusClient } from './blocks-harness';

const PORT = 4200;
const userId = randomUUID();
const who = `${userId}/${randomUUID()}`;
const namespaceId = randomUUID();
let dataDir: string;
let under: BlockServerUnderTest;
let client: TusClient;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'blocks-'));
  under = await startBlockServer(dataDir, PORT);
  under.metadata.roles.set(`${userId} ${namespaceId}`, 'editor');
  client = new TusClient(under.origin, who, namespaceId);
});
afterAll(async () => {
  await under.close();
  await rm(dataDir, { recursive: true });
});
beforeEach(() => {
  under.index.failing = 'nothing';
  under.index.onKnown = async () => undefined;
});

async function expectStored(chunks: readonly Uint8Array[]): Promise<void> {
  for (const bytes of chunks) {
    const id = sha256(bytes);
    expect(Buffer.compare((await storedChunk(under, id)) ?? Buffer.alloc(0), bytes)).toBe(0);
    expect(under.index.grants.has(`${namespaceId} ${id}`)).toBe(true);
  }
}

/** Sends the head of a PATCH and some of its body, then breaks the connection. */
async function truncatedPatch(address: string, body: Uint8Array, sent: number): Promise<void> {
  const socket = connect(PORT, '127.0.0.1');
  socket.on('error', () => undefined);
  const head = `PATCH ${address} HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\nx-who: ${who}\r\nupload-offset: 0\r\ncontent-type: application/offset+octet-stream\r\ncontent-length: ${body.length}\r\n\r\n`;
  socket.write(head);
  await new Promise((resolve) => socket.write(body.subarray(0, sent), resolve));
  await sleep(50);
  socket.destroy();
  await sleep(50);
}

describe('a pack', () => {
  test('is verified, stored, recorded and granted; its upload keeps answering as complete', async () => {
    const chunks = randomChunks(20, 100_000);
    const pack = packOf(chunks);
    const done = await client.put(pack);
    expect(done.status).toBe(204);
    expect(done.offset).toBe(pack.length);
    await expectStored(chunks);
    const again = await client.head(done.address);
    expect(again.offset).toBe(pack.length);
    // An empty PATCH of a client that lost the last reply changes nothing.
    expect((await client.patch(done.address, pack.length, new Uint8Array(0))).status).toBe(204);
    expect((await readdir(join(dataDir, 'incoming'))).filter((name) => !name.endsWith('.json'))).toEqual([]);
  });

  test('arrives with its creation in one request', async () => {
    const chunks = randomChunks(3, 1000);
    const pack = packOf(chunks);
    const done = await client.create(pack.length, {}, pack);
    expect(done.status).toBe(201);
    expect(done.offset).toBe(pack.length);
    expect(done.address.startsWith(`${ROUTES.packs}/`)).toBe(true);
    await expectStored(chunks);
  });

  test('arrives by tus-js-client', async () => {
    const chunks = randomChunks(10, 50_000);
    const pack = packOf(chunks);
    await new Promise<void>((resolve, reject) => {
      const headers = { 'x-who': who };
      const upload = new Upload(pack, {
        endpoint: under.origin + ROUTES.packs,
        metadata: { namespaceId },
        headers,
        chunkSize: 200_000,
        retryDelays: null,
        onSuccess: () => resolve(),
        onError: reject,
      });
      upload.start();
    });
    await expectStored(chunks);
  });

  test('brings only chunks that are new; the others are granted without being kept twice', async () => {
    const old = randomChunks(5, 10_000);
    await client.put(packOf(old));
    const places = new Map(under.index.places);
    const fresh = randomChunks(2, 10_000);
    const mixed = [old[0], fresh[0], old[3], fresh[1], fresh[1]] as Buffer[];
    expect((await client.put(packOf(mixed))).status).toBe(204);
    await expectStored([...old, ...fresh]);
    for (const bytes of old) expect(under.index.places.get(sha256(bytes))).toEqual(places.get(sha256(bytes)));
    const before = under.index.places.size;
    expect((await client.put(packOf(old))).status).toBe(204);
    expect(under.index.places.size).toBe(before);
  });
});

describe('refusals', () => {
  test('wrong bytes of one chunk: named, nothing stored, the upload is gone', async () => {
    const chunks = randomChunks(6, 20_000);
    const pack = packOf(chunks);
    pack[pack.length - 1] = (pack[pack.length - 1] as number) ^ 1;
    const done = await client.put(pack);
    expect(done.status).toBe(400);
    expect(done.code).toBe('chunk_mismatch');
    expect(done.detail).toEqual({ chunkId: sha256(chunks[5] as Buffer) });
    for (const bytes of chunks) expect(under.index.places.has(sha256(bytes))).toBe(false);
    expect((await client.head(done.address)).status).toBe(404);
  });

  const malformed: [string, (chunks: Buffer[]) => Uint8Array][] = [
    ['not a pack', () => randomBytes(5000)],
    ['shorter than the header says', (chunks) => packOf(chunks).subarray(0, -1)],
    ['longer than the header says', (chunks) => Buffer.concat([packOf(chunks), Buffer.alloc(1)])],
    [
      'a header that is cut off',
      () => encodePackHeader(Array.from({ length: 100 }, () => ({ id: 'a'.repeat(64) as ChunkId, size: 1 }))).subarray(0, 2000),
    ],
    ['a count beyond the limit', (chunks) => Buffer.concat([Buffer.from('SPK1'), Buffer.from([0xff, 0xff, 0xff, 0xff]), ...chunks])],
  ];
  test.each(malformed)('%s: bad_pack', async (_, make) => {
    const done = await client.put(make(randomChunks(3, 2000)));
    expect(done.status).toBe(400);
    expect(done.code).toBe('bad_pack');
    expect((await client.head(done.address)).status).toBe(404);
  });

  test('lengths: too large, none, deferred, zero', async () => {
    expect((await client.create(PACK_BYTES_MAX + 1)).code).toBe('too_large');
    expect((await client.create(PACK_BYTES_MAX + 1)).status).toBe(413);
    expect((await client.create(0)).code).toBe('bad_pack');
    const metadata = { 'upload-metadata': `namespaceId ${Buffer.from(namespaceId).toString('base64')}` };
    expect((await client.ask('POST', ROUTES.packs, metadata)).code).toBe('bad_request');
    expect((await client.ask('POST', ROUTES.packs, { ...metadata, 'upload-defer-length': '1' })).code).toBe('bad_request');
  });

  test('more bytes than announced: too_large, with and without a Content-Length', async () => {
    const { address } = await client.create(5000);
    expect((await client.patch(address, 0, randomBytes(5001))).status).toBe(413);
    const status = await new Promise<number>((resolve, reject) => {
      const headers = {
        'tus-resumable': '1.0.0',
        'x-who': who,
        'upload-offset': '0',
        'content-type': 'application/offset+octet-stream',
        'transfer-encoding': 'chunked',
      };
      const request = httpRequest(under.origin + address, { method: 'PATCH', headers }, (response) =>
        resolve(response.resume().statusCode ?? 0),
      );
      request.on('error', reject);
      request.write(randomBytes(4000));
      request.end(randomBytes(4000));
    });
    expect(status).toBe(413);
    // Nothing was taken in, and the upload can still be ended.
    expect((await client.ask('DELETE', address)).status).toBe(204);
    expect((await client.head(address)).status).toBe(404);
  });

  test('a namespace that is foreign, only readable, unknown or no id at all', async () => {
    const foreign = randomUUID();
    under.metadata.roles.set(`${randomUUID()} ${foreign}`, 'owner');
    expect((await new TusClient(under.origin, who, foreign).create(5000)).code).toBe('not_found');
    under.metadata.roles.set(`${userId} ${foreign}`, 'viewer');
    expect((await new TusClient(under.origin, who, foreign).create(5000)).status).toBe(404);
    expect((await new TusClient(under.origin, who, '../../etc').create(5000)).code).toBe('bad_request');
    expect((await client.ask('POST', ROUTES.packs, { 'upload-length': '5000' })).code).toBe('bad_request');
  });

  test('a right that was taken away meanwhile: nothing is recorded', async () => {
    const shared = randomUUID();
    under.metadata.roles.set(`${userId} ${shared}`, 'editor');
    const chunks = randomChunks(2, 1000);
    const pack = packOf(chunks);
    const member = new TusClient(under.origin, who, shared);
    const { address } = await member.create(pack.length);
    under.metadata.roles.delete(`${userId} ${shared}`);
    expect((await member.patch(address, 0, pack)).code).toBe('not_found');
    expect(under.index.places.has(sha256(chunks[0] as Buffer))).toBe(false);
  });

  test('another person’s or another device’s upload does not exist, whatever is asked', async () => {
    const pack = packOf(randomChunks(2, 1000));
    const { address } = await client.create(pack.length);
    for (const stranger of [`${randomUUID()}/${who.split('/')[1]}`, `${userId}/${randomUUID()}`]) {
      const other = new TusClient(under.origin, stranger, namespaceId);
      expect((await other.head(address)).status).toBe(404);
      expect((await other.patch(address, 0, pack)).code).toBe('not_found');
      expect((await other.ask('DELETE', address)).code).toBe('not_found');
    }
    expect((await client.patch(address, 0, pack)).status).toBe(204);
  });

  test('addresses that are no upload ids', async () => {
    for (const id of ['..%2f..%2fetc%2fpasswd', 'x', `${randomUUID()}.json`, '%00']) {
      expect((await client.head(`${ROUTES.packs}/${id}`)).status).toBeGreaterThanOrEqual(400);
    }
    expect((await client.ask('GET', `${ROUTES.packs}/${randomUUID()}`)).code).toBe('not_found');
    expect((await client.ask('PATCH', `${ROUTES.packs}/${randomUUID()}`, { 'tus-resumable': '0.2' })).status).toBe(400);
  });
});

describe('going on', () => {
  test('a broken connection leaves what came; the rest is enough', async () => {
    const chunks = randomChunks(40, 100_000);
    const pack = packOf(chunks);
    const { address } = await client.create(pack.length);
    await truncatedPatch(address, pack, 1_234_567);
    const { offset } = await client.head(address);
    expect(offset).toBe(1_234_567);
    expect((await client.patch(address, 999, pack.subarray(999))).status).toBe(409);
    expect((await client.patch(address, 1_234_567, pack.subarray(1_234_567))).status).toBe(204);
    await expectStored(chunks);
  });

  test('a client that comes back while its old connection hangs does not wait', async () => {
    const chunks = randomChunks(10, 100_000);
    const pack = packOf(chunks);
    const { address } = await client.create(pack.length);
    const headers = {
      'tus-resumable': '1.0.0',
      'x-who': who,
      'upload-offset': '0',
      'content-type': 'application/offset+octet-stream',
      'content-length': pack.length,
    };
    const hanging = httpRequest(under.origin + address, { method: 'PATCH', headers });
    hanging.on('error', () => undefined);
    hanging.write(pack.subarray(0, 300_000));
    await sleep(100);
    const began = performance.now();
    const { offset } = await client.head(address);
    expect(performance.now() - began).toBeLessThan(500);
    expect(offset).toBe(300_000);
    expect((await client.patch(address, 300_000, pack.subarray(300_000))).status).toBe(204);
    await expectStored(chunks);
    hanging.destroy();
  });

  test('a stranger’s question does not interrupt an upload', async () => {
    const pack = packOf(randomChunks(10, 100_000));
    const { address } = await client.create(pack.length);
    const headers = {
      'tus-resumable': '1.0.0',
      'x-who': who,
      'upload-offset': '0',
      'content-type': 'application/offset+octet-stream',
      'content-length': pack.length,
    };
    const status = new Promise<number>((resolve, reject) => {
      const request = httpRequest(under.origin + address, { method: 'PATCH', headers }, (response) =>
        resolve(response.resume().statusCode ?? 0),
      );
      request.on('error', reject);
      request.write(pack.subarray(0, 300_000));
      setTimeout(() => request.end(pack.subarray(300_000)), 300);
    });
    await sleep(100);
    expect((await new TusClient(under.origin, `${randomUUID()}/${randomUUID()}`, namespaceId).head(address)).status).toBe(404);
    expect(await status).toBe(204);
  });

  test.each(['everything', 'record'] as const)(
    'the database is away (%s) when the last byte is in: unavailable, and one byte finishes it later',
    async (failing) => {
      const chunks = randomChunks(5, 100_000);
      const pack = packOf(chunks);
      under.index.failing = failing;
      const failed = await client.put(pack);
      expect(failed.status).toBe(503);
      expect(failed.code).toBe('unavailable');
      const { offset } = await client.head(failed.address);
      expect(offset).toBe(pack.length - 1);
      under.index.failing = 'nothing';
      expect((await client.patch(failed.address, pack.length - 1, pack.subarray(-1))).status).toBe(204);
      await expectStored(chunks);
    },
  );

  test('an empty PATCH at the end finishes too', async () => {
    const chunks = randomChunks(5, 1000);
    const pack = packOf(chunks);
    under.index.failing = 'record';
    const { address } = await client.put(pack);
    under.index.failing = 'nothing';
    expect((await client.patch(address, pack.length, new Uint8Array(0))).status).toBe(204);
    await expectStored(chunks);
  });

  test('tus-js-client rides over a database that is away for a moment', async () => {
    const chunks = randomChunks(5, 1000);
    under.index.failing = 'everything';
    setTimeout(() => {
      under.index.failing = 'nothing';
    }, 300);
    await new Promise<void>((resolve, reject) => {
      const upload = new Upload(packOf(chunks), {
        endpoint: under.origin + ROUTES.packs,
        metadata: { namespaceId },
        headers: { 'x-who': who },
        retryDelays: [200, 200, 200, 200],
        onSuccess: () => resolve(),
        onError: reject,
      });
      upload.start();
    });
    await expectStored(chunks);
  });

  test('the database is away at the beginning: unavailable', async () => {
    const roleOf = under.metadata.roleOf;
    under.metadata.roleOf = () => Promise.reject(new Error('connection refused'));
    expect((await client.create(5000)).code).toBe('unavailable');
    under.metadata.roleOf = roleOf;
  });
});

test('no room for another upload: insufficient_storage before the first byte', async () => {
  const full = await startBlockServer(join(dataDir, 'full'), PORT + 1, { reserveBytes: Number.MAX_SAFE_INTEGER / 2 });
  full.metadata.roles.set(`${userId} ${namespaceId}`, 'owner');
  const refused = await new TusClient(full.origin, who, namespaceId).create(5000);
  expect(refused.status).toBe(507);
  expect(refused.code).toBe('insufficient_storage');
  await full.close();
});

test('a start forgets what is too old, and only that', async () => {
  const old = join(dataDir, 'old');
  const first = await startBlockServer(old, PORT + 2);
  first.metadata.roles.set(`${userId} ${namespaceId}`, 'owner');
  const uploader = new TusClient(first.origin, who, namespaceId);
  const pack = packOf(randomChunks(2, 1000));
  const [idle, young, finished] = [await uploader.create(5000), await uploader.create(5000), await uploader.put(pack)];
  await first.close();
  const idOf = (address: string) => address.split('/').pop() as string;
  const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000);
  const incoming = join(old, 'incoming');
  for (const suffix of ['', '.json']) await utimes(join(incoming, idOf(idle.address) + suffix), ago(73), ago(73));
  for (const suffix of ['', '.json']) await utimes(join(incoming, idOf(young.address) + suffix), ago(71), ago(71));
  await utimes(join(incoming, `${idOf(finished.address)}.json`), ago(25), ago(25));
  await writeFile(join(incoming, `${randomUUID()}.out`), 'left by a kill');
  const second = await startBlockServer(old, PORT + 2);
  expect((await readdir(incoming)).sort()).toEqual([idOf(young.address), `${idOf(young.address)}.json`].sort());
  await second.close();
});

test('missing: what the account cannot reach, and nothing of foreign namespaces', async () => {
  const chunks = randomChunks(2, 1000);
  await client.put(packOf(chunks));
  const absent = sha256(randomBytes(10));
  const ask = (body: unknown) =>
    fetch(under.origin + ROUTES.missing, { method: 'POST', headers: { 'x-who': who }, body: JSON.stringify(body) });
  const chunkIds = [...chunks.map(sha256), absent];
  expect(await (await ask({ namespaceId, chunkIds })).json()).toEqual({ missing: [absent] });
  expect((await ask({ namespaceId: randomUUID(), chunkIds })).status).toBe(404);
  expect((await ask({ namespaceId, chunkIds: ['x'] })).status).toBe(400);
});
