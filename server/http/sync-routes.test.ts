import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { ROUTES } from '@/lib/sync/protocol/routes';
import { createFile, createFolder, Person, sha256 } from '@/tests/contracts/metadata-store-fixture';
import { createMemoryMetadata } from '../metadata-server/drivers/memory-metadata-store';
import { createMemoryRequestQueue } from '../sync-service/drivers/memory-request-queue';
import { SyncService } from '../sync-service/sync-service';
import type { RequestContext } from './route';
import { syncRoutes } from './sync-routes';

describe('sync routes', () => {
  let me: Person;
  beforeEach(async () => {
    me = await Person.make(createMemoryMetadata(sha256));
  });

  async function ask(path: string, body?: unknown, query: Record<string, string> = {}): Promise<unknown> {
    const parts = {
      metadata: me.stores.metadata,
      queue: createMemoryRequestQueue(),
      notifier: { notify: () => undefined },
      clock: { now: () => 1 },
    };
    const route = syncRoutes({ service: new SyncService(parts) }).find((one) => one.path === path);
    if (route?.guard !== 'signed_in') throw new Error(`${path} is open to anyone`);
    const url = new URL(`http://localhost${path}?${new URLSearchParams(query)}`);
    return route.handle({ identity: { userId: me.userId, deviceId: me.deviceId }, url } as RequestContext as never, body);
  }
  const commitOf = (...operations: unknown[]) => ({ requestId: randomUUID(), namespaceId: me.namespaceId, operations });

  test('commit, journal, manifests and namespaces answer what was done', async () => {
    const file = createFile('a', me.root);
    const reply = (await ask(ROUTES.commit, commitOf(file))) as { cursor: string };
    expect(reply).toMatchObject({ ok: true, seq: 1 });
    expect(await ask(ROUTES.journal, undefined, { namespaceId: me.namespaceId })).toMatchObject({
      commits: [{ seq: 1 }],
      cursor: reply.cursor,
    });
    expect(await ask(ROUTES.journal, undefined, { namespaceId: me.namespaceId, cursor: reply.cursor })).toMatchObject({
      commits: [],
      more: false,
    });
    const files = [{ entryId: file.entryId, contentRevision: 1 }];
    expect(await ask(ROUTES.manifests, { namespaceId: me.namespaceId, files })).toEqual({ files: [{ ...files[0], manifest: [] }] });
    expect(await ask(ROUTES.namespaces)).toMatchObject([{ id: me.namespaceId, cursor: reply.cursor }]);
  });

  test('a change set that cannot be applied is an answer, not an error', async () => {
    expect(await ask(ROUTES.commit, commitOf(createFolder('a/b', me.root)))).toEqual({ ok: false, operation: 0, reason: 'bad_name' });
  });

  test('what is not well-formed is refused', async () => {
    const folder = createFolder('a', me.root);
    const bad = [
      null,
      {},
      commitOf(),
      commitOf({ ...folder, kind: 'explode' }),
      commitOf({ ...folder, entryId: '../etc' }),
      commitOf({ ...folder, mtime: 1.5 }),
      commitOf({ ...folder, name: 'x'.repeat(1025) }),
      commitOf(...Array.from({ length: 1001 }, () => folder)),
      { ...commitOf(folder), namespaceId: 'x' },
      commitOf({ ...createFile('a', me.root), size: -1 }),
      commitOf({ kind: 'delete', entryId: folder.entryId, baseRevision: 0 }),
    ];
    for (const body of bad) await expect(ask(ROUTES.commit, body)).rejects.toMatchObject({ code: 'bad_request' });
    await expect(ask(ROUTES.manifests, { namespaceId: me.namespaceId })).rejects.toMatchObject({ code: 'bad_request' });
    await expect(ask(ROUTES.journal)).rejects.toMatchObject({ code: 'bad_request' });
    expect(await me.journal()).toEqual([]);
  });

  test('a foreign namespace does not exist, and a foreign cursor is unknown', async () => {
    const other = await Person.make(me.stores);
    const foreign = { ...commitOf(createFolder('a', other.root)), namespaceId: other.namespaceId };
    await expect(ask(ROUTES.commit, foreign)).rejects.toMatchObject({ code: 'not_found' });
    await expect(ask(ROUTES.journal, undefined, { namespaceId: other.namespaceId })).rejects.toMatchObject({ code: 'not_found' });
    await expect(ask(ROUTES.journal, undefined, { namespaceId: me.namespaceId, cursor: 'x' })).rejects.toMatchObject({
      code: 'cursor_unknown',
    });
  });
});
