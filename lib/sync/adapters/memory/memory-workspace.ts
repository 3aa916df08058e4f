import { type DiskItem, type DiskRecord, type DiskStamp, sameStamp, splitPath } from '../../model/disk';
import type { EntryId } from '../../model/ids';
import type { DiskRecords, DiskRefusal, DiskReply, DiskWrite, Workspace } from '../../ports/workspace';

interface Held {
  readonly kind: DiskItem['kind'];
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mtime: number;
}

const refused = (reason: DiskRefusal) => ({ ok: false, reason }) as const;
const done = <T>(value: T) => ({ ok: true, value }) as const;

/** The faithful twin of a folder on a disk, for tests and the simulation. What other programs do to it is told by `put` and `drop`. */
export class MemoryWorkspace implements Workspace {
  readonly #held = new Map<string, Held>();
  /** What `state` says; anything but `ready` also makes every other call fail. */
  condition: 'ready' | 'missing' | 'permission' = 'ready';
  /** How often content was read, by path. */
  readonly reads = new Map<string, number>();
  /** Runs between the last byte of a write and its last look at the file: somebody else may be quicker. */
  beforeSwap: (path: string) => void = () => undefined;
  #time = 1_000;

  /** Every change gets its own modification time. */
  #tick(): number {
    this.#time += 1_000;
    return this.#time;
  }

  put(path: string, content: string | Uint8Array<ArrayBuffer> | null, mtime = this.#tick()): void {
    const { folder } = splitPath(path);
    if (folder !== '' && !this.#held.has(folder)) this.put(folder, null);
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : (content ?? new Uint8Array());
    this.#held.set(path, { kind: content === null ? 'folder' : 'file', bytes, mtime: content === null ? 0 : mtime });
  }

  putLink(path: string): void {
    this.#held.set(path, { kind: 'other', bytes: new Uint8Array(), mtime: 0 });
  }

  /** Removes a path with everything below it. */
  drop(path: string): void {
    for (const known of [...this.#held.keys()]) if (known === path || known.startsWith(`${path}/`)) this.#held.delete(known);
  }

  /** Another program renames or moves something, with everything below it. */
  shift(from: string, to: string): void {
    for (const [path, held] of [...this.#held]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.#held.delete(path);
      this.#held.set(to + path.slice(from.length), held);
    }
  }

  /** Every path with its text; folders end with “/”. */
  contents(): Record<string, string> {
    const all = [...this.#held].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(
      all.map(([path, { kind, bytes }]) => (kind === 'folder' ? [`${path}/`, ''] : [path, new TextDecoder().decode(bytes)])),
    );
  }

  holds(name: string): boolean {
    return !/[:?*"<>|]/.test(name) && name.length <= 240;
  }

  async state() {
    return this.condition;
  }

  #blocked(): DiskReply<never> | null {
    return this.condition === 'ready' ? null : refused(this.condition);
  }

  #isFolder(path: string): boolean {
    return path === '' || this.#held.get(path)?.kind === 'folder';
  }

  async list(folder: string): Promise<DiskReply<readonly DiskItem[]>> {
    const blocked = this.#blocked();
    if (blocked) return blocked;
    if (!this.#isFolder(folder)) return refused('missing');
    const items: DiskItem[] = [];
    for (const [path, { kind, bytes, mtime }] of this.#held) {
      const place = splitPath(path);
      if (place.folder === folder) items.push({ name: place.name, kind, size: bytes.length, mtime });
    }
    return done(items);
  }

  async stat(path: string): Promise<DiskReply<DiskItem>> {
    const held = this.#held.get(path);
    const blocked = this.#blocked();
    if (blocked) return blocked;
    if (held === undefined) return refused('missing');
    return done({ name: splitPath(path).name, kind: held.kind, size: held.bytes.length, mtime: held.mtime });
  }

  async read(path: string): Promise<DiskReply<AsyncIterable<Uint8Array<ArrayBuffer>>>> {
    const held = this.#held.get(path);
    const blocked = this.#blocked();
    if (blocked) return blocked;
    if (held?.kind !== 'file') return refused('missing');
    this.reads.set(path, (this.reads.get(path) ?? 0) + 1);
    const { bytes } = held;
    return done(
      (async function* () {
        // In two pieces, as a stream may come.
        const half = bytes.length >> 1;
        if (half > 0) yield bytes.slice(0, half);
        if (bytes.length > half) yield bytes.slice(half);
      })(),
    );
  }

  #is(path: string, expected: DiskStamp | null): DiskRefusal | null {
    const held = this.#held.get(path);
    if (expected === null) return held === undefined ? null : 'exists';
    if (held === undefined) return 'missing';
    return held.kind === 'file' && sameStamp({ size: held.bytes.length, mtime: held.mtime }, expected) ? null : 'changed';
  }

  async write(path: string, content: AsyncIterable<Uint8Array>, { expected }: DiskWrite): Promise<DiskReply<DiskStamp>> {
    const { folder, name } = splitPath(path);
    const reason = this.#is(path, expected);
    const blocked = this.#blocked();
    if (blocked) return blocked;
    if (!this.holds(name)) return refused('name');
    if (!this.#isFolder(folder)) return refused('missing');
    if (reason !== null) return refused(reason);
    const parts: Uint8Array[] = [];
    for await (const piece of content) parts.push(piece.slice());
    this.beforeSwap(path);
    const again = this.#is(path, expected);
    if (again !== null) return refused(again);
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    const mtime = this.#tick();
    this.#held.set(path, { kind: 'file', bytes, mtime });
    return done({ size: bytes.length, mtime });
  }

  async createFolder(path: string): Promise<DiskReply<null>> {
    const blocked = this.#blocked();
    if (blocked) return blocked;
    const { folder, name } = splitPath(path);
    if (!this.holds(name)) return refused('name');
    if (!this.#isFolder(folder)) return refused('missing');
    const held = this.#held.get(path);
    if (held !== undefined && held.kind !== 'folder') return refused('exists');
    this.put(path, null);
    return done(null);
  }

  async removeFile(path: string, expected: DiskStamp): Promise<DiskReply<null>> {
    const reason = this.#is(path, expected);
    const blocked = this.#blocked();
    if (blocked) return blocked;
    if (reason !== null) return refused(reason);
    this.#held.delete(path);
    return done(null);
  }

  async removeFolder(path: string): Promise<DiskReply<null>> {
    const blocked = this.#blocked();
    if (blocked) return blocked;
    if (!this.#isFolder(path)) return refused('missing');
    for (const other of this.#held.keys()) if (other.startsWith(`${path}/`)) return refused('not_empty');
    this.#held.delete(path);
    return done(null);
  }

  async moveFile(from: string, to: string, expected: DiskStamp): Promise<DiskReply<DiskStamp>> {
    const reason = this.#is(from, expected) ?? this.#target(to);
    const blocked = this.#blocked();
    if (blocked) return blocked;
    if (reason !== null) return refused(reason);
    this.shift(from, to);
    return done({ size: expected.size, mtime: expected.mtime });
  }

  #target(to: string): DiskRefusal | null {
    const { folder, name } = splitPath(to);
    if (!this.holds(name)) return 'name';
    if (!this.#isFolder(folder)) return 'missing';
    return this.#held.has(to) ? 'exists' : null;
  }

  async moveFolder(from: string, to: string): Promise<DiskReply<null>> {
    const reason = this.#isFolder(from) ? this.#target(to) : 'missing';
    const blocked = this.#blocked();
    if (blocked) return blocked;
    if (reason !== null) return refused(reason);
    this.shift(from, to);
    return done(null);
  }
}

/** The twin of the table in IndexedDB. */
export class MemoryDiskRecords implements DiskRecords {
  readonly rows = new Map<EntryId, DiskRecord>();

  async all(): Promise<readonly DiskRecord[]> {
    return [...this.rows.values()];
  }

  async put(rows: readonly DiskRecord[]): Promise<void> {
    for (const row of rows) this.rows.set(row.entryId, structuredClone(row));
  }

  async remove(entryIds: readonly EntryId[]): Promise<void> {
    for (const id of entryIds) this.rows.delete(id);
  }
}
