import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keystream } from '@/bench/support/workloads';
import type { EntryRow, OfflineRow } from '@/lib/sync/adapters/browser/database';
import { newProfile, type Profile } from './support/browser';
import { contentSha256, enterAccount, entryRow, transfersDone, uploadInput } from './support/page';
import { type Satchel, startSatchel } from './support/satchel';
import { readTable, writeRow } from './support/store';

const MEGABYTE = 1_000_000;

/** Two devices of one person: files come from the first, and are kept on the second. */
describe('what is kept offline', () => {
  let satchel: Satchel;
  let giving: Page;
  let keeping: Page;
  const givingProfile: Profile = newProfile();
  const keepingProfile: Profile = newProfile();
  const folder = mkdtempSync(join(tmpdir(), 'satchel-pins-'));
  let uploads = 0;

  const write = (path: string, seed: string, bytes = 20_000): string => {
    const content = keystream(seed)(bytes);
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
    return createHash('sha256').update(content).digest('hex');
  };
  const uploaded = async (files: number): Promise<void> => {
    uploads += files;
    await transfersDone(giving, uploads, 60_000);
  };
  /** How the second device keeps the file of this name; undefined when it does not. */
  const kept = async (name: string): Promise<OfflineRow | undefined> => {
    const entry = (await readTable<EntryRow>(keeping, 'entries')).find((row) => row.name === name && row.live === 1);
    return (await readTable<OfflineRow>(keeping, 'offline')).find(({ entryId }) => entryId === entry?.id);
  };
  const keptAs = (name: string, wanted: Partial<OfflineRow> | undefined): Promise<void> => {
    const matches = async (): Promise<boolean> => {
      const row = await kept(name);
      if (row === undefined || wanted === undefined) return row === wanted;
      return Object.entries(wanted).every(([key, value]) => row[key as keyof OfflineRow] === value);
    };
    return expect.poll(matches, { timeout: 60_000, message: `${name}: ${JSON.stringify(wanted)}` }).toBe(true);
  };
  const cached = (): Promise<number> => keeping.evaluate(async () => (await (await caches.open('satchel-content-v1')).keys()).length);
  const menu = async (page: Page, name: string, item: string): Promise<void> => {
    await entryRow(page, name).click({ button: 'right' });
    await page.getByRole('menuitem', { name: item }).click();
  };
  const goto = async (path: string): Promise<void> => {
    await keeping.goto(satchel.url + path);
    await keeping.getByRole('main').waitFor();
  };

  beforeAll(async () => {
    satchel = await startSatchel();
    giving = await givingProfile.open();
    await enterAccount(giving, satchel.url, 'ada@example.org');
    keeping = await keepingProfile.open();
    await keeping.addInitScript(() => {
      // The browser's own answer, and how often it was asked.
      const { storage } = navigator;
      const persist = storage.persist.bind(storage);
      storage.persist = () => {
        localStorage.setItem('asked', String(Number(localStorage.getItem('asked') ?? 0) + 1));
        return persist();
      };
    });
    await enterAccount(keeping, satchel.url, 'ada@example.org', { signIn: true });
    await keeping.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await keeping.reload();
    write('trip/plan.txt', 'plan');
    write('trip/deep/map.bin', 'map');
    write('single.bin', 'single');
    await uploadInput(giving, 'folder', join(folder, 'trip'));
    await uploaded(2);
    await uploadInput(giving, 'files', join(folder, 'single.bin'));
    await uploaded(1);
    await entryRow(keeping, 'trip').waitFor({ timeout: 30_000 });
    await entryRow(keeping, 'single.bin').waitFor({ timeout: 30_000 });
  });
  afterAll(async () => {
    await givingProfile.remove();
    await keepingProfile.remove();
    await satchel.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a folder is kept with everything below it, and the browser is asked to keep its storage', async () => {
    expect(await keeping.evaluate(() => localStorage.getItem('asked'))).toBeNull();
    await menu(keeping, 'trip', 'Keep offline');
    await keptAs('plan.txt', { pinned: 1, state: 'present' });
    await keptAs('map.bin', { pinned: 1, state: 'present' });
    expect(await kept('single.bin')).toBeUndefined();
    await expect.poll(() => keeping.evaluate(() => localStorage.getItem('asked'))).toBe('1');
    await entryRow(keeping, 'trip').getByRole('img', { name: 'Kept for offline use' }).waitFor();
    await goto('/offline');
    await entryRow(keeping, 'trip').getByText('2 files · 40 kB · Kept').waitFor();
    await goto('/settings');
    await keeping.getByText('The browser may clear it when the disk is full').waitFor();
    await goto('/files');
  });

  test('what comes into the folder later is kept too, and what is written anew is fetched anew', async () => {
    await entryRow(giving, 'trip').dblclick();
    await entryRow(giving, 'plan.txt').waitFor();
    write('later.bin', 'later');
    await uploadInput(giving, 'files', join(folder, 'later.bin'));
    await uploaded(1);
    await keptAs('later.bin', { pinned: 1, state: 'present' });
    const sha256 = write('plan.txt', 'plan, changed', 30_000);
    await uploadInput(giving, 'files', join(folder, 'plan.txt'));
    await giving.getByRole('alertdialog').or(giving.getByRole('dialog')).getByRole('button', { name: 'Replace' }).click();
    await uploaded(1);
    await keptAs('plan.txt', { pinned: 1, state: 'present', bytes: 30_000 });
    expect(await cached()).toBe(3);
    satchel.cut();
    await keepingProfile.context().setOffline(true);
    try {
      expect(await contentSha256(keeping, 'plan.txt')).toBe(sha256);
      await contentSha256(keeping, 'later.bin');
      await expect(contentSha256(keeping, 'single.bin')).rejects.toThrow('503');
    } finally {
      satchel.mend();
      await keepingProfile.context().setOffline(false);
    }
  });

  test('what is deleted goes at once, below a deleted folder too; restored, it is kept again', async () => {
    await menu(giving, 'later.bin', 'Delete');
    await expect.poll(cached, { timeout: 60_000 }).toBe(2);
    await giving.goto(`${satchel.url}/files`);
    await menu(giving, 'trip', 'Delete');
    // The files below are not deleted themselves: the folder above them is.
    await expect.poll(cached, { timeout: 60_000 }).toBe(0);
    await goto('/offline');
    await keeping.getByText('Nothing is kept offline yet').waitFor();
    await goto('/files');
    await giving.goto(`${satchel.url}/trash`);
    await menu(giving, 'trip', 'Restore');
    await giving.goto(`${satchel.url}/files`);
    await keptAs('map.bin', { pinned: 1, state: 'present' });
  });

  test('a file in a kept folder stays kept; the folder lets go of all', async () => {
    await entryRow(keeping, 'trip').dblclick();
    await entryRow(keeping, 'plan.txt').waitFor();
    await menu(keeping, 'plan.txt', 'Remove offline copy');
    await keeping.getByText('This stays on this device: it is in “trip”').waitFor();
    await keptAs('plan.txt', { pinned: 1 });
    await goto('/files');
    await menu(keeping, 'trip', 'Remove offline copy');
    await keptAs('plan.txt', { pinned: 0 });
    await keptAs('map.bin', { pinned: 0 });
  });

  test('of what was only seen, what was not used for longest goes when the room is used up; what is pinned stays', async () => {
    for (const name of ['first.txt', 'second.txt', 'third.txt']) {
      write(name, name, 300_000);
      await uploadInput(giving, 'files', join(folder, name));
      await uploaded(1);
      await entryRow(keeping, name).waitFor({ timeout: 30_000 });
    }
    await menu(keeping, 'single.bin', 'Keep offline');
    for (const name of ['first.txt', 'second.txt', 'third.txt', 'first.txt']) {
      await entryRow(keeping, name).dblclick();
      await keptAs(name, { pinned: 0, state: 'present' });
      await keeping.keyboard.press('Escape');
    }
    await writeRow(keeping, 'settings', { key: 'offline-seen-bytes', value: 700_000 });
    await goto('/files');
    await keptAs('second.txt', undefined);
    await keptAs('map.bin', undefined);
    await keptAs('first.txt', { state: 'present' });
    await keptAs('third.txt', { state: 'present' });
    await goto('/settings');
    await keeping.getByLabel('Files you have opened may take').selectOption({ label: 'Nothing' });
    await keptAs('first.txt', undefined);
    await keptAs('third.txt', undefined);
    await keptAs('single.bin', { pinned: 1, state: 'present' });
    expect(await cached()).toBe(1);
    await goto('/files');
  });

  test('what does not fit says so, and is fetched once there is room', async () => {
    write('huge.bin', 'huge', 40 * MEGABYTE);
    await uploadInput(giving, 'files', join(folder, 'huge.bin'));
    await uploaded(1);
    await entryRow(keeping, 'huge.bin').waitFor({ timeout: 30_000 });
    const cdp = await keepingProfile.context().newCDPSession(keeping);
    const { usage } = await cdp.send('Storage.getUsageAndQuota', { origin: satchel.url });
    await cdp.send('Storage.overrideQuotaForOrigin', { origin: satchel.url, quotaSize: usage + 10 * MEGABYTE });
    await menu(keeping, 'huge.bin', 'Keep offline');
    await keptAs('huge.bin', { pinned: 1, state: 'too_big' });
    await goto('/offline');
    await entryRow(keeping, 'huge.bin').getByText('1 too big').waitFor();
    await keeping.getByRole('status').getByText('does not fit').waitFor();
    expect(await cached()).toBe(1);
    await cdp.send('Storage.overrideQuotaForOrigin', { origin: satchel.url });
    await keptAs('huge.bin', { pinned: 1, state: 'present' });
    await entryRow(keeping, 'huge.bin').getByText('1 file · 40 MB · Kept').waitFor();
  });
});
