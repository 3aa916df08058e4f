import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { NamespaceId, RequestId } from '@/lib/sync/model/ids';
import type { Notice } from '@/lib/sync/protocol/commit';
import { createFile, createFolder, Person, sha256 } from '@/tests/contracts/metadata-store-fixture';
import { createMemoryMetadata } from '../metadata-server/drivers/memory-metadata-store';
import type { MetadataStore } from '../metadata-server/metadata-store';
import { createMemoryRequestQueue } from './drivers/memory-request-queue';
import { QueueFull } from './request-queue';
import { SyncService } from './sync-service';

describe('synchronization service', () => {
  let me: Person;
  let notices: Notice[];
  let service: SyncService;
  const serviceOver = (metadata: MetadataStore, queue = createMemoryRequestQueue()) =>
    new SyncService({ metadata, queue, notifier: { notify: (notice) => notices.push(notice) }, clock: { now: () => 42 } });
  const request = (operations = [createFolder('a', me.root)]) => ({
    requestId: randomUUID() as RequestId,
    namespaceId: me.namespaceId,
    operations,
  });

  beforeEach(async () => {
    me = await Person.make(createMemoryMetadata(sha256));
    notices = [];
    service = serviceOver(me.stores.metadata);
  });

  test('commits with the server’s time and tells devices where, once it is done', async () => {
    const reply = await service.commit(me, request());
    expect(reply).toMatchObject({ ok: true, seq: 1 });
    expect(notices).toEqual([{ namespaceId: me.namespaceId, cursor: 'cursor' in reply && reply.cursor }]);
    expect(await service.journalSince(me, me.namespaceId, null)).toMatchObject({ commits: [{ at: 42 }], cursor: notices[0]?.cursor });
  });

  test('a refused change set moves nothing on, so nobody is told', async () => {
    expect(await service.commit(me, request([createFolder('..', me.root)]))).toMatchObject({ ok: false, reason: 'bad_name' });
    expect(notices).toEqual([]);
  });

  test('strangers see nothing, and viewers change nothing', async () => {
    const stranger = await Person.make(me.stores);
    const file = await me.made(createFile('x', me.root));
    const files = [{ entryId: file.id, contentRevision: 1 }];
    expect(await service.commit(stranger, request())).toEqual({ refused: 'not_found' });
    expect(await service.journalSince(stranger, me.namespaceId, null)).toEqual({ refused: 'not_found' });
    expect(await service.manifests(stranger, { namespaceId: me.namespaceId, files })).toEqual({ refused: 'not_found' });
    expect(await service.manifests(me, { namespaceId: me.namespaceId, files })).toEqual({ files: [{ ...files[0], manifest: [] }] });
    const asViewer: MetadataStore = Object.assign(Object.create(me.stores.metadata), { roleOf: async () => 'viewer' });
    expect(await serviceOver(asViewer).commit(me, request())).toEqual({ refused: 'not_allowed' });
    expect(await me.journal()).toHaveLength(1);
    expect(notices).toEqual([]);
  });

  test('a cursor that is not of this journal is unknown', async () => {
    expect(await service.journalSince(me, me.namespaceId, 'x' as never)).toEqual({ refused: 'cursor_unknown' });
  });

  test('too many waiting requests are asked to come back', async () => {
    const crowded = serviceOver(me.stores.metadata, createMemoryRequestQueue(2));
    const replies = await Promise.all([1, 2, 3].map((n) => crowded.commit(me, request([createFolder(`${n}`, me.root)]))));
    expect(replies).toMatchObject([{ ok: true }, { ok: true }, { refused: 'unavailable' }]);
    expect(await crowded.commit(me, request())).toMatchObject({ ok: true, seq: 3 });
  });
});

describe('request queue in memory', () => {
  const [one, two] = [randomUUID() as NamespaceId, randomUUID() as NamespaceId];

  test('one after the other for one namespace, side by side for two', async () => {
    const queue = createMemoryRequestQueue();
    const order: string[] = [];
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const first = queue.run(one, async () => {
      order.push('first begins');
      await gate;
      order.push('first ends');
    });
    const second = queue.run(one, async () => order.push('second'));
    await queue.run(two, async () => order.push('other namespace'));
    open();
    await Promise.all([first, second]);
    expect(order).toEqual(['first begins', 'other namespace', 'first ends', 'second']);
  });

  test('a request that fails does not stop the next, and frees its place', async () => {
    const queue = createMemoryRequestQueue(1);
    const failing = queue.run(one, async () => Promise.reject(new Error('broken')));
    await expect(queue.run(one, async () => 1)).rejects.toThrow(QueueFull);
    await expect(failing).rejects.toThrow('broken');
    expect(await queue.run(one, async () => 2)).toBe(2);
  });
});
