import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { newProfile, type Profile } from './support/browser';
import { enterAccount, entryRow } from './support/page';
import { type Satchel, startSatchel } from './support/satchel';

/** More than 50 entries and more than a quarter of all. */
const FOLDERS = 60;

/** Makes folders, or deletes all, as a program of this device would: by the worker's calls, unconfirmed. */
async function asProgram(page: Page, wish: 'make' | 'delete'): Promise<void> {
  await page.evaluate(
    async ([kind, count]) => {
      const { me } = JSON.parse(localStorage.getItem('satchel-profile') ?? '') as { me: { userId: string; rootNamespaceId: string } };
      const worker = new Worker('/workers/sync.worker.js');
      worker.postMessage({ kind: 'start', ...me, deviceName: 'program', origin: location.origin });
      let id = 0;
      const call = (method: string, ...args: unknown[]) =>
        new Promise<void>((resolve, reject) => {
          const own = ++id;
          worker.addEventListener('message', ({ data }) => {
            if (data.id === own) data.kind === 'reply' && data.value?.ok !== false ? resolve() : reject(new Error(JSON.stringify(data)));
          });
          worker.postMessage({ kind: 'call', id: own, method, args });
        });
      if (kind === 'make') for (let n = 0; n < (count as number); n++) await call('createFolder', me.rootNamespaceId, `folder ${n}`);
      else {
        const open = indexedDB.open(`satchel-${me.userId}`);
        await new Promise((resolve) => {
          open.onsuccess = resolve;
        });
        const rows = open.result.transaction('entries').objectStore('entries').getAllKeys();
        await new Promise((resolve) => {
          rows.onsuccess = resolve;
        });
        open.result.close();
        await call('remove', rows.result, { confirmed: false });
      }
      await call('stop');
      worker.terminate();
    },
    [wish, FOLDERS] as const,
  );
}

describe('a mass deletion nobody was asked about', () => {
  let satchel: Satchel;
  let page: Page;
  let other: Page;
  const profiles: Profile[] = [newProfile(), newProfile()];

  beforeAll(async () => {
    satchel = await startSatchel();
    page = await (profiles[0] as Profile).open();
    await page.addInitScript('globalThis.__name = (named) => named');
    await enterAccount(page, satchel.url, 'ada@example.org');
    other = await (profiles[1] as Profile).open();
    await enterAccount(other, satchel.url, 'ada@example.org', { signIn: true });
    await page.reload();
    await asProgram(page, 'make');
    await entryRow(other, 'folder 0').waitFor();
    await page.getByText('Up to date').waitFor();
  });
  afterAll(async () => {
    for (const profile of profiles) await profile.remove();
    await satchel.stop();
  });

  test('is held on the device, and everything comes back at one click', async () => {
    await asProgram(page, 'delete');
    await page.getByText(`${FOLDERS} changes would delete`).waitFor();
    await entryRow(page, 'folder 0').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Bring everything back' }).click();
    await entryRow(page, 'folder 0').waitFor();
    await page.getByText('would delete').waitFor({ state: 'detached' });
    await other.reload();
    await entryRow(other, 'folder 0').waitFor();
  });

  test('goes on when the person says that it is meant', async () => {
    await asProgram(page, 'delete');
    await page.getByRole('button', { name: 'Go ahead' }).click();
    await entryRow(other, 'folder 0').waitFor({ state: 'detached' });
    await page.getByText('would delete').waitFor({ state: 'detached' });
  });
});
