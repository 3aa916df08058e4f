import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFolder, move, remove, rename } from '@/lib/sync/engine/intents';
import type { EntryId } from '@/lib/sync/model/ids';
import { NamespaceServer } from './engine-harness';
import { type Bytes, connected, DiskDevice, manifestOf, memoryDisk } from './workspace-harness';

/**
 * Two devices with a folder on disk each, changed at random by other programs, by people in the tree and by going offline. In the end
 * both disks and the server hold the same, and no bytes that only a disk had are lost.
 */
const PATHS = ['a', 'b', 'B', 'd', 'd/a', 'd/e', 'd/e/a', 'f'];
const WEIGHTS = {
  write: 6,
  sync: 6,
  look: 2,
  drop: 2,
  shift: 3,
  folder: 1,
  rename: 2,
  move: 2,
  remove: 3,
  edit: 3,
  send: 1,
  offline: 1,
  hold: 1,
} as const;
type Kind = keyof typeof WEIGHTS;
const KINDS = (Object.entries(WEIGHTS) as [Kind, number][]).flatMap(([kind, weight]) => Array.from({ length: weight }, () => kind));

const step = fc.record({
  who: fc.nat(1),
  kind: fc.constantFrom(...KINDS),
  from: fc.nat(PATHS.length - 1),
  to: fc.nat(PATHS.length - 1),
  size: fc.nat(2),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Device = DiskDevice & { readonly disk: ReturnType<typeof memoryDisk> };

function newDevice(name: string, server: NamespaceServer, bytes: Bytes): Device {
  return new DiskDevice(name, server, memoryDisk(), bytes) as Device;
}

class World {
  readonly server = new NamespaceServer();
  readonly bytes: Bytes = new Map();
  readonly devices = [newDevice('A', this.server, this.bytes), newDevice('B', this.server, this.bytes)] as const;
  #written = 0;

  async step({ who, kind, from, to, size }: Step): Promise<void> {
    const device = this.devices[who] as Device;
    const [source, target] = [PATHS[from] as string, PATHS[to] as string];
    if (kind === 'sync') await device.sync();
    else if (kind === 'look') await device.look();
    else if (kind === 'offline') device.device.weather.offline = !device.device.weather.offline;
    else if (kind === 'send') await device.send();
    else if (kind === 'hold') {
      device.holdUploads = !device.holdUploads;
      if (!device.holdUploads) await device.stage();
    } else if (kind === 'rename' || kind === 'move' || kind === 'remove' || kind === 'edit')
      await this.#inTree(device, kind, source, target);
    else this.#onDisk(device, kind, source, target, size);
  }

  #onDisk({ disk }: Device, kind: 'write' | 'drop' | 'shift' | 'folder', source: string, target: string, size: number): void {
    const contents = disk.contents();
    const isFile = (path: string) => path in contents;
    const isFolder = (path: string) => `${path}/` in contents;
    const above = (path: string) =>
      path
        .split('/')
        .slice(0, -1)
        .map((_, index, names) => names.slice(0, index + 1).join('/'));
    if (kind === 'write') {
      if (isFolder(source) || above(source).some(isFile)) return;
      this.#written += 1;
      disk.put(source, `content ${this.#written}`.padEnd(12 + size));
    } else if (kind === 'folder') {
      if (!isFile(source) && !isFolder(source) && !above(source).some(isFile)) disk.put(source, null);
    } else if (!isFile(source) && !isFolder(source)) return;
    else if (kind === 'drop') disk.drop(source);
    else if (!isFile(target) && !isFolder(target) && above(target).every(isFolder) && !`${target}/`.startsWith(`${source}/`))
      disk.shift(source, target);
  }

  async #inTree(on: Device, kind: 'rename' | 'move' | 'remove' | 'edit', source: string, target: string): Promise<void> {
    const { device, store } = on;
    const rows = await store.read(async (reading) => reading.entries(await reading.entryIds(this.server.id)));
    const live = rows.filter((row) => row !== undefined && row.deletedAt === null);
    const named = (path: string) => live.find((row) => row?.name === path.split('/').at(-1));
    const row = named(source);
    if (row === undefined) return;
    if (kind === 'edit') {
      this.#written += 1;
      await on.edit(row.id, `edited ${this.#written}`.padEnd(14));
    }
    if (kind === 'remove') await remove(device.context, [row.id]);
    if (kind === 'rename') await rename(device.context, row.id, `${target.replaceAll('/', '-')} renamed`);
    if (kind === 'move') {
      const into = live.find((one) => one?.kind === 'folder' && one.name === target.split('/').at(-1))?.id;
      if (into === undefined) await createFolder(device.context, this.server.root, target.replaceAll('/', '-'));
      else await move(device.context, [row.id], into);
    }
  }

  /** Bytes that stand on a disk and never reached anybody else. */
  async onlyHere(): Promise<string[]> {
    const texts: string[] = [];
    for (const device of this.devices) {
      texts.push(...(await device.staged()));
      for (const [path, text] of Object.entries(device.disk.contents()))
        if (!path.endsWith('/') && !this.bytes.has(manifestOf(new TextEncoder().encode(text)).digest)) texts.push(text);
    }
    return texts;
  }

  async settle(): Promise<void> {
    for (const device of this.devices) {
      device.device.weather.offline = false;
      device.holdUploads = false;
      await device.stage();
      await device.send();
    }
    for (let times = 0; times < 4; times++) {
      for (const device of this.devices) {
        await device.sync();
        const asks = device.status()?.asks;
        if (asks) device.answer = { kind: 'delete', deletions: asks.deletions };
      }
    }
  }

  /** What the server has, as a disk would show it. */
  tree(): Record<string, string> {
    const all: Record<string, string> = {};
    const walk = (parentId: EntryId, above: string): void => {
      for (const entry of this.server.entries.values()) {
        if (entry.parentId !== parentId || entry.deletedAt !== null) continue;
        const path = above + entry.name;
        if (entry.kind === 'folder') all[`${path}/`] = '';
        else all[path] = new TextDecoder().decode(entry.digest === null ? undefined : this.bytes.get(entry.digest));
        if (entry.kind === 'folder') walk(entry.id, `${path}/`);
      }
    };
    walk(this.server.root, '');
    return all;
  }
}

/** Names that differ only in case cannot both be in the tree: a disk that holds such a pair keeps it, and is told so. */
function expectInStep(device: Device, tree: Record<string, string>): void {
  const clashes = (device.status()?.problems ?? []).filter(({ reason }) => reason === 'clash').map(({ path }) => path);
  const isClash = (path: string) => clashes.some((one) => path === `${one}/` || path === one || path.startsWith(`${one}/`));
  const shown = Object.fromEntries(Object.entries(device.disk.contents()).filter(([path]) => !isClash(path)));
  if (clashes.length === 0) expect(shown).toEqual(tree);
  else expect(tree).toMatchObject(shown);
}

describe('two disks and a server', () => {
  test('whatever happens, all converge and nothing that only a disk had is lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const world = new World();
        await connected(...world.devices);
        for (const one of steps) await world.step(one);
        const unsynced = await world.onlyHere();
        await world.settle();
        const tree = world.tree();
        for (const device of world.devices) {
          expectInStep(device, tree);
          expect(device.status()).toMatchObject({ waiting: 0, asks: null });
        }
        const kept = new Set(world.devices.flatMap(({ disk }) => Object.values(disk.contents())));
        // A folder that somebody deleted takes to the trash what others put into it meanwhile; there it can be had back.
        for (const { digest } of world.server.entries.values())
          if (digest !== null) kept.add(new TextDecoder().decode(world.bytes.get(digest)));
        expect(unsynced.filter((text) => !kept.has(text))).toEqual([]);
      }),
      { numRuns: Number(process.env.WORKSPACE_RUNS ?? 150), seed: Number(process.env.WORKSPACE_SEED ?? 20_261_120) },
    );
  });
});
