import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Entry } from '@/lib/sync/model/entry';
import type { Cursor, EntryId, NamespaceId, RequestId } from '@/lib/sync/model/ids';
import { DEPTH_MAX, JOURNAL_CHANGES_PER_PAGE } from '@/lib/sync/model/limits';
import {
  bytesOf,
  createFile,
  createFolder,
  digestOf,
  type MetadataUnderTest,
  move,
  newChunk,
  newId,
  Person,
  remove,
  restore,
  writeFile,
} from './metadata-store-fixture';

/** What every metadata store promises. `open` gives stores that may hold other people's namespaces already. */
export function metadataStoreContract(name: string, open: () => Promise<MetadataUnderTest>): void {
  describe(`metadata store contract: ${name}`, () => {
    let me: Person;
    beforeEach(async () => {
      me = await Person.make(await open());
    });

    describe('namespaces', () => {
      test('are made once, and only their owner has a role', async () => {
        const other = await Person.make(me.stores);
        await me.stores.metadata.createNamespace({ id: me.namespaceId, kind: 'root', owner: other.userId });
        expect(await me.stores.metadata.roleOf(me.userId, me.namespaceId)).toBe('owner');
        expect(await me.stores.metadata.roleOf(other.userId, me.namespaceId)).toBeNull();
        expect(await me.stores.metadata.roleOf(me.userId, randomUUID() as NamespaceId)).toBeNull();
        const [view] = await me.stores.metadata.namespacesOf(me.userId);
        expect(view).toMatchObject({ id: me.namespaceId, kind: 'root', role: 'owner' });
        expect(await me.page(view?.cursor ?? null)).toMatchObject({ commits: [], more: false, cursor: view?.cursor });
      });
    });

    describe('names', () => {
      test('differ by more than case and Unicode form', async () => {
        const first = await me.made(createFolder('Caf\u00e9 STRASSE', me.root));
        for (const same of ['caf\u00e9 strasse', 'CAFE\u0301 Straße', 'Caf\u00e9 STRASSE']) {
          expect(await me.rejected(createFolder('else', me.root), createFile(same, me.root))).toEqual({
            ok: false,
            reason: 'name_taken',
            operation: 1,
            entry: first,
          });
        }
        await me.accepted(createFolder('cafe strasse', me.root), createFile('Caf\u00e9 STRASSE', first.id));
      });

      test('are kept in NFC, and bad ones are refused', async () => {
        expect((await me.made(createFolder('e\u0301', me.root))).name).toBe('\u00e9');
        for (const bad of ['', '..', 'a/b', 'x'.repeat(241)]) {
          expect(await me.rejected(createFolder(bad, me.root))).toMatchObject({ reason: 'bad_name', operation: 0 });
        }
      });

      test('can be swapped in one commit, and taken over from what it deletes or moves away', async () => {
        const [a, b] = (await me.accepted(createFolder('a', me.root), createFolder('b', me.root))).changes as unknown as [Entry, Entry];
        await me.accepted(move(a.id, 1, me.root, 'b'), move(b.id, 1, me.root, 'a'));
        expect(await me.walked(a.id, b.id)).toEqual(['b', 'a']);
        const c = newId();
        await me.accepted(createFolder('b', me.root, c), remove(a.id, 2), createFolder('A', me.root), move(b.id, 2, c, 'a'));
        expect(await me.walked(c)).toEqual(['b', 'b/a']);
      });

      test('in use are refused to a move and to a restored entry', async () => {
        const [a, b] = (await me.accepted(createFile('a', me.root), createFile('b', me.root))).changes as unknown as [Entry, Entry];
        expect(await me.rejected(move(b.id, 1, me.root, 'A'))).toMatchObject({ reason: 'name_taken', entry: { id: a.id } });
        await me.accepted(remove(a.id, 1), move(b.id, 1, me.root, 'a'));
        expect(await me.rejected(restore(a.id, 2, me.root, 'a'))).toMatchObject({ reason: 'name_taken', entry: { id: b.id } });
        expect(await me.accepted(restore(a.id, 2, me.root, 'a (2)'))).toMatchObject({ changes: [{ deletedAt: null, revision: 3 }] });
      });
    });

    describe('the tree', () => {
      test('has no cycles', async () => {
        const [a, b, c] = [newId(), newId(), newId()];
        await me.accepted(createFolder('a', me.root, a), createFolder('b', a, b), createFolder('c', b, c));
        expect(await me.rejected(move(a, 1, c, 'a'))).toMatchObject({ reason: 'would_cycle' });
        expect(await me.rejected(move(a, 1, a, 'a'))).toMatchObject({ reason: 'would_cycle' });
        expect(await me.rejected(move(c, 1, me.root, 'c'), move(a, 1, c, 'a'), move(c, 1, b, 'c'))).toMatchObject({
          reason: 'would_cycle',
          operation: 2,
        });
        await me.accepted(move(b, 1, me.root, 'b'), move(a, 1, c, 'a'));
        expect(await me.walked(b)).toEqual(['b', 'b/c', 'b/c/a']);
      });

      test('hangs on live folders only', async () => {
        const folder = await me.made(createFolder('folder', me.root));
        const file = await me.made(createFile('file', me.root));
        const inside = await me.made(createFolder('inside', folder.id));
        expect(await me.rejected(createFile('x', newId()))).toMatchObject({ reason: 'parent_missing' });
        expect(await me.rejected(createFile('x', file.id))).toMatchObject({ reason: 'not_a_folder' });
        await me.accepted(remove(folder.id, 1));
        for (const parent of [folder.id, inside.id]) {
          expect(await me.rejected(createFile('x', parent))).toMatchObject({ reason: 'parent_missing' });
          expect(await me.rejected(move(file.id, 1, parent, 'x'))).toMatchObject({ reason: 'parent_missing' });
        }
        expect(await me.rejected(createFolder('again', me.root, file.id))).toMatchObject({ reason: 'entry_exists', entry: file });
        expect(await me.rejected(createFolder('root', me.root, me.root))).toMatchObject({ reason: 'entry_exists' });
        expect(await me.rejected(remove(newId(), 1))).toMatchObject({ reason: 'not_found' });
      });

      test('is not deeper than DEPTH_MAX, also not by moving a folder tree', async () => {
        const ids = Array.from({ length: DEPTH_MAX + 1 }, newId);
        await me.accepted(...ids.map((id, depth) => createFolder('d', ids[depth - 1] ?? me.root, id)));
        expect(await me.rejected(createFile('x', ids[DEPTH_MAX] as EntryId))).toMatchObject({ reason: 'too_deep' });
        const [outer, inner] = [newId(), newId()];
        await me.accepted(createFolder('outer', me.root, outer), createFolder('inner', outer, inner));
        expect(await me.rejected(move(outer, 1, ids[DEPTH_MAX - 1] as EntryId, 'outer'))).toMatchObject({ reason: 'too_deep' });
        await me.accepted(move(outer, 1, ids[DEPTH_MAX - 2] as EntryId, 'outer'));
      });

      test('a deleted folder takes everything below along, and gives it back', async () => {
        const [folder, inside, file] = [newId(), newId(), newId()];
        await me.accepted(
          createFolder('folder', me.root, folder),
          createFolder('inside', folder, inside),
          createFile('file', inside, [], file),
        );
        const reply = await me.commit([remove(folder, 1)], undefined, 1_800_000_000_456);
        expect(reply).toMatchObject({
          ok: true,
          changes: [{ id: folder, deletedAt: 1_800_000_000_456, revision: 2, contentRevision: 1, placeRevision: 2 }],
        });
        expect(await me.walked(folder, inside, file)).toEqual([]);
        expect(await me.rejected(writeFile(file, 1, await me.stored(newChunk())))).toMatchObject({
          reason: 'entry_deleted',
          entry: { id: file, deletedAt: null },
        });
        expect(await me.rejected(remove(file, 1))).toMatchObject({ reason: 'entry_deleted' });
        expect(await me.rejected(move(inside, 1, me.root, 'inside'))).toMatchObject({ reason: 'entry_deleted' });
        await me.accepted(createFolder('folder', me.root));
        await me.accepted(restore(folder, 2, me.root, 'folder (2)'));
        expect(await me.walked(folder)).toEqual(['folder (2)', 'folder (2)/inside', 'folder (2)/inside/file']);
      });

      test('one file can be taken out of a deleted folder', async () => {
        const [folder, file] = [newId(), newId()];
        await me.accepted(createFolder('folder', me.root, folder), createFile('file', folder, [], file));
        await me.accepted(remove(folder, 1));
        await me.accepted(restore(file, 1, me.root, 'file'));
        expect(await me.walked(file)).toEqual(['file']);
      });
    });

    describe('bases', () => {
      test('stale ones are refused with the present entry', async () => {
        const file = await me.made(createFile('file', me.root));
        const written = (await me.accepted(writeFile(file.id, 1, await me.stored(newChunk())))).changes[0];
        expect(written).toMatchObject({ revision: 2, contentRevision: 2, placeRevision: 1 });
        const other = await me.stored(newChunk());
        const stale = { ok: false, reason: 'stale_base', operation: 0, entry: written };
        expect(await me.rejected(writeFile(file.id, 1, other))).toEqual(stale);
        expect(await me.rejected(writeFile(file.id, 3, other))).toEqual(stale);
        expect(await me.rejected(remove(file.id, 1))).toEqual(stale);
        // Moving does not touch the bytes, so the device need not have seen the newest ones; nor the other way round.
        const moved = (await me.accepted(move(file.id, 1, me.root, 'moved'))).changes[0];
        expect(moved).toMatchObject({ revision: 3, contentRevision: 2, placeRevision: 3 });
        expect(await me.rejected(move(file.id, 2, me.root, 'elsewhere'))).toMatchObject({ reason: 'stale_base', entry: moved });
        expect(await me.accepted(writeFile(file.id, 2, other))).toMatchObject({
          changes: [{ revision: 4, contentRevision: 4, placeRevision: 3 }],
        });
        await me.accepted(remove(file.id, 4));
        expect(await me.rejected(restore(file.id, 4, me.root, 'moved'))).toMatchObject({ reason: 'stale_base' });
      });

      test('the same resulting bytes are no conflict, whatever the base', async () => {
        const manifest = await me.stored(newChunk());
        const file = await me.made(createFile('file', me.root));
        const [written] = (await me.accepted(writeFile(file.id, 1, manifest))).changes;
        expect(await me.accepted(writeFile(file.id, 1, manifest))).toMatchObject({ changes: [written] });
      });

      test('several operations of one commit name the base from before it', async () => {
        const file = await me.made(createFile('file', me.root));
        const [first, second] = [await me.stored(newChunk(1)), await me.stored(newChunk(2))];
        const steps = [
          writeFile(file.id, 1, first),
          move(file.id, 1, me.root, 'x'),
          writeFile(file.id, 1, second),
          move(file.id, 1, me.root, 'y'),
        ];
        const { changes } = await me.accepted(...steps, remove(file.id, 1));
        expect(changes).toMatchObject([{ name: 'y', revision: 6, contentRevision: 4, placeRevision: 6, size: 2 }]);
        expect(
          await me.stores.metadata.revisions(
            me.namespaceId,
            [2, 4].map((contentRevision) => ({ entryId: file.id, contentRevision })),
          ),
        ).toHaveLength(2);
      });
    });

    describe('content', () => {
      test('comes as chunks, splices or a copy, and is given back by revision', async () => {
        const [a, b, c] = (await me.stored(newChunk(1), newChunk(2), newChunk(3))) as [
          ReturnType<typeof newChunk>,
          ReturnType<typeof newChunk>,
          ReturnType<typeof newChunk>,
        ];
        const [file, copy] = [newId(), newId()];
        await me.accepted(createFile('file', me.root, [a, b], file));
        await me.accepted({
          kind: 'write_file',
          entryId: file,
          baseRevision: 1,
          ...bytesOf([a, c, b], { from: 'splices', splices: [{ at: 1, remove: 0, insert: [c] }] }),
        });
        const source = { from: 'copy', entryId: file, contentRevision: 1 } as const;
        await me.accepted({ kind: 'create_file', entryId: copy, parentId: me.root, name: 'copy', ...bytesOf([a, b], source) });
        const asked = [
          { entryId: file, contentRevision: 1 },
          { entryId: file, contentRevision: 2 },
          { entryId: copy, contentRevision: 1 },
          { entryId: file, contentRevision: 9 },
          { entryId: newId(), contentRevision: 1 },
        ];
        const found = await me.stores.metadata.revisions(me.namespaceId, asked);
        const of = (id: EntryId, revision: number) => found.find((one) => one.entry.id === id && one.contentRevision === revision);
        expect(found).toHaveLength(3);
        expect(of(file, 1)).toMatchObject({
          manifest: [a, b],
          size: 3,
          digest: digestOf([a, b]),
          entry: { revision: 2, contentRevision: 2, size: 6 },
        });
        expect(of(file, 2)).toMatchObject({ manifest: [a, c, b], size: 6, mtime: 1_700_000_000_123 });
        expect(of(copy, 1)).toMatchObject({ manifest: [a, b] });
        expect(await (await Person.make(me.stores)).stores.metadata.revisions(randomUUID() as NamespaceId, asked)).toEqual([]);
      });

      test('that does not add up is refused', async () => {
        const manifest = await me.stored(newChunk(10), newChunk(20));
        const file = createFile('file', me.root, manifest);
        const wrong = [
          { ...file, size: 31 },
          { ...file, digest: digestOf([]) },
          createFile('file', me.root, [{ ...(manifest[0] as (typeof manifest)[number]), size: 11 }]),
        ] as (typeof file)[];
        for (const operation of wrong) expect(await me.rejected(operation)).toMatchObject({ reason: 'digest_mismatch' });
        const made = await me.made(file);
        const splices = { from: 'splices' as const, splices: [{ at: 2, remove: 1, insert: [] }] };
        expect(await me.rejected({ ...writeFile(made.id, 1, []), ...bytesOf([], splices) } as typeof file)).toMatchObject({
          reason: 'digest_mismatch',
        });
        const nothing = { from: 'copy' as const, entryId: newId(), contentRevision: 1 };
        expect(await me.rejected({ ...file, entryId: newId(), name: 'copy', ...bytesOf(manifest, nothing) } as typeof file)).toMatchObject({
          reason: 'not_found',
        });
      });

      test('another person’s chunks are missing, as are unknown ones, until they come in here', async () => {
        const other = await Person.make(me.stores);
        const theirs = await other.stored(newChunk(10));
        await other.accepted(createFile('theirs', other.root, theirs));
        const unknown = newChunk(20);
        const both = [...theirs, unknown];
        const ids = both.map((chunk) => chunk.id);
        const reply = await me.rejected(createFolder('x', me.root), createFile('a', me.root, theirs), createFile('b', me.root, both));
        expect(reply).toEqual({ ok: false, reason: 'chunk_missing', operation: 1, missing: expect.arrayContaining(ids) });
        expect(await me.stores.index.unreachable(me.userId, ids)).toEqual(expect.arrayContaining(ids));
        expect(await me.stores.index.unreachable(other.userId, ids)).toEqual([unknown.id]);
        expect([...(await me.stores.index.known(ids))]).toEqual(theirs.map((chunk) => chunk.id));
        await me.stored(...both);
        await me.accepted(createFile('b', me.root, both));
      });

      test('chunks of one’s other namespace may be named, and are granted here then', async () => {
        const shared = randomUUID() as NamespaceId;
        await me.stores.metadata.createNamespace({ id: shared, kind: 'shared', owner: me.userId });
        const manifest = await me.stored(newChunk());
        const request = {
          requestId: randomUUID() as RequestId,
          namespaceId: shared,
          operations: [createFile('x', shared as never, manifest)],
        };
        const { userId, deviceId } = me;
        expect(await me.stores.metadata.commit({ userId, deviceId, at: 1, request })).toMatchObject({ ok: true });
      });

      test('places of chunks: the first one stays', async () => {
        const chunk = newChunk();
        await me.stored(chunk);
        const [first] = await me.stores.index.locate([chunk.id, newChunk().id]);
        await me.stored(chunk);
        expect(await me.stores.index.locate([chunk.id])).toEqual([first]);
        await me.stores.index.record({ pack: null, places: [], namespaceId: me.namespaceId, granted: [chunk.id] });
        expect(first).toMatchObject({ id: chunk.id, size: 1000, stored: 1000, offset: 100, encoding: 0, packId: expect.any(String) });
      });
    });

    describe('commits and the journal', () => {
      test('are all or nothing', async () => {
        const reply = await me.rejected(createFolder('a', me.root), createFolder('b', me.root), createFolder('a', me.root));
        expect(reply).toMatchObject({ reason: 'name_taken', operation: 2 });
        expect(await me.journal()).toEqual([]);
        await me.accepted(createFolder('a', me.root));
      });

      test('are applied once, and answer the same again', async () => {
        const requestId = randomUUID() as RequestId;
        const operations = [createFolder('a', me.root), createFile('b', me.root, await me.stored(newChunk()))];
        const replies = await Promise.all([1, 2, 3].map(() => me.commit(operations, requestId)));
        await me.accepted(createFolder('later', me.root));
        replies.push(await me.commit(operations, requestId));
        expect(replies[0]).toMatchObject({ ok: true, seq: 1 });
        for (const reply of replies) expect(reply).toEqual(replies[0]);
        expect((await me.journal()).map((commit) => commit.requestId)).toEqual([requestId, expect.any(String)]);
      });

      test('the journal has no gaps under 20 commits at once, and tells exactly what was answered', async () => {
        const replies = await Promise.all(Array.from({ length: 20 }, (_, n) => me.accepted(createFolder(`folder ${n}`, me.root))));
        const journal = await me.journal();
        expect(journal.map((commit) => commit.seq)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
        for (const reply of replies) expect(journal[reply.seq - 1]?.changes).toEqual(reply.changes);
        expect(journal[0]).toMatchObject({ userId: me.userId, deviceId: me.deviceId, at: expect.any(Number) });
      });

      test('parents come before children, whatever order the operations had', async () => {
        const [a, b, c] = [newId(), newId(), newId()];
        await me.accepted(createFolder('c', me.root, c));
        const { changes } = await me.accepted(
          move(c, 1, me.root, 'x'),
          createFolder('a', me.root, a),
          createFolder('b', a, b),
          move(c, 1, b, 'c'),
        );
        expect(changes.map((entry) => entry.id)).toEqual([a, b, c]);
      });

      test('pages hold whole commits, and a cursor goes on exactly there', async () => {
        const names = (count: number, prefix: string) => Array.from({ length: count }, (_, n) => createFolder(`${prefix}${n}`, me.root));
        for (let n = 0; n < 6; n++) await me.accepted(...names(900, `${n}-`));
        const first = await me.page(null);
        const held = Math.floor(JOURNAL_CHANGES_PER_PAGE / 900);
        expect(first).toMatchObject({ more: true, namespaceId: me.namespaceId });
        expect(first?.commits.map((commit) => commit.seq)).toEqual(Array.from({ length: held }, (_, n) => n + 1));
        const second = await me.page(first?.cursor ?? null);
        expect(second?.commits.map((commit) => commit.seq)).toEqual([6]);
        expect(second?.more).toBe(false);
        expect(await me.page(second?.cursor ?? null)).toMatchObject({ commits: [], more: false, cursor: second?.cursor });
      });

      test('a cursor of another journal, from the future, or of nobody is unknown', async () => {
        const other = await Person.make(me.stores);
        const { cursor } = await me.accepted(createFolder('a', me.root));
        await other.accepted(createFolder('a', other.root));
        expect(await other.page(cursor)).toBeNull();
        expect(await me.page('nonsense' as Cursor)).toBeNull();
        expect(await me.page(cursor.replace(/1$/, '2') as Cursor)).toBeNull();
        expect(await me.page(cursor)).toMatchObject({ commits: [], cursor });
      });
    });

    test('a walk gives everything live below a selection once, parents before children', async () => {
      const [a, b, c, gone] = [newId(), newId(), newId(), newId()];
      await me.accepted(
        createFolder('a', me.root, a),
        createFolder('b', a, b),
        createFile('c', b, [], c),
        createFolder('gone', a, gone),
        createFile('x', gone),
      );
      await me.accepted(remove(gone, 1));
      expect(await me.walked(a)).toEqual(['a', 'a/b', 'a/b/c']);
      expect(await me.walked(b, c)).toEqual(['b', 'b/c']);
      expect(await me.walked(c, c, newId(), gone)).toEqual(['c']);
      const many = Array.from({ length: 2 }, (_, batch) => Array.from({ length: 1000 }, (_, n) => createFile(`${batch}-${n}`, b)));
      for (const operations of many) await me.accepted(...operations);
      expect(new Set(await me.walked(a)).size).toBe(2003);
    });
  });
}
