import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ChunkId, EntryId, NamespaceId } from '@/lib/sync/model/ids';
import { encodeManifest } from '@/lib/sync/model/manifest';
import type { MissingReply } from '@/lib/sync/protocol/blocks';
import type { CommitReply, JournalPage } from '@/lib/sync/protocol/commit';
import type { ErrorBody } from '@/lib/sync/protocol/error-codes';
import { encodePackHeader } from '@/lib/sync/protocol/pack-format';
import { CSRF_HEADER, CSRF_VALUE, contentAddress, ROUTES } from '@/lib/sync/protocol/routes';
import { call, signIn, signUp, startTestServer, type TestServer } from '../support/server';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function sendPack(url: string, cookie: string, namespaceId: NamespaceId, bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const pack = Buffer.concat([encodePackHeader([{ id: sha256(bytes) as ChunkId, size: bytes.length }]), bytes]);
  const headers = { cookie, origin: url, [CSRF_HEADER]: CSRF_VALUE, 'tus-resumable': '1.0.0' };
  const metadata = `namespaceId ${Buffer.from(namespaceId).toString('base64')}`;
  const created = await fetch(url + ROUTES.packs, {
    method: 'POST',
    headers: { ...headers, 'upload-length': String(pack.length), 'upload-metadata': metadata },
  });
  if (created.status !== 201) return created.status;
  const address = new URL(created.headers.get('location') ?? '', url);
  const sent = await fetch(address, {
    method: 'PATCH',
    headers: { ...headers, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
    body: pack,
  });
  return sent.status;
}

test('a file goes in on one device and comes out on another, also after the server was killed; a stranger sees nothing', async () => {
  let server: TestServer = await startTestServer();
  const first = server;
  try {
    const { cookie, me, password } = await signUp(server.url);
    const namespaceId = me.rootNamespaceId;
    const bytes = new Uint8Array(randomBytes(300_000));
    const chunk = { id: sha256(bytes) as ChunkId, size: bytes.length };
    const missing = () => call<MissingReply>(server.url, ROUTES.missing, { cookie, body: { namespaceId, chunkIds: [chunk.id] } });
    expect((await missing()).body.missing).toEqual([chunk.id]);
    expect(await sendPack(server.url, cookie, namespaceId, bytes)).toBe(204);
    expect((await missing()).body.missing).toEqual([]);

    const entryId = randomUUID() as EntryId;
    const content = { from: 'chunks', chunks: [chunk] };
    const file = {
      kind: 'create_file',
      entryId,
      parentId: namespaceId,
      name: 'a.bin',
      size: bytes.length,
      digest: sha256(encodeManifest([chunk])),
      mtime: 5,
      content,
    };
    const body = { requestId: randomUUID(), namespaceId, operations: [file] };
    expect((await call<CommitReply>(server.url, ROUTES.commit, { cookie, body })).body).toMatchObject({ ok: true, seq: 1 });

    await server.kill();
    server = await startTestServer({ databaseUrl: first.databaseUrl, dataDir: first.dataDir });
    const second = await signIn(server.url, { email: me.email, password });
    const journal = await call<JournalPage>(server.url, `${ROUTES.journal}?namespaceId=${namespaceId}`, { cookie: second.cookie });
    expect(journal.body.commits.map((commit) => commit.changes.map((change) => change.name))).toEqual([['a.bin']]);
    const address = server.url + contentAddress({ namespaceId, entryId, contentRevision: 1 });
    const whole = await fetch(address, { headers: { cookie: second.cookie } });
    expect(sha256(new Uint8Array(await whole.arrayBuffer()))).toBe(chunk.id);
    const part = await fetch(address, { headers: { cookie: second.cookie, range: 'bytes=100-199' } });
    expect([part.status, Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(100, 200))]).toEqual([206, true]);

    const stranger = (await signUp(server.url)).cookie;
    expect((await fetch(address, { headers: { cookie: stranger } })).status).toBe(404);
    expect((await fetch(address)).status).toBe(401);
    expect(await sendPack(server.url, stranger, namespaceId, bytes)).toBe(404);
    const foreign = await call<ErrorBody>(server.url, ROUTES.missing, { cookie: stranger, body: { namespaceId, chunkIds: [chunk.id] } });
    expect(foreign.body.error.code).toBe('not_found');
  } finally {
    if (server !== first) await server.stop();
    await first.stop();
  }
});
