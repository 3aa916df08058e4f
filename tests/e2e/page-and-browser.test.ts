import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dialog, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keystream } from '@/bench/support/workloads';
import { newProfile, type Profile } from './support/browser';
import { contentSha256, enterAccount, entryRow, transferCounts, transfersDone, uploadInput } from './support/page';
import { type Satchel, startSatchel } from './support/satchel';

/** Passes requests on to the server; `version` is written behind the service worker's script, as a new build would change it. */
async function versionedServer(
  target: string,
): Promise<{ readonly url: string; setVersion(version: number): void; close(): Promise<void> }> {
  let version = 1;
  const server: Server = createServer((incoming, answer) => {
    const passed = request(target + incoming.url, { method: incoming.method, headers: incoming.headers }, (response) => {
      const isScript = incoming.url === '/service-worker.js';
      const headers = { ...response.headers };
      if (isScript) for (const name of ['content-length', 'etag', 'last-modified']) delete headers[name];
      answer.writeHead(response.statusCode ?? 500, headers);
      if (!isScript) {
        response.pipe(answer);
        return;
      }
      response.on('data', (bytes: Buffer) => answer.write(bytes));
      response.on('end', () => answer.end(`\n// version ${version}\n`));
    });
    passed.on('error', () => answer.destroy());
    // Asked for as it is: what is compressed cannot be added to.
    passed.removeHeader('accept-encoding');
    passed.removeHeader('if-none-match');
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    setVersion: (next) => {
      version = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

describe('the page and its browser', () => {
  let satchel: Satchel;
  let page: Page;
  const profile: Profile = newProfile();
  const folder = mkdtempSync(join(tmpdir(), 'satchel-page-'));
  beforeAll(async () => {
    satchel = await startSatchel();
    page = await profile.open();
    await enterAccount(page, satchel.url, 'ada@example.org');
  });
  afterAll(async () => {
    await profile.remove();
    await satchel.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a new version is told of, and takes over when the person says so', async () => {
    const server = await versionedServer(satchel.url);
    const other = newProfile();
    try {
      const visitor = await other.open();
      await visitor.goto(`${server.url}/sign-in`);
      await visitor.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      await visitor.reload();
      await visitor.getByRole('button', { name: 'Sign in' }).waitFor();
      expect(await visitor.getByText('A new version is ready').count()).toBe(0);
      server.setVersion(2);
      await visitor.reload();
      await visitor.getByText('A new version is ready').waitFor({ timeout: 60_000 });
      const standing = (): Promise<readonly boolean[]> =>
        visitor.evaluate(async () => {
          const registration = await navigator.serviceWorker.getRegistration();
          return [registration?.waiting != null, registration?.active != null];
        });
      expect(await standing()).toEqual([true, true]);
      const loaded = visitor.waitForEvent('load');
      await visitor.getByRole('status').getByRole('button', { name: 'Reload' }).click();
      await loaded;
      await visitor.getByRole('button', { name: 'Sign in' }).waitFor();
      await expect.poll(standing, { timeout: 30_000 }).toEqual([false, true]);
      expect(await visitor.getByText('A new version is ready').count()).toBe(0);
    } finally {
      await other.remove();
      await server.close();
    }
  });

  test('opened without HTTPS it says what is missing', async () => {
    const other = newProfile({ args: ['--host-resolver-rules=MAP satchel.test 127.0.0.1'] });
    try {
      const visitor = await other.open();
      await visitor.goto(satchel.url.replace('localhost', 'satchel.test'));
      await visitor.getByText('This page was opened without HTTPS').waitFor();
      expect(await visitor.evaluate(() => isSecureContext)).toBe(false);
    } finally {
      await other.remove();
    }
  });

  test('pasted files are uploaded', async () => {
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(['pasted'], 'pasted.txt', { type: 'text/plain' }));
      data.items.add(new File(['pasted too'], 'pasted too.txt', { type: 'text/plain' }));
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    });
    await transfersDone(page, 2);
    await entryRow(page, 'pasted too.txt').waitFor();
    expect(await contentSha256(page, 'pasted.txt')).toBe(createHash('sha256').update('pasted').digest('hex'));
  });

  test('the browser asks before a page is closed that still holds what is nowhere else', async () => {
    const path = join(folder, 'unsafe.bin');
    writeFileSync(path, keystream('unsafe')(20_000_000));
    const cdp = await profile.context().newCDPSession(page);
    const { usage } = await cdp.send('Storage.getUsageAndQuota', { origin: satchel.url });
    await cdp.send('Storage.overrideQuotaForOrigin', { origin: satchel.url, quotaSize: usage + 5_000_000 });
    satchel.cut();
    await uploadInput(page, 'files', path);
    await expect.poll(async () => (await transferCounts(page)).failed, { timeout: 60_000 }).toBe(1);
    // There is no room to bring it to safety: tried again, it is sent from where it is, and is lost with the page.
    await page.getByRole('button', { name: 'Retry all' }).click();
    await expect.poll(async () => (await transferCounts(page)).staging, { timeout: 60_000 }).toBe(1);
    await page.getByRole('button', { name: 'Pause all' }).waitFor();
    const asked = new Promise<Dialog>((resolve) => page.once('dialog', resolve));
    await page.close({ runBeforeUnload: true });
    const dialog = await asked;
    expect(dialog.type()).toBe('beforeunload');
    await dialog.dismiss();
    satchel.mend();
    await transfersDone(page, 3);
    expect(await contentSha256(page, 'unsafe.bin')).toBe(createHash('sha256').update(keystream('unsafe')(20_000_000)).digest('hex'));
    // Now it is on the server: nothing is asked.
    let again = 0;
    page.on('dialog', () => again++);
    await page.close({ runBeforeUnload: true });
    await expect.poll(() => page.isClosed(), { timeout: 30_000 }).toBe(true);
    expect(again).toBe(0);
  });
});
