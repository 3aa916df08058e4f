import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { seriousFaults } from './support/axe';
import { newProfile, type Profile } from './support/browser';
import { closeEditor, cursorAtEnd, newFile, openText, saved, texts } from './support/edit';
import { enterAccount, entryRow, transfersDone, uploadInput } from './support/page';
import { type Satchel, startSatchel } from './support/satchel';

const ATTACK = `# Title

<script>window.ran = 'script'</script>

<img src=x onerror="window.ran = 'image'">
<svg><animate onbegin="window.ran = 'svg'" attributeName=x dur=1s></svg>

<a href="javascript:window.ran='link'" onclick="window.ran = 'click'">raw link</a> <a href="/api/v1/accounts/me">path link</a>

[markdown link](javascript:window.ran='markdown') [data](data:text/html,<script>window.ran='data'</script>) [good link](https://example.org/)

<iframe srcdoc="<script>parent.ran = 'frame'</script>"></iframe>
<form action="/api/v1/accounts/sign-out"><button formaction="javascript:window.ran='form'">button</button></form>
<style>body { display: none }</style>
<math><mtext><table><mglyph><style><img src=x onerror="window.ran = 'mutation'"></style></mglyph></table></mtext></math>

![picture](https://example.org/track.png)

- [x] done

last words
`;

describe('the editor and its neighbours', () => {
  let satchel: Satchel;
  let page: Page;
  const profile: Profile = newProfile();
  const folder = mkdtempSync(join(tmpdir(), 'satchel-views-'));
  beforeAll(async () => {
    satchel = await startSatchel();
    page = await profile.open();
    await enterAccount(page, satchel.url, 'ada@example.org');
    writeFileSync(join(folder, 'attack.md'), ATTACK);
    writeFileSync(join(folder, 'latin1.txt'), Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x0a]));
    writeFileSync(join(folder, 'windows.txt'), 'one\r\ntwo\r\n');
    writeFileSync(join(folder, 'mixed.txt'), '\ufeffone\r\ntwo\nthree\rfour');
    writeFileSync(join(folder, 'large.txt'), 'All work and no play.\n'.repeat(260_000));
    await uploadInput(
      page,
      'files',
      ['attack.md', 'latin1.txt', 'windows.txt', 'mixed.txt', 'large.txt'].map((name) => join(folder, name)),
    );
    await transfersDone(page, 5);
  });
  beforeEach(async () => {
    await page.goto(`${satchel.url}/files`);
    await entryRow(page, 'attack.md').waitFor();
  });
  afterAll(async () => {
    await profile.remove();
    await satchel.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('Markdown is formatted, and nothing in it runs, loads, submits or styles', async () => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await entryRow(page, 'attack.md').dblclick();
    const view = page.getByRole('region', { name: 'Formatted text' });
    await view.getByRole('heading', { name: 'Title' }).waitFor();
    await view.getByText('last words').waitFor();
    await view.getByRole('checkbox', { name: 'Done' }).waitFor();
    for (const name of ['raw link', 'path link', 'markdown link', 'data']) await view.getByText(name, { exact: true }).click();
    expect(await page.evaluate(() => (globalThis as { ran?: string }).ran)).toBeUndefined();
    expect(await view.locator('script, iframe, form, style, svg, img, math, button, [onerror], [onclick], [style]').count()).toBe(0);
    expect(await view.locator('a').evaluateAll((links) => links.map((link) => link.getAttribute('href')))).toEqual([
      null,
      null,
      null,
      null,
      'https://example.org/',
    ]);
    expect(asked.filter((url) => !url.startsWith(satchel.url))).toEqual([]);
    expect(await seriousFaults(page)).toEqual([]);
    await closeEditor(page);
  });

  test('ends of lines and byte order marks stay what they were', async () => {
    await openText(page, 'windows.txt');
    await page.keyboard.type('three\nfour');
    await saved(page, 'Synced');
    await closeEditor(page);
    await openText(page, 'mixed.txt');
    await page.keyboard.type('!');
    await saved(page, 'Synced');
    await closeEditor(page);
    expect(await texts(page, 'windows')).toEqual({ 'windows.txt': 'one\r\ntwo\r\nthree\r\nfour' });
    // `Response.text()` leaves the mark out.
    expect(await texts(page, 'mixed')).toEqual({ 'mixed.txt': 'one\r\ntwo\nthree\rfour!' });
  });

  test('what is not UTF-8, or too large, is shown with a sentence and not edited', async () => {
    await entryRow(page, 'latin1.txt').dblclick();
    await page.getByText('This file is not UTF-8 text.', { exact: false }).waitFor();
    await closeEditor(page);
    await entryRow(page, 'large.txt').dblclick();
    await page.getByText('Files over 5.2 MB are shown here and edited elsewhere.').waitFor();
    expect(await page.locator('[data-editor]').count()).toBe(0);
    await closeEditor(page);
  });

  test('search, wrap, undo, and Escape leads out step by step', async () => {
    await openText(page, 'windows.txt');
    await page.keyboard.type(' needle');
    await page.getByText('needle').first().waitFor();
    await page.keyboard.press('Control+z');
    await expect.poll(() => page.getByText('needle').count()).toBe(0);
    await page.getByRole('button', { name: 'Find and replace' }).click();
    await page.getByRole('textbox', { name: 'Find' }).pressSequentially('two');
    await page.locator('.cm-searchMatch').first().waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('.cm-search').count()).toBe(0);
    await page.getByRole('button', { name: 'Wrap long lines' }).click();
    await cursorAtEnd(page, 'windows.txt');
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').count()).toBe(1);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  });

  test('a second tab may look, and edits once the first has closed the file', async () => {
    await newFile(page, 'Text file', 'shared.txt');
    await cursorAtEnd(page, 'shared.txt');
    await page.keyboard.type('from the first');
    await saved(page, 'Synced');
    const tab = await profile.context().newPage();
    await tab.goto(`${satchel.url}/files`);
    await entryRow(tab, 'shared.txt').dblclick();
    await tab.getByText('This file is open for editing in another tab', { exact: false }).waitFor();
    await closeEditor(page);
    await cursorAtEnd(tab, 'shared.txt');
    await tab.keyboard.type(', then the second');
    await saved(tab, 'Synced');
    expect(await texts(tab, 'shared')).toEqual({ 'shared.txt': 'from the first, then the second' });
    await tab.close();
  });

  test('a file dropped onto another replaces it after a question', async () => {
    const drop = async (): Promise<void> => {
      const data = await page.evaluateHandle(() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File(['dropped'], 'other.txt', { type: 'text/plain' }));
        return transfer;
      });
      const row = entryRow(page, 'shared.txt');
      await row.dispatchEvent('dragover', { dataTransfer: data });
      await row.dispatchEvent('drop', { dataTransfer: data });
    };
    await drop();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Replace', exact: true }).click();
    await expect.poll(() => texts(page, 'shared'), { timeout: 30_000 }).toEqual({ 'shared.txt': 'dropped' });
    await page
      .locator('[data-sonner-toast]')
      .filter({ hasText: 'Replaced the content' })
      .getByRole('button', { name: 'Undo' })
      .dispatchEvent('click');
    await expect.poll(() => texts(page, 'shared'), { timeout: 30_000 }).toEqual({ 'shared.txt': 'from the first, then the second' });
    await drop();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Upload beside it' }).click();
    await expect.poll(() => texts(page, 'other'), { timeout: 30_000 }).toEqual({ 'other.txt': 'dropped' });
  });

  test('no serious accessibility fault in the new views, on phones neither', async () => {
    for (const view of ['files', 'waiting', 'conflicts', 'trash']) {
      await page.goto(`${satchel.url}/${view}`);
      await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
      expect(await seriousFaults(page), view).toEqual([]);
    }
    const phone = newProfile({ viewport: { width: 390, height: 844 }, phone: true, colorScheme: 'dark' });
    const small = await phone.open();
    try {
      await enterAccount(small, satchel.url, 'ada@example.org', { signIn: true });
      await newFile(small, 'Markdown', 'on the phone.md');
      await cursorAtEnd(small, 'on the phone.md');
      await small.keyboard.type('# Pocket');
      await small.getByRole('button', { name: 'Preview', exact: true }).click();
      await small.getByRole('heading', { name: 'Pocket' }).waitFor();
      await saved(small, 'Synced');
      expect(await seriousFaults(small)).toEqual([]);
      await closeEditor(small);
      await small.goto(`${satchel.url}/waiting`);
      await small.getByRole('heading', { name: 'Everything is on the server' }).waitFor();
      expect(await seriousFaults(small)).toEqual([]);
    } finally {
      await phone.remove();
    }
  });
});
