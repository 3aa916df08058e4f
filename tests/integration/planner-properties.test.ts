import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '@/lib/sync/model/entry';
import type { Digest, EntryId } from '@/lib/sync/model/ids';
import { nameKey } from '@/lib/sync/model/names';
import { contentOf, digestOf, ModelDevice, ModelServer, root } from './planner-model';

/** One thing a person does; numbers choose among what is there, so that shrinking keeps them meaningful. */
type Deed = readonly [kind: 'folder' | 'file' | 'write' | 'rename' | 'move' | 'delete', what: number, where: number, value: number];

const NAMES = ['a', 'A', 'b', 'c.txt', 'é', 'e\u0301'];
const deed: fc.Arbitrary<Deed> = fc.tuple(
  fc.constantFrom('folder', 'file', 'write', 'rename', 'move', 'delete'),
  fc.nat(7),
  fc.nat(7),
  fc.nat(5),
);
const deeds = (maxLength: number) => fc.array(deed, { maxLength });

function live(device: ModelDevice): Entry[] {
  const alive = (id: EntryId): boolean => {
    for (let at = id, depth = 0; at !== root; depth++) {
      const row = device.rows.get(at);
      if (row === undefined || row.local.deletedAt !== null || depth > 50) return false;
      at = row.local.parentId;
    }
    return true;
  };
  return [...device.rows.values()].map(({ local }) => local).filter(({ id }) => alive(id));
}

/** Does it as the explorer would: what a person could not do is not done. */
function perform(device: ModelDevice, [kind, what, where, value]: Deed, salt: number): void {
  const all = live(device);
  const folders: (EntryId | undefined)[] = [root, ...all.filter((entry) => entry.kind === 'folder').map(({ id }) => id)];
  const parentId = folders[where % folders.length] as EntryId;
  const name = (NAMES[value] as string).normalize('NFC');
  const isFree = (folder: EntryId, wanted: string, except?: EntryId) =>
    all.every((entry) => entry.parentId !== folder || entry.id === except || nameKey(entry.name) !== nameKey(wanted));
  const born = { revision: 1, contentRevision: 1, placeRevision: 1, mtime: 0, deletedAt: null };
  if (kind === 'folder' || kind === 'file') {
    if (!isFree(parentId, name)) return;
    const id = device.newId();
    const digest = kind === 'file' ? digestOf(salt + value) : null;
    const local: Entry = { id, parentId, name, kind, size: digest === null ? 0 : 1, digest, ...born };
    const place = { entryId: id, parentId, name };
    device.wish(
      digest === null ? { kind: 'create_folder', ...place, mtime: 0 } : { kind: 'create_file', ...place, ...contentOf(digest) },
      local,
    );
    return;
  }
  const entry = all[what % Math.max(1, all.length)];
  const row = entry === undefined ? undefined : device.rows.get(entry.id);
  if (entry === undefined || row === undefined) return;
  const entryId = entry.id;
  if (kind === 'delete') {
    device.wish({ kind: 'delete', entryId, baseRevision: Math.max(row.content, row.place) }, { ...entry, deletedAt: 1 });
  } else if (kind === 'write') {
    if (entry.kind !== 'file') return;
    const digest = digestOf(salt + 0x10 + value);
    device.wish({ kind: 'write_file', entryId, baseRevision: row.content, ...contentOf(digest) }, { ...entry, digest });
  } else {
    const goal = kind === 'rename' ? entry.parentId : parentId;
    const goalName = kind === 'rename' ? name : entry.name;
    const above = new Set<EntryId>();
    for (let at = goal; at !== root; at = device.rows.get(at)?.local.parentId ?? root) above.add(at);
    if (above.has(entryId) || !isFree(goal, goalName, entryId)) return;
    const place = { parentId: goal, name: goalName };
    device.wish({ kind: 'move', entryId, baseRevision: row.place, ...place }, { ...entry, ...place });
  }
}

/** A server and two devices that know the same tree, then did something each without the other. */
function divided(
  base: readonly Deed[],
  here: readonly Deed[],
  there: readonly Deed[],
  options: { merge: boolean; sameContents?: boolean },
) {
  const server = new ModelServer();
  // Two devices that merge the same pair come to the same bytes; which pairs merge is a matter of the pair.
  const mergeable = (a: Digest, b: Digest) =>
    options.merge && (Number.parseInt(a.slice(-4), 16) + Number.parseInt(b.slice(-4), 16)) % 2 === 0;
  const one = new ModelDevice('1', server, 1_000, mergeable);
  const two = new ModelDevice('2', server, 2_000, mergeable);
  for (const each of base) perform(one, each, 0x100);
  one.sync();
  two.sync();
  for (const each of there) perform(one, each, 0x200);
  for (const each of here) perform(two, each, options.sameContents === true ? 0x200 : 0x300);
  return { server, one, two };
}

/** Contents that are new on a device since it last agreed with the server, and that its person still has. */
function freshContents(device: ModelDevice): Set<Digest> {
  const written = new Set(device.queue.flatMap((each) => ('digest' in each ? [each.digest] : [])));
  return new Set(live(device).flatMap(({ digest }) => (digest !== null && written.has(digest) ? [digest] : [])));
}

function expectTree(entries: readonly Entry[]): void {
  const places = entries.map(({ parentId, name }) => `${parentId}/${nameKey(name)}`);
  expect(new Set(places).size).toBe(places.length);
  const ids = new Set(entries.map(({ id }) => id));
  for (const { parentId } of entries) expect(parentId === root || ids.has(parentId)).toBe(true);
}

const byId = (entries: readonly Entry[]) => [...entries].sort((a, b) => (a.id < b.id ? -1 : 1));
const RUNS = Number(process.env.PLANNER_RUNS ?? 10_000);
/** The same cases in every run; `PLANNER_SEED` for others. */
const SEED = Number(process.env.PLANNER_SEED ?? 84_857_126);

describe('the planner, over triples of trees', () => {
  test('no bytes lost, one name a folder, no circles, no orphans; devices converge, and planning again gives nothing', () => {
    let conflicts = 0;
    fc.assert(
      fc.property(deeds(6), deeds(6), deeds(6), fc.boolean(), (base, here, there, merge) => {
        const { server, one, two } = divided(base, here, there, { merge });
        const fresh = [...freshContents(one), ...freshContents(two)];
        one.sync();
        two.sync();
        one.sync();
        const tree = server.live();
        expectTree(tree);
        expect(byId(live(one))).toEqual(tree);
        expect(byId(live(two))).toEqual(tree);
        const parts = (digest: Digest): readonly Digest[] => [digest, ...(two.merges.get(digest) ?? []).flatMap(parts)];
        const kept = new Set(tree.flatMap(({ digest }) => (digest === null ? [] : parts(digest))));
        for (const digest of fresh) expect(kept.has(digest)).toBe(true);
        conflicts += tree.some(({ name }) => name.includes('conflicted')) ? 1 : 0;
        const { length } = server.journal;
        const pushed = one.pushed + two.pushed;
        two.sync();
        one.sync();
        expect([server.journal.length, one.pushed + two.pushed]).toEqual([length, pushed]);
      }),
      { numRuns: RUNS, seed: SEED },
    );
    expect(conflicts).toBeGreaterThan(RUNS / 100);
  });

  test('who did the same twice has no conflict', () => {
    fc.assert(
      fc.property(deeds(6), deeds(5), (base, both) => {
        const additions = both.filter(([kind]) => kind === 'folder' || kind === 'file' || kind === 'write');
        const { server, one, two } = divided(base, additions, additions, { merge: false, sameContents: true });
        one.sync();
        const tree = () => server.live().map(({ id, parentId, name, digest }) => ({ id, parentId, name, digest }));
        const before = tree();
        two.sync();
        expect(tree()).toEqual(before);
      }),
      { numRuns: RUNS, seed: SEED },
    );
  });
});
