import { createWriteStream, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** The reference: a plain Node server that writes each PUT body to a file in `folder`, and a page with a file input. */
export async function startPlainPut(folder: string): Promise<{ url: string; stop(): Promise<void> }> {
  mkdirSync(folder, { recursive: true });
  let count = 0;
  const server = createServer((request, response) => {
    if (request.method !== 'PUT') {
      response
        .setHeader('content-type', 'text/html')
        .end('<!doctype html><input type=file multiple id=files><input type=file webkitdirectory id=folder>');
      return;
    }
    pipeline(request, createWriteStream(join(folder, String(count++)))).then(
      () => response.writeHead(204).end(),
      () => response.destroy(),
    );
  });
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://localhost:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
