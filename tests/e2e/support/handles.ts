import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** Drops files or folders of this disk onto the page, as a person would: the page gets real handles, readable until it is closed. */
export async function dropPaths(page: Page, paths: readonly string[]): Promise<void> {
  const cdp = await page.context().newCDPSession(page);
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  const { width, height } = page.viewportSize() ?? { width: 1280, height: 800 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await cdp.send('Input.dispatchDragEvent', { type, x: Math.round(width / 2), y: Math.round(height / 2), data });
  }
  await cdp.detach();
}

/** Lets the site read and write what it holds handles of, also after a restart. To be called while the profile's browser is closed. */
export function grantHandles(profileDir: string, origin: string): void {
  const path = join(profileDir, 'Default', 'Preferences');
  const preferences = JSON.parse(readFileSync(path, 'utf8'));
  preferences.profile ??= {};
  preferences.profile.content_settings ??= {};
  preferences.profile.content_settings.exceptions ??= {};
  // Microseconds since 1601, Chromium's time.
  const granted = { [`${origin},*`]: { last_modified: String((Date.now() + 11_644_473_600_000) * 1000), setting: 1 } };
  Object.assign(preferences.profile.content_settings.exceptions, { file_system_read_guard: granted, file_system_write_guard: granted });
  writeFileSync(path, JSON.stringify(preferences));
}
