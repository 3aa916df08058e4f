import { contentDigest } from '../chunking/content-digest';
import { type DiskItem, type DiskStamp, joinPath, sameStamp, splitPath } from '../model/disk';
import type { Digest } from '../model/ids';
import { IGNORE_FILE, IGNORE_FILE_BYTES_MAX, IgnoreRules } from '../planning/ignore-rules';
import type { DiskNode } from '../planning/workspace-trees';
import type { Hasher } from '../ports/hasher';
import type { DiskRefusal, Workspace } from '../ports/workspace';

export interface ScanOptions {
  readonly signal: AbortSignal;
  /** Told now and then how many files and folders were seen. */
  onFound(count: number): void;
}

interface Known extends DiskItem {
  readonly digest?: Digest;
}

/** The disk as it was last seen: names, sizes and times of everything that is not ignored, never content. */
export class WorkspaceDisk {
  readonly rules = new IgnoreRules();
  readonly unreadable = new Set<string>();
  readonly #folders = new Map<string, Map<string, Known>>();
  readonly #ruleStamps = new Map<string, DiskStamp>();

  constructor(
    readonly workspace: Workspace,
    readonly hasher: Hasher,
  ) {}

  /** False while nothing has been seen, or what was seen is not to be trusted any more. */
  get isKnown(): boolean {
    return this.#folders.has('');
  }

  forget(): void {
    this.#folders.clear();
    this.unreadable.clear();
  }

  /**
   * Looks at a folder again, and at everything in it that was not known before; `deep`: at everything in it. Returns why not when the
   * workspace itself cannot be listed. A folder below that cannot be listed is noted in `unreadable`, and nothing is said about it.
   */
  async scan(top: string, deep: boolean, options: ScanOptions): Promise<DiskRefusal | null> {
    // What stands in an ignored folder, or in one that is yet to be found by its parent's listing, is not looked at.
    if (top !== '' && !this.#folders.has(top)) return null;
    const open = [{ folder: top, deep }];
    let found = 0;
    for (let next = open.pop(); next !== undefined && !options.signal.aborted; next = open.pop()) {
      const { folder } = next;
      const listed = await this.workspace.list(folder);
      if (!listed.ok) {
        if (folder === '') return listed.reason;
        this.#drop(folder);
        if (listed.reason !== 'missing') this.unreadable.add(folder);
        else this.#items(splitPath(folder).folder).delete(splitPath(folder).name);
        continue;
      }
      this.unreadable.delete(folder);
      const rulesChanged = await this.#learnRules(folder, listed.value);
      const before = this.#folders.get(folder);
      const items = this.#takeListing(folder, listed.value);
      found += items.size;
      options.onFound(found);
      for (const item of items.values()) {
        if (item.kind !== 'folder') continue;
        const inside = next.deep || rulesChanged;
        if (inside || before?.get(item.name)?.kind !== 'folder') open.push({ folder: joinPath(folder, item.name), deep: inside });
      }
    }
    return null;
  }

  #takeListing(folder: string, listed: readonly DiskItem[]): Map<string, Known> {
    const before = this.#folders.get(folder);
    const items = new Map<string, Known>();
    for (const item of listed) {
      if (this.rules.ignores(joinPath(folder, item.name), item.kind === 'folder')) continue;
      const known = before?.get(item.name);
      items.set(item.name, known !== undefined && known.kind === item.kind && sameStamp(known, item) ? known : item);
    }
    for (const item of before?.values() ?? []) {
      if (item.kind === 'folder' && items.get(item.name)?.kind !== 'folder') this.#drop(joinPath(folder, item.name));
    }
    this.#folders.set(folder, items);
    return items;
  }

  /** Reads the folder's own rules when they changed. Rules that cannot be read right now stay as they were. */
  async #learnRules(folder: string, listed: readonly DiskItem[]): Promise<boolean> {
    const file = listed.find(({ name, kind, size }) => name === IGNORE_FILE && kind === 'file' && size <= IGNORE_FILE_BYTES_MAX);
    const known = this.#ruleStamps.get(folder);
    if (file === undefined) {
      this.#ruleStamps.delete(folder);
      return known !== undefined && this.rules.setFile(folder, null);
    }
    if (known !== undefined && sameStamp(known, file)) return false;
    const text = await this.#text(joinPath(folder, IGNORE_FILE));
    if (text === null) return false;
    this.#ruleStamps.set(folder, { size: file.size, mtime: file.mtime });
    return this.rules.setFile(folder, text);
  }

  async #text(path: string): Promise<string | null> {
    const opened = await this.workspace.read(path);
    if (!opened.ok) return null;
    const bytes: number[] = [];
    try {
      for await (const piece of opened.value) for (const byte of piece) bytes.push(byte);
    } catch {
      return null; // It is being written: the next look reads it.
    }
    return utf8Text(bytes);
  }

  #items(folder: string): Map<string, Known> {
    const known = this.#folders.get(folder) ?? new Map<string, Known>();
    this.#folders.set(folder, known);
    return known;
  }

  #drop(folder: string): void {
    const open = [folder];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const item of this.#folders.get(at)?.values() ?? []) if (item.kind === 'folder') open.push(joinPath(at, item.name));
      this.#folders.delete(at);
      this.unreadable.delete(at);
      if (this.#ruleStamps.delete(at)) this.rules.setFile(at, null);
    }
  }

  /** What we did to the disk ourselves, so that it need not be looked at again. null: it is gone. */
  note(path: string, item: Omit<DiskItem, 'name'> | null): void {
    const { folder, name } = splitPath(path);
    const items = this.#items(folder);
    if (items.get(name)?.kind === 'folder' && item?.kind !== 'folder') this.#drop(path);
    if (item === null) items.delete(name);
    else items.set(name, { ...item, name });
  }

  /** Everything that was seen, a folder before what stands in it. */
  nodes(): readonly DiskNode[] {
    const nodes: DiskNode[] = [];
    const open = [''];
    for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
      for (const item of this.#folders.get(folder)?.values() ?? []) {
        const path = joinPath(folder, item.name);
        nodes.push({ ...item, path, folder });
        if (item.kind === 'folder') open.push(path);
      }
    }
    return nodes;
  }

  /** Reads a file and remembers its digest. False when it is not the file any more that was seen, or cannot be read. */
  async fingerprint(node: DiskNode): Promise<boolean> {
    const opened = await this.workspace.read(node.path);
    if (!opened.ok) return false;
    let digest: Digest;
    try {
      digest = await contentDigest(opened.value, this.hasher);
    } catch {
      return false; // It vanished or changed while it was read: the next look at the disk tells.
    }
    const now = await this.workspace.stat(node.path);
    if (!now.ok || !sameStamp(now.value, node)) return false;
    this.#items(node.folder).set(node.name, { name: node.name, kind: 'file', size: node.size, mtime: node.mtime, digest });
    return true;
  }
}

/** UTF-8 → text; the core has no decoder of the platform. Wrong sequences become “?”. */
function utf8Text(bytes: readonly number[]): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] as number;
    const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    let code = length === 1 ? first : first & (0xff >> (length + 1));
    for (let more = 1; more < length; more++) code = (code << 6) | ((bytes[at + more] ?? 0) & 0x3f);
    text += (length === 1 && first >= 0x80) || code > 0x10ffff ? '?' : String.fromCodePoint(code);
    at += length;
  }
  return text;
}
