import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { Pool } from 'pg';
import { API } from '@/lib/sync/protocol/routes';
import { Accounts } from './accounts/accounts';
import { createArgon2PasswordHasher } from './accounts/drivers/argon2-password-hasher';
import { createMemoryAttemptLimiter } from './accounts/drivers/memory-attempt-limiter';
import { createPrismaAccountStore } from './accounts/drivers/prisma-account-store';
import { isPrismaGone } from './accounts/drivers/prisma-gone';
import { createRandomTokenMaker } from './accounts/drivers/random-token-maker';
import { createGuard } from './accounts/guard';
import type { CookieScheme } from './accounts/session-cookie';
import { FsChunkStore } from './block-server/drivers/fs-chunk-store';
import { type Config, ConfigProblem } from './config';
import { PrismaClient } from './generated/prisma/client';
import { accountsRoutes } from './http/accounts-routes';
import { blockRoutes } from './http/block-routes';
import { createHttpServer, StartProblem } from './http/http-server';
import { infoRoute } from './http/info-route';
import { mayOpenSocket, type OriginRules } from './http/origin';
import { openPackUploads } from './http/pack-uploads';
import { openPages, type Pages } from './http/pages';
import { createRouter, type RequestHandler } from './http/router';
import { setCommonHeaders } from './http/security-headers';
import { createServerLog, type ServerLog } from './http/server-log';
import { syncRoutes } from './http/sync-routes';
import { migrate } from './metadata-server/drivers/migrate';
import { createPostgresChunkIndex } from './metadata-server/drivers/postgres-chunk-index';
import { createPostgresMetadataStore } from './metadata-server/drivers/postgres-metadata-store';
import { isDatabaseGone } from './metadata-server/drivers/postgres-transaction';
import { createMemoryRequestQueue } from './sync-service/drivers/memory-request-queue';
import { openSocketNotifier } from './sync-service/drivers/socket-notifier';
import { SyncService } from './sync-service/sync-service';

/** Failed sign-ins before one has to wait. A household or office shares one address, so there is more room by address than by account. */
const WINDOW_SECONDS = 15 * 60;
const ATTEMPTS_PER_ADDRESS = 100;
const ATTEMPTS_PER_EMAIL = 10;
const POOL_CONNECTIONS = 20;
const CONNECT_MS_MAX = 5_000;
const DATABASE_WAIT_MS = 15_000;
const SWEEP_MS = 60 * 60 * 1000;
const GRACE_MS = 10_000;
const systemClock = { now: () => Date.now() };

export interface StartOverrides {
  /** Root of the checkout: `prisma/`, `public/`, `.next/`. Default: the working folder. */
  readonly folder?: string;
  readonly dev?: boolean;
  readonly log?: ServerLog;
  /** How often open sockets are looked at again. */
  readonly recheckMs?: number;
}

export interface RunningServer {
  /** Where this machine reaches it. */
  readonly url: string;
  readonly port: number;
  /** Finishes the requests in flight (at most `graceMs`, 10 s), closes everything. Safe to call twice. */
  stop(graceMs?: number): Promise<void>;
}

/**
 * The composition root: the only place where drivers are made and rooms are put together. `main.ts` is its command line, tests call it directly.
 * Throws `ConfigProblem` and `StartProblem`, whose messages are sentences for people.
 */
export async function startServer(config: Config, overrides: StartOverrides = {}): Promise<RunningServer> {
  const { folder = process.cwd(), dev = false, log = createServerLog(config.logLevel) } = overrides;
  const closers: (() => Promise<unknown>)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close().catch((error: unknown) => log.warn('close_failed', { error }));
  };
  try {
    const databaseUrl = await migratedDatabase(config, folder);
    const pool = new Pool({
      connectionString: databaseUrl,
      max: POOL_CONNECTIONS,
      connectionTimeoutMillis: CONNECT_MS_MAX,
      application_name: 'satchel',
    });
    // An idle connection that breaks is replaced at the next use; unheard, the event would end the process.
    pool.on('error', (error) => log.warn('database_connection_lost', { error }));
    closers.push(() => pool.end());
    const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { disposeExternalPool: false }) });
    closers.push(() => prisma.$disconnect());

    const rules: OriginRules = { publicUrl: config.publicUrl, trustProxy: config.trustProxy };
    const http = createHttpServer((error) => log.error('request_failed', { error }));
    let graceMs = GRACE_MS;
    let pages: Pages | null = null;
    // Closed in the reverse order: sockets, then requests, then what answers them.
    closers.push(async () => pages?.close());
    closers.push(() => http.close(graceMs));
    const api = await openRooms({ config, folder, log, pool, prisma, rules, server: http.server, closers, recheckMs: overrides.recheckMs });
    if (config.pages) pages = await openPages({ folder, dev, httpServer: http.server, port: config.port, rules });
    http.onRequest(dispatcher({ api, pages: pages?.handle ?? api, rules, log }));
    const port = await http.listen(config.port, config.host);
    const shownHost = config.host === '0.0.0.0' || config.host === '::' ? 'localhost' : config.host;
    let stopping: Promise<void> | null = null;
    return {
      url: `http://${shownHost.includes(':') ? `[${shownHost}]` : shownHost}:${port}`,
      port,
      stop(grace = GRACE_MS) {
        graceMs = grace;
        stopping ??= closeAll();
        return stopping;
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function migratedDatabase({ databaseUrl }: Config, folder: string): Promise<string> {
  if (databaseUrl === null) {
    throw new ConfigProblem(
      'DATABASE_URL',
      'DATABASE_URL is not set. Start with “npm start”, which brings its own PostgreSQL, or give postgresql://user:password@host:5432/name.',
    );
  }
  const { hostname, port } = new URL(databaseUrl);
  const deadline = Date.now() + DATABASE_WAIT_MS;
  for (;;) {
    try {
      await migrate(databaseUrl, join(folder, 'prisma', 'migrations'));
      return databaseUrl;
    } catch (error) {
      if (!isDatabaseGone(error)) throw new StartProblem(`The database cannot be used: ${(error as Error).message}`, { cause: error });
      // Started together with us, it may need a moment.
      if (Date.now() > deadline) {
        throw new StartProblem(`PostgreSQL at ${hostname}:${port || 5432} does not answer. Start it, or correct DATABASE_URL.`, {
          cause: error,
        });
      }
      await new Promise((done) => setTimeout(done, 500));
    }
  }
}

interface Parts {
  readonly config: Config;
  readonly folder: string;
  readonly log: ServerLog;
  readonly pool: Pool;
  readonly prisma: PrismaClient;
  readonly rules: OriginRules;
  readonly server: Parameters<typeof openSocketNotifier>[0]['httpServer'];
  readonly closers: (() => Promise<unknown>)[];
  readonly recheckMs: number | undefined;
}

/** Builds every room and answers the handler of the server's own interface. */
async function openRooms({ config, folder, log, pool, prisma, rules, server, closers, recheckMs }: Parts): Promise<RequestHandler> {
  const metadata = createPostgresMetadataStore(pool);
  const index = createPostgresChunkIndex(pool);
  const dataDir = resolve(folder, config.dataDir);
  const store = new FsChunkStore(join(dataDir, 'packs'));
  const uploads = await openPackUploads({ dataDir, metadata, index, store, log });
  closers.unshift(() => uploads.close());

  const accountStore = createPrismaAccountStore(prisma);
  const tokens = createRandomTokenMaker();
  const cookieScheme: CookieScheme = config.publicUrl === null ? 'either' : config.publicUrl.startsWith('https:') ? 'https' : 'http';
  const { sessionDays, signUp } = config;
  const guard = createGuard({ store: accountStore, tokens, clock: systemClock, cookieScheme, sessionDays });
  const notifier = openSocketNotifier({
    httpServer: server,
    guard,
    metadata,
    mayOpen: (request) => mayOpenSocket(request, rules),
    log,
    recheckMs,
  });
  closers.push(() => notifier.close());
  const accounts = new Accounts({
    store: accountStore,
    metadata,
    notifier,
    passwords: createArgon2PasswordHasher(),
    tokens,
    clock: systemClock,
    limits: {
      address: createMemoryAttemptLimiter({ attempts: ATTEMPTS_PER_ADDRESS, seconds: WINDOW_SECONDS }),
      email: createMemoryAttemptLimiter({ attempts: ATTEMPTS_PER_EMAIL, seconds: WINDOW_SECONDS }),
      signUp: createMemoryAttemptLimiter({ attempts: config.signUpsPerHour, seconds: 60 * 60 }),
    },
    signUp,
    sessionDays,
  });
  const sweep = setInterval(() => accounts.sweep().catch((error: unknown) => log.warn('sweep_failed', { error })), SWEEP_MS);
  closers.push(async () => clearInterval(sweep));
  const service = new SyncService({ metadata, queue: createMemoryRequestQueue(), notifier, clock: systemClock });
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  const routes = [
    infoRoute({ accounts, version, signUp }),
    ...accountsRoutes({ accounts, rules, cookieScheme }),
    ...syncRoutes({ service }),
    ...blockRoutes({ metadata, index, store, uploads, log }),
  ];
  return createRouter({ routes, guard, rules, log, isDatabaseGone: (error) => isDatabaseGone(error) || isPrismaGone(error) });
}

/** The server's own interface first, everything else belongs to the pages. */
function dispatcher(parts: { api: RequestHandler; pages: RequestHandler; rules: OriginRules; log: ServerLog }): RequestHandler {
  const { api, pages, rules, log } = parts;
  return async (request, response) => {
    setCommonHeaders(request, response, rules);
    const path = (request.url ?? '/').split('?')[0] as string;
    const isApi = path === '/api' || path.startsWith('/api/');
    const began = performance.now();
    response.once('close', () => {
      // Paths of pages may hold what people named; those of the interface hold ids only.
      const about = { method: request.method, path: path.startsWith(`${API}/`) ? path : undefined, status: response.statusCode };
      log.debug('request', { ...about, ms: Math.round(performance.now() - began) });
    });
    await (isApi ? api : pages)(request, response);
  };
}
