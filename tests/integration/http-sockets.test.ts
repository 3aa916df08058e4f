import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { io, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CommitReply, Notice } from '@/lib/sync/protocol/commit';
import { ROUTES } from '@/lib/sync/protocol/routes';
import { call, signIn, signUp, startTestServer, type TestServer } from '../support/server';

let server: TestServer;
const open: Socket[] = [];
beforeAll(async () => {
  server = await startTestServer();
});
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});
afterAll(() => server.stop());

interface Listener {
  readonly socket: Socket;
  readonly heard: string[];
  /** Resolves once `event` was heard. */
  until(event: string): Promise<void>;
}

function listen(url: string, headers: Record<string, string>, transports = ['websocket']): Listener {
  const socket = io(url, { path: ROUTES.notices, transports, extraHeaders: headers, forceNew: true, reconnection: false });
  open.push(socket);
  const heard: string[] = [];
  const waiting: (() => void)[] = [];
  const hear = (what: string) => {
    heard.push(what);
    for (const wake of waiting.splice(0)) wake();
  };
  socket.on('connect', () => hear('connect'));
  socket.on('connect_error', (error) => hear(`refused: ${error.message}`));
  socket.on('revoked', () => hear('revoked'));
  socket.on('disconnect', (reason) => hear(`disconnect: ${reason}`));
  return {
    socket,
    heard,
    async until(event) {
      const deadline = Date.now() + 5000;
      while (!heard.includes(event)) {
        if (Date.now() > deadline) throw new Error(`waited for “${event}”, heard ${JSON.stringify(heard)}`);
        await Promise.race([new Promise<void>((resolve) => waiting.push(resolve)), new Promise((resolve) => setTimeout(resolve, 50))]);
      }
    },
  };
}

describe('notices', () => {
  test.each([['websocket'], ['polling']])('a signed-in device connects by %s', async (transport) => {
    const { cookie } = await signUp(server.url);
    await listen(server.url, { cookie }, [transport]).until('connect');
  });

  test('without a valid session the handshake is refused with the code', async () => {
    await listen(server.url, {}).until('refused: not_signed_in');
    await listen(server.url, { cookie: `satchel_session=${'A'.repeat(43)}` }).until('refused: not_signed_in');
  });

  test('pages of other sites cannot open one, our own can', async () => {
    const { cookie } = await signUp(server.url);
    for (const transport of ['websocket', 'polling']) {
      const foreign = listen(server.url, { cookie, origin: 'https://evil.example' }, [transport]);
      await foreign.until(transport === 'websocket' ? 'refused: websocket error' : 'refused: xhr poll error');
      await listen(server.url, { cookie, origin: server.url }, [transport]).until('connect');
    }
  });

  test('a commit is told to every device of the person and to nobody else, with where the journal now stands', async () => {
    const first = await signUp(server.url);
    const second = await signIn(server.url, { email: first.me.email, password: first.password });
    const listeners = [first.cookie, second.cookie, (await signUp(server.url)).cookie].map((cookie) => listen(server.url, { cookie }));
    await Promise.all(listeners.map((listener) => listener.until('connect')));
    // A connection may be told of before it stands in its rooms; the client pulls when it connects, so nothing is lost by that.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const told = listeners.map(() => [] as Notice[]);
    for (const [index, { socket }] of listeners.entries()) socket.on('notice', (notice: Notice) => told[index]?.push(notice));
    const namespaceId = first.me.rootNamespaceId;
    const operations = [{ kind: 'create_folder', entryId: randomUUID(), parentId: namespaceId, name: 'Photos', mtime: 0 }];
    const reply = await call<CommitReply>(server.url, ROUTES.commit, {
      cookie: first.cookie,
      body: { requestId: randomUUID(), namespaceId, operations },
    });
    expect(reply.body).toMatchObject({ ok: true });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const notice = { namespaceId, cursor: reply.body.ok ? reply.body.cursor : '' };
    expect(told).toEqual([[notice], [notice], []]);
  });

  test('revoking a device cuts its connection and its requests at once, and leaves the others alone', async () => {
    const first = await signUp(server.url);
    const second = await signIn(server.url, { email: first.me.email, password: first.password });
    const [kept, cut] = [listen(server.url, { cookie: first.cookie }), listen(server.url, { cookie: second.cookie })];
    await Promise.all([kept.until('connect'), cut.until('connect')]);
    const began = performance.now();
    await call(server.url, `${ROUTES.devices}/${second.me.deviceId}`, { method: 'DELETE', cookie: first.cookie });
    expect((await call(server.url, ROUTES.me, { cookie: second.cookie })).status).toBe(401);
    await cut.until('revoked');
    await new Promise<void>((resolve) => (cut.socket.connected ? cut.socket.once('disconnect', () => resolve()) : resolve()));
    expect(performance.now() - began).toBeLessThan(1000);
    expect(kept.socket.connected).toBe(true);
    await listen(server.url, { cookie: second.cookie }).until('refused: device_revoked');
  });

  test('signing out closes the device’s connections, changing the password those of the others', async () => {
    const first = await signUp(server.url);
    const second = await signIn(server.url, { email: first.me.email, password: first.password });
    const [mine, other] = [listen(server.url, { cookie: first.cookie }), listen(server.url, { cookie: second.cookie })];
    await Promise.all([mine.until('connect'), other.until('connect')]);
    await call(server.url, ROUTES.password, {
      cookie: first.cookie,
      body: { oldPassword: first.password, newPassword: 'another password' },
    });
    await other.until('revoked');
    expect(mine.heard).toEqual(['connect']);
    await call(server.url, ROUTES.signOut, { method: 'POST', cookie: first.cookie });
    await mine.until('revoked');
  });

  test('a session that ends by itself is noticed on a connection that stays open', async () => {
    const own = await startTestServer({ recheckMs: 200 });
    const client = new Client({ connectionString: own.databaseUrl });
    await client.connect();
    try {
      const { cookie, me } = await signUp(own.url);
      const listener = listen(own.url, { cookie });
      await listener.until('connect');
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(listener.heard).toEqual(['connect']);
      await client.query('UPDATE session SET expires_at = now() WHERE user_id = $1', [me.userId]);
      await listener.until('revoked');
    } finally {
      await client.end();
      await own.stop();
    }
  });

  test('stopping the server is a lost connection, to which clients come back by themselves', async () => {
    const own = await startTestServer();
    const { cookie } = await signUp(own.url);
    const listener = listen(own.url, { cookie });
    await listener.until('connect');
    await own.stop();
    await listener.until('disconnect: transport close');
  });
});
