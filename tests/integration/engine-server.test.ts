import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { browserClock } from '@/lib/sync/adapters/browser/browser-clock';
import { createFetchSyncService } from '@/lib/sync/adapters/browser/fetch-sync-service';
import { createSocketResponseQueue } from '@/lib/sync/adapters/browser/socket-response-queue';
import { createTusBlockServer } from '@/lib/sync/adapters/browser/tus-block-server';
import { MemoryLocalStore } from '@/lib/sync/adapters/memory/memory-local-store';
import { Engine } from '@/lib/sync/engine/engine';
import { copy, createFolder, type IntentContext, move, remove, rename, restore, type Wish } from '@/lib/sync/engine/intents';
import { applyStagedTransfers } from '@/lib/sync/engine/transfer-commits';
import type { ChunkId, Digest, EntryId } from '@/lib/sync/model/ids';
import { rootOf } from '@/lib/sync/model/ids';
import { encodeManifest, type Manifest } from '@/lib/sync/model/manifest';
import type { LocalTransfer } from '@/lib/sync/ports/local-store';
import { encodePackHeader } from '@/lib/sync/protocol/pack-format';
import { call, type SignedUp, signIn, signUp, startTestServer, type TestServer } from '../support/server';
import { log, random } from './engine-harness';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

function idOf(wish: Wish): EntryId {
  if (!wish.ok) throw new Error(wish.sentence);
  return wish.entryIds[0] as EntryId;
}

/** A device with the real network: fetch, tus and socket.io against a server with PostgreSQL. */
function device({ cookie, me }: SignedUp, name: string) {
  const headers = { cookie, origin: server.url };
  const store = new MemoryLocalStore();
  const stop = new AbortController();
  const engine = new Engine({
    store,
    service: createFetchSyncService({ origin: server.url, headers }),
    notices: createSocketResponseQueue({ origin: server.url, headers }),
    clock: browserClock,
    random,
    log,
    deviceName: name,
    onTransfers: () => undefined,
    onChanged: () => undefined,
    onOnline: () => undefined,
  });
  const ended = engine.run(stop.signal);
  const root = rootOf(me.rootNamespaceId);
  const blocks = createTusBlockServer({ origin: server.url, headers });
  const context: IntentContext = { store, random, clock: browserClock, rootNamespaceId: me.rootNamespaceId, onTransfers: () => undefined };
  const wish = async (asked: Promise<Wish>): Promise<EntryId> => {
    const id = idOf(await asked);
    engine.wakeRequests();
    return id;
  };
  const names = async (parentId: EntryId = root) =>
    (await store.read((reading) => reading.children(parentId)))
      .filter(({ deletedAt }) => deletedAt === null)
      .map((row) => row.name)
      .sort();
  const state = async () => (await store.read((reading) => reading.connection()))?.state;
  const settled = () =>
    vi.waitFor(
      async () => {
        expect(await store.read((reading) => reading.requests())).toEqual([]);
        expect(await store.read((reading) => reading.transfersIn(['durable'], 1))).toEqual([]);
      },
      { timeout: 15_000 },
    );
  return { me, store, engine, stop, ended, root, blocks, context, wish, names, state, settled };
}
type TestDevice = ReturnType<typeof device>;

/** Sends the bytes as one pack, then lets the engine commit them. */
async function upload(on: TestDevice, file: { parentId: EntryId; name: string; text: string; replaces?: EntryId }): Promise<EntryId> {
  const bytes = new TextEncoder().encode(file.text);
  const id = createHash('sha256').update(bytes).digest('hex') as ChunkId;
  const manifest: Manifest = [{ id, size: bytes.length }];
  const sent = await on.blocks.put({
    packId: random.uuid(),
    namespaceId: on.me.rootNamespaceId,
    body: new Blob([encodePackHeader(manifest), bytes]),
    address: null,
    onAddress: async () => undefined,
    onProgress: () => undefined,
    signal: on.stop.signal,
  });
  if (!sent.ok) throw new Error(sent.code);
  const [row] = file.replaces === undefined ? [] : await on.store.read((reading) => reading.entries([file.replaces as EntryId]));
  const transfer: LocalTransfer = {
    id: random.uuid(),
    namespaceId: on.me.rootNamespaceId,
    parentId: file.parentId,
    entryId: row?.id ?? (random.uuid() as EntryId),
    // As when the person chose the file: before anything of the other device's came.
    baseRevision: row === undefined ? null : 1,
    name: file.name,
    size: bytes.length,
    mtime: 7,
    state: 'durable',
    paused: 0,
    stagedBytes: bytes.length,
    sentBytes: bytes.length,
    digest: createHash('sha256').update(encodeManifest(manifest)).digest('hex') as Digest,
  };
  on.store.putTransfer(transfer, manifest);
  await applyStagedTransfers(on.store, [transfer.id]);
  on.engine.wakeRequests();
  return transfer.entryId;
}

async function twoDevices() {
  const person = await signUp(server.url);
  const again = await signIn(server.url, { email: person.me.email, password: person.password });
  const one = device(person, 'one');
  const two = device(again, 'two');
  await vi.waitFor(async () => expect([await one.state(), await two.state()]).toEqual(['online', 'online']), { timeout: 15_000 });
  const stop = async () => {
    one.stop.abort();
    two.stop.abort();
    await Promise.all([one.ended, two.ended]);
  };
  return { person, one, two, stop };
}

describe('engine against the real server', () => {
  test('every kind of change made here is seen there within seconds', async () => {
    const { one, two, stop } = await twoDevices();
    const a = await one.wish(createFolder(one.context, one.root, 'a'));
    const b = await one.wish(createFolder(one.context, a, 'b'));
    const f = await upload(one, { parentId: b, name: 'f.txt', text: 'hello' });
    await one.settled();
    await vi.waitFor(async () => expect(await two.names(b)).toEqual(['f.txt']), { timeout: 15_000 });
    await two.wish(rename(two.context, f, 'g.txt'));
    await two.wish(move(two.context, [f], two.root));
    await two.wish(copy(two.context, [f], a));
    await two.wish(remove(two.context, [b]));
    await two.settled();
    await vi.waitFor(async () => expect([await one.names(), await one.names(a)]).toEqual([['a', 'g.txt'], ['g.txt']]), { timeout: 15_000 });
    await one.wish(restore(one.context, [b]));
    await one.settled();
    await vi.waitFor(async () => expect(await two.names(a)).toEqual(['b', 'g.txt']), { timeout: 15_000 });
    const [here, there] = await Promise.all([one, two].map(({ store }) => store.read((reading) => reading.entries([a, b, f]))));
    expect(here).toEqual(there);
    expect(here?.every((row) => row?.state === 'synced')).toBe(true);
    await stop();
  });

  test('both make the same folder and write the same file: one folder, and no bytes lost', async () => {
    const { one, two, stop } = await twoDevices();
    const f = await upload(one, { parentId: one.root, name: 'plan.txt', text: 'base' });
    await vi.waitFor(async () => expect(await two.names()).toEqual(['plan.txt']), { timeout: 15_000 });
    const here = idOf(await createFolder(one.context, one.root, 'Work'));
    const there = idOf(await createFolder(two.context, two.root, 'work'));
    await createFolder(one.context, here, 'x');
    await createFolder(two.context, there, 'y');
    await upload(one, { parentId: one.root, name: 'plan.txt', text: 'ONE', replaces: f });
    await upload(two, { parentId: two.root, name: 'plan.txt', text: 'TWO!', replaces: f });
    await Promise.all([one.settled(), two.settled()]);
    const expected = async ({ names, store, root }: TestDevice) => {
      const top = await names();
      expect(top).toHaveLength(3);
      expect(top[0]).toMatch(/^(plan|Work|work)/);
      expect(top.some((name) => /^plan \(conflicted copy, (one|two), \d{4}-\d\d-\d\d\)\.txt$/.test(name))).toBe(true);
      const work = (await store.read((reading) => reading.liveByName(root, 'work')))[0]?.id as EntryId;
      expect(await names(work)).toEqual(['x', 'y']);
    };
    await vi.waitFor(() => expected(one), { timeout: 15_000 });
    await vi.waitFor(() => expected(two), { timeout: 15_000 });
    await stop();
  });

  test('a revoked device ends at once and keeps what it has not sent', async () => {
    const { person, two, stop } = await twoDevices();
    await call(server.url, `/api/v1/devices/${two.me.deviceId}`, { method: 'DELETE', cookie: person.cookie });
    await vi.waitFor(async () => expect(await two.state()).toBe('signed_out'), { timeout: 15_000 });
    await createFolder(two.context, two.root, 'kept');
    expect(await two.store.read((reading) => reading.requests())).toHaveLength(1);
    await stop();
  });
});
