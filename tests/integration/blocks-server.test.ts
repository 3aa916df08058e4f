import { createHash, randomUUID } from 'node:crypto';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SELECTION_ENTRIES_MAX } from '@/lib/sync/model/limits';
import type { Manifest } from '@/lib/sync/model/manifest';
import { encodeManifest, manifestBytes } from '@/lib/sync/model/manifest';
import { CSRF_HEADER, CSRF_VALUE, contentAddress, ROUTES } from '@/lib/sync/protocol/routes';
import type { SignedUp, TestServer } from '../support/server';
import { call, signIn, signUp, startTestServer } from '../support/server';
import { packOf, randomChunks, sha256 } from './blocks-harness';

/** The block server inside the whole server: real accounts, real PostgreSQL, real journal. */
let server: TestServer;
let ada: SignedUp;
beforeAll(async () => {
  server = await startTestServer({ port: 4240 });
  ada = await signUp(server.url);
});
afterAll(() => server.stop());

const headersOf = (who: SignedUp) => ({ cookie: who.cookie, origin: server.url, [CSRF_HEADER]: CSRF_VALUE });

function put(who: SignedUp, namespaceId: string, pack: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const upload: Upload = new Upload(pack, {
      endpoint: server.url + ROUTES.packs,
      metadata: { namespaceId },
      headers: headersOf(who),
      retryDelays: null,
      onSuccess: () => resolve(upload.url ?? ''),
      onError: reject,
    });
    upload.start();
  });
}

async function commitFile(who: SignedUp, name: string, manifest: Manifest): Promise<string> {
  const entryId = randomUUID();
  const namespaceId = who.me.rootNamespaceId;
  const digest = createHash('sha256').update(encodeManifest(manifest)).digest('hex');
  const content = { from: 'chunks', chunks: manifest };
  const mtime = Date.UTC(2023, 1, 2, 3, 4, 5);
  const operation = { kind: 'create_file', entryId, parentId: namespaceId, name, size: manifestBytes(manifest), digest, mtime, content };
  const reply = await call<{ ok: boolean }>(server.url, ROUTES.commit, {
    cookie: who.cookie,
    body: { requestId: randomUUID(), namespaceId, operations: [operation] },
  });
  expect(reply.body).toMatchObject({ ok: true });
  return entryId;
}

const missing = (who: SignedUp, namespaceId: string, chunkIds: readonly string[]) =>
  call<{ missing: string[] }>(server.url, ROUTES.missing, { cookie: who.cookie, body: { namespaceId, chunkIds } });

test('ask, upload, commit, download, as one person; another sees nothing and gains nothing by the hash', async () => {
  const root = ada.me.rootNamespaceId;
  const chunks = randomChunks(12, 150_000);
  const manifest = chunks.map((bytes) => ({ id: sha256(bytes), size: bytes.length }));
  const ids = manifest.map(({ id }) => id);
  expect([...(await missing(ada, root, ids)).body.missing].sort()).toEqual([...ids].sort());
  await put(ada, root, packOf(chunks));
  expect((await missing(ada, root, ids)).body.missing).toEqual([]);

  const entryId = await commitFile(ada, 'Über mich.bin', manifest);
  const address = contentAddress({ namespaceId: root, entryId, contentRevision: 1 });
  const whole = await fetch(server.url + address, { headers: headersOf(ada) });
  expect(whole.status).toBe(200);
  // The router's own policy gives way to the one for contents.
  expect(whole.headers.get('content-security-policy')).toMatch(/^sandbox/);
  expect(Buffer.compare(Buffer.from(await whole.arrayBuffer()), Buffer.concat(chunks))).toBe(0);
  const part = await fetch(server.url + address, { headers: { ...headersOf(ada), range: 'bytes=140000-160000' } });
  expect(part.status).toBe(206);
  expect(Buffer.compare(Buffer.from(await part.arrayBuffer()), Buffer.concat(chunks).subarray(140_000, 160_001))).toBe(0);
  const beyond = await fetch(server.url + address, { headers: { ...headersOf(ada), range: 'bytes=99999999-' } });
  expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */1800000']);
  expect((await fetch(server.url + address, { method: 'HEAD', headers: headersOf(ada) })).headers.get('content-length')).toBe('1800000');

  const bob = await signUp(server.url);
  expect((await fetch(server.url + address, { headers: headersOf(bob) })).status).toBe(404);
  expect((await fetch(server.url + address)).status).toBe(401);
  expect((await missing(bob, root, ids)).status).toBe(404);
  // The same bytes are on the server, but not for Bob: he must bring them, and then they are not stored twice.
  expect((await missing(bob, bob.me.rootNamespaceId, ids)).body.missing.length).toBe(12);
  await put(bob, bob.me.rootNamespaceId, packOf(chunks));
  expect((await missing(bob, bob.me.rootNamespaceId, ids)).body.missing).toEqual([]);
});

test('an upload belongs to its device, and stops with the device’s sign-in', async () => {
  const root = ada.me.rootNamespaceId;
  const address = await put(ada, root, packOf(randomChunks(2, 1000)));
  const other = await signIn(server.url, { email: ada.me.email, password: ada.password });
  const head = (who: SignedUp) => fetch(address, { method: 'HEAD', headers: { ...headersOf(who), 'tus-resumable': '1.0.0' } });
  expect((await head(ada)).status).toBe(200);
  expect((await head(other)).status).toBe(404);
  expect((await call(server.url, `${ROUTES.devices}/${other.me.deviceId}`, { method: 'DELETE', cookie: ada.cookie })).status).toBeLessThan(
    300,
  );
  expect((await head(other)).status).toBe(401);
  await expect(put(other, root, packOf(randomChunks(2, 1000)))).rejects.toThrow(/401/);
});

test('a request of another site cannot begin an upload', async () => {
  const response = await fetch(server.url + ROUTES.packs, {
    method: 'POST',
    headers: { cookie: ada.cookie, origin: 'https://evil.example', 'tus-resumable': '1.0.0', 'upload-length': '5000' },
  });
  expect(response.status).toBe(403);
});

test('a selection as ZIP, posted by a form', async () => {
  const chunks = randomChunks(3, 1000);
  await put(ada, ada.me.rootNamespaceId, packOf(chunks));
  const ids = await Promise.all(
    chunks.map((bytes, index) => commitFile(ada, `zipped ${index}.bin`, [{ id: sha256(bytes), size: bytes.length }])),
  );
  const fields = [['namespaceId', ada.me.rootNamespaceId], ['name', 'three'], ...ids.map((id) => ['entryId', id])] as [string, string][];
  const ask = (form: [string, string][]) =>
    fetch(server.url + ROUTES.zip, { method: 'POST', headers: headersOf(ada), body: new URLSearchParams(form) });
  const response = await ask(fields);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-disposition')).toContain('three.zip');
  const zip = Buffer.from(await response.arrayBuffer());
  expect(zip.length).toBe(Number(response.headers.get('content-length')));
  for (const bytes of chunks) expect(zip.includes(bytes)).toBe(true);
  // The largest selection still fits into a form.
  const many = Array.from({ length: SELECTION_ENTRIES_MAX }, () => ['entryId', randomUUID()] as [string, string]);
  expect((await ask([...fields.slice(0, 2), ...many])).status).toBe(404);
});
