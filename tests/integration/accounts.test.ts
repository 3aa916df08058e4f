import { createHash, randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DeviceView, Me, ServerInfo } from '@/lib/sync/protocol/accounts';
import type { ErrorBody } from '@/lib/sync/protocol/error-codes';
import { ROUTES } from '@/lib/sync/protocol/routes';
import { call, cookieOf, signIn, signUp, startTestServer, type TestServer } from '../support/server';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

async function query<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
  const client = new Client({ connectionString: server.databaseUrl });
  await client.connect();
  try {
    return (await client.query<T>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

const meStatus = async (cookie: string) => (await call<ErrorBody>(server.url, ROUTES.me, { cookie })).status;
const codeOf = async (path: string, options: Parameters<typeof call>[2]) =>
  (await call<ErrorBody>(server.url, path, options)).body?.error?.code;

describe('the first account', () => {
  test('of many made at once, exactly one becomes administrator, and info then says so', async () => {
    const own = await startTestServer();
    try {
      expect((await call<ServerInfo>(own.url, ROUTES.info)).body).toMatchObject({ signUp: 'open', firstAccount: true });
      const made = await Promise.all(Array.from({ length: 8 }, () => signUp(own.url)));
      expect(made.filter(({ me }) => me.isAdmin)).toHaveLength(1);
      expect((await call<ServerInfo>(own.url, ROUTES.info)).body.firstAccount).toBe(false);
    } finally {
      await own.stop();
    }
  });

  test('is let in when sign-up is closed, and nobody after it, not even at the same moment', async () => {
    const own = await startTestServer({ config: { signUp: 'closed' } });
    try {
      const request = () => ({
        email: `${randomUUID()}@example.org`,
        name: 'A',
        password: 'long enough 1',
        deviceId: randomUUID(),
        deviceName: 'D',
      });
      const answers = await Promise.all([1, 2, 3].map(() => call<Me & ErrorBody>(own.url, ROUTES.signUp, { body: request() })));
      expect(answers.map((answer) => answer.status).sort()).toEqual([200, 403, 403]);
      const late = await call<ErrorBody>(own.url, ROUTES.signUp, { body: request() });
      expect([late.status, late.body.error.code]).toEqual([403, 'sign_up_closed']);
    } finally {
      await own.stop();
    }
  });
});

describe('sign-up', () => {
  test('signs in, makes the root namespace, and sets a cookie that scripts and other sites cannot use', async () => {
    const body = {
      email: ' Ada.Lovelace@Example.org ',
      name: 'Ada',
      password: 'analytical engine',
      deviceId: randomUUID(),
      deviceName: 'Chrome on Linux',
    };
    const answer = await call<Me>(server.url, ROUTES.signUp, { body });
    expect(answer.body).toMatchObject({ email: 'ada.lovelace@example.org', name: 'Ada', deviceId: body.deviceId });
    expect(answer.headers.get('set-cookie')).toMatch(/^satchel_session=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect((await call<Me>(server.url, ROUTES.me, { cookie: cookieOf(answer.headers) })).body).toEqual(answer.body);
    const members = await query('SELECT role FROM namespace_member WHERE namespace_id = $1 AND user_id = $2', [
      answer.body.rootNamespaceId,
      answer.body.userId,
    ]);
    expect(members).toEqual([{ role: 'owner' }]);
  });

  test('refuses a taken address in any case, also when two ask at once', async () => {
    const email = `${randomUUID()}@example.org`;
    const body = (address: string) => ({ email: address, name: 'A', password: 'long enough 1', deviceId: randomUUID(), deviceName: 'D' });
    const both = await Promise.all([
      call(server.url, ROUTES.signUp, { body: body(email) }),
      call(server.url, ROUTES.signUp, { body: body(email) }),
    ]);
    expect(both.map((answer) => answer.status).sort()).toEqual([200, 409]);
    expect(await codeOf(ROUTES.signUp, { body: body(email.toUpperCase()) })).toBe('email_taken');
  });

  test.each([
    ['a short password', { password: 'short' }],
    ['a broken address', { email: 'nobody' }],
    ['a device id that is none', { deviceId: 'x' }],
    ['an empty name', { name: '  ' }],
  ])('refuses %s without repeating it', async (_, wrong) => {
    const body = { email: 'x@example.org', name: 'A', password: 'long enough 1', deviceId: randomUUID(), deviceName: 'D', ...wrong };
    const answer = await call<ErrorBody>(server.url, ROUTES.signUp, { body });
    expect([answer.status, answer.body.error.code]).toEqual([400, 'bad_request']);
    expect(answer.body.error.detail).toMatchObject({ problems: [{ at: Object.keys(wrong)[0] }] });
    if ('password' in wrong) expect(JSON.stringify(answer.body)).not.toContain(wrong.password);
  });
});

describe('sign-in', () => {
  test('a wrong password and an unknown address get the same answer in the same time', async () => {
    const { me } = await signUp(server.url);
    const attempt = async (email: string) => {
      const began = performance.now();
      const answer = await call<ErrorBody>(server.url, ROUTES.signIn, {
        body: { email, password: 'wrong password', deviceId: randomUUID(), deviceName: 'D' },
      });
      return { answer: { status: answer.status, body: answer.body }, ms: performance.now() - began };
    };
    const [known, unknown] = [[await attempt(me.email)], [await attempt('no0@example.org')]];
    for (let n = 1; n < 9; n++) {
      known.push(await attempt(me.email));
      unknown.push(await attempt(`no${n}@example.org`));
    }
    expect(unknown[0]?.answer).toEqual(known[0]?.answer);
    expect(known[0]?.answer.body.error.code).toBe('wrong_credentials');
    // The fastest of each, because the machine does other things too. Without the decoy an unknown address takes 2 to 4 ms, a hash some 20.
    const fastest = (attempts: { ms: number }[]) => Math.min(...attempts.map(({ ms }) => ms));
    expect(fastest(unknown)).toBeGreaterThan(fastest(known) / 2);
  });

  test('on another device gives a second session; sign-out ends only its own', async () => {
    const first = await signUp(server.url);
    const second = await signIn(server.url, { email: first.me.email, password: first.password });
    expect(second.me.userId).toBe(first.me.userId);
    const out = await call(server.url, ROUTES.signOut, { method: 'POST', cookie: second.cookie });
    expect(out.status).toBe(200);
    expect(out.headers.get('set-cookie')).toMatch(/^satchel_session=; .*Max-Age=0$/);
    expect(await meStatus(second.cookie)).toBe(401);
    expect(await meStatus(first.cookie)).toBe(200);
  });

  test('again on the same device replaces its session', async () => {
    const first = await signUp(server.url);
    const again = await signIn(server.url, { email: first.me.email, password: first.password, deviceId: first.me.deviceId });
    expect([await meStatus(first.cookie), await meStatus(again.cookie)]).toEqual([401, 200]);
  });

  test('as somebody else in the same browser ends the session that the cookie held', async () => {
    const first = await signUp(server.url);
    const other = await signUp(server.url);
    const body = { email: other.me.email, password: other.password, deviceId: randomUUID(), deviceName: 'D' };
    await call(server.url, ROUTES.signIn, { cookie: first.cookie, body });
    expect(await meStatus(first.cookie)).toBe(401);
  });

  test('a session ends after its days without use, and moves along with use', async () => {
    const { cookie, me } = await signUp(server.url);
    const ago = (column: string, interval: string) =>
      query(`UPDATE session SET ${column} = now() - interval '${interval}' WHERE user_id = $1`, [me.userId]);
    await ago('last_seen_at', '2 minutes');
    await query("UPDATE session SET expires_at = now() + interval '1 minute' WHERE user_id = $1", [me.userId]);
    expect(await meStatus(cookie)).toBe(200);
    const [moved] = await query<{ days: string }>(
      'SELECT round(extract(epoch FROM expires_at - now()) / 86400) AS days FROM session WHERE user_id = $1',
      [me.userId],
    );
    expect(Number(moved?.days)).toBe(60);
    await ago('expires_at', '1 second');
    expect(await codeOf(ROUTES.me, { cookie })).toBe('not_signed_in');
  });

  test('the database holds neither token nor password in clear', async () => {
    const { cookie, me, password } = await signUp(server.url);
    const token = cookie.split('=')[1] as string;
    const [row] = await query<{ token_hash: Buffer; password_hash: string }>(
      'SELECT s.token_hash, u.password_hash FROM session s JOIN "user" u ON u.id = s.user_id WHERE u.id = $1',
      [me.userId],
    );
    expect(row?.token_hash.equals(createHash('sha256').update(token).digest())).toBe(true);
    expect(row?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    const tables = await query<{ name: string }>("SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'");
    for (const { name } of tables) {
      const dump = JSON.stringify(await query(`SELECT t::text FROM ${name} t`));
      expect(dump.includes(token) || dump.includes(password), name).toBe(false);
      expect(
        dump.includes(Buffer.from(token).toString('hex')) || dump.includes(Buffer.from(token, 'base64url').toString('hex')),
        name,
      ).toBe(false);
    }
  });
});

describe('rate limits', () => {
  test('the eleventh wrong password for an account has to wait, and so has the right one then', async () => {
    const own = await startTestServer();
    try {
      const { me, password } = await signUp(own.url);
      const attempt = (given: string) =>
        call<ErrorBody>(own.url, ROUTES.signIn, { body: { email: me.email, password: given, deviceId: randomUUID(), deviceName: 'D' } });
      for (let n = 0; n < 10; n++) expect((await attempt('wrong password')).status).toBe(401);
      const refused = await attempt(password);
      expect([refused.status, refused.body.error.code]).toEqual([429, 'too_many_requests']);
      const seconds = Number(refused.headers.get('retry-after'));
      expect(seconds).toBeGreaterThan(800);
      expect(refused.body.error.detail).toEqual({ retryAfterSeconds: seconds });
    } finally {
      await own.stop();
    }
  });

  test('right passwords are not counted', async () => {
    const { me, password } = await signUp(server.url);
    for (let n = 0; n < 12; n++) await signIn(server.url, { email: me.email, password, deviceId: me.deviceId });
  });

  test('sign-up is limited by address, which a client cannot choose unless a proxy is trusted', async () => {
    const own = await startTestServer({ config: { signUpsPerHour: 2 } });
    const proxied = await startTestServer({ config: { signUpsPerHour: 1, trustProxy: 1 } });
    const from = (url: string, address: string) =>
      call(url, ROUTES.signUp, {
        body: { email: `${randomUUID()}@example.org`, name: 'A', password: 'long enough 1', deviceId: randomUUID(), deviceName: 'D' },
        headers: { 'x-forwarded-for': address },
      });
    try {
      const statuses = [];
      for (const n of [1, 2, 3]) statuses.push((await from(own.url, `198.51.100.${n}`)).status);
      expect(statuses).toEqual([200, 200, 429]);
      expect((await from(proxied.url, '198.51.100.1')).status).toBe(200);
      expect((await from(proxied.url, '203.0.113.9, 198.51.100.1')).status).toBe(429);
      expect((await from(proxied.url, '2001:db8:1:2::1')).status).toBe(200);
      expect((await from(proxied.url, '2001:db8:1:2:ffff::7')).status).toBe(429);
    } finally {
      await own.stop();
      await proxied.stop();
    }
  });
});

describe('password change', () => {
  test('wants the old password, ends the other sessions and keeps this one', async () => {
    const first = await signUp(server.url);
    const second = await signIn(server.url, { email: first.me.email, password: first.password });
    const change = (oldPassword: string) =>
      call<ErrorBody>(server.url, ROUTES.password, { cookie: first.cookie, body: { oldPassword, newPassword: 'a better password' } });
    expect((await change('not this one')).body.error.code).toBe('wrong_credentials');
    expect(await meStatus(second.cookie)).toBe(200);
    expect((await change(first.password)).status).toBe(200);
    expect([await meStatus(first.cookie), await meStatus(second.cookie)]).toEqual([200, 401]);
    await expect(signIn(server.url, { email: first.me.email, password: first.password })).rejects.toThrow('wrong_credentials');
    await signIn(server.url, { email: first.me.email, password: 'a better password' });
  });
});

describe('devices', () => {
  const devices = async (cookie: string) => (await call<DeviceView[]>(server.url, ROUTES.devices, { cookie })).body;

  test('are listed with name and last use, and can be renamed by their owner only', async () => {
    const first = await signUp(server.url, { deviceName: 'Chrome on Linux' });
    const second = await signIn(server.url, { email: first.me.email, password: first.password, deviceName: 'Firefox on Android' });
    const list = await devices(first.cookie);
    expect(list.map(({ id, name, current }) => ({ id, name, current })).sort((a, b) => a.name.localeCompare(b.name))).toEqual([
      { id: first.me.deviceId, name: 'Chrome on Linux', current: true },
      { id: second.me.deviceId, name: 'Firefox on Android', current: false },
    ]);
    for (const device of list) expect(Math.abs(device.lastSeenAt - Date.now())).toBeLessThan(60_000);
    const rename = (cookie: string) =>
      call(server.url, `${ROUTES.devices}/${second.me.deviceId}`, { method: 'PATCH', cookie, body: { name: 'Phone' } });
    expect((await rename((await signUp(server.url)).cookie)).status).toBe(404);
    expect((await rename(first.cookie)).status).toBe(200);
    // Signing in again sends the browser's own guess; the person's name for it stays.
    await signIn(server.url, {
      email: first.me.email,
      password: first.password,
      deviceId: second.me.deviceId,
      deviceName: 'Firefox on Android',
    });
    expect((await devices(first.cookie)).map(({ name }) => name).sort()).toEqual(['Chrome on Linux', 'Phone']);
  });

  test('a revoked one is out at its next request, is told why, and may register anew with the right password', async () => {
    const first = await signUp(server.url);
    const second = await signIn(server.url, { email: first.me.email, password: first.password });
    const revoke = (cookie: string) => call<ErrorBody>(server.url, `${ROUTES.devices}/${second.me.deviceId}`, { method: 'DELETE', cookie });
    expect((await revoke((await signUp(server.url)).cookie)).body.error.code).toBe('not_found');
    expect(await meStatus(second.cookie)).toBe(200);
    expect((await revoke(first.cookie)).status).toBe(200);
    expect(await codeOf(ROUTES.me, { cookie: second.cookie })).toBe('device_revoked');
    expect((await devices(first.cookie)).map(({ id }) => id)).toEqual([first.me.deviceId]);
    expect((await revoke(first.cookie)).status).toBe(404);
    const again = await signIn(server.url, { email: first.me.email, password: first.password, deviceId: second.me.deviceId });
    expect(await meStatus(again.cookie)).toBe(200);
    // Coming back does not bring the old token back.
    expect(await codeOf(ROUTES.me, { cookie: second.cookie })).toBe('not_signed_in');
  });

  test('a disabled account is out, and cannot come in', async () => {
    const { cookie, me, password } = await signUp(server.url);
    await query('UPDATE "user" SET disabled_at = now() WHERE id = $1', [me.userId]);
    expect(await codeOf(ROUTES.me, { cookie })).toBe('not_signed_in');
    await expect(signIn(server.url, { email: me.email, password })).rejects.toThrow('403');
  });
});
