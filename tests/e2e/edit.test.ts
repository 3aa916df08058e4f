import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newProfile, type Profile } from './support/browser';
import { closeEditor, controlled, cursorAtEnd, keptHere, newFile, openText, saved, texts } from './support/edit';
import { enterAccount } from './support/page';
import { type Satchel, startSatchel } from './support/satchel';

describe('editing in the page', () => {
  let satchel: Satchel;
  let page: Page;
  let other: Page;
  const here: Profile = newProfile();
  const there: Profile = newProfile();
  const offline = async (): Promise<void> => {
    satchel.cut();
    await here.context().setOffline(true);
  };
  const online = async (): Promise<void> => {
    await here.context().setOffline(false);
    satchel.mend();
  };
  beforeAll(async () => {
    satchel = await startSatchel();
    page = await here.open();
    await enterAccount(page, satchel.url, 'ada@example.org');
    other = await there.open();
    await enterAccount(other, satchel.url, 'ada@example.org', { signIn: true });
    await controlled(page);
    await controlled(other);
  });
  afterAll(async () => {
    await here.remove();
    await there.remove();
    await satchel.stop();
  });

  test('a new text file is typed, saved by itself, and is the same on the other device', async () => {
    await newFile(page, 'Text file', 'diary.txt');
    await cursorAtEnd(page, 'diary.txt');
    await page.keyboard.type('First line\nSecond: ä ß 字 🧳');
    await saved(page, 'Synced');
    await expect.poll(() => texts(other, 'diary'), { timeout: 30_000 }).toEqual({ 'diary.txt': 'First line\nSecond: ä ß 字 🧳' });
    await closeEditor(page);
  });

  test('a change from another device appears in the open editor, and typing goes on from it', async () => {
    await openText(page, 'diary.txt');
    await openText(other, 'diary.txt');
    await other.keyboard.type(' and more');
    await saved(other, 'Synced');
    await page.getByText('🧳 and more').waitFor({ timeout: 30_000 });
    await closeEditor(other);
    await cursorAtEnd(page, 'diary.txt');
    await page.keyboard.type('!');
    await saved(page, 'Synced');
    await closeEditor(page);
    await expect.poll(() => texts(other, 'diary'), { timeout: 30_000 }).toEqual({ 'diary.txt': 'First line\nSecond: ä ß 字 🧳 and more!' });
  });

  test('edited offline, the browser killed: it is still there, and reaches the other device byte for byte', async () => {
    await openText(page, 'diary.txt');
    await saved(page, 'Synced');
    // Cookies reach the disk only now and then; a clean close brings them there.
    await here.close();
    page = await here.open();
    await page.goto(`${satchel.url}/files`);
    await keptHere(page, 'diary.txt');
    await offline();
    await openText(page, 'diary.txt');
    await page.keyboard.type('\noffline');
    await saved(page, 'Saved on this device');
    await closeEditor(page);
    await newFile(page, 'Text file', 'made offline.txt');
    await cursorAtEnd(page, 'made offline.txt');
    await page.keyboard.type('new here');
    await saved(page, 'Saved on this device');
    await here.kill();
    page = await here.open();
    await here.context().setOffline(true);
    await page.goto(`${satchel.url}/files`);
    await openText(page, 'made offline.txt');
    await page.getByText('new here').waitFor();
    await closeEditor(page);
    const text = 'First line\nSecond: ä ß 字 🧳 and more!\noffline';
    expect(await texts(page, 'diary')).toEqual({ 'diary.txt': text });
    await online();
    await expect.poll(() => texts(other, 'diary'), { timeout: 60_000 }).toEqual({ 'diary.txt': text });
    await expect.poll(() => texts(other, 'made'), { timeout: 60_000 }).toEqual({ 'made offline.txt': 'new here' });
  });

  test('killed while typing: all but the last second comes back', async () => {
    await openText(page, 'made offline.txt');
    await page.keyboard.type(' typed before the crash');
    // The draft, not the revision: nothing says “saved” yet.
    await expect.poll(() => draftTexts(page), { timeout: 10_000 }).toEqual(['new here typed before the crash']);
    await here.kill();
    page = await here.open();
    await page.goto(`${satchel.url}/files`);
    await expect.poll(() => texts(other, 'made'), { timeout: 60_000 }).toEqual({ 'made offline.txt': 'new here typed before the crash' });
    await expect.poll(() => draftTexts(page), { timeout: 10_000 }).toEqual([]);
  });

  test('an edit is undone from the toast, offline as online', async () => {
    await keptHere(page, 'made offline.txt');
    await offline();
    await openText(page, 'made offline.txt');
    await page.keyboard.type(' — oops');
    await closeEditor(page);
    await page.getByRole('button', { name: 'Undo' }).first().click();
    await expect.poll(() => texts(page, 'made'), { timeout: 30_000 }).toEqual({ 'made offline.txt': 'new here typed before the crash' });
    await online();
    await page.getByText('Up to date').waitFor({ timeout: 60_000 });
    expect(await texts(other, 'made')).toEqual({ 'made offline.txt': 'new here typed before the crash' });
  });
});

/** What is kept of unsaved typing in this profile. */
async function draftTexts(page: Page): Promise<readonly string[]> {
  return page.evaluate(async () => {
    const names = (await indexedDB.databases()).map(({ name }) => name ?? '').filter((name) => /^satchel-[0-9a-f-]{36}$/.test(name));
    const found: string[] = [];
    for (const name of names) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const open = indexedDB.open(name);
        open.onsuccess = () => resolve(open.result);
        open.onerror = () => reject(open.error);
      });
      const all = database.transaction('drafts').objectStore('drafts').getAll();
      const rows = await new Promise<{ text: string }[]>((resolve, reject) => {
        all.onsuccess = () => resolve(all.result);
        all.onerror = () => reject(all.error);
      });
      database.close();
      found.push(...rows.map(({ text }) => text));
    }
    return found;
  });
}
