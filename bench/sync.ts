/**
 * How soon the other device has it, how fast offline changes drain, and what an entry costs in memory; two real Chromium profiles,
 * real server, PostgreSQL.
 *
 *     npm run bench:sync            (options: --edits 200 --changes 10000 --entries 100000)
 */
import type { Page } from 'playwright-core';
import { newProfile, type Profile } from '../tests/e2e/support/browser';
import { enterAccount } from '../tests/e2e/support/page';
import { type Satchel, startSatchel } from '../tests/e2e/support/satchel';
import { setup as startPostgres } from '../tests/support/postgres-global-setup';
import { SYNC_PAGE, type SyncPage } from './support/sync-page';

const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const EDITS = option('edits', 200);
const CHANGES = option('changes', 10_000);
const ENTRIES = option('entries', 100_000);
const EMAIL = 'bench@example.org';

declare const bench: SyncPage;

async function device(profile: Profile, satchel: Satchel, signIn: boolean, email = EMAIL): Promise<Page> {
  const page = await profile.open();
  // The loader of TypeScript names functions by a helper that the page does not have.
  await page.addInitScript('globalThis.__name = (named) => named');
  await page.addInitScript(SYNC_PAGE);
  await enterAccount(page, satchel.url, email, { signIn });
  await page.waitForTimeout(1500);
  return page;
}

function percentile(list: readonly number[], share: number): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function row(list: readonly number[]): Record<string, string> {
  return Object.fromEntries([0.5, 0.95, 0.99].map((share) => [`p${share * 100} ms`, percentile(list, share).toFixed(0)]));
}

/** The same journey without Satchel: one page asks a server for the time by fetch, twice (there and back for writer and reader). */
async function roundTrips(page: Page): Promise<readonly number[]> {
  return page.evaluate(async (times) => {
    const all: number[] = [];
    for (let n = 0; n < times; n++) {
      const from = performance.now();
      for (const _ of [1, 2]) await (await fetch('/api/v1/info', { cache: 'no-store' })).text();
      all.push(performance.now() - from);
    }
    return all;
  }, EDITS);
}

async function edits(a: Page, b: Page): Promise<Record<string, Record<string, string>>> {
  const text = (n: number) => `edit ${n}\n${'satchel '.repeat(250)}`;
  const first = await a.evaluate(([t]) => bench.write('note.txt', t as string, null, -1), [text(0)]);
  await b.evaluate(([id, t]) => bench.read(id as string, -1, t as string), [first.row.id, text(0)]);
  const fromCommit: number[] = [];
  const fromWish: number[] = [];
  let before = first.row.contentRevision;
  for (let n = 1; n <= EDITS; n++) {
    const args = [first.row.id, before, text(n)] as const;
    const seen = b.evaluate(([id, revision, t]) => bench.read(id, revision, t), args);
    const done = await a.evaluate(([id, revision, t]) => bench.write('note.txt', t, id, revision), args);
    const visible = await seen;
    before = done.row.contentRevision;
    fromCommit.push(Math.max(0, visible - done.committed));
    fromWish.push(visible - done.wished);
  }
  const trips = await roundTrips(a);
  return {
    'commit known on A → content readable on B': row(fromCommit),
    'saved on A → content readable on B': row(fromWish),
    'reference: two bare round trips': row(trips),
  };
}

/** A folder of 1,000 folders is copied offline as often as needed; each copy is 1,001 changes. */
async function drain(a: Page, profile: Profile): Promise<Record<string, Record<string, string>>> {
  const copies = Math.ceil(CHANGES / 1001);
  const seconds = async (work: () => Promise<unknown>): Promise<number> => {
    const from = performance.now();
    await work();
    return (performance.now() - from) / 1000;
  };
  const bare = await seconds(() =>
    a.evaluate(async (times) => {
      const root = bench.me().rootNamespaceId;
      for (let n = 0; n < times; n++) {
        const top = bench.folder(`bare ${n}`, root);
        await bench.commit([top]);
        await bench.commit(Array.from({ length: 1000 }, (_, m) => bench.folder(`f${m}`, top.entryId)));
      }
    }, copies),
  );
  const source = await a.evaluate(() => bench.find('bare 0'));
  await profile.context().setOffline(true);
  for (let n = 0; n < copies; n++) {
    const result = await a.evaluate((id) => bench.call('copy', [id], bench.me().rootNamespaceId), source.id);
    if (!result.ok) throw new Error(result.sentence ?? 'not copied');
  }
  const queued = await a.evaluate(() => bench.count('requests'));
  const own = await seconds(async () => {
    await profile.context().setOffline(false);
    await a.evaluate(async () => {
      while ((await bench.count('requests')) > 0) await bench.pause(50);
    });
  });
  const changes = copies * 1001;
  const shown = (s: number) => ({ seconds: s.toFixed(2), 'changes/s': (changes / s).toFixed(0) });
  return { [`${changes} offline changes (${queued} requests) drained`]: shown(own), 'reference: the same by bare POSTs': shown(bare) };
}

async function memory(satchel: Satchel): Promise<Record<string, Record<string, string>>> {
  const writer = newProfile();
  const reader = newProfile();
  try {
    const email = 'many@example.org';
    const a = await device(writer, satchel, false, email);
    const empty = await device(reader, satchel, true, email);
    await empty.waitForTimeout(3000);
    const idle = reader.rendererBytes();
    await reader.close();
    await writer.context().setOffline(false);
    await a.evaluate(async (entries) => {
      const root = bench.me().rootNamespaceId;
      for (let n = 0; n < entries / 1000; n++) {
        const top = bench.folder(`folder ${n}`, root);
        await bench.commit([top, ...Array.from({ length: 999 }, (_, m) => bench.folder(`entry ${m}`, top.entryId))]);
      }
    }, ENTRIES);
    await writer.close();
    const page = await reader.open();
    await page.addInitScript(SYNC_PAGE);
    await page.goto(satchel.url);
    const from = performance.now();
    await page.evaluate(async (entries) => {
      while ((await bench.count('entries')) < entries) await bench.pause(200);
    }, ENTRIES);
    const seconds = (performance.now() - from) / 1000;
    await page.waitForTimeout(5000);
    const after = reader.rendererBytes();
    return {
      [`${ENTRIES} entries`]: {
        'first pull s': seconds.toFixed(1),
        'page +MB': ((after - idle) / 1e6).toFixed(0),
        'bytes an entry': ((after - idle) / ENTRIES).toFixed(0),
      },
    };
  } finally {
    await writer.remove();
    await reader.remove();
  }
}

async function main(): Promise<void> {
  const stopPostgres = await startPostgres();
  const satchel = await startSatchel({}, { direct: true });
  const [first, second] = [newProfile(), newProfile()];
  try {
    const a = await device(first, satchel, false);
    const b = await device(second, satchel, true);
    console.table(await edits(a, b));
    await second.close();
    console.table(await drain(a, first));
    await first.close();
    console.table(await memory(satchel));
  } finally {
    await first.remove();
    await second.remove();
    await satchel.stop();
    await stopPostgres();
  }
}

await main();
