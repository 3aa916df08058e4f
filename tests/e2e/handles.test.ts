import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newProfile, type Profile } from './support/browser';
import { dropPaths, grantHandles } from './support/handles';
import { contentSha256, enterAccount, entryRow, transferCounts, transfersDone, uploadInput, withoutPickers } from './support/page';
import { type Satchel, startSatchel } from './support/satchel';
import { readTable } from './support/store';

/** Large enough that the browser is caught in the middle of staging it; zeros, so that nearly nothing has to be sent. */
const LARGE_BYTES = 500_000_000;
const SMALL = 'What the file holds by now.\n';

interface Row {
  readonly id: string;
  readonly entryId: string;
  readonly name: string;
  readonly state: string;
}

const transferRows = async (page: Page): Promise<Row[]> =>
  (await readTable<Row>(page, 'transfers')).map(({ id, entryId, name, state }) => ({ id, entryId, name, state }));

describe('files that carry a handle', () => {
  let satchel: Satchel;
  let page: Page;
  const profile: Profile = newProfile();
  const folder = mkdtempSync(join(tmpdir(), 'satchel-handles-'));

  const openPage = async (path = '/files'): Promise<void> => {
    page = await profile.open();
    await withoutPickers(page);
    await page.goto(satchel.url + path);
    if (path === '/files') await page.getByRole('button', { name: 'New', exact: true }).waitFor();
  };
  const makeLarge = (name: string): { readonly path: string; readonly sha256: string } => {
    const path = join(folder, name);
    const file = openSync(path, 'w');
    ftruncateSync(file, LARGE_BYTES);
    writeSync(file, name, LARGE_BYTES - name.length);
    closeSync(file);
    const hash = createHash('sha256');
    const zeros = Buffer.alloc(1_000_000);
    for (let at = 0; at + zeros.length < LARGE_BYTES; at += zeros.length) hash.update(zeros);
    const tail = Buffer.alloc(zeros.length);
    tail.write(name, tail.length - name.length);
    return { path, sha256: hash.update(tail).digest('hex') };
  };
  /** Kills the browser while the bytes of one file are being brought to safety. */
  const killWhileStaging = async (): Promise<void> => {
    await expect.poll(async () => (await transferCounts(page)).staging ?? 0, { timeout: 30_000, interval: 10 }).toBe(1);
    await profile.kill();
  };

  beforeAll(async () => {
    satchel = await startSatchel();
    page = await profile.open();
    await enterAccount(page, satchel.url, 'ada@example.org');
    await profile.close();
    await openPage();
  });
  afterAll(async () => {
    await profile.remove();
    await satchel.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a dropped tree keeps its empty folders', async () => {
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'empty', 'emptier'), { recursive: true });
    mkdirSync(join(tree, 'full'));
    writeFileSync(join(tree, 'full', 'note.txt'), SMALL);
    await dropPaths(page, [tree]);
    await transfersDone(page, 1);
    expect(await contentSha256(page, 'note.txt')).toBe(createHash('sha256').update(SMALL).digest('hex'));
    await entryRow(page, 'tree').dblclick();
    await entryRow(page, 'full').waitFor();
    await entryRow(page, 'empty').dblclick();
    await entryRow(page, 'emptier').waitFor();
    await page.goto(`${satchel.url}/files`);
    await entryRow(page, 'tree').waitFor();
  });

  test('a file the browser was killed over, and may not read any more, is lost until it is picked again: then it keeps its identity', async () => {
    const file = makeLarge('picked-again.bin');
    await dropPaths(page, [file.path]);
    await killWhileStaging();
    await openPage();
    const lost = async (): Promise<Row | undefined> => (await transferRows(page)).find(({ state }) => state === 'lost');
    await expect.poll(lost, { timeout: 30_000 }).toBeDefined();
    const before = await lost();
    await page.getByRole('button', { name: 'Show the list of transfers' }).click();
    await page.getByRole('button', { name: 'Continue picked-again.bin' }).waitFor();
    await uploadInput(page, 'files', file.path);
    await expect.poll(async () => (await transferCounts(page)).done, { timeout: 120_000 }).toBe(2);
    const rows = (await transferRows(page)).filter(({ name }) => name === 'picked-again.bin');
    expect(rows).toEqual([{ ...before, state: 'done' }]);
    await entryRow(page, 'picked-again.bin').waitFor();
    expect(await contentSha256(page, 'picked-again.bin')).toBe(file.sha256);
  });

  test('a file the browser was killed over goes on by itself while its handle may be read', async () => {
    const file = makeLarge('by-itself.bin');
    await profile.close();
    grantHandles(profile.dir, satchel.url);
    await openPage();
    await dropPaths(page, [file.path]);
    await killWhileStaging();
    await openPage();
    await transfersDone(page, 3);
    expect(await contentSha256(page, 'by-itself.bin')).toBe(file.sha256);
  });

  test('picked by the button it carries a handle; lost, it goes on with one click', async () => {
    await profile.close();
    page = await profile.open();
    // No picker opens without a screen: this one gives a file of the browser's own file system, behind the same kind of handle.
    await page.addInitScript(() => {
      const picker = async (): Promise<FileSystemFileHandle[]> => {
        const root = await navigator.storage.getDirectory();
        return [await root.getFileHandle('on-the-disk.bin')];
      };
      Object.assign(window, { showOpenFilePicker: picker });
    });
    await page.goto(`${satchel.url}/files`);
    await page.getByRole('button', { name: 'New', exact: true }).waitFor();
    const write = (bytes: number, text: string): Promise<void> =>
      page.evaluate(
        async ([size, end]) => {
          const root = await navigator.storage.getDirectory();
          const writable = await (await root.getFileHandle('on-the-disk.bin', { create: true })).createWritable();
          await writable.truncate(size);
          await writable.write({ type: 'write', position: size, data: end });
          await writable.close();
        },
        [bytes, text] as const,
      );
    await write(LARGE_BYTES, SMALL);
    await page.getByRole('button', { name: 'New', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Upload files' }).click();
    await killWhileStaging();
    // A page of the same origin without an engine: the file is gone before anybody looks for it.
    await openPage('/manifest.webmanifest');
    await page.evaluate(async () => (await navigator.storage.getDirectory()).removeEntry('on-the-disk.bin'));
    await page.goto(`${satchel.url}/files`);
    await page.getByRole('button', { name: 'Show the list of transfers' }).click();
    const again = page.getByRole('button', { name: 'Continue on-the-disk.bin' });
    await again.waitFor({ timeout: 30_000 });
    await write(0, SMALL);
    await again.click();
    await expect.poll(async () => (await transferCounts(page)).done, { timeout: 60_000 }).toBe(4);
    expect(await contentSha256(page, 'on-the-disk.bin')).toBe(createHash('sha256').update(SMALL).digest('hex'));
  });
});
