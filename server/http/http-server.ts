import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RequestHandler } from './router';

/** A connection on which no byte moves for this long is cut; slow uploads go on as long as they move. */
const IDLE_MS_MAX = 120_000;
const HEADERS_MS_MAX = 30_000;
/** Longer than the pause of usual proxies, so that they end idle connections, not we under their next request. */
const KEEP_ALIVE_MS = 75_000;
const POLL_MS = 20;

/** The server cannot start; the message is a sentence for the person who starts it. */
export class StartProblem extends Error {
  override name = 'StartProblem';
}

export interface HttpServer {
  readonly server: Server;
  /** Set before `listen`: what answers requests. */
  onRequest(handler: RequestHandler): void;
  /** Answers the port. Throws `StartProblem` when the address cannot be had. */
  listen(port: number, host: string): Promise<number>;
  /** Takes no new connections, waits for the requests in flight, at most `graceMs`, and then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

/** One HTTP/1.1 server for everything: interface, pages, uploads, sockets. */
export function createHttpServer(onFailure: (error: unknown) => void): HttpServer {
  let handler: RequestHandler = async (_, response) => void response.writeHead(503).end();
  const inFlight = new Set<ServerResponse>();
  let closing = false;
  const upgraded = new Set<Duplex>();
  const server = createServer((request, response) => {
    inFlight.add(response);
    response.once('close', () => inFlight.delete(response));
    if (closing) response.shouldKeepAlive = false;
    handler(request, response).catch((error: unknown) => {
      onFailure(error);
      response.destroy();
    });
  });
  // Node's limit for a whole request would answer 408 to slow uploads.
  server.requestTimeout = 0;
  server.headersTimeout = HEADERS_MS_MAX;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.timeout = IDLE_MS_MAX;
  server.on('upgrade', (_, socket) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
  });
  return {
    server,
    onRequest: (next) => {
      handler = next;
    },
    listen: (port, host) => listen(server, port, host),
    async close(graceMs) {
      closing = true;
      for (const response of inFlight) response.shouldKeepAlive = false;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const deadline = Date.now() + graceMs;
      while (inFlight.size > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      await closed;
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new StartProblem(sentenceOf(error, port, host), { cause: error })));
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

function sentenceOf(error: NodeJS.ErrnoException, port: number, host: string): string {
  if (error.code === 'EADDRINUSE')
    return `Port ${port} is in use by another program (perhaps Satchel is running already). Stop it, or choose another one: PORT=${port + 1}.`;
  if (error.code === 'EACCES')
    return `Port ${port} may not be opened by this user. Choose one above 1023, for example PORT=4747, and put a proxy in front.`;
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return `HOST=${host} is not an address of this machine. Choose 0.0.0.0 for all of them.`;
  return `The server could not listen on ${host}:${port} (${error.code ?? error.message}).`;
}
