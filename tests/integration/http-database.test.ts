import { randomUUID } from 'node:crypto';
import { io } from 'socket.io-client';
import { expect, test } from 'vitest';
import type { Me } from '@/lib/sync/protocol/accounts';
import type { ErrorBody } from '@/lib/sync/protocol/error-codes';
import { ROUTES } from '@/lib/sync/protocol/routes';
import { startTestPostgres } from '../support/postgres';
import { call, signIn, signUp, startTestServer } from '../support/server';

test('while PostgreSQL is away every request says “unavailable”; when it is back everything goes on, sessions and sockets included', async () => {
  const first = await startTestPostgres();
  const server = await startTestServer({ databaseUrl: first.url, recheckMs: 100 });
  let postgres = first;
  try {
    const { cookie, me, password } = await signUp(server.url);
    const socket = io(server.url, { path: ROUTES.notices, transports: ['websocket'], extraHeaders: { cookie }, forceNew: true });
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    // The client hears that it is connected before the server has asked the database for its rooms.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const disconnects: string[] = [];
    socket.on('disconnect', (reason) => disconnects.push(reason));

    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      await postgres.stop(signal);
      const device = { deviceId: randomUUID(), deviceName: 'D' };
      const attempts = [
        call<ErrorBody>(server.url, ROUTES.me, { cookie }),
        call<ErrorBody>(server.url, ROUTES.devices, { cookie }),
        call<ErrorBody>(server.url, ROUTES.namespaces, { cookie }),
        call<ErrorBody>(server.url, ROUTES.signIn, { body: { email: me.email, password, ...device } }),
        call<ErrorBody>(server.url, ROUTES.signUp, { body: { email: `${randomUUID()}@example.org`, name: 'A', password, ...device } }),
        call<ErrorBody>(server.url, ROUTES.packs, { method: 'POST', cookie }),
      ];
      for (const answer of await Promise.all(attempts)) {
        expect([answer.status, answer.body.error.code, answer.headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
      }
      // Long enough for the re-check of open sockets to fail a few times.
      await new Promise((resolve) => setTimeout(resolve, 400));
      postgres = await startTestPostgres({ dataDir: first.dataDir, port: first.port });
      expect((await call<Me>(server.url, ROUTES.me, { cookie })).body).toEqual(me);
      expect((await signIn(server.url, { email: me.email, password })).me.userId).toBe(me.userId);
    }
    expect(disconnects).toEqual([]);
    socket.close();
  } finally {
    await server.stop();
    await postgres.stop();
    first.remove();
  }
});
