import type { Page } from 'playwright-core';
import { entryRow } from './page';

/** Makes a new text or Markdown file in the open folder; ends in the editor. */
export async function newFile(page: Page, kind: 'Text file' | 'Markdown', name: string): Promise<void> {
  await page.getByRole('button', { name: 'New', exact: true }).click();
  await page.getByRole('menuitem', { name: kind, exact: true }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill(name);
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: `Text of ${name}` }).waitFor({ state: 'attached' });
}

/** Opens a text file of the list in the editor and puts the cursor at its end. */
export async function openText(page: Page, name: string): Promise<void> {
  await entryRow(page, name).dblclick();
  await cursorAtEnd(page, name);
}

export async function cursorAtEnd(page: Page, name: string): Promise<void> {
  const text = page.getByRole('textbox', { name: `Text of ${name}` });
  await text.and(page.locator('[aria-readonly=false]')).click();
  await page.keyboard.press('Control+End');
}

/** Waits until the editor says so: “Synced”, “Saved on this device”. */
export async function saved(page: Page, how: 'Synced' | 'Saved on this device'): Promise<void> {
  await page.getByRole('status', { name: how, exact: true }).waitFor({ timeout: 60_000 });
}

/** Closes the editor; what was typed is saved by then or on its way. */
export async function closeEditor(page: Page): Promise<void> {
  await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

/** The text of every live file whose name begins with `prefix`, as this page can read it now; null where it cannot. */
export async function texts(page: Page, prefix: string): Promise<Readonly<Record<string, string | null>>> {
  return page.evaluate(async (wanted) => {
    const found: Record<string, string | null> = {};
    const names = (await indexedDB.databases()).map(({ name }) => name ?? '').filter((name) => /^satchel-[0-9a-f-]{36}$/.test(name));
    for (const name of names) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const open = indexedDB.open(name);
        open.onsuccess = () => resolve(open.result);
        open.onerror = () => reject(open.error);
      });
      const all = database.transaction('entries').objectStore('entries').getAll();
      const rows = await new Promise<
        { name: string; live: number; kind: string; size: number; namespaceId: string; id: string; contentRevision: number }[]
      >((resolve, reject) => {
        all.onsuccess = () => resolve(all.result);
        all.onerror = () => reject(all.error);
      });
      database.close();
      for (const row of rows) {
        if (row.live !== 1 || row.kind !== 'file' || !row.name.startsWith(wanted)) continue;
        const response = await fetch(`/api/v1/files/${row.namespaceId}/${row.id}/${row.contentRevision}/content`);
        found[row.name] = row.size === 0 ? '' : response.ok ? await response.text() : null;
      }
    }
    return found;
  }, prefix);
}

/** Waits until this profile keeps the newest content of an entry for opening it without a network. */
export async function keptHere(page: Page, name: string): Promise<void> {
  const kept = (wanted: string): Promise<boolean> =>
    page.evaluate(async (entryName) => {
      const names = (await indexedDB.databases()).map((one) => one.name ?? '').filter((one) => /^satchel-[0-9a-f-]{36}$/.test(one));
      for (const databaseName of names) {
        const database = await new Promise<IDBDatabase>((resolve, reject) => {
          const open = indexedDB.open(databaseName);
          open.onsuccess = () => resolve(open.result);
          open.onerror = () => reject(open.error);
        });
        const transaction = database.transaction(['entries', 'offline']);
        const [entries, offline] = await Promise.all(
          ['entries', 'offline'].map(
            (table) =>
              new Promise<Record<string, unknown>[]>((resolve, reject) => {
                const all = transaction.objectStore(table).getAll();
                all.onsuccess = () => resolve(all.result);
                all.onerror = () => reject(all.error);
              }),
          ),
        );
        database.close();
        const row = entries?.find((one) => one.name === entryName && one.live === 1);
        if (offline?.some((one) => one.entryId === row?.id && one.contentRevision === row?.contentRevision && one.state === 'present'))
          return true;
      }
      return false;
    }, wanted);
  // Not `expect.poll`: that one works in tests only, and this is also part of preparing them.
  for (const until = Date.now() + 60_000; !(await kept(name)); await page.waitForTimeout(100)) {
    if (Date.now() > until) throw new Error(`“${name}” is not kept in this profile`);
  }
}

/** The service worker must be in control before the network goes. */
export async function controlled(page: Page): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.reload();
  await page.getByRole('button', { name: 'New', exact: true }).waitFor();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
}

/** Everything live in this profile: paths, with the text of files and “/” for folders; null for a file that cannot be read now. */
export async function tree(page: Page): Promise<Readonly<Record<string, string | null>>> {
  return page.evaluate(async () => {
    interface Row {
      readonly id: string;
      readonly parentId: string;
      readonly name: string;
      readonly live: number;
      readonly kind: string;
      readonly size: number;
      readonly namespaceId: string;
      readonly contentRevision: number;
    }
    const found: Record<string, string | null> = {};
    const names = (await indexedDB.databases()).map(({ name }) => name ?? '').filter((name) => /^satchel-[0-9a-f-]{36}$/.test(name));
    for (const name of names) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const open = indexedDB.open(name);
        open.onsuccess = () => resolve(open.result);
        open.onerror = () => reject(open.error);
      });
      const all = database.transaction('entries').objectStore('entries').getAll();
      const rows = await new Promise<Row[]>((resolve, reject) => {
        all.onsuccess = () => resolve(all.result);
        all.onerror = () => reject(all.error);
      });
      database.close();
      const open: (readonly [string, string])[] = rows.slice(0, 1).map(({ namespaceId }) => [namespaceId, ''] as const);
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        const [parentId, above] = next;
        for (const row of rows) {
          if (row.parentId !== parentId || row.live !== 1) continue;
          const path = `${above}${row.name}`;
          if (row.kind === 'folder') {
            found[path] = '/';
            open.push([row.id, `${path}/`]);
          } else if (row.size === 0) found[path] = '';
          else {
            const response = await fetch(`/api/v1/files/${row.namespaceId}/${row.id}/${row.contentRevision}/content`);
            found[path] = response.ok ? await response.text() : null;
          }
        }
      }
    }
    return found;
  });
}
