import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Profile } from './browser';

/**
 * A person's pick of a real folder, without the dialog that no driver can operate: the browser gives a page the handle of a folder
 * that is dropped on it, and the permission to write is written into the profile before the browser starts.
 */

/**
 * To be called before the profile is opened for the first time. `forGood` false: after a reload the browser wants to ask again, as it
 * does where the person did not allow it on every visit.
 */
export function allowFolders(profile: Profile, origin: string, { forGood = true } = {}): void {
  const folder = join(profile.dir, 'Default');
  mkdirSync(folder, { recursive: true });
  // Microseconds since 1601, as Chromium counts.
  const granted = { [`${origin},*`]: { last_modified: String((Date.now() + 11_644_473_600_000) * 1000), setting: 1 } };
  const exceptions = { file_system_write_guard: granted, ...(forGood ? { file_system_read_guard: granted } : {}) };
  writeFileSync(join(folder, 'Preferences'), JSON.stringify({ profile: { content_settings: { exceptions } } }));
}

/** From the next navigation on, the page's folder picker gives what `offerFolder` offers. */
export async function withFolderPicker(page: Page): Promise<void> {
  await page.addInitScript(`window.showDirectoryPicker = async () => window.offeredFolder;`);
}

/** Makes `window.offeredFolder` the handle of a folder on the disk. */
export async function offerFolder(page: Page, directory: string): Promise<void> {
  await page.evaluate(`
    const stop = (event) => { event.preventDefault(); event.stopImmediatePropagation(); };
    window.offeredFolder = undefined;
    for (const type of ['dragenter', 'dragover']) window.addEventListener(type, stop, { capture: true });
    window.addEventListener('drop', (event) => {
      stop(event);
      for (const type of ['dragenter', 'dragover']) window.removeEventListener(type, stop, { capture: true });
      event.dataTransfer.items[0].getAsFileSystemHandle().then((handle) => { window.offeredFolder = handle; });
    }, { capture: true, once: true });
    undefined;
  `);
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [directory], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
  await session.detach();
  await page.waitForFunction('window.offeredFolder !== undefined');
}
