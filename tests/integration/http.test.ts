import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REQUEST_BYTES_MAX } from '@/lib/sync/model/limits';
import { ERRORS, type ErrorBody } from '@/lib/sync/protocol/error-codes';
import { API, CSRF_HEADER, CSRF_VALUE, ROUTES } from '@/lib/sync/protocol/routes';
import { call, cookieOf, signUp, startTestServer, type TestServer } from '../support/server';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

interface Raw {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** A request with exactly these headers: fetch would add its own. */
function raw(
  path: string,
  { method = 'GET', headers = {}, body }: Raw = {},
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port: server.port, path, method, headers }, (response) => {
      let text = '';
      response.on('data', (part) => (text += String(part)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const codeOf = (text: string) => (JSON.parse(text) as ErrorBody).error.code;
const json = { 'content-type': 'application/json' };

describe('addresses', () => {
  test.each(['/api', '/api/', `${API}/nothing`, `${API}/info/`, '/api/v2/info', `${ROUTES.devices}/a/b`, `${ROUTES.devices}/%E0%A4`])(
    '%s is answered not_found, as JSON',
    async (path) => {
      const answer = await raw(path);
      expect([answer.status, codeOf(answer.text), answer.headers['content-type']]).toEqual([
        404,
        'not_found',
        'application/json; charset=utf-8',
      ]);
    },
  );

  test('an address asked with another method says which it takes', async () => {
    const answer = await raw(ROUTES.me, { method: 'PUT' });
    expect([answer.status, answer.headers.allow, codeOf(answer.text)]).toEqual([405, 'GET', 'bad_request']);
    expect((await raw(ROUTES.me, { method: 'OPTIONS' })).headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('HEAD is answered like GET without the bytes', async () => {
    const [get, head] = [await raw(ROUTES.info), await raw(ROUTES.info, { method: 'HEAD' })];
    expect([head.status, head.text, head.headers['content-length']]).toEqual([200, '', get.headers['content-length']]);
  });

  test('every answer carries the headers that keep browsers from guessing, framing and caching', async () => {
    for (const path of [ROUTES.info, `${API}/nothing`]) {
      expect((await raw(path)).headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'same-origin',
        'content-security-policy': "default-src 'none'; frame-ancestors 'self'",
        'cache-control': 'no-store',
      });
    }
  });

  test('what needs a sign-in says so before it looks at anything else', async () => {
    for (const [method, path] of [
      ['GET', ROUTES.me],
      ['GET', ROUTES.devices],
      ['POST', ROUTES.password],
      ['POST', ROUTES.missing],
      ['POST', ROUTES.packs],
    ] as const) {
      const answer = await call<ErrorBody>(server.url, path, { method });
      expect([path, answer.status, answer.body.error]).toEqual([
        path,
        401,
        { code: 'not_signed_in', message: ERRORS.not_signed_in.sentence },
      ]);
    }
    for (const cookie of ['satchel_session=', 'satchel_session=short', `satchel_session=${'A'.repeat(43)}`, `other=${'A'.repeat(43)}`]) {
      expect((await call(server.url, ROUTES.me, { cookie })).status).toBe(401);
    }
  });
});

describe('requests from other sites', () => {
  const own = () => `http://127.0.0.1:${server.port}`;
  const header = { [CSRF_HEADER]: CSRF_VALUE };
  const attempt = async (headers: Record<string, string>, method = 'POST', path: string = ROUTES.signOut) =>
    (await raw(path, { method, headers })).status;

  test('an unsafe request needs our origin and our header', async () => {
    expect(await attempt({ origin: own(), ...header })).toBe(200);
    expect(await attempt({ 'sec-fetch-site': 'same-origin', ...header })).toBe(200);
    // Behind a proxy that was not configured the browser's own word still counts.
    expect(await attempt({ origin: 'https://files.example.org', 'sec-fetch-site': 'same-origin', ...header })).toBe(200);
    const refused: Record<string, string>[] = [
      {},
      header,
      { origin: own() },
      { 'sec-fetch-site': 'same-origin' },
      { origin: 'https://evil.example', ...header },
      { origin: 'null', ...header },
      { origin: `http://127.0.0.1:${server.port + 1}`, ...header },
      { origin: own().replace('http', 'https'), ...header },
      { 'sec-fetch-site': 'same-site', ...header },
      { 'sec-fetch-site': 'cross-site', origin: own(), ...header },
      { 'sec-fetch-site': 'none', ...header },
    ];
    for (const headers of refused) expect(await attempt(headers), JSON.stringify(headers)).toBe(403);
    const answer = await raw(ROUTES.signIn, {
      method: 'POST',
      headers: { ...json, origin: 'https://evil.example', ...header },
      body: '{}',
    });
    expect(codeOf(answer.text)).toBe('foreign_origin');
  });

  test('a cookie does not help another site, whatever the method or its disguise', async () => {
    const { cookie, me } = await signUp(server.url);
    const foreign = { cookie, origin: 'https://evil.example', ...header };
    expect(await attempt(foreign, 'DELETE', `${ROUTES.devices}/${me.deviceId}`)).toBe(403);
    expect(await attempt(foreign, 'PATCH', `${ROUTES.devices}/${me.deviceId}`)).toBe(403);
    expect(await attempt(foreign, 'PATCH', `${ROUTES.packs}/${randomUUID()}`)).toBe(403);
    expect(await attempt({ ...foreign, 'x-http-method-override': 'PATCH' }, 'GET', `${ROUTES.packs}/${randomUUID()}`)).toBe(403);
    expect(await attempt({ cookie }, 'GET', ROUTES.me)).toBe(200);
  });

  test('a form, which cannot carry the header, is let in from our own origin only', async () => {
    const { cookie } = await signUp(server.url);
    const form = { cookie, 'content-type': 'application/x-www-form-urlencoded' };
    expect(await attempt({ ...form, origin: own() }, 'POST', ROUTES.zip)).not.toBe(403);
    expect(await attempt({ ...form, origin: 'https://evil.example' }, 'POST', ROUTES.zip)).toBe(403);
    expect(await attempt(form, 'POST', ROUTES.zip)).toBe(403);
  });

  test('PUBLIC_URL decides, and https makes the cookie Secure and bound to the host', async () => {
    const https = await startTestServer({ config: { publicUrl: 'https://files.example.org' } });
    try {
      const body = { email: 'a@example.org', name: 'A', password: 'long enough 1', deviceId: randomUUID(), deviceName: 'D' };
      expect((await call(https.url, ROUTES.signUp, { body })).status).toBe(403);
      const answer = await call(https.url, ROUTES.signUp, { body, headers: { origin: 'https://files.example.org' } });
      expect(answer.headers.get('set-cookie')).toMatch(
        /^__Host-satchel_session=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=\d+$/,
      );
      expect(answer.headers.get('strict-transport-security')).toMatch(/^max-age=\d+$/);
      const cookie = cookieOf(answer.headers);
      expect((await call(https.url, ROUTES.me, { cookie })).status).toBe(200);
      // A plain cookie could have been planted by a neighbouring host.
      expect((await call(https.url, ROUTES.me, { cookie: cookie.replace('__Host-', '') })).status).toBe(401);
    } finally {
      await https.stop();
    }
  });

  test('X-Forwarded-Proto counts from a trusted proxy only', async () => {
    const proxied = await startTestServer({ config: { trustProxy: 1 } });
    const body = () => ({
      email: `${randomUUID()}@example.org`,
      name: 'A',
      password: 'long enough 1',
      deviceId: randomUUID(),
      deviceName: 'D',
    });
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'files.example.org', origin: 'https://files.example.org' };
    try {
      expect((await call(proxied.url, ROUTES.signUp, { body: body(), headers })).headers.get('set-cookie')).toMatch(/^__Host-.*; Secure/);
      expect((await call(server.url, ROUTES.signUp, { body: body(), headers })).status).toBe(403);
    } finally {
      await proxied.stop();
    }
  });
});

/** Sends a head and then, when `endless`, chunks until it is answered; answers what the server said and how long it took to cut the connection. */
function flood(head: string, endless: boolean): Promise<{ heard: string; ms: number }> {
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
  return new Promise((resolve) => {
    const began = performance.now();
    const socket = connect(server.port, '127.0.0.1');
    let heard = '';
    const pour = () => {
      while (endless && heard === '' && socket.writable) if (!socket.write(chunk)) return void socket.once('drain', pour);
    };
    socket.on('data', (part) => (heard += String(part)));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve({ heard, ms: performance.now() - began }));
    socket.write(head);
    pour();
  });
}

describe('bodies', () => {
  const send = (body: string, headers: Record<string, string> = {}) =>
    raw(ROUTES.signIn, {
      method: 'POST',
      headers: { ...json, origin: `http://127.0.0.1:${server.port}`, [CSRF_HEADER]: CSRF_VALUE, ...headers },
      body,
    });

  test.each([
    ['broken JSON', '{"email":', {}],
    ['nothing', '', {}],
    ['another type', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['JSON of another form', '[1,2]', {}],
    ['null', 'null', {}],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]).toString('latin1'), { 'content-length': '6' }],
    ['a prototype', '{"__proto__":{"email":"a@example.org"}}', {}],
  ])('%s is a bad request', async (_, body, headers) => {
    const answer = await send(body, headers);
    expect([answer.status, codeOf(answer.text)]).toEqual([400, 'bad_request']);
  });

  test('one that is too large is refused, announced or not, and not read to its end', async () => {
    const { cookie } = await signUp(server.url);
    const kinds = [
      { path: ROUTES.signIn, bytesMax: 64 * 1024 },
      { path: ROUTES.password, bytesMax: REQUEST_BYTES_MAX },
    ];
    const attempts = kinds.flatMap(({ path, bytesMax }) => {
      const head = [
        `POST ${path} HTTP/1.1`,
        'Host: x',
        'Content-Type: application/json',
        'Sec-Fetch-Site: same-origin',
        `${CSRF_HEADER}: 1`,
        `Cookie: ${cookie}`,
      ];
      const send = (how: string, endless: boolean) => flood([...head, how, '', ''].join('\r\n'), endless);
      return [send(`Content-Length: ${bytesMax + 1}`, false), send('Transfer-Encoding: chunked', true)];
    });
    for (const { heard, ms } of await Promise.all(attempts)) {
      expect(heard).toMatch(/^HTTP\/1.1 413 [\s\S]*"too_large"/);
      expect(ms).toBeLessThan(15_000);
    }
  });

  test('a request that takes none refuses one', async () => {
    const { cookie } = await signUp(server.url);
    const answer = await raw(ROUTES.me, { headers: { cookie, 'content-length': '2' }, body: 'hi' });
    expect([answer.status, codeOf(answer.text)]).toEqual([400, 'bad_request']);
  });

  test('garbage instead of HTTP does not disturb the others', async () => {
    const socket = connect(server.port, '127.0.0.1');
    const text = await new Promise<string>((resolve) => {
      let heard = '';
      socket.on('data', (part) => (heard += String(part)));
      socket.on('close', () => resolve(heard));
      socket.write('\x16\x03\x01 this is no HTTP\r\n\r\n');
    });
    expect(text).toMatch(/^HTTP\/1.1 400/);
    expect((await raw(ROUTES.info)).status).toBe(200);
    expect((await raw('//[')).status).toBe(400);
  });
});
