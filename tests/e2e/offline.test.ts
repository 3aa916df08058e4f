import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newProfile, type Profile } from './support/browser';
import { contentSha256, enterAccount, entryRow, transfersDone, uploadInput } from './support/page';
import { type Satchel, startSatchel } from './support/satchel';

describe('with the network off', () => {
  let satchel: Satchel;
  let page: Page;
  const profile: Profile = newProfile();
  const folder = mkdtempSync(join(tmpdir(), 'satchel-offline-'));
  const text = 'A line that was read before.\n';
  beforeAll(async () => {
    satchel = await startSatchel();
    page = await profile.open();
    await enterAccount(page, satchel.url, 'ada@example.org');
    for (const name of ['seen.txt', 'pinned.txt', 'never.txt'])
      writeFileSync(join(folder, name), name === 'seen.txt' ? text : `${name}\n`.repeat(100));
    await uploadInput(
      page,
      'files',
      ['seen.txt', 'pinned.txt', 'never.txt'].map((name) => join(folder, name)),
    );
    await transfersDone(page, 3);
    // The service worker must be in control before the network goes.
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await page.reload();
    await entryRow(page, 'seen.txt').dblclick();
    await page.getByText('A line that was read before.').waitFor();
    await page.keyboard.press('Escape');
    await entryRow(page, 'pinned.txt').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Keep offline' }).click();
    await page.waitForTimeout(2500);
    satchel.cut();
    await profile.context().setOffline(true);
  });
  afterAll(async () => {
    await profile.remove();
    await satchel.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('the page opens, lists, sorts and searches', async () => {
    await page.reload();
    await entryRow(page, 'seen.txt').waitFor();
    expect(await page.getByRole('row', { name: /\.txt$/ }).count()).toBe(3);
    await page
      .getByText(/offline/i)
      .first()
      .waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('pinned');
    await entryRow(page, 'pinned.txt').waitFor();
    await expect.poll(() => entryRow(page, 'never.txt').count()).toBe(0);
    await page.goto(`${satchel.url}/files`);
  });

  test('files seen before and pinned files open, others say so', async () => {
    expect(await contentSha256(page, 'seen.txt')).toBe(createHash('sha256').update(text).digest('hex'));
    expect(await contentSha256(page, 'pinned.txt')).toBe(createHash('sha256').update('pinned.txt\n'.repeat(100)).digest('hex'));
    await expect(contentSha256(page, 'never.txt')).rejects.toThrow('503');
    await entryRow(page, 'seen.txt').dblclick();
    await page.getByText('A line that was read before.').waitFor();
    await page.keyboard.press('Escape');
  });

  test('a browser closed and opened again without a network still shows the files', async () => {
    await profile.close();
    page = await profile.open();
    await profile.context().setOffline(true);
    await page.goto(`${satchel.url}/files`);
    await entryRow(page, 'pinned.txt').waitFor();
    expect(await contentSha256(page, 'pinned.txt')).toBe(createHash('sha256').update('pinned.txt\n'.repeat(100)).digest('hex'));
  });

  test('a folder made without a network is there, and reaches the server on return', async () => {
    await page.getByRole('button', { name: 'New', exact: true }).click();
    await page.getByRole('menuitem', { name: 'New folder' }).click();
    await page.getByRole('dialog').getByRole('textbox').fill('Made offline');
    await page.keyboard.press('Enter');
    await entryRow(page, 'Made offline').waitFor();
    await profile.context().setOffline(false);
    satchel.mend();
    const other = newProfile();
    const second = await other.open();
    try {
      await enterAccount(second, satchel.url, 'ada@example.org', { signIn: true });
      await entryRow(second, 'Made offline').waitFor({ timeout: 45_000 });
    } finally {
      await other.remove();
    }
  });
});
