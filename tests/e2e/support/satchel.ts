import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROUTES } from '@/lib/sync/protocol/routes';
import { freePort } from '../../support/free-port';
import { type FreshDatabase, freshDatabase } from '../../support/postgres';

/** The built server in a process of its own, on a database and a data folder of its own, behind a TCP proxy that can be cut. */
export interface Satchel {
  /** What browsers open: the proxy's address. */
  readonly url: string;
  readonly databaseUrl: string;
  readonly dataDir: string;
  /** Process id of the running server. */
  pid(): number;
  /** SIGKILL, as a crash or a power cut would. */
  kill(): Promise<void>;
  /** Starts it again on the same data. */
  start(): Promise<void>;
  /** Cuts every connection and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  /** Lets through this many more bytes from browsers, then nothing until `release`; connections stay open. */
  holdAfter(bytes: number): void;
  /** True while something is held back. */
  held(): boolean;
  release(): void;
  /** Bytes that browsers have sent so far. */
  received(): number;
  stop(): Promise<void>;
}

async function answers(url: string, child: ChildProcess, said: () => string): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (child.exitCode !== null) throw new Error(`the server stopped at once (${child.exitCode}):\n${said()}`);
    const ok = await fetch(url + ROUTES.info).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the server did not answer:\n${said()}`);
}

/** Starts everything; `npm test` has built `build/server.mjs` before. */
export async function startSatchel(
  env: Readonly<Record<string, string>> = {},
  options: { readonly direct?: boolean } = {},
): Promise<Satchel> {
  if (!existsSync('build/server.mjs')) throw new Error('build/server.mjs is missing: run `npm run build` first');
  const database: FreshDatabase = await freshDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), 'satchel-e2e-'));
  const [port, proxyPort] = [await freePort(), await freePort()];
  // Figures are measured without the proxy in between.
  const url = `http://localhost:${options.direct ? port : proxyPort}`;
  let child: ChildProcess | null = null;
  let said = '';
  const start = async (): Promise<void> => {
    said = '';
    child = spawn(process.execPath, ['build/server.mjs'], {
      env: {
        ...process.env,
        NODE_ENV: 'production',
        PORT: String(port),
        HOST: '127.0.0.1',
        PUBLIC_URL: url,
        DATABASE_URL: database.url,
        DATA_DIR: dataDir,
        LOG_LEVEL: 'warn',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout?.on('data', (data: Buffer) => (said += data.toString()));
    child.stderr?.on('data', (data: Buffer) => (said += data.toString()));
    await answers(`http://127.0.0.1:${port}`, child, () => said);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill(signal);
    await gone;
  };
  await start();
  const proxy = await startProxy(proxyPort, port);
  return {
    url,
    databaseUrl: database.url,
    dataDir,
    pid: () => child?.pid ?? 0,
    kill: () => end('SIGKILL'),
    start,
    cut: () => proxy.cut(),
    mend: () => proxy.mend(),
    holdAfter: (bytes) => proxy.holdAfter(bytes),
    held: () => proxy.held(),
    release: () => proxy.release(),
    received: () => proxy.received(),
    stop: async () => {
      await proxy.close();
      await end('SIGTERM');
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

interface Proxy extends Pick<Satchel, 'cut' | 'mend' | 'holdAfter' | 'held' | 'release' | 'received'> {
  close(): Promise<void>;
}

/** A TCP proxy that can be broken, because offline emulation cuts neither open sockets nor requests in flight. */
async function startProxy(port: number, target: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const pairs = new Map<Socket, Socket>();
  const held = new Set<Socket>();
  let broken = false;
  let received = 0;
  let holdAt = Number.POSITIVE_INFINITY;
  const hold = (client: Socket, upstream: Socket): void => {
    client.unpipe(upstream);
    client.pause();
    held.add(client);
  };
  const server: Server = createServer((client) => {
    if (broken) {
      client.destroy();
      return;
    }
    const upstream = createConnection({ port: target, host: '127.0.0.1' });
    pairs.set(client, upstream);
    client.on('data', (bytes: Buffer) => {
      received += bytes.length;
      if (received >= holdAt) hold(client, upstream);
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        pairs.delete(socket);
        held.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    cut: () => {
      broken = true;
      drop();
    },
    mend: () => {
      broken = false;
    },
    holdAfter: (bytes) => {
      holdAt = received + bytes;
    },
    held: () => received >= holdAt,
    release: () => {
      holdAt = Number.POSITIVE_INFINITY;
      for (const client of held) {
        const upstream = pairs.get(client);
        if (upstream !== undefined) client.pipe(upstream);
      }
      held.clear();
    },
    received: () => received,
    close: () =>
      new Promise((resolve) => {
        drop();
        server.close(() => resolve());
      }),
  };
}
