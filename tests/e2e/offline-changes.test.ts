import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newProfile, type Profile } from './support/browser';
import { closeEditor, controlled, cursorAtEnd, keptHere, newFile, openText, saved, tree } from './support/edit';
import { enterAccount, entryRow, transfersDone, uploadInput } from './support/page';
import { type Satchel, startSatchel } from './support/satchel';

describe('a long row of changes without a network', () => {
  let satchel: Satchel;
  let page: Page;
  const profile: Profile = newProfile();
  const folder = mkdtempSync(join(tmpdir(), 'satchel-changes-'));
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const newFolder = async (name: string): Promise<void> => {
    await page.getByRole('button', { name: 'New', exact: true }).click();
    await page.getByRole('menuitem', { name: 'New folder' }).click();
    await page.getByRole('dialog').getByRole('textbox').fill(name);
    await page.keyboard.press('Enter');
    await entryRow(page, name).waitFor();
  };
  const menu = async (row: string, item: string): Promise<void> => {
    await entryRow(page, row).click({ button: 'right' });
    await page.getByRole('menuitem', { name: item, exact: true }).click();
  };
  const rename = async (from: string, to: string): Promise<void> => {
    await entryRow(page, from).click();
    await page.keyboard.press('F2');
    await page.getByRole('textbox', { name: `New name of ${from}` }).fill(to);
    await page.keyboard.press('Enter');
    await entryRow(page, to).waitFor();
  };
  const into = async (verb: 'Move' | 'Copy', row: string, target: string): Promise<void> => {
    await menu(row, `${verb} to…`);
    await page.getByRole('dialog').getByText(target, { exact: true }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: `${verb} here` })
      .click();
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  };
  /** Presses Undo of the toast that says `text`. */
  const undo = async (text: RegExp): Promise<void> => {
    const toast = page.locator('[data-sonner-toast]').filter({ hasText: text }).first();
    // Older messages slide away beneath the newer one: no pointer can hit a moving button reliably.
    await toast.getByRole('button', { name: 'Undo' }).dispatchEvent('click');
  };
  const gone = (name: string) => expect.poll(() => entryRow(page, name).count()).toBe(0);

  beforeAll(async () => {
    satchel = await startSatchel();
    page = await profile.open();
    await enterAccount(page, satchel.url, 'ada@example.org');
    await uploadInput(page, 'files', [
      file('one.txt', 'one'),
      file('two.txt', 'two'),
      file('three.txt', 'three'),
      file('four.txt', 'four'),
    ]);
    await transfersDone(page, 4);
    await controlled(page);
    for (const name of ['one.txt', 'two.txt', 'three.txt', 'four.txt']) await menu(name, 'Keep offline');
    for (const name of ['one.txt', 'two.txt', 'three.txt', 'four.txt']) await keptHere(page, name);
    satchel.cut();
    await profile.context().setOffline(true);
  });
  afterAll(async () => {
    await profile.remove();
    await satchel.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const expected: Readonly<Record<string, string>> = {
    Attic: '/',
    'Attic/one renamed.txt': 'one, changed',
    'Attic/two.txt': 'two',
    Box: '/',
    'Box/deep.txt': 'deep and undone and done',
    'two.txt': 'two',
    'three.txt': 'three',
    'note.md': '# Note',
    'picked.txt': 'picked offline',
    'never sent.txt': 'kept all the same',
  };

  test('every kind of change and its undo shows at once', async () => {
    await newFolder('Attic');
    await newFolder('Passing');
    await undo(/Made the folder “Passing”/);
    await gone('Passing');
    await openText(page, 'one.txt');
    await page.keyboard.type(', changed');
    await saved(page, 'Saved on this device');
    await closeEditor(page);
    await rename('one.txt', 'one renamed.txt');
    await into('Move', 'one renamed.txt', 'Attic');
    await gone('one renamed.txt');
    await into('Copy', 'two.txt', 'Attic');
    await rename('three.txt', 'drei.txt');
    await undo(/Renamed to “drei.txt”/);
    await entryRow(page, 'three.txt').waitFor();
    await menu('three.txt', 'Delete');
    await gone('three.txt');
    await undo(/Moved “three.txt” to the trash/);
    await entryRow(page, 'three.txt').waitFor();
    await menu('four.txt', 'Delete');
    await gone('four.txt');
    await into('Move', 'three.txt', 'Attic');
    await gone('three.txt');
    await undo(/Moved “three.txt” to “Attic”/);
    await entryRow(page, 'three.txt').waitFor();
    await into('Copy', 'three.txt', 'Attic');
    await undo(/Copied “three.txt”/);
    await page.goto(`${satchel.url}/trash`);
    await menu('four.txt', 'Restore');
    await gone('four.txt');
    await undo(/Restored “four.txt”/);
    await entryRow(page, 'four.txt').waitFor();
    await page.goto(`${satchel.url}/files`);
    await entryRow(page, 'two.txt').waitFor();
    await gone('four.txt');
  });

  test('new files and folders are used before the server knows them', async () => {
    await newFile(page, 'Markdown', 'note.md');
    await cursorAtEnd(page, 'note.md');
    await page.keyboard.type('# Note');
    await saved(page, 'Saved on this device');
    await closeEditor(page);
    await uploadInput(page, 'files', [file('picked.txt', 'picked offline')]);
    await entryRow(page, 'picked.txt').waitFor();
    await newFolder('Box');
    await entryRow(page, 'Box').dblclick();
    await page.getByRole('region', { name: 'Contents of Box' }).waitFor();
    await newFile(page, 'Text file', 'deep.txt');
    await cursorAtEnd(page, 'deep.txt');
    await page.keyboard.type('deep and undone');
    await saved(page, 'Saved on this device');
    await page.keyboard.type(' and done');
    await saved(page, 'Saved on this device');
    await closeEditor(page);
    await page.goto(`${satchel.url}/files`);
    await newFile(page, 'Text file', 'never sent.txt');
    await cursorAtEnd(page, 'never sent.txt');
    await page.keyboard.type('kept all the same');
    await saved(page, 'Saved on this device');
    await closeEditor(page);
    // Deleted before the server ever heard of it: Undo has its bytes all the same.
    await menu('never sent.txt', 'Delete');
    await gone('never sent.txt');
    await undo(/Moved “never sent.txt” to the trash/);
    await entryRow(page, 'never sent.txt').waitFor();
    await expect.poll(() => tree(page), { timeout: 30_000 }).toEqual(expected);
  });

  test('what waits is listed with what, where, since when and why', async () => {
    await page.getByRole('link', { name: /Offline · \d+ waiting/ }).click();
    await page.getByRole('heading', { name: 'Waiting changes' }).waitFor();
    const line = page.getByRole('list', { name: 'Waiting changes' }).getByRole('listitem').filter({ hasText: 'deep.txt' });
    await line.getByText('Files / Box').waitFor();
    await line.getByText('Kept on this device; goes when the network is back.').waitFor();
    await page.goto(`${satchel.url}/files`);
    await entryRow(page, 'note.md').getByRole('img', { name: 'On this device only; waiting to be sent' }).waitFor();
    await entryRow(page, 'two.txt')
      .getByRole('img', { name: /^Synced/ })
      .waitFor({ state: 'attached' });
  });

  test('after a restart of the browser and with the network back, another device has the same, byte for byte', async () => {
    await profile.close();
    page = await profile.open();
    await profile.context().setOffline(true);
    await page.goto(`${satchel.url}/files`);
    await expect.poll(() => tree(page), { timeout: 30_000 }).toEqual(expected);
    satchel.mend();
    await profile.context().setOffline(false);
    await page.getByText('Up to date').waitFor({ timeout: 90_000 });
    const second = newProfile();
    const other = await second.open();
    try {
      await enterAccount(other, satchel.url, 'ada@example.org', { signIn: true });
      await expect.poll(() => tree(other), { timeout: 60_000 }).toEqual(expected);
      expect(await tree(page)).toEqual(expected);
      await page.goto(`${satchel.url}/waiting`);
      await page.getByRole('heading', { name: 'Everything is on the server' }).waitFor();
    } finally {
      await second.remove();
    }
  });
});
