import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PackRow, TransferRow } from '@/lib/sync/adapters/browser/database';
import type { LocatedPart } from '@/lib/sync/adapters/browser/staged-rows';
import { Chunker } from '@/lib/sync/chunking/chunker';
import { decodeManifest } from '@/lib/sync/model/manifest';
import { storedChunk } from '../../integration/blocks-harness';
import { newProfile, type Profile } from '../support/browser';
import { type BytesPage, caller, pick, startBytesPage, until } from './bytes-page';

/** The client's way of a file: picked, staged, sent, recovered; in Chromium, against the real block server. */
const MIB = 1024 * 1024;
let server: BytesPage;
let profile: Profile;
let page: Page;
let folder: string;

const call = <T>(name: string, ...args: unknown[]): Promise<T> => caller(page)<T>(name, ...args);
const rows = () => call<TransferRow[]>('rows');

function file(name: string, bytes: number | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, typeof bytes === 'number' ? randomBytes(bytes) : bytes);
  return path;
}

async function open(): Promise<void> {
  page = await profile.open();
  await page.goto(server.origin);
  await call('open');
}

function allAre(state: string): Promise<void> {
  return until(async () => (await rows()).every((row) => row.state === state), `all ${state}`);
}

/** What the server would put together for a transfer, from the chunks its device named. */
async function arrived(id: string): Promise<Buffer> {
  const staged = (await call<(Omit<LocatedPart, 'chunks'> & { chunks: Record<string, number> })[]>('staged')).filter(
    (row) => row.transferId === id,
  );
  const parts: Uint8Array[] = [];
  for (const row of staged.sort((a, b) => a.part - b.part)) {
    for (const chunk of decodeManifest(Uint8Array.from(Object.values(row.chunks)))) {
      parts.push((await storedChunk(server.under, chunk.id)) ?? new Uint8Array(0));
    }
  }
  return Buffer.concat(parts);
}

function sha(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Once this many bytes of a request's body came in, nothing more of it does; tells so. Counted where the body comes in, not by a clock. */
function stopAfter(request: IncomingMessage, bytes: number, stopped: () => void): void {
  const push = request.push.bind(request);
  let left = bytes;
  request.push = (data: Buffer | null) => {
    if (left <= 0) return true;
    left -= data?.length ?? 0;
    if (left <= 0) stopped();
    return push(data);
  };
}

/**
 * Lets no more of a request's body in after this many bytes: the connection is really not read, so the sender cannot send the
 * rest into the void. (Pausing the socket is not enough: whoever reads the body starts it again.) `goOn` reads again.
 */
function holdBack(request: IncomingMessage, bytes: number): { readonly goOn: () => void } {
  const push = request.push.bind(request);
  const read = request._read.bind(request);
  let left = bytes;
  request.push = (data: Buffer | null) => {
    left -= data?.length ?? 0;
    return push(data) && left > 0;
  };
  request._read = (size) => {
    if (left > 0) read(size);
  };
  return {
    goOn: () => {
      left = Number.POSITIVE_INFINITY;
      read(0);
    },
  };
}

/** Breaks the connection of the next PATCH request once this many bytes of it came in and had time to reach the disk. */
function breakPatch(afterBytes: number, seen: (request: IncomingMessage) => void): void {
  let done = false;
  server.intercept((request) => {
    if (request.method !== 'PATCH') return false;
    seen(request);
    if (!done) stopAfter(request, afterBytes, () => setTimeout(() => request.socket.destroy(), 300));
    done = true;
    return false;
  });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'satchel-picked-'));
  server = await startBytesPage();
  profile = newProfile();
  await open();
});

afterEach(async () => {
  await profile.remove();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('client bytes', { timeout: 60_000 }, () => {
  test('the chunker cuts in Chromium where it cuts in Node', async () => {
    const bytes = randomBytes(3 * MIB);
    const text = bytes.toString('base64');
    const there = await page.evaluate(async (encoded) => {
      const scope = window as unknown as { call(name: string, bytes: Uint8Array): Promise<number[]> };
      return scope.call(
        'boundaries',
        Uint8Array.from(atob(encoded), (sign) => sign.charCodeAt(0)),
      );
    }, text);
    expect(there).toEqual(new Chunker().push(bytes));
  });

  test('small, large and empty files arrive byte for byte, and staging is empty once they are done', async () => {
    const paths = [file('large.bin', 40 * MIB), file('small.bin', 1000), file('empty.bin', 0), file('middle.bin', 3 * MIB)];
    await pick(page, paths);
    await allAre('staged');
    expect((await call<string[]>('stagingFiles')).length).toBeGreaterThan(2);
    await call('send');
    await allAre('durable');
    for (const row of await rows()) {
      expect(sha(await arrived(row.id))).toBe(sha(readFileSync(join(folder, row.name))));
      expect(row).toMatchObject({ sentBytes: row.size, stagedBytes: row.size });
    }
    expect(await call('packs')).toEqual([]);
    await call(
      'write',
      (await rows()).map((row) => row.id),
      { state: 'done' },
    );
    await until(async () => (await call<string[]>('stagingFiles')).length === 0, 'staging is empty');
    expect(await call('staged')).toEqual([]);
  });

  test('what a broken connection brought is not sent again', async () => {
    await pick(page, [file('large.bin', 15 * MIB)]);
    await allAre('staged');
    const offsets: number[] = [];
    breakPatch(6 * MIB, (request) => offsets.push(Number(request.headers['upload-offset'])));
    await call('send');
    await allAre('durable');
    expect(offsets[0]).toBe(0);
    expect(offsets.at(-1)).toBeGreaterThan(5 * MIB);
  });

  test('after the browser was killed an upload goes on from the last byte by itself', async () => {
    const path = file('large.bin', 15 * MIB);
    const [id] = await pick(page, [path]);
    await allAre('staged');
    const offsets: number[] = [];
    let stalled = false;
    server.intercept((request) => {
      if (request.method !== 'PATCH') return false;
      offsets.push(Number(request.headers['upload-offset']));
      if (stalled) return false;
      stopAfter(request, 6 * MIB, () => {
        stalled = true;
      });
      return false;
    });
    await call('send');
    await until(async () => stalled, 'six MiB are there');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await profile.kill();
    await open();
    await call('recover');
    await call('send');
    await allAre('durable');
    expect(offsets.at(-1)).toBeGreaterThan(5 * MIB);
    expect(sha(await arrived(id as string))).toBe(sha(readFileSync(path)));
  });

  test('what was not safe when the browser was killed is lost, said so, and its leftovers are removed', async () => {
    await pick(page, [file('large.bin', 200 * MIB)]);
    await until(async () => (await call<LocatedPart[]>('staged')).length > 0, 'a part is staged');
    await profile.kill();
    await open();
    expect((await rows())[0]?.state).toBe('staging');
    await call('recover');
    expect((await rows())[0]).toMatchObject({ state: 'lost', stagedBytes: 0 });
    expect(await call('staged')).toEqual([]);
    expect(await call('stagingFiles')).toEqual([]);
  });

  test('equal files and equal chunks travel once', async () => {
    const bytes = randomBytes(5 * MIB);
    await pick(page, [file('one.bin', bytes), file('two.bin', Buffer.concat([bytes, bytes]))]);
    await allAre('staged');
    let sent = 0;
    server.intercept((request) => {
      if (request.method === 'PATCH') sent += Number(request.headers['content-length']);
      return false;
    });
    await call('send');
    await allAre('durable');
    expect(sent).toBeGreaterThan(5 * MIB);
    expect(sent).toBeLessThan(7 * MIB);
    const again = await pick(page, [file('three.bin', bytes)]);
    await allAre('durable');
    expect(again.length).toBe(1);
    expect(sent).toBeLessThan(7 * MIB);
  });

  test('a paused transfer stops at once and goes on where it was; a cancelled one leaves nothing', async () => {
    const [id] = await pick(page, [file('large.bin', 15 * MIB)]);
    await allAre('staged');
    let held: { readonly request: IncomingMessage; readonly goOn: () => void } | null = null;
    const asked: string[] = [];
    server.intercept((request) => {
      asked.push(request.method ?? '');
      if (request.method === 'PATCH' && held === null) held = { request, ...holdBack(request, 256 * 1024) };
      return false;
    });
    const underWay = async () => {
      await until(async () => held !== null, 'a pack is on its way');
      return held as unknown as { readonly request: IncomingMessage; readonly goOn: () => void };
    };
    await call('send');
    const first = await underWay();
    const stopped = page.waitForEvent('requestfailed');
    await call('write', [id], { paused: 1 });
    await stopped;
    first.goOn();
    await until(async () => first.request.destroyed, 'the connection is gone');
    expect(first.request.complete).toBe(false);
    const [pack] = await call<PackRow[]>('packs');
    expect(pack?.address).toContain('/packs/');
    await call('write', [id], { paused: 0 });
    await allAre('durable');
    expect(asked).toContain('HEAD');

    held = null;
    const [other] = await pick(page, [file('other.bin', 15 * MIB)]);
    const second = await underWay();
    await call('write', [other], { state: 'cancelled' });
    second.goOn();
    await until(async () => asked.includes('DELETE') && (await call<PackRow[]>('packs')).length === 0, 'let go on the server');
    await call('write', [id], { state: 'done' });
    await until(async () => (await call<string[]>('stagingFiles')).length === 0, 'staging is empty');
  });

  test('a server without room is tried again, with the reason shown, until it has some', async () => {
    await pick(page, [file('a.bin', 2 * MIB)]);
    await allAre('staged');
    let full = true;
    server.intercept((request, response) => {
      if (!full || request.method !== 'POST' || !request.url?.endsWith('/packs')) return false;
      response.statusCode = 507;
      response.end(JSON.stringify({ error: { code: 'insufficient_storage', message: 'full' } }));
      return true;
    });
    await call('send');
    await until(async () => (await rows())[0]?.reason === 'insufficient_storage', 'the reason is shown');
    full = false;
    await allAre('durable');
    expect((await rows())[0]).not.toHaveProperty('reason');
  });

  test('damaged staging is noticed and told; the other files arrive', async () => {
    const [bad, good] = await pick(page, [file('bad.bin', 300_000), file('good.bin', 3 * MIB)]);
    await allAre('staged');
    const staged = await call<LocatedPart[]>('staged');
    await call('damage', staged.find((row) => row.transferId === bad)?.segment);
    await call('send');
    await until(async () => (await rows()).every((row) => row.state === 'failed' || row.state === 'durable'), 'both are decided');
    const byId = new Map((await rows()).map((row) => [row.id, row]));
    expect(byId.get(bad as string)).toMatchObject({ state: 'failed', reason: 'unreadable' });
    expect(byId.get(good as string)?.state).toBe('durable');
  });

  test('when the browser has no room nothing half-staged is left, and trying again sends from where the file is', async () => {
    const cdp = await profile.context().newCDPSession(page);
    await cdp.send('Storage.overrideQuotaForOrigin', { origin: server.origin, quotaSize: 30 * MIB });
    const path = file('large.bin', 60 * MIB);
    const [id] = await pick(page, [path]);
    await until(async () => ['failed', 'staging'].includes((await rows())[0]?.state ?? ''), 'it is decided');
    await until(async () => (await rows())[0]?.state === 'failed' || (await rows())[0]?.digest !== undefined, 'failed or hashed in place');
    if ((await rows())[0]?.state === 'failed') {
      expect((await rows())[0]).toMatchObject({ reason: 'quota', stagedBytes: 0 });
      expect(await call('staged')).toEqual([]);
      await call('write', [id], { state: 'queued' });
      await until(async () => (await rows())[0]?.digest !== undefined, 'hashed in place');
    }
    await call('send');
    await allAre('durable');
    expect(sha(await arrived(id as string))).toBe(sha(readFileSync(path)));
  });
});
