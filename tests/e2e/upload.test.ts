import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keystream } from '@/bench/support/workloads';
import { newProfile, type Profile } from './support/browser';
import { contentSha256, enterAccount, entryRow, transfersDone, uploadInput } from './support/page';
import { type Satchel, startSatchel } from './support/satchel';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('files in, files everywhere', () => {
  let satchel: Satchel;
  let first: Page;
  let second: Page;
  const profiles: Profile[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'satchel-upload-'));
  beforeAll(async () => {
    satchel = await startSatchel();
    for (const signIn of [false, true]) {
      const profile = newProfile();
      profiles.push(profile);
      const page = await profile.open();
      await enterAccount(page, satchel.url, 'ada@example.org', { signIn });
      if (signIn) second = page;
      else first = page;
    }
  });
  afterAll(async () => {
    for (const profile of profiles) await profile.remove();
    await satchel.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a picked file of 5 MB is on the second device, byte for byte', async () => {
    const bytes = keystream('five')(5_000_000);
    const path = join(folder, 'five.bin');
    writeFileSync(path, bytes);
    utimesSync(path, new Date('2020-02-03T04:05:06Z'), new Date('2020-02-03T04:05:06Z'));
    await uploadInput(first, 'files', path);
    await entryRow(second, 'five.bin').waitFor({ timeout: 15_000 });
    expect(await contentSha256(second, 'five.bin')).toBe(sha256(bytes));
    expect(await entryRow(second, 'five.bin').textContent()).toContain('2020');
  });

  test('a folder tree keeps its shape and its bytes', async () => {
    const tree = join(folder, 'holiday');
    const files = new Map<string, Buffer>();
    for (const [name, size] of [
      ['a.txt', 10],
      ['deep/er/b.bin', 300_000],
      ['deep/c.bin', 1],
      ['deep/empty.txt', 0],
    ] as const) {
      mkdirSync(join(tree, name, '..'), { recursive: true });
      const bytes = keystream(name)(size);
      writeFileSync(join(tree, name), bytes);
      files.set(name.split('/').at(-1) as string, bytes);
    }
    await uploadInput(first, 'folder', tree);
    await transfersDone(first, 5);
    await entryRow(second, 'holiday').waitFor({ timeout: 15_000 });
    await entryRow(second, 'holiday').dblclick();
    await entryRow(second, 'deep').waitFor();
    for (const [name, bytes] of files) expect(await contentSha256(second, name), name).toBe(sha256(bytes));
    await second.goBack();
  });

  test('a name that is taken is asked about once; replacing makes a new revision, keeping both a second file', async () => {
    const path = join(folder, 'five.bin');
    const changed = keystream('changed')(5_000_100);
    writeFileSync(path, changed);
    await uploadInput(first, 'files', path);
    const dialog = first.getByRole('dialog').or(first.getByRole('alertdialog'));
    await dialog.getByRole('button', { name: /replace/i }).click();
    await transfersDone(first, 6);
    await expect.poll(() => contentSha256(second, 'five.bin'), { timeout: 15_000 }).toBe(sha256(changed));
    await uploadInput(first, 'files', path);
    await dialog.getByRole('button', { name: /keep both/i }).click();
    await entryRow(second, 'five (2).bin').waitFor({ timeout: 15_000 });
  });

  test('a folder comes down as a ZIP with every byte', async () => {
    await entryRow(second, 'holiday').click({ button: 'right' });
    const download = second.waitForEvent('download');
    await second.getByRole('menuitem', { name: 'Download' }).click();
    const target = join(folder, 'holiday.zip');
    await (await download).saveAs(target);
    expect((await download).suggestedFilename()).toBe('holiday.zip');
    const { execFileSync } = await import('node:child_process');
    const listing = execFileSync('python3', [
      '-c',
      'import sys,zipfile,hashlib\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nfor n in sorted(z.namelist()): print(n, len(z.read(n)))',
      target,
    ]).toString();
    expect(listing.trim().split('\n')).toEqual([
      'holiday/ 0',
      'holiday/a.txt 10',
      'holiday/deep/ 0',
      'holiday/deep/c.bin 1',
      'holiday/deep/empty.txt 0',
      'holiday/deep/er/ 0',
      'holiday/deep/er/b.bin 300000',
    ]);
  });

  test('a single file comes down under its own name', async () => {
    await entryRow(second, 'five.bin').click({ button: 'right' });
    const download = second.waitForEvent('download');
    await second.getByRole('menuitem', { name: 'Download' }).click();
    const target = join(folder, 'down.bin');
    await (await download).saveAs(target);
    expect((await download).suggestedFilename()).toBe('five.bin');
    expect(statSync(target).size).toBe(5_000_100);
    expect(sha256(readFileSync(target))).toBe(sha256(readFileSync(join(folder, 'five.bin'))));
  });

  test('a thousand small files go up without freezing the page', async () => {
    const many = join(folder, 'many');
    mkdirSync(many);
    for (let i = 0; i < 1000; i++) writeFileSync(join(many, `n${i}.txt`), keystream(`n${i}`)(1000 + i));
    await first.evaluate(() => {
      // The longest time the page could not answer, in milliseconds.
      let last = performance.now();
      Object.assign(window, { longest: 0 });
      setInterval(() => {
        const now = performance.now();
        Object.assign(window, { longest: Math.max((window as unknown as { longest: number }).longest, now - last - 50) });
        last = now;
      }, 50);
    });
    await uploadInput(first, 'folder', many);
    await transfersDone(first, 1007);
    expect(await first.evaluate(() => (window as unknown as { longest: number }).longest)).toBeLessThan(2000);
    await entryRow(second, 'many').dblclick();
    await entryRow(second, 'n0.txt').waitFor({ timeout: 15_000 });
    expect(await contentSha256(second, 'n999.txt')).toBe(sha256(readFileSync(join(many, 'n999.txt'))));
  });
});
