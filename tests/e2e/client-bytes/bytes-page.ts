import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { type BlockServerUnderTest, startBlockServer } from '../../integration/blocks-harness';

const USER = '00000000-0000-4000-8000-000000000001';
const NAMESPACE = '00000000-0000-4000-8000-000000000002';

/** A page of its own origin with the worker of `bytes.worker.ts` on it, and a real block server behind. */
export interface BytesPage {
  readonly origin: string;
  readonly under: BlockServerUnderTest;
  /** Answers the next requests itself instead of the block server; null ends that. */
  intercept(handler: ((request: IncomingMessage, response: ServerResponse) => boolean) | null): void;
  close(): Promise<void>;
}

const HTML = `<!doctype html><meta charset="utf-8"><title>bytes</title><input type="file" multiple>
<script>
  const worker = new Worker('/bytes.worker.js');
  const waiting = new Map();
  let last = 0;
  worker.onmessage = ({ data }) => { const { resolve, reject } = waiting.get(data.id); waiting.delete(data.id); 'error' in data ? reject(new Error(data.error)) : resolve(data.value); };
  window.call = (call, ...args) => new Promise((resolve, reject) => { waiting.set(++last, { resolve, reject }); worker.postMessage({ id: last, call, args }); });
  window.picked = () => [...document.querySelector('input').files];
</script>`;

/** The worker as one script. */
export async function bundleWorker(entry: string, define: Readonly<Record<string, string>> = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    logLevel: 'error',
    define,
    alias: { '@': process.cwd() },
  });
  return outputFiles[0]?.text ?? '';
}

export async function startBytesPage(port = 0): Promise<BytesPage> {
  const dataDir = mkdtempSync(join(tmpdir(), 'satchel-bytes-'));
  const under = await startBlockServer(dataDir, port);
  under.metadata.roles.set(`${USER} ${NAMESPACE}`, 'owner');
  const script = await bundleWorker('tests/e2e/client-bytes/bytes.worker.ts');
  const serviceWorker = await bundleWorker('workers/service-worker.ts', { 'self.__WB_MANIFEST': '[{"url":"/","revision":"1"}]' });
  const blocks = under.server.listeners('request') as RequestListener[];
  let interceptor: ((request: IncomingMessage, response: ServerResponse) => boolean) | null = null;
  under.server.removeAllListeners('request');
  under.server.on('request', (request, response) => {
    if (request.url === '/') response.setHeader('content-type', 'text/html').end(HTML);
    else if (request.url === '/bytes.worker.js') response.setHeader('content-type', 'text/javascript').end(script);
    else if (request.url === '/service-worker.js') response.setHeader('content-type', 'text/javascript').end(serviceWorker);
    else if (!interceptor?.(request, response)) for (const listener of blocks) listener(request, response);
  });
  return {
    origin: under.origin.replace('127.0.0.1', 'localhost'),
    under,
    intercept: (handler) => {
      interceptor = handler;
    },
    close: async () => {
      await under.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Calls into the worker of the page. */
export function caller(page: Page) {
  return <T>(call: string, ...args: unknown[]): Promise<T> =>
    page.evaluate(([name, given]) => (window as unknown as { call(name: string, ...args: unknown[]): Promise<T> }).call(name, ...given), [
      call,
      args,
    ] as const);
}

/** Gives files on disk to the page's intake, as a person's pick would. Returns transfer ids. */
export async function pick(page: Page, paths: readonly string[]): Promise<string[]> {
  await page.setInputFiles('input', [...paths]);
  return page.evaluate(() => {
    const scope = window as unknown as { call(name: string, files: File[]): Promise<string[]>; picked(): File[] };
    return scope.call('add', scope.picked());
  });
}

/** Waits until `look` gives true. */
export async function until(look: () => Promise<boolean>, what: string, milliseconds = 30_000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!(await look())) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
