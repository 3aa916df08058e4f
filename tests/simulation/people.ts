import { copy, createFolder, move, remove, rename, restore, type Wish, wish } from '@/lib/sync/engine/intents';
import { applyStagedTransfers } from '@/lib/sync/engine/transfer-commits';
import { cancelTransfers, pauseTransfers, retryTransfers } from '@/lib/sync/engine/transfer-intents';
import { type Placement, planUpload, type UploadPlan } from '@/lib/sync/engine/upload-plan';
import type { Digest, EntryId } from '@/lib/sync/model/ids';
import { rootOf } from '@/lib/sync/model/ids';
import type { LocalEntry, LocalTransfer } from '@/lib/sync/ports/local-store';
import type { Chance } from './chance';
import type { Session, SimDevice } from './device';
import type { Life } from './life';
import type { ActKind } from './scenario';
import { type Accepted, digestOf, manifestOf, type World } from './world';

/** Few names, so that they meet; some differ only in case or in how an accent is written. */
const FILES = ['a.txt', 'A.TXT', 'b.txt', 'notes.md', '\u00e9t\u00e9.txt', 'e\u0301te\u0301.txt', 'Stra\u00dfe.txt', 'STRASSE.TXT'];
const FOLDERS = ['work', 'Work', 'photos', 'old'];
/** What several people may well write alike. */
const COMMON = ['', 'hello\n', 'one\ntwo\nthree\nfour\n'];

interface Undo {
  readonly run: (session: Session) => Promise<Wish>;
  /** What the undone wish had made, and undoing it deletes. */
  readonly deletes: readonly EntryId[];
}

/** The person at one device: wishes picked by chance from what the device shows, through the same functions the page calls. */
export class Person {
  #undo: Undo | null = null;
  #written = 0;
  /** What this person wished to be deleted here, with everything in it. */
  readonly #deleted = new Set<EntryId>();
  /** Files are taken in one after the other, as intake does. */
  #intake: { readonly life: Life | null; readonly turn: Promise<unknown> } = { life: null, turn: Promise.resolve() };

  constructor(
    private readonly world: World,
    readonly device: SimDevice,
  ) {}

  /** One wish. Nothing happens when the device is off or shows nothing that fits. */
  act(kind: ActKind, stepId: number): void {
    const { session, name } = this.device;
    if (session === null) return;
    const chance = this.world.chance.fork(`step ${stepId}`);
    const isIntake = kind === 'new_file' || kind === 'edit';
    const done = isIntake ? this.#inTurn(session, () => this.#acts[kind](session, chance)) : this.#acts[kind](session, chance);
    done.catch((error: unknown) =>
      this.world.breaks(`${name}: the wish “${kind}” broke: ${error instanceof Error ? error.stack : String(error)}`),
    );
  }

  readonly #acts: Readonly<Record<ActKind, (session: Session, chance: Chance) => Promise<void>>> = {
    new_folder: async (session, chance) => {
      const parentId = await this.#folder(chance);
      const name = chance.pick(FOLDERS);
      const done = await this.#wished(
        session,
        `new folder ${JSON.stringify(name)} in ${short(parentId)}`,
        createFolder(session.context, parentId, name),
      );
      if (done) this.#undo = { run: ({ context }) => remove(context, done), deletes: done };
    },
    new_file: async (session, chance) => {
      const parentId = await this.#folder(chance);
      const common = chance.happens(0.15);
      const text = common ? chance.pick(COMMON) : this.#marked([], chance);
      await this.#add(session, { parentId, name: chance.pick(FILES), text, mark: common ? null : markOf(text) });
    },
    edit: async (session, chance) => {
      const file = chance.pick((await this.device.visible()).filter(({ kind }) => kind === 'file'));
      if (file === undefined || file.digest === null) return;
      const common = chance.happens(0.1);
      const before = this.world.texts.get(file.digest) ?? '';
      const text = common ? chance.pick(COMMON) : this.#marked(chance.happens(0.8) ? before.split(/(?<=\n)/) : [], chance);
      const { id, namespaceId, parentId, name, digest } = file;
      const baseRevision = file.remote === null ? null : file.contentRevision;
      this.world.say(this.device.name, `write ${called(file)}`);
      const place = { entryId: id, namespaceId, parentId, name, baseRevision };
      await this.#takeIn(session, place, { text, mark: common ? null : markOf(text, before), base: digest });
    },
    rename: async (session, chance) => {
      const row = chance.pick(await this.device.visible());
      if (row === undefined) return;
      const name = chance.pick(row.kind === 'file' ? FILES : FOLDERS);
      const done = await this.#wished(session, `rename ${called(row)} to ${JSON.stringify(name)}`, rename(session.context, row.id, name));
      if (done) this.#undo = { run: ({ context }) => rename(context, row.id, row.name), deletes: [] };
    },
    move: async (session, chance) => {
      const row = chance.pick(await this.device.visible());
      if (row === undefined) return;
      const parentId = await this.#folder(chance);
      const done = await this.#wished(session, `move ${called(row)} to ${short(parentId)}`, move(session.context, [row.id], parentId));
      if (done) this.#undo = { run: ({ context }) => move(context, [row.id], row.parentId), deletes: [] };
    },
    copy: async (session, chance) => {
      const row = chance.pick(await this.device.visible());
      if (row === undefined) return;
      const parentId = await this.#folder(chance);
      const inside = await this.#below([row]);
      // Counted before, so that a copy whose wish was never answered is not taken for a mistake.
      for (const { digest } of inside) if (digest !== null) this.world.copies.set(digest, (this.world.copies.get(digest) ?? 0) + 1);
      const done = await this.#wished(session, `copy ${called(row)} to ${short(parentId)}`, copy(session.context, [row.id], parentId));
      if (done) this.#undo = { run: ({ context }) => remove(context, done), deletes: done };
    },
    delete: async (session, chance) => {
      const row = chance.pick(await this.device.visible());
      if (row === undefined) return;
      await this.#takesBack([row.id]);
      const done = await this.#wished(session, `delete ${called(row)}`, remove(session.context, [row.id]));
      if (done) this.#undo = { run: ({ context }) => restore(context, done), deletes: [] };
    },
    restore: async (session, chance) => {
      const trash = (await this.device.rows()).filter(({ deletedAt }) => deletedAt !== null).sort((a, b) => (a.id < b.id ? -1 : 1));
      const row = chance.pick(trash);
      if (row === undefined) return;
      const done = await this.#wished(session, `restore ${called(row)}`, restore(session.context, [row.id]));
      if (done) this.#undo = { run: ({ context }) => remove(context, done), deletes: done };
    },
    undo: async (session) => {
      const undo = this.#undo;
      this.#undo = null;
      if (undo === null) return;
      await this.#takesBack(undo.deletes);
      await this.#wished(session, 'undo', undo.run(session));
    },
    cancel_upload: async (session, chance) => {
      const open = await session.store.read((reading) => reading.transfersIn(['staged', 'sending']));
      const transfer = chance.pick(open);
      if (transfer === undefined) return;
      const accepted = this.world.accepted.get(transfer.id);
      if (accepted !== undefined) accepted.takenBack = true;
      this.world.say(this.device.name, `cancel the upload ${short(transfer.id)}`);
      await cancelTransfers(session.store, [transfer.id]);
    },
    pause_uploads: async (session, chance) => {
      this.world.say(this.device.name, 'pause the uploads');
      await pauseTransfers(session.store, 'all', 1);
      await session.life.pause(chance.between(1_000, 60_000));
      await this.resume(session);
    },
  };

  /** Lets paused uploads go on and tries failed ones again. */
  async resume(session: Session): Promise<void> {
    await pauseTransfers(session.store, 'all', 0);
    await retryTransfers(session.store, 'all');
    session.sender.wake();
  }

  #inTurn(session: Session, work: () => Promise<void>): Promise<void> {
    // What waited in a life that ended waits no more.
    const before = this.#intake.life === session.life ? this.#intake.turn : Promise.resolve();
    const turn = before.then(work);
    this.#intake = { life: session.life, turn: turn.catch(() => undefined) };
    return turn;
  }

  async #wished(session: Session, what: string, wish: Promise<Wish>): Promise<readonly EntryId[] | null> {
    const { world, device } = this;
    world.say(device.name, what);
    const result = await wish;
    if (!result.ok) {
      world.say(device.name, `refused: ${result.sentence}`);
      return null;
    }
    session.engine.wakeRequests();
    return result.entryIds;
  }

  /** What the page and the call into the engine do for a new file. */
  async #add(
    session: Session,
    file: { readonly parentId: EntryId; readonly name: string; readonly text: string; readonly mark: string | null },
  ): Promise<void> {
    const { context, store, clock } = session;
    const { parentId, name, text, mark } = file;
    const item = { kind: 'file' as const, path: name, size: new TextEncoder().encode(text).length, mtime: clock.now() };
    let plan: UploadPlan | null = null;
    const planned = wish(context, async (writing) => {
      plan = await planUpload(writing, context, { parentId, items: [item], onConflict: 'keep_both' });
      return [];
    });
    if ((await this.#wished(session, `add ${JSON.stringify(name)} in ${short(parentId)}`, planned)) === null) return;
    const { placements, superseded } = plan as unknown as UploadPlan;
    if (superseded.length > 0) await cancelTransfers(store, superseded);
    const [place] = placements;
    if (place === undefined) return;
    const { index: _, ...where } = place;
    await this.#takeIn(session, where, { text, mark, base: null });
    this.#undo = { run: ({ context: now }) => remove(now, [where.entryId]), deletes: [where.entryId] };
  }

  /** What intake does with the bytes of one file. */
  async #takeIn(session: Session, place: Omit<Placement, 'index'>, content: Pick<Accepted, 'text' | 'mark' | 'base'>): Promise<void> {
    const { world, device } = this;
    const { store } = session;
    const { text } = content;
    const bytes = new TextEncoder().encode(text);
    const digest = digestOf(manifestOf(text));
    const id = session.random.uuid();
    const mtime = session.clock.now();
    const row: LocalTransfer = { ...place, id, size: bytes.length, mtime, state: 'queued', paused: 0, stagedBytes: 0, sentBytes: 0 };
    await store.putTransfer(row);
    // Said before: a machine that dies now may have put these bytes in the place of the others.
    if (content.base !== null) world.overwritten.add(`${device.name} ${content.base}`);
    await this.#stage(session, id, bytes, text, digest);
    const [over] = await store.read((reading) => reading.transfers([id]));
    if (over === undefined || over.state === 'cancelled') return;
    world.texts.set(digest, text);
    world.accepted.set(id, { ...content, device: device.name, transferId: id, digest, takenBack: false });
    await applyStagedTransfers(store, [id]);
    await this.#excuseDeleted(id, place.entryId);
    world.say(device.name, `bytes of ${short(id)} are safe: ${short(place.entryId)} = ${digest.slice(0, 4)}`);
    session.sender.wake();
  }

  /** A person may delete a file while new bytes for it are being read: the wish to delete is the later one. */
  async #excuseDeleted(id: string, entryId: EntryId): Promise<void> {
    const [transfer] = await this.device.disk.store.read((reading) => reading.transfers([id]));
    const accepted = this.world.accepted.get(id);
    if (accepted !== undefined && transfer?.state === 'cancelled' && this.#deleted.has(entryId)) accepted.takenBack = true;
  }

  /** Writes the bytes down in two pieces, so that a crash in between leaves half of them. */
  async #stage({ store, life }: Session, id: string, bytes: Uint8Array, text: string, digest: Digest): Promise<void> {
    const { disk } = this.device;
    await store.write(async (writing) => {
      const [now] = await writing.transfers([id]);
      if (now?.state === 'queued') await writing.updateTransfers([{ id, changes: { state: 'staging' } }]);
    });
    disk.staged.set(id, bytes.slice(0, bytes.length >> 1));
    await life.pause(1);
    disk.staged.set(id, bytes);
    disk.store.putStaged(id, manifestOf(text));
    await store.write(async (writing) => {
      const [now] = await writing.transfers([id]);
      if (now?.state === 'staging')
        await writing.updateTransfers([{ id, changes: { state: 'staged', digest, stagedBytes: bytes.length } }]);
    });
  }

  /** A folder that is shown, or the top. */
  async #folder(chance: Chance): Promise<EntryId> {
    const root = rootOf(this.device.rootNamespaceId);
    const folders = (await this.device.visible()).filter(({ kind }) => kind === 'folder').map(({ id }) => id);
    return chance.happens(0.35) ? root : chance.pick([root, ...folders]);
  }

  async #below(rows: readonly LocalEntry[]): Promise<readonly LocalEntry[]> {
    const all = await this.device.rows();
    const found = [...rows];
    for (const row of found) for (const child of all) if (child.parentId === row.id && !found.includes(child)) found.push(child);
    return found;
  }

  /** The person is about to delete these: bytes in them that exist only here need not be found afterwards. Said before, because a machine that dies in the wish never answers it. */
  async #takesBack(entryIds: readonly EntryId[]): Promise<void> {
    const rows = (await this.device.rows()).filter(({ id }) => entryIds.includes(id));
    const ids = (await this.#below(rows)).map(({ id }) => id);
    for (const id of ids) this.#deleted.add(id);
    for (const { id } of await this.device.disk.store.read((reading) => reading.transfersOf(ids))) {
      const accepted = this.world.accepted.get(id);
      if (accepted !== undefined) accepted.takenBack = true;
    }
  }

  /** Text with a line in it that nobody else writes. */
  #marked(lines: readonly string[], chance: Chance): string {
    const mark = `${this.device.name} writes ${this.#written++} ${chance.between(1000, 9999)}\n`;
    const next = [...lines];
    const at = chance.between(0, next.length);
    next.splice(at, chance.happens(0.5) ? 0 : 1, mark);
    while (next.length > 9) next.splice(chance.between(0, next.length - 1) === at ? 0 : next.length - 1, 1);
    if (!next.includes(mark)) next[0] = mark;
    return next.join('');
  }
}

/** The line of `text` that is not in `before`. */
function markOf(text: string, before = ''): string | null {
  const old = new Set(before.split(/(?<=\n)/));
  return text.split(/(?<=\n)/).find((line) => line !== '' && !old.has(line)) ?? null;
}

function short(id: string): string {
  return id.slice(0, 4);
}

function called(row: LocalEntry): string {
  return `${short(row.id)} ${JSON.stringify(row.name)}`;
}
