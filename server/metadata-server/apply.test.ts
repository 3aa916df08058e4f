import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '@/lib/sync/model/entry';
import type { EntryId, NamespaceId, RequestId } from '@/lib/sync/model/ids';
import { rootOf } from '@/lib/sync/model/ids';
import { nameKey } from '@/lib/sync/model/names';
import type { Operation } from '@/lib/sync/protocol/commit';
import { bytesOf, digestOf, sha256 } from '@/tests/contracts/metadata-store-fixture';
import { applyCommit } from './apply';
import type { WorkingSet } from './working-set';

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const namespaceId = uuid(0) as NamespaceId;
const root = rootOf(namespaceId);

/** Mostly picks something that fits (an entry that exists, an id that is free), now and then anything. */
const pick = fc.record({ n: fc.nat(11), wild: fc.constantFrom(false, false, false, false, false, false, true) });
const name = fc.constantFrom('a', 'A', 'b', 'c', 'd', 'e', 'f', 'g', 'h', '\u00e9', 'e\u0301', 'STRASSE', 'straße', 'bad/name');
/** What the device saw last: mostly the truth, filled in when the operation is made. */
const age = fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1, -1);
const step = fc.record({
  kind: fc.constantFrom('create_folder', 'create_folder', 'create_file', 'write_file', 'move', 'move', 'delete', 'restore'),
  entry: pick,
  parent: pick,
  name,
  age,
  mtime: fc.integer({ min: 0, max: 2 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function operationOf({ kind, entry, parent, name, age, mtime }: Step, entries: ReadonlyMap<EntryId, Entry>): Operation {
  const existing = [...entries.keys()];
  const chosen = (ids: readonly EntryId[], { n, wild }: Step['entry']) =>
    wild || ids.length === 0 ? (uuid(n + 1) as EntryId) : (ids[n % ids.length] as EntryId);
  const isNew = kind === 'create_folder' || kind === 'create_file';
  const entryId = chosen(isNew ? [uuid(existing.length + 1 + (entry.n % 3)) as EntryId] : existing, entry);
  const parentId = chosen([root, ...existing.filter((id) => entries.get(id)?.kind === 'folder')], parent);
  const baseRevision = Math.max(1, (entries.get(entryId)?.revision ?? 1) - age);
  const bytes = { ...bytesOf([]), mtime };
  switch (kind) {
    case 'create_folder':
      return { kind, entryId, parentId, name, mtime };
    case 'create_file':
      return { kind, entryId, parentId, name, ...bytes };
    case 'write_file':
      return { kind, entryId, baseRevision, ...bytes };
    case 'delete':
      return { kind, entryId, baseRevision };
    default:
      return { kind: kind as 'move' | 'restore', entryId, baseRevision, parentId, name };
  }
}

function heightOf(entries: ReadonlyMap<EntryId, Entry>, id: EntryId): number {
  const below = [...entries.values()].filter((entry) => entry.parentId === id && entry.deletedAt === null);
  return Math.max(0, ...below.map((entry) => 1 + heightOf(entries, entry.id)));
}

function workingSet(entries: ReadonlyMap<EntryId, Entry>): WorkingSet {
  return {
    entries,
    heights: new Map([...entries.keys()].map((id) => [id, heightOf(entries, id)])),
    manifests: new Map(),
    chunks: new Map(),
  };
}

/** Folders from an entry up to the root. Throws when there is no way up. */
function wayUp(entries: ReadonlyMap<EntryId, Entry>, entry: Entry): readonly Entry[] {
  const way: Entry[] = [];
  for (let at: Entry | undefined = entry; at && at.parentId !== root; ) {
    at = entries.get(at.parentId);
    if (!at) throw new Error(`${entry.id} hangs on nothing`);
    if (way.includes(at) || at === entry) throw new Error(`${entry.id} stands in itself`);
    way.push(at);
  }
  return way;
}

function checkTree(entries: ReadonlyMap<EntryId, Entry>): void {
  const names = new Set<string>();
  for (const entry of entries.values()) {
    const way = wayUp(entries, entry);
    expect(way.every((folder) => folder.kind === 'folder')).toBe(true);
    if (entry.deletedAt !== null) continue;
    const key = `${entry.parentId}/${nameKey(entry.name)}`;
    expect(names).not.toContain(key);
    names.add(key);
    expect(entry.name).toBe(entry.name.normalize('NFC'));
    expect(Math.max(entry.contentRevision, entry.placeRevision)).toBe(entry.revision);
  }
}

function checkOrder(changes: readonly Entry[]): void {
  changes.forEach((entry, index) => {
    expect(changes.slice(index + 1).map((later) => later.id)).not.toContain(entry.parentId);
  });
}

describe('applying commits', () => {
  test('whatever is asked, names stay unique, folders a tree, and revisions grow by one a change', () => {
    const accepted = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { minLength: 20, maxLength: 60, size: 'max' }), (commits) => {
        let entries: ReadonlyMap<EntryId, Entry> = new Map();
        commits.forEach((steps, at) => {
          const operations = steps.map((one) => operationOf(one, entries));
          const request = { requestId: uuid(99) as RequestId, namespaceId, operations };
          const frozen = JSON.stringify([...entries]);
          const applied = applyCommit({ request, before: workingSet(entries), at, hash: sha256 });
          expect(JSON.stringify([...entries])).toBe(frozen);
          if (!applied.ok) {
            expect(applied.operation).toBeLessThan(operations.length);
            return;
          }
          for (const { kind } of operations) accepted.set(kind, (accepted.get(kind) ?? 0) + 1);
          checkOrder(applied.changes);
          const next = new Map(entries);
          for (const entry of applied.changes) {
            const times = operations.filter((operation) => operation.entryId === entry.id).length;
            const was = entries.get(entry.id)?.revision ?? 0;
            expect(entry.revision).toBeGreaterThanOrEqual(was);
            expect(entry.revision).toBeLessThanOrEqual(was + times);
            next.set(entry.id, entry);
          }
          entries = next;
          checkTree(entries);
        });
      }),
      { numRuns: 300, seed: 20 },
    );
    // A property about commits that are all refused would hold of anything.
    expect(accepted.size).toBe(6);
    expect(Math.min(...accepted.values())).toBeGreaterThan(100);
  });

  test('a file’s digest is held against the bytes of its manifest', () => {
    const operation = { kind: 'create_file', entryId: uuid(1) as EntryId, parentId: root, name: 'a', ...bytesOf([]) } as const;
    const request = { requestId: uuid(99) as RequestId, namespaceId, operations: [operation] };
    const before = workingSet(new Map());
    expect(applyCommit({ request, before, at: 0, hash: sha256 })).toMatchObject({
      ok: true,
      revisions: [{ digest: digestOf([]), contentRevision: 1 }],
    });
    const lying = { before, at: 0, hash: () => digestOf([{ id: 'a'.repeat(64) as never, size: 1 }]) };
    expect(applyCommit({ request, ...lying })).toMatchObject({ ok: false, reason: 'digest_mismatch' });
  });
});
