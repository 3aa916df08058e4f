import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newProfile, type Profile } from './support/browser';
import { contentSha256, enterAccount, entryRow, transferCounts, transfersDone, uploadInput } from './support/page';
import { type Satchel, startSatchel } from './support/satchel';

const TIMEOUT = { timeout: 90_000, interval: 500 };

describe('one file changed in two browsers without a network', () => {
  let satchel: Satchel;
  const one: Profile = newProfile();
  const two: Profile = newProfile();
  const folder = mkdtempSync(join(tmpdir(), 'satchel-merge-'));
  let here: Page;
  let there: Page;

  function written(where: string, name: string, text: string): string {
    mkdirSync(join(folder, where), { recursive: true });
    writeFileSync(join(folder, where, name), text);
    return join(folder, where, name);
  }
  const sha = (text: string) => createHash('sha256').update(text).digest('hex');
  /** What the page shows of a file, or why not; the service worker may be between two revisions. */
  const shown = (page: Page, name: string) => contentSha256(page, name).catch((error: unknown) => String(error));

  async function replace(page: Page, path: string): Promise<void> {
    const before = (await transferCounts(page)).staged ?? 0;
    await uploadInput(page, 'files', path);
    await page
      .getByRole('dialog')
      .or(page.getByRole('alertdialog'))
      .getByRole('button', { name: /replace/i })
      .click();
    // Safe on this device: from here on nothing may lose it.
    await expect.poll(async () => (await transferCounts(page)).staged ?? 0, TIMEOUT).toBe(before + 1);
  }

  beforeAll(async () => {
    satchel = await startSatchel();
    here = await one.open();
    await enterAccount(here, satchel.url, 'ada@example.org');
    await uploadInput(here, 'files', [
      written('base', 'list.txt', 'milk\nbread\ncheese\napples\n'),
      written('base', 'clash.txt', 'one\ntwo\n'),
    ]);
    await transfersDone(here, 2);
    there = await two.open();
    await enterAccount(there, satchel.url, 'ada@example.org', { signIn: true });
    await entryRow(there, 'list.txt').waitFor();
    await entryRow(there, 'clash.txt').waitFor();
  });
  afterAll(async () => {
    await one.remove();
    await two.remove();
    await satchel.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('changes that do not touch are both in it, others are kept side by side, on both devices', async () => {
    satchel.cut();
    await one.context().setOffline(true);
    await two.context().setOffline(true);
    await replace(here, written('here', 'list.txt', 'oat milk\nbread\ncheese\napples\n'));
    await replace(there, written('there', 'list.txt', 'milk\nbread\ncheese\npears\n'));
    await replace(here, written('here', 'clash.txt', 'one\nTWO\n'));
    await replace(there, written('there', 'clash.txt', 'one\n2\n'));
    satchel.mend();
    await one.context().setOffline(false);
    await two.context().setOffline(false);
    const merged = sha('oat milk\nbread\ncheese\npears\n');
    for (const page of [here, there]) {
      await expect.poll(() => shown(page, 'list.txt'), TIMEOUT).toBe(merged);
      await page.getByRole('row', { name: /^clash \(conflicted copy, .*\)\.txt$/ }).waitFor({ timeout: 90_000 });
      expect(await page.getByRole('row', { name: /\.txt$/ }).count()).toBe(3);
    }
    const [original, other] = await Promise.all([shown(here, 'clash.txt'), shown(there, 'clash.txt')]);
    expect(original).toBe(other);
    expect([sha('one\nTWO\n'), sha('one\n2\n')]).toContain(original);
  });
});
