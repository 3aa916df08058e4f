import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

export const PASSWORD = 'correct horse battery';

/** The pickers of the File System Access API cannot be driven without a person; the page falls back to its inputs. */
export async function withoutPickers(page: Page): Promise<void> {
  await page.addInitScript(() => {
    Reflect.deleteProperty(window, 'showOpenFilePicker');
    Reflect.deleteProperty(window, 'showDirectoryPicker');
  });
}

/** Opens the page and signs up (or in) with `email`; ends on the file list. */
export async function enterAccount(page: Page, url: string, email: string, options: { signIn?: boolean } = {}): Promise<void> {
  await withoutPickers(page);
  await page.goto(`${url}/${options.signIn ? 'sign-in' : 'sign-up'}`);
  if (!options.signIn) await page.getByLabel('Name', { exact: true }).fill(email.split('@')[0] ?? 'Somebody');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: options.signIn ? 'Sign in' : 'Create account' }).click();
  await page.getByRole('button', { name: 'New', exact: true }).waitFor();
}

/** Hands paths to the page as if picked: files, or one folder with everything in it. */
export async function uploadInput(page: Page, kind: 'files' | 'folder', paths: string | readonly string[]): Promise<void> {
  await page.getByRole('button', { name: 'New', exact: true }).click();
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('menuitem', { name: kind === 'files' ? 'Upload files' : 'Upload folder' }).click();
  await (await chooser).setFiles(typeof paths === 'string' ? paths : [...paths]);
}

export type TransferCounts = Readonly<Record<string, number>>;

/** How many transfers of this profile are in each state, read from the page's own store. */
export async function transferCounts(page: Page): Promise<TransferCounts> {
  return page.evaluate(async () => {
    const names = (await indexedDB.databases())
      .map((database) => database.name ?? '')
      .filter((name) => /^satchel-[0-9a-f-]{36}$/.test(name));
    const counts: Record<string, number> = {};
    for (const name of names) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const open = indexedDB.open(name);
        open.onsuccess = () => resolve(open.result);
        open.onerror = () => reject(open.error);
      });
      // By the index and by each state's count: reading thousands of rows ten times a second would be what a benchmark measures.
      const index = database.transaction('transfers').objectStore('transfers').index('state');
      const asked = ['queued', 'staging', 'staged', 'sending', 'durable', 'done', 'failed', 'lost', 'cancelled'].map(
        (state) =>
          new Promise<void>((resolve, reject) => {
            const count = index.count(state);
            count.onsuccess = () => {
              if (count.result > 0) counts[state] = (counts[state] ?? 0) + count.result;
              resolve();
            };
            count.onerror = () => reject(count.error);
          }),
      );
      await Promise.all(asked);
      database.close();
    }
    return counts;
  });
}

/** Waits until `count` transfers are done. */
export async function transfersDone(page: Page, count: number, timeoutMs = 300_000): Promise<void> {
  const until = Date.now() + timeoutMs;
  let counts: TransferCounts = {};
  while (Date.now() < until) {
    counts = await transferCounts(page);
    if ((counts.done ?? 0) >= count) return;
    if ((counts.failed ?? 0) + (counts.lost ?? 0) > 0) break;
    await page.waitForTimeout(250);
  }
  throw new Error(`transfers: ${JSON.stringify(counts)}, wanted ${count} done`);
}

/** The row or tile of an entry. */
export function entryRow(page: Page, name: string): Locator {
  return page.getByRole('row', { name, exact: true });
}

/** SHA-256 of an entry's content as this page gets it: through the service worker, the network or the offline cache. */
export async function contentSha256(page: Page, name: string): Promise<string> {
  const address = await page.evaluate(async (wanted) => {
    const names = (await indexedDB.databases()).map((database) => database.name ?? '').filter((n) => /^satchel-[0-9a-f-]{36}$/.test(n));
    for (const databaseName of names) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const open = indexedDB.open(databaseName);
        open.onsuccess = () => resolve(open.result);
        open.onerror = () => reject(open.error);
      });
      const rows = await new Promise<{ name: string; live: number; namespaceId: string; id: string; contentRevision: number }[]>(
        (resolve, reject) => {
          const all = database.transaction('entries').objectStore('entries').getAll();
          all.onsuccess = () => resolve(all.result);
          all.onerror = () => reject(all.error);
        },
      );
      database.close();
      const row = rows.find((candidate) => candidate.name === wanted && candidate.live === 1);
      if (row) return `/api/v1/files/${row.namespaceId}/${row.id}/${row.contentRevision}/content`;
    }
    return null;
  }, name);
  expect(address, `an entry named ${name} in the local store`).not.toBeNull();
  return page.evaluate(async (path) => {
    const response = await fetch(path);
    if (!response.ok) throw new Error(`content answered ${response.status}`);
    const digest = await crypto.subtle.digest('SHA-256', await response.arrayBuffer());
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }, address as string);
}
