/**
 * Takes the pictures of the README and of docs/images: the main views at phone and desktop size, light and dark.
 *
 *     npx tsx --tsconfig tests/tsconfig.json tests/e2e/support/screenshots.ts
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { keystream } from '@/bench/support/workloads';
import { setup as startPostgres } from '../../support/postgres-global-setup';
import { newProfile } from './browser';
import { closeEditor, controlled, cursorAtEnd, newFile, saved } from './edit';
import { enterAccount, entryRow, transfersDone, uploadInput } from './page';
import { startSatchel } from './satchel';

const FILES: readonly (readonly [string, number])[] = [
  ['Budget 2026.xlsx', 48_200],
  ['Contract signed.pdf', 912_000],
  ['Interview.mp3', 6_400_000],
  ['Notes on the harvest.md', 3_120],
  ['Slides for Lisbon.pptx', 4_300_000],
  ['archive-2024.zip', 9_100_000],
];

const PLAN = `Budget of the trip

Train        128
Hotel, 4 n.  520
Food         240
Museums       60
`;
const TEXTS: readonly (readonly [string, string])[] = [
  ['Budget.txt', PLAN],
  [
    'Budget (conflicted copy, Chrome on Android, 2026-11-19).txt',
    PLAN.replace('520', '485').replace('Museums       60', 'Museums       75\nTrams         28'),
  ],
  [
    'Lisbon.md',
    `# Lisbon, four days

The **night train** arrives at *7:40*. Coffee first, then the river.

## To see

- [x] Carmo convent
- [ ] Tile museum
- [ ] Feira da Ladra, Tuesday and Saturday

> Take the 28 tram early, or walk beside it.

| Day | Morning | Evening |
| --- | --- | --- |
| Thu | Alfama | Fado at Mesa |
| Fri | Belém | Cacilhas, by ferry |

\`\`\`
kgs: 1 bag, 7 kg
\`\`\`

[Timetable](https://example.org/trains)
`,
  ],
];

/** A picture drawn by the page itself, so that the repository needs none. */
async function drawn(page: Page, hue: number): Promise<Buffer> {
  const base64 = await page.evaluate((base) => {
    const canvas = document.createElement('canvas');
    canvas.width = 960;
    canvas.height = 640;
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    const sky = context.createLinearGradient(0, 0, 0, 640);
    sky.addColorStop(0, `hsl(${base} 70% 78%)`);
    sky.addColorStop(1, `hsl(${base + 40} 80% 88%)`);
    context.fillStyle = sky;
    context.fillRect(0, 0, 960, 640);
    for (let hill = 0; hill < 4; hill++) {
      context.fillStyle = `hsl(${base + 90} ${30 + hill * 6}% ${62 - hill * 11}%)`;
      context.beginPath();
      context.moveTo(0, 640);
      for (let x = 0; x <= 960; x += 8) context.lineTo(x, 330 + hill * 70 + Math.sin(x / (90 + hill * 37) + hill * 2 + base) * 46);
      context.lineTo(960, 640);
      context.fill();
    }
    return canvas.toDataURL('image/jpeg', 0.86).split(',')[1] as string;
  }, hue);
  return Buffer.from(base64, 'base64');
}

async function main(): Promise<void> {
  mkdirSync('docs/images', { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'satchel-pictures-'));
  const stopPostgres = await startPostgres();
  const satchel = await startSatchel();
  try {
    for (const [name, bytes] of FILES) writeFileSync(join(folder, name), keystream(name)(bytes));
    const filled = newProfile({ viewport: { width: 1440, height: 900 } });
    const first = await filled.open();
    await first.goto(`${satchel.url}/sign-up`);
    await first.waitForTimeout(1500);
    await first.screenshot({ path: 'docs/images/sign-up-desktop-light.png' });
    await enterAccount(first, satchel.url, 'ada@example.org');
    const photos = join(folder, 'Photos from the coast');
    mkdirSync(photos);
    for (let n = 1; n <= 9; n++) writeFileSync(join(photos, `IMG_${n}.jpg`), await drawn(first, n * 37));
    for (const name of ['Letters', 'Projects', 'Recipes']) {
      await first.getByRole('button', { name: 'New', exact: true }).click();
      await first.getByRole('menuitem', { name: 'New folder' }).click();
      await first.getByRole('dialog').getByRole('textbox').fill(name);
      await first.keyboard.press('Enter');
      await entryRow(first, name).waitFor();
    }
    await uploadInput(first, 'folder', photos);
    await uploadInput(
      first,
      'files',
      FILES.map(([name]) => join(folder, name)),
    );
    const letters = join(folder, 'Plans');
    mkdirSync(letters);
    for (const [name, text] of TEXTS) writeFileSync(join(letters, name), text);
    writeFileSync(join(letters, 'Cover.jpg'), await drawn(first, 20));
    writeFileSync(join(letters, 'Cover (conflicted copy, Firefox on Windows, 2026-11-18).jpg'), await drawn(first, 190));
    await uploadInput(first, 'folder', letters);
    await transfersDone(first, 15 + TEXTS.length + 2);
    await first.getByRole('button', { name: 'Show the list of transfers' }).click();
    await first.waitForTimeout(1200);
    await first.screenshot({ path: 'docs/images/tray-desktop-light.png' });
    await first.getByRole('button', { name: 'Close transfers' }).click();
    await filled.close();
    for (const size of ['desktop', 'phone'] as const) {
      for (const scheme of ['light', 'dark'] as const) {
        const profile = newProfile({
          viewport: size === 'desktop' ? { width: 1440, height: 900 } : { width: 390, height: 844 },
          colorScheme: scheme,
          phone: size === 'phone',
        });
        const page = await profile.open();
        const shot = async (view: string): Promise<void> => {
          await page.waitForTimeout(900);
          await page.screenshot({ path: `docs/images/${view}-${size}-${scheme}.png` });
        };
        await page.goto(`${satchel.url}/sign-in`);
        await shot('sign-in');
        await enterAccount(page, satchel.url, 'ada@example.org', { signIn: true });
        await entryRow(page, 'Photos from the coast').waitFor();
        await page.getByText('Budget 2026.xlsx').first().waitFor();
        await page.waitForTimeout(1500);
        await shot('explorer');
        if (size === 'desktop') {
          await entryRow(page, 'Interview.mp3').click({ button: 'right' });
          await shot('menu');
          await page.keyboard.press('Escape');
        } else {
          await page.getByRole('button', { name: 'New', exact: true }).click();
          await shot('new');
          await page.keyboard.press('Escape');
        }
        await entryRow(page, 'Photos from the coast').dblclick();
        await page.getByRole('button', { name: 'Grid view' }).click();
        await shot('grid');
        await page.getByText('IMG_3.jpg').first().dblclick();
        await shot('viewer');
        await page.goto(`${satchel.url}/files`);
        await entryRow(page, 'Plans')
          .or(page.getByRole('gridcell', { name: 'Plans' }))
          .dblclick();
        await page.getByText('Lisbon.md').first().dblclick();
        if (size === 'phone') {
          await page.getByRole('button', { name: 'Edit', exact: true }).click();
          await shot('editor');
          await page.getByRole('button', { name: 'Preview', exact: true }).click();
          await shot('preview');
        } else {
          await page.getByRole('heading', { name: 'Lisbon, four days' }).waitFor();
          await shot('editor');
        }
        await page.goto(`${satchel.url}/conflicts`);
        await page.getByText('Budget of the trip').first().waitFor();
        await shot('conflicts');
        await page.goto(`${satchel.url}/devices`);
        await shot('devices');
        await page.goto(`${satchel.url}/settings`);
        await shot('settings');
        // Last, and never sent, so that the next pictures show the same files.
        await page.goto(`${satchel.url}/files`);
        await controlled(page);
        satchel.cut();
        await profile.context().setOffline(true);
        await page.goto(`${satchel.url}/files`);
        for (const name of ['Invoices', 'Garden']) {
          await page.getByRole('button', { name: 'New', exact: true }).click();
          await page.getByRole('menuitem', { name: 'New folder' }).click();
          await page.getByRole('dialog').getByRole('textbox').fill(name);
          await page.keyboard.press('Enter');
          await page.getByText(name, { exact: true }).first().waitFor();
        }
        await newFile(page, 'Text file', 'Shopping.txt');
        await cursorAtEnd(page, 'Shopping.txt');
        await page.keyboard.type('Bread, olives, a bag of lemons');
        await saved(page, 'Saved on this device');
        await closeEditor(page);
        await page.goto(`${satchel.url}/waiting`);
        await page.getByText('Shopping.txt').first().waitFor();
        await shot('waiting');
        await profile.remove();
        satchel.mend();
      }
    }
    await filled.remove();
  } finally {
    await satchel.stop();
    await stopPostgres();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
