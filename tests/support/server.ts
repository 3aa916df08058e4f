import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Me, SignUp } from '@/lib/sync/protocol/accounts';
import { CSRF_HEADER, CSRF_VALUE, ROUTES } from '@/lib/sync/protocol/routes';
import { type Config, readConfig } from '@/server/config';
import { type StartOverrides, startServer } from '@/server/start-server';
import { freshDatabase } from './postgres';

/** The whole server in this process, without pages, on a database and a data folder of its own. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly databaseUrl: string;
  readonly dataDir: string;
  /** Stops it and removes what was made for it. */
  stop(): Promise<void>;
  /** Cuts every connection and stops at once; database and data folder stay, for `startTestServer({ databaseUrl, dataDir, port })`. A real SIGKILL needs a process of its own. */
  kill(): Promise<void>;
}

export interface TestServerOptions extends StartOverrides {
  /** Of a server that ran before; made, and removed by `stop`, when absent. */
  readonly databaseUrl?: string;
  readonly dataDir?: string;
  readonly port?: number;
  readonly config?: Partial<Config>;
}

/** Starts in some 200 ms. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { config, databaseUrl: givenUrl, dataDir: givenDir, port = 0, ...overrides } = options;
  const database = givenUrl === undefined ? await freshDatabase() : null;
  const databaseUrl = givenUrl ?? (database?.url as string);
  const dataDir = givenDir ?? (await mkdtemp(join(tmpdir(), 'satchel-test-data-')));
  const standard: Config = {
    ...readConfig({}),
    host: '127.0.0.1',
    port,
    databaseUrl,
    dataDir,
    pages: false,
    logLevel: 'silent',
    signUpsPerHour: 100_000,
  };
  const server = await startServer({ ...standard, ...config }, overrides);
  return {
    url: server.url,
    port: server.port,
    databaseUrl,
    dataDir,
    async stop() {
      await server.stop(500);
      await database?.drop();
      if (givenDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
    kill: () => server.stop(0),
  };
}

export interface ApiCall {
  readonly method?: string;
  /** `name=value` of the session cookie. */
  readonly cookie?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request as our own page would send it: origin, CSRF header, cookie. Answers status, headers and parsed JSON. */
export async function call<T = unknown>(url: string, path: string, { method, cookie, body, headers }: ApiCall = {}) {
  const response = await fetch(url + path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      origin: url,
      [CSRF_HEADER]: CSRF_VALUE,
      ...(cookie === undefined ? {} : { cookie }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === '' ? null : JSON.parse(text)) as T };
}

/** The session cookie of an answer, as a client sends it back; empty when it sets none. */
export function cookieOf(headers: Headers): string {
  return headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

export interface SignedUp {
  readonly cookie: string;
  readonly me: Me;
  readonly password: string;
}

/** Makes an account, with made-up values for what is not given. Throws when it is refused. */
export async function signUp(url: string, given: Partial<SignUp> = {}): Promise<SignedUp> {
  const deviceId = given.deviceId ?? randomUUID();
  const request = {
    email: `${randomUUID()}@example.org`,
    name: 'Ada',
    password: 'correct horse battery',
    deviceName: 'Test',
    ...given,
    deviceId,
  };
  const answer = await call<Me>(url, ROUTES.signUp, { body: request });
  if (answer.status !== 200) throw new Error(`sign-up: ${answer.status} ${JSON.stringify(answer.body)}`);
  return { cookie: cookieOf(answer.headers), me: answer.body, password: request.password };
}

/** Signs in, on a new device unless one is given. Throws when it is refused. */
export async function signIn(
  url: string,
  given: { email: string; password: string; deviceId?: string; deviceName?: string },
): Promise<SignedUp> {
  const answer = await call<Me>(url, ROUTES.signIn, { body: { deviceId: randomUUID(), deviceName: 'Second test', ...given } });
  if (answer.status !== 200) throw new Error(`sign-in: ${answer.status} ${JSON.stringify(answer.body)}`);
  return { cookie: cookieOf(answer.headers), me: answer.body, password: given.password };
}
