import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OfflineRow, TransferRow } from '@/lib/sync/adapters/browser/database';
import { newProfile, type Profile } from '../support/browser';
import { type BytesPage, caller, pick, startBytesPage, until } from './bytes-page';

/** The service worker and the content this device keeps, in Chromium. */
const CONTENT = '/api/v1/files/00000000-0000-4000-8000-000000000002/00000000-0000-4000-8000-000000000009/1/content';
const BYTES = randomBytes(200_000);
let server: BytesPage;
let profile: Profile;
let page: Page;
let asked = 0;

const call = <T>(name: string, ...args: unknown[]): Promise<T> => caller(page)<T>(name, ...args);

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly hex: string;
}

function ask(address: string, headers: Record<string, string> = {}): Promise<Answer> {
  return page.evaluate(
    async ([url, given]) => {
      const response = await fetch(url, { headers: given, cache: 'no-store' });
      const bytes = new Uint8Array(await response.arrayBuffer());
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        hex: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''),
      };
    },
    [address, headers] as const,
  );
}

beforeEach(async () => {
  asked = 0;
  server = await startBytesPage();
  server.intercept((request, response) => {
    if (request.url?.startsWith(CONTENT) !== true) return false;
    asked++;
    response.writeHead(200, {
      'content-type': 'image/png',
      'content-length': BYTES.length,
      etag: '"digest"',
      'content-disposition': 'inline; filename="picture.png"',
      'content-security-policy': 'sandbox',
      'x-content-type-options': 'nosniff',
    });
    response.end(BYTES);
    return true;
  });
  profile = newProfile();
  page = await profile.open();
  await page.goto(server.origin);
  await page.evaluate(async () => {
    await navigator.serviceWorker.register('/service-worker.js');
    await navigator.serviceWorker.ready;
  });
  await page.reload();
  await call('open');
});

afterEach(async () => {
  await profile.remove();
  await server.close();
});

describe('offline content', { timeout: 60_000 }, () => {
  test('a pinned file opens offline, whole and in parts, with the server’s safety headers', async () => {
    await call('entry', { size: BYTES.length, digest: 'digest' });
    await call('offline', 1);
    await until(async () => (await call<OfflineRow[]>('offlineRows'))[0]?.state === 'present', 'present');
    await profile.context().setOffline(true);
    const before = asked;
    const whole = await ask(CONTENT);
    expect(whole).toMatchObject({ status: 200, hex: BYTES.toString('hex') });
    expect(whole.headers).toMatchObject({ etag: '"digest"', 'content-security-policy': 'sandbox', 'x-content-type-options': 'nosniff' });
    const part = await ask(CONTENT, { range: 'bytes=100-199' });
    expect(part).toMatchObject({ status: 206, hex: BYTES.subarray(100, 200).toString('hex') });
    expect(part.headers).toMatchObject({ 'content-range': `bytes 100-199/${BYTES.length}`, 'content-length': '100' });
    expect((await ask(CONTENT, { range: 'bytes=-5' })).hex).toBe(BYTES.subarray(-5).toString('hex'));
    expect((await ask(CONTENT, { range: `bytes=${BYTES.length}-` })).status).toBe(416);
    expect((await ask(CONTENT, { range: 'bytes=0-9', 'if-range': '"other"' })).status).toBe(200);
    expect((await ask(`${CONTENT}?download=1`)).headers['content-disposition']).toBe('attachment; filename="picture.png"');
    expect(asked).toBe(before);
    await page.reload();
    expect(await page.title()).toBe('bytes');
  });

  test('a file with the wrong length or digest is not kept', async () => {
    await call('entry', { size: BYTES.length, digest: 'other' });
    await call('offline', 1);
    await until(async () => asked > 0, 'asked');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await call<OfflineRow[]>('offlineRows'))[0]?.state).toBe('wanted');
    expect(await page.evaluate(async () => (await (await caches.open('satchel-content-v1')).keys()).length)).toBe(0);
  });

  test('what is neither kept nor reachable is answered with a sentence; what is not content is never kept', async () => {
    await call('entry', { size: BYTES.length });
    expect((await ask(CONTENT)).status).toBe(200);
    await profile.context().setOffline(true);
    const answer = await ask(CONTENT);
    expect(answer.status).toBe(503);
    expect(JSON.parse(Buffer.from(answer.hex, 'hex').toString())).toMatchObject({ error: { code: 'unavailable' } });
    await expect(ask('/api/v1/info')).rejects.toThrow();
  });

  test('bytes that are still on their way up open from staging, as something that cannot run', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'satchel-picked-'));
    const path = join(folder, 'page.html');
    writeFileSync(path, BYTES);
    const [id] = await pick(page, [path]);
    await until(async () => (await call<TransferRow[]>('rows'))[0]?.state === 'staged', 'staged');
    await call('entry', { size: BYTES.length, name: 'page.html', transferId: id });
    await profile.context().setOffline(true);
    const answer = await ask(CONTENT);
    expect(answer).toMatchObject({ status: 200, hex: BYTES.toString('hex') });
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(answer.headers['content-security-policy']).toContain('sandbox');
    rmSync(folder, { recursive: true });
  });
});
