import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newProfile, type Profile } from './support/browser';
import { closeEditor, controlled, cursorAtEnd, keptHere, newFile, openText, saved, texts } from './support/edit';
import { contentSha256, enterAccount, entryRow, uploadInput } from './support/page';
import { type Satchel, startSatchel } from './support/satchel';

describe('two devices change the same file while offline', () => {
  let satchel: Satchel;
  let page: Page;
  let other: Page;
  const here: Profile = newProfile();
  const there: Profile = newProfile();
  const folder = mkdtempSync(join(tmpdir(), 'satchel-conflicts-'));
  const both = () => [page, other] as const;
  const settled = async (): Promise<void> => {
    for (const where of both()) await where.getByText('Up to date').waitFor({ timeout: 60_000 });
  };
  const cut = async (): Promise<void> => {
    satchel.cut();
    for (const profile of [here, there]) await profile.context().setOffline(true);
  };
  const mend = async (): Promise<void> => {
    satchel.mend();
    for (const profile of [here, there]) await profile.context().setOffline(false);
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
    rmSync(folder, { recursive: true, force: true });
  });

  /** The same line written differently on both: no merge can keep both in one file. */
  const conflictOver = async (name: string): Promise<void> => {
    await newFile(page, 'Text file', name);
    await cursorAtEnd(page, name);
    await page.keyboard.type('start');
    await saved(page, 'Synced');
    await closeEditor(page);
    await entryRow(other, name).waitFor({ timeout: 30_000 });
    await openText(other, name);
    await closeEditor(other);
    for (const where of both()) await keptHere(where, name);
    await cut();
    for (const [where, word] of [
      [page, 'ours'],
      [other, 'theirs'],
    ] as const) {
      await openText(where, name);
      await where.keyboard.press('Control+a');
      await where.keyboard.type(word);
      await saved(where, 'Saved on this device');
      await closeEditor(where);
    }
    await mend();
    const stem = name.replace(/\.txt$/, '');
    for (const where of both()) {
      await expect.poll(async () => Object.values(await texts(where, stem)).sort(), { timeout: 90_000 }).toEqual(['ours', 'theirs']);
    }
    await settled();
  };

  test('both contents are there on both devices, and the one not kept is in the trash', async () => {
    await conflictOver('plan.txt');
    const before = await texts(page, 'plan');
    const kept = before['plan.txt'];
    await page.getByRole('link', { name: /^Conflicts/ }).click();
    const card = page.getByRole('listitem').filter({ hasText: 'plan.txt' });
    // The differences: both texts are to be seen.
    for (const word of ['ours', 'theirs']) await card.getByText(word, { exact: true }).first().waitFor();
    await card.getByRole('button', { name: 'Keep the current version' }).click();
    for (const where of both()) await expect.poll(() => texts(where, 'plan'), { timeout: 60_000 }).toEqual({ 'plan.txt': kept });
    await page.getByRole('heading', { name: 'No conflicts' }).waitFor();
    await page.goto(`${satchel.url}/trash`);
    await page.getByRole('row', { name: /^plan \(conflicted copy/ }).waitFor();
    await page.goto(`${satchel.url}/files`);
  });

  test('the other version kept with one click, offline; its bytes are read here at once and on the other device later', async () => {
    await conflictOver('list.txt');
    const before = await texts(page, 'list');
    const wanted = Object.entries(before).find(([name]) => name !== 'list.txt')?.[1];
    await page.goto(`${satchel.url}/conflicts`);
    const card = page.getByRole('listitem').filter({ hasText: 'list.txt' });
    await card
      .getByText(wanted ?? '', { exact: true })
      .first()
      .waitFor();
    for (const name of Object.keys(before)) await keptHere(page, name);
    await cut();
    await card.getByRole('button', { name: /^Keep the version from/ }).click();
    await expect.poll(() => texts(page, 'list'), { timeout: 60_000 }).toEqual({ 'list.txt': wanted });
    await mend();
    await expect.poll(() => texts(other, 'list'), { timeout: 60_000 }).toEqual({ 'list.txt': wanted });
    await page.getByRole('button', { name: 'Undo' }).first().click();
    for (const where of both()) await expect.poll(() => texts(where, 'list'), { timeout: 60_000 }).toEqual(before);
    await card.getByRole('button', { name: 'Keep both' }).click();
    for (const where of both()) {
      await expect
        .poll(() => texts(where, 'list'), { timeout: 60_000 })
        .toEqual({ 'list.txt': before['list.txt'], 'list (2).txt': wanted });
    }
    await page.goto(`${satchel.url}/files`);
  });

  test('a binary file replaced on both: both kept, pictures side by side', async () => {
    const path = join(folder, 'dot.png');
    writeFileSync(path, png(1));
    await uploadInput(page, 'files', [path]);
    await entryRow(other, 'dot.png').waitFor({ timeout: 30_000 });
    await settled();
    await cut();
    for (const [index, where] of both().entries()) {
      const replacement = join(folder, `replacement-${index}.png`);
      writeFileSync(replacement, png(2 + index));
      const chooser = where.waitForEvent('filechooser');
      await entryRow(where, 'dot.png').click({ button: 'right' });
      await where.getByRole('menuitem', { name: 'Replace with…' }).click();
      await (await chooser).setFiles(replacement);
      await where.getByText('Replaced the content of “dot.png”').waitFor();
    }
    const [ours, theirs] = [await contentSha256(page, 'dot.png'), await contentSha256(other, 'dot.png')];
    expect(ours).not.toBe(theirs);
    await mend();
    for (const where of both()) await where.getByRole('row', { name: /^dot \(conflicted copy/ }).waitFor({ timeout: 90_000 });
    await settled();
    await page.goto(`${satchel.url}/conflicts`);
    const card = page.getByRole('listitem').filter({ hasText: 'dot.png' });
    await expect
      .poll(() =>
        card.getByRole('img').evaluateAll((images) => images.filter((image) => (image as HTMLImageElement).naturalWidth > 0).length),
      )
      .toBe(2);
    await page.goto(`${satchel.url}/files`);
    const copy = (await page.getByRole('row', { name: /^dot \(conflicted copy/ }).getAttribute('aria-label')) ?? '';
    expect([await contentSha256(page, 'dot.png'), await contentSha256(page, copy)].sort()).toEqual([ours, theirs].sort());
  });
});

/** A picture of one point; the number goes into a comment behind its end, so that the bytes differ. */
function png(mark: number): Buffer {
  const point = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  return Buffer.concat([Buffer.from(point, 'base64'), Buffer.alloc(64, mark)]);
}
