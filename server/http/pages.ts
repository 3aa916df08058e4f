import { readFile, stat } from 'node:fs/promises';
import type { Server, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { OriginRules } from './origin';
import type { RequestHandler } from './router';
import { inlineScriptsOfBuild, setPageHeaders } from './security-headers';

export interface Pages {
  readonly handle: RequestHandler;
  close(): Promise<void>;
}

/** Scripts with fixed names: browsers must ask for a newer one each time, or a page would run with last month's worker. */
const WORKER = /^\/(?:service-worker\.js|workers\/[a-z0-9.-]+\.js)(?:\.map)?$/;

/** Opens the pages: Next for everything, except the workers' scripts. `folder` is the root of the checkout. */
export async function openPages(options: {
  readonly folder: string;
  readonly dev: boolean;
  readonly httpServer: Server;
  readonly port: number;
  readonly rules: OriginRules;
}): Promise<Pages> {
  const { folder, dev, httpServer, port, rules } = options;
  // Only here, because it takes half a second that a server without pages need not wait.
  const { default: next } = await import('next');
  const app = next({ dev, dir: folder, httpServer, hostname: 'localhost', port });
  await app.prepare();
  const render = app.getRequestHandler();
  const scriptHashes = dev ? [] : await inlineScriptsOfBuild(join(folder, '.next', 'server', 'app'));
  return {
    handle: async (request, response) => {
      setPageHeaders(request, response, { scriptHashes, rules, dev });
      const path = (request.url ?? '/').split('?')[0] as string;
      // Next would let proxies keep a page for a year; files under /_next/ have a hash in their name and may stay as long.
      if (!path.startsWith('/_next/')) response.setHeader('cache-control', 'no-cache');
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      if (isRead && WORKER.test(path)) await sendWorker(response, join(folder, 'public', path), request.headers['if-none-match']);
      else await render(request, response);
    },
    close: () => app.close(),
  };
}

async function sendWorker(response: ServerResponse, path: string, known: string | undefined): Promise<void> {
  const about = await stat(path).catch(() => null);
  if (!about?.isFile()) {
    response.statusCode = 404;
    response.end();
    return;
  }
  const etag = `"${about.size.toString(36)}-${Math.trunc(about.mtimeMs).toString(36)}"`;
  response.setHeader('etag', etag);
  if (known === etag) {
    response.statusCode = 304;
    response.end();
    return;
  }
  const bytes = await readFile(path);
  response.setHeader('content-type', path.endsWith('.map') ? 'application/json' : 'text/javascript; charset=utf-8');
  response.setHeader('content-length', bytes.length);
  response.end(bytes);
}
