import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newProfile, type Profile } from '../support/browser';
import { contentSha256, enterAccount, entryRow, transferCounts, uploadInput } from '../support/page';
import { allowFolders, offerFolder, withFolderPicker } from '../support/picked-folder';
import { type Satchel, startSatchel } from '../support/satchel';

const PATIENCE = { timeout: 60_000, interval: 100 };
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('a folder on disk in step with Satchel', () => {
  let satchel: Satchel;
  let page: Page;
  const profile: Profile = newProfile();
  const home = mkdtempSync(join(tmpdir(), 'satchel-home-'));
  const disk = join(home, 'My folder');
  const other = mkdtempSync(join(tmpdir(), 'satchel-other-'));

  const status = () => page.getByRole('status').filter({ hasText: /step|going|Work|Look|not there|empty|permission|Paus|Start/i });
  const openSettings = async () => {
    await page.goto(`${satchel.url}/settings`);
    await page.getByRole('heading', { name: 'Folder on this computer' }).waitFor();
  };
  const inStep = () => status().getByText('In step').waitFor({ timeout: 60_000 });
  const openFiles = async () => {
    await page.goto(`${satchel.url}/files`);
    await page.getByRole('button', { name: 'New', exact: true }).waitFor();
  };
  const text = (path: string) => (existsSync(join(disk, path)) ? readFileSync(join(disk, path), 'utf8') : null);

  beforeAll(async () => {
    mkdirSync(join(disk, 'Photos'), { recursive: true });
    writeFileSync(join(disk, 'notes.txt'), 'first notes');
    writeFileSync(join(disk, 'Photos', 'beach.jpg'), 'sand and sea');
    writeFileSync(join(disk, '.satchelignore'), '*.log\n');
    writeFileSync(join(disk, 'noise.log'), 'noise');
    satchel = await startSatchel();
    allowFolders(profile, satchel.url);
    page = await profile.open();
    await enterAccount(page, satchel.url, 'ada@example.org');
  });
  afterAll(async () => {
    await profile.remove();
    await satchel.stop();
    for (const folder of [home, other]) rmSync(folder, { recursive: true, force: true });
  });

  test('a browser that cannot do it says so, and what works there instead', async () => {
    await openSettings();
    await page.getByText('This browser cannot keep a folder of your computer in step').waitFor();
    expect(await page.getByRole('button', { name: 'Choose a folder' }).count()).toBe(0);
    await withFolderPicker(page);
  });

  test('a picked folder is taken in, without what its rules leave out', async () => {
    await openSettings();
    await offerFolder(page, disk);
    await page.getByRole('button', { name: 'Choose a folder' }).click();
    await inStep();
    await openFiles();
    await entryRow(page, 'notes.txt').waitFor();
    await entryRow(page, 'Photos').waitFor();
    await expect.poll(() => transferCounts(page), PATIENCE).toEqual({ done: 3 });
    expect(await contentSha256(page, 'beach.jpg')).toBe(sha256('sand and sea'));
    expect(await entryRow(page, 'noise.log').count()).toBe(0);
  });

  test('what is uploaded in the browser stands on the disk, and is not sent again', async () => {
    writeFileSync(join(other, 'from the web.txt'), 'brought by the browser');
    await uploadInput(page, 'files', [join(other, 'from the web.txt')]);
    await expect.poll(() => text('from the web.txt'), PATIENCE).toBe('brought by the browser');
    writeFileSync(join(disk, 'notes.txt'), 'second notes, longer');
    await expect.poll(() => transferCounts(page), PATIENCE).toEqual({ done: 5 });
    await expect.poll(() => contentSha256(page, 'notes.txt'), PATIENCE).toBe(sha256('second notes, longer'));
    // Looked at again from the beginning: still nothing to send.
    await openSettings();
    await page.getByRole('button', { name: 'Pause' }).click();
    await status().getByText('Paused').waitFor();
    await page.getByRole('button', { name: 'Go on' }).click();
    await inStep();
    expect(await transferCounts(page)).toEqual({ done: 5 });
    expect(readdirSync(disk).sort()).toEqual(['.satchelignore', 'Photos', 'from the web.txt', 'noise.log', 'notes.txt']);
  });

  test('renames and deletions go both ways, without content', async () => {
    await openFiles();
    renameSync(join(disk, 'notes.txt'), join(disk, 'Photos', 'diary.txt'));
    await expect.poll(() => entryRow(page, 'notes.txt').count(), PATIENCE).toBe(0);
    await entryRow(page, 'from the web.txt').click();
    await page.keyboard.press('F2');
    await page.getByRole('textbox', { name: /New name/ }).fill('From The Web.txt');
    await page.keyboard.press('Enter');
    await expect.poll(() => text('From The Web.txt'), PATIENCE).toBe('brought by the browser');
    await expect.poll(() => text('from the web.txt'), PATIENCE).toBeNull();
    await entryRow(page, 'Photos').dblclick();
    await entryRow(page, 'diary.txt').waitFor();
    await entryRow(page, 'beach.jpg').click();
    await page.keyboard.press('Delete');
    await expect.poll(() => text('Photos/beach.jpg'), PATIENCE).toBeNull();
    rmSync(join(disk, 'Photos', 'diary.txt'));
    await expect.poll(() => entryRow(page, 'diary.txt').count(), PATIENCE).toBe(0);
    expect(await transferCounts(page)).toEqual({ done: 5 });
  });

  test('folders that appear with something deep inside are found', async () => {
    mkdirSync(join(disk, 'new', 'deep', 'deeper'), { recursive: true });
    writeFileSync(join(disk, 'new', 'deep', 'deeper', 'found.txt'), 'found');
    await expect.poll(() => contentSha256(page, 'found.txt').catch(() => null), PATIENCE).toBe(sha256('found'));
  });

  test('changes while Satchel is closed are found when it opens, on both sides', async () => {
    await profile.close();
    writeFileSync(join(disk, 'new', 'deep', 'deeper', 'found.txt'), 'changed while closed');
    writeFileSync(join(disk, 'added.txt'), 'added while closed');
    rmSync(join(disk, 'From The Web.txt'));
    const second = newProfile();
    const elsewhere = await second.open();
    try {
      await enterAccount(elsewhere, satchel.url, 'ada@example.org', { signIn: true });
      writeFileSync(join(other, 'elsewhere.txt'), 'from another device');
      await uploadInput(elsewhere, 'files', [join(other, 'elsewhere.txt')]);
      await expect.poll(() => transferCounts(elsewhere), PATIENCE).toEqual({ done: 1 });
    } finally {
      await second.remove();
    }
    page = await profile.open();
    await openFiles();
    await entryRow(page, 'added.txt').waitFor({ timeout: 60_000 });
    await expect.poll(() => text('elsewhere.txt'), PATIENCE).toBe('from another device');
    await expect.poll(() => contentSha256(page, 'found.txt'), PATIENCE).toBe(sha256('changed while closed'));
    await expect.poll(() => entryRow(page, 'From The Web.txt').count(), PATIENCE).toBe(0);
  });

  test('a folder that is taken away deletes nothing, and one that comes back empty is asked about', async () => {
    await openSettings();
    await inStep();
    renameSync(disk, `${disk} away`);
    await status().getByText('not there').waitFor({ timeout: 60_000 });
    renameSync(`${disk} away`, disk);
    await inStep();
    renameSync(disk, `${disk} away`);
    mkdirSync(disk);
    await page.getByRole('alert').waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Bring them back' }).click();
    await expect.poll(() => text('added.txt'), PATIENCE).toBe('added while closed');
    await expect.poll(() => text('new/deep/deeper/found.txt'), PATIENCE).toBe('changed while closed');
    await inStep();
    await openFiles();
    await entryRow(page, 'added.txt').waitFor();
    await entryRow(page, 'new').waitFor();
  });

  test('letting go of the folder deletes nothing on either side', async () => {
    await openSettings();
    await page.getByRole('button', { name: 'Let go of the folder' }).click();
    await page.getByRole('button', { name: 'Let go', exact: true }).click();
    await page.getByRole('button', { name: 'Choose a folder' }).waitFor();
    expect(text('added.txt')).toBe('added while closed');
    await openFiles();
    await entryRow(page, 'added.txt').waitFor();
  });

  test('when the browser wants to ask again, nothing happens before the person allowed it', async () => {
    const asked = newProfile();
    const folder = join(home, 'Asked');
    mkdirSync(folder);
    writeFileSync(join(folder, 'asked.txt'), 'asked');
    allowFolders(asked, satchel.url, { forGood: false });
    page = await asked.open();
    try {
      await enterAccount(page, satchel.url, 'grace@example.org');
      await withFolderPicker(page);
      await openSettings();
      await offerFolder(page, folder);
      await page.getByRole('button', { name: 'Choose a folder' }).click();
      await inStep();
      // A permission that was given once lasts as long as the browser runs, at most.
      await asked.close();
      page = await asked.open();
      await openSettings();
      await page.getByRole('button', { name: 'Allow again' }).waitFor({ timeout: 60_000 });
      await status().getByText('permission').waitFor();
      await openFiles();
      await entryRow(page, 'asked.txt').waitFor();
    } finally {
      await asked.remove();
    }
  });
});
