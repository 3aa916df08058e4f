import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

export const CHROMIUM = '/usr/lib/chromium/chromium';
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** One browser profile on disk: a device. It can be closed, killed and opened again. */
export interface Profile {
  readonly dir: string;
  context(): BrowserContext;
  /** Opens the browser (again) and a page. */
  open(): Promise<Page>;
  close(): Promise<void>;
  /** SIGKILLs every process of the browser. */
  kill(): Promise<void>;
  /** Resident memory of all its renderer processes, bytes. */
  rendererBytes(): number;
  /** Closes and deletes the profile. */
  remove(): Promise<void>;
}

export interface ProfileOptions {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: 'light' | 'dark';
  readonly phone?: boolean;
  /** More of Chromium's own. */
  readonly args?: readonly string[];
}

function processesOf(dir: string): { pid: number; command: string }[] {
  const found: { pid: number; command: string }[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      if (command.includes(`--user-data-dir=${dir}`)) found.push({ pid: Number(name), command });
    } catch (error) {
      // The process ended between the listing and the look.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && (error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  return found;
}

function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0; // It ended meanwhile: it holds nothing.
  }
}

/** A fresh profile; nothing runs until `open`. */
export function newProfile(options: ProfileOptions = {}): Profile {
  const dir = mkdtempSync(join(tmpdir(), 'satchel-profile-'));
  let context: BrowserContext | null = null;
  const close = async (): Promise<void> => {
    await context?.close();
    context = null;
  };
  return {
    dir,
    context: () => {
      if (!context) throw new Error('the profile is not open');
      return context;
    },
    open: async () => {
      context = await chromium.launchPersistentContext(dir, {
        executablePath: CHROMIUM,
        headless: true,
        args: [...ARGS, ...(options.args ?? [])],
        acceptDownloads: true,
        viewport: options.viewport ?? { width: 1280, height: 800 },
        ...(options.colorScheme ? { colorScheme: options.colorScheme } : {}),
        ...(options.phone ? { hasTouch: true, isMobile: true, deviceScaleFactor: 2 } : {}),
      });
      return context.pages()[0] ?? (await context.newPage());
    },
    close,
    kill: async () => {
      const processes = processesOf(dir);
      for (const { pid } of processes) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
        }
      }
      await context?.close().catch(() => undefined); // The browser is gone; only the driver's side is left to close.
      context = null;
      while (processesOf(dir).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      for (const lock of ['SingletonLock', 'SingletonSocket', 'SingletonCookie']) rmSync(join(dir, lock), { force: true });
    },
    rendererBytes: () =>
      processesOf(dir)
        .filter(({ command }) => command.includes('--type=renderer'))
        .reduce((sum, { pid }) => sum + residentBytes(pid), 0),
    remove: async () => {
      await close();
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Resident memory of one process, bytes. */
export { residentBytes };
