import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newProfile, type Profile } from './support/browser';
import { enterAccount, entryRow } from './support/page';
import { type Satchel, startSatchel } from './support/satchel';

describe('the explorer, followed by a second device and a second tab', () => {
  let satchel: Satchel;
  let page: Page;
  let tab: Page;
  let device: Page;
  const here: Profile = newProfile();
  const there: Profile = newProfile();
  const seen = async (name: string, present = true): Promise<void> => {
    for (const where of [page, tab, device]) {
      if (present) await entryRow(where, name).waitFor({ timeout: 15_000 });
      else await expect.poll(() => entryRow(where, name).count(), { timeout: 15_000 }).toBe(0);
    }
  };
  const newFolder = async (name: string): Promise<void> => {
    await page.getByRole('button', { name: 'New', exact: true }).click();
    await page.getByRole('menuitem', { name: 'New folder' }).click();
    await page.getByRole('dialog').getByRole('textbox').fill(name);
    await page.keyboard.press('Enter');
  };
  const menu = async (row: string, item: string): Promise<void> => {
    await entryRow(page, row).click({ button: 'right' });
    await page.getByRole('menuitem', { name: item }).click();
  };
  beforeAll(async () => {
    satchel = await startSatchel();
    page = await here.open();
    await enterAccount(page, satchel.url, 'ada@example.org');
    tab = await here.context().newPage();
    await tab.goto(`${satchel.url}/files`);
    // Behind another tab a page draws too seldom to be clicked quickly.
    await page.bringToFront();
    device = await there.open();
    await enterAccount(device, satchel.url, 'ada@example.org', { signIn: true });
  });
  afterAll(async () => {
    await here.remove();
    await there.remove();
    await satchel.stop();
  });

  test('a new folder appears everywhere', async () => {
    await newFolder('Plans');
    await seen('Plans');
  });

  test('a name that cannot be used is refused with a sentence', async () => {
    await newFolder('a/b');
    await page.getByText('A name cannot contain', { exact: false }).first().waitFor();
    await page.keyboard.press('Escape');
    await newFolder('PLANS');
    await page
      .getByText(/already/i)
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  });

  test('F2 renames in place', async () => {
    await entryRow(page, 'Plans').click();
    await page.keyboard.press('F2');
    await page.keyboard.press('Control+a');
    await page.keyboard.type('Projects');
    await page.keyboard.press('Enter');
    await seen('Projects');
    await seen('Plans', false);
  });

  test('Enter opens, breadcrumbs and Alt-Up lead back, the address names the folder', async () => {
    await entryRow(page, 'Projects').click();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toMatch(/\/files\/[0-9a-f-]{36}$/);
    await newFolder('Inside');
    await entryRow(page, 'Inside').waitFor();
    await page.reload();
    await entryRow(page, 'Inside').waitFor();
    await entryRow(page, 'Inside').click();
    await page.keyboard.press('Alt+ArrowUp');
    await entryRow(page, 'Projects').waitFor();
  });

  test('moved by dialog, copied by dialog', async () => {
    await newFolder('Attic');
    await newFolder('Letters');
    await seen('Letters');
    await menu('Letters', 'Move to…');
    await page.getByRole('dialog').getByText('Attic').click();
    await page.getByRole('dialog').getByRole('button', { name: /^Move/ }).click();
    await seen('Letters', false);
    await menu('Projects', 'Copy to…');
    await page.getByRole('dialog').getByText('Attic').click();
    await page.getByRole('dialog').getByRole('button', { name: /^Copy/ }).click();
    for (const where of [page, device]) {
      await entryRow(where, 'Attic').dblclick();
      await entryRow(where, 'Letters').waitFor({ timeout: 15_000 });
      await entryRow(where, 'Projects').waitFor({ timeout: 15_000 });
      await entryRow(where, 'Projects').dblclick();
      await entryRow(where, 'Inside').waitFor({ timeout: 15_000 });
      await where.goto(`${satchel.url}/files`);
      await entryRow(where, 'Attic').waitFor();
    }
  });

  test('moved by drag onto a folder', async () => {
    await newFolder('Dragged');
    await seen('Dragged');
    await entryRow(page, 'Dragged').dragTo(entryRow(page, 'Attic'));
    await seen('Dragged', false);
    await entryRow(device, 'Attic').dblclick();
    await entryRow(device, 'Dragged').waitFor({ timeout: 15_000 });
    await device.goto(`${satchel.url}/files`);
  });

  test('Ctrl-A selects all, Delete asks nothing that Undo cannot take back, the trash restores', async () => {
    await newFolder('Gone');
    await seen('Gone');
    await entryRow(page, 'Gone').click();
    await page.keyboard.press('Delete');
    await seen('Gone', false);
    await page.getByRole('button', { name: 'Undo' }).first().click();
    await seen('Gone');
    await entryRow(page, 'Gone').click();
    await page.keyboard.press('Control+a');
    expect(await page.getByRole('row', { selected: true }).count()).toBe(3);
    await page.keyboard.press('Delete');
    for (const name of ['Gone', 'Attic', 'Projects']) await seen(name, false);
    await page.goto(`${satchel.url}/trash`);
    await entryRow(page, 'Attic').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Restore' }).click();
    await page.getByText(/^Restored/).waitFor();
    await page.goto(`${satchel.url}/files`);
    await seen('Attic');
    await entryRow(page, 'Attic').dblclick();
    await entryRow(page, 'Letters').waitFor();
    await page.goto(`${satchel.url}/files`);
  });

  test('grid and list show the same entries; arrows move the selection', async () => {
    for (const name of ['b2', 'b10', 'b1']) await newFolder(name);
    await seen('b10');
    await page
      .getByRole('button', { name: 'Grid view' })
      .or(page.getByRole('radio', { name: 'Grid view' }))
      .click();
    await page.getByText('b10', { exact: true }).waitFor();
    await page
      .getByRole('button', { name: 'List view' })
      .or(page.getByRole('radio', { name: 'List view' }))
      .click();
    await entryRow(page, 'b10').waitFor();
    const names = await page.getByRole('row', { name: /^b\d+$/ }).allInnerTexts();
    expect(names.map((text) => text.trim().split(/\s/)[0])).toEqual(['b1', 'b2', 'b10']);
    await entryRow(page, 'b1').click();
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => page.getByRole('row', { name: 'b2', exact: true, selected: true }).count()).toBe(1);
    await page.keyboard.press('Shift+ArrowDown');
    await expect.poll(() => page.getByRole('row', { selected: true }).count()).toBe(2);
  });

  test('closing the leading tab hands over: the other tab still follows and still sends', async () => {
    await page.close();
    page = await here.context().newPage();
    await device.getByRole('button', { name: 'New', exact: true }).click();
    await device.getByRole('menuitem', { name: 'New folder' }).click();
    await device.getByRole('dialog').getByRole('textbox').fill('From afar');
    await device.keyboard.press('Enter');
    await entryRow(tab, 'From afar').waitFor({ timeout: 15_000 });
    await page.goto(`${satchel.url}/files`);
    await newFolder('After the hand-over');
    await seen('After the hand-over');
  });

  test('a device that was away catches up from its cursor', async () => {
    await there.close();
    await newFolder('While you were away');
    await entryRow(page, 'While you were away').waitFor();
    await page.waitForTimeout(1000);
    device = await there.open();
    await device.goto(`${satchel.url}/files`);
    await entryRow(device, 'While you were away').waitFor({ timeout: 15_000 });
  });
});
