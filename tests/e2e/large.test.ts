import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bigFile } from '@/bench/support/workloads';
import { CSRF_HEADER, CSRF_VALUE, ROUTES } from '@/lib/sync/protocol/routes';
import { newProfile, type Profile, residentBytes } from './support/browser';
import { enterAccount, entryRow, transfersDone, uploadInput } from './support/page';
import { type Satchel, startSatchel } from './support/satchel';

describe('large things', () => {
  let satchel: Satchel;
  let page: Page;
  const profile: Profile = newProfile();
  const folder = mkdtempSync(join(tmpdir(), 'satchel-large-'));
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

  test('a file of 1 GiB goes up and comes down the same, page and server within 400 MB above idle', async () => {
    const path = bigFile(join(folder, 'giant.bin'), 1024 * 1024 * 1024);
    const idle = { page: profile.rendererBytes(), server: residentBytes(satchel.pid()) };
    let peakPage = 0;
    let peakServer = 0;
    const timer = setInterval(() => {
      peakPage = Math.max(peakPage, profile.rendererBytes() - idle.page);
      peakServer = Math.max(peakServer, residentBytes(satchel.pid()) - idle.server);
    }, 250);
    await uploadInput(page, 'files', path);
    await transfersDone(page, 1);
    const address = await page.evaluate(async () => {
      const name = (await indexedDB.databases()).map((d) => d.name ?? '').find((n) => /^satchel-[0-9a-f-]{36}$/.test(n)) as string;
      const database = await new Promise<IDBDatabase>((resolve) => {
        const open = indexedDB.open(name);
        open.onsuccess = () => resolve(open.result);
      });
      const rows = await new Promise<{ name: string; namespaceId: string; id: string; contentRevision: number }[]>((resolve) => {
        const all = database.transaction('entries').objectStore('entries').getAll();
        all.onsuccess = () => resolve(all.result);
      });
      database.close();
      const row = rows.find((candidate) => candidate.name === 'giant.bin');
      return `/api/v1/files/${row?.namespaceId}/${row?.id}/${row?.contentRevision}/content`;
    });
    const cookie = (await page.context().cookies()).map((c) => `${c.name}=${c.value}`).join('; ');
    const response = await fetch(satchel.url + address, { headers: { cookie } });
    const hash = createHash('sha256');
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) hash.update(bytes);
    clearInterval(timer);
    const expected = createHash('sha256');
    const { createReadStream } = await import('node:fs');
    for await (const bytes of createReadStream(path)) expected.update(bytes as Buffer);
    expect(hash.digest('hex')).toBe(expected.digest('hex'));
    expect(peakPage / 1e6).toBeLessThan(400);
    expect(peakServer / 1e6).toBeLessThan(400);
  });

  test('a folder of 100,000 entries opens, scrolls and jumps without drawing them all', async () => {
    const cookie = (await page.context().cookies()).map((c) => `${c.name}=${c.value}`).join('; ');
    const me = (await (await fetch(satchel.url + ROUTES.me, { headers: { cookie } })).json()) as { rootNamespaceId: string };
    const parent = randomUUID();
    const commit = async (operations: unknown[]): Promise<void> => {
      const response = await fetch(satchel.url + ROUTES.commit, {
        method: 'POST',
        headers: { cookie, 'content-type': 'application/json', origin: satchel.url, [CSRF_HEADER]: CSRF_VALUE },
        body: JSON.stringify({ requestId: randomUUID(), namespaceId: me.rootNamespaceId, operations }),
      });
      expect(await response.json()).toMatchObject({ ok: true });
    };
    await commit([{ kind: 'create_folder', entryId: parent, parentId: me.rootNamespaceId, name: 'Hundred thousand', mtime: 0 }]);
    for (let batch = 0; batch < 100; batch++) {
      await commit(
        Array.from({ length: 1000 }, (_, i) => ({
          kind: 'create_folder',
          entryId: randomUUID(),
          parentId: parent,
          name: `entry ${batch * 1000 + i + 1}`,
          mtime: i,
        })),
      );
    }
    await entryRow(page, 'Hundred thousand').waitFor({ timeout: 60_000 });
    await expect
      .poll(
        () =>
          page.evaluate(async () => {
            const name = (await indexedDB.databases()).map((d) => d.name ?? '').find((n) => /^satchel-[0-9a-f-]{36}$/.test(n)) as string;
            const database = await new Promise<IDBDatabase>((resolve) => {
              const open = indexedDB.open(name);
              open.onsuccess = () => resolve(open.result);
            });
            const count = await new Promise<number>((resolve) => {
              const request = database.transaction('entries').objectStore('entries').count();
              request.onsuccess = () => resolve(request.result);
            });
            database.close();
            return count;
          }),
        { timeout: 120_000 },
      )
      .toBeGreaterThanOrEqual(100_002);
    await entryRow(page, 'Hundred thousand').dblclick();
    await entryRow(page, 'entry 1').waitFor({ timeout: 15_000 });
    expect(await page.getByRole('row').count()).toBeLessThan(200);
    await entryRow(page, 'entry 1').click();
    await page.keyboard.press('End');
    await entryRow(page, 'entry 100000').waitFor({ timeout: 5000 });
    await page.keyboard.press('Home');
    await entryRow(page, 'entry 1').waitFor({ timeout: 5000 });
    for (let i = 0; i < 20; i++) await page.mouse.wheel(0, 5000);
    await expect.poll(() => page.getByRole('row', { name: /^entry \d+$/ }).count(), { timeout: 3000 }).toBeGreaterThan(5);
    expect(await page.getByRole('row').count()).toBeLessThan(200);
  });
});
