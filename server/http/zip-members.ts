import type { Entry } from '@/lib/sync/model/entry';
import type { EntryId } from '@/lib/sync/model/ids';
import { freeName, nameKey } from '@/lib/sync/model/names';

export interface ZipMember {
  readonly entryId: EntryId;
  readonly contentRevision: number;
  /** Within the ZIP, with “/”. */
  readonly path: string;
  readonly size: number;
  readonly mtime: number;
}

/**
 * Gives every selected entry its own path within a ZIP. Names are unique in their folder, but a selection may come from
 * several folders: entries at the top whose names collide are numbered, and what is below a folder follows its new name.
 */
export class ZipMembers {
  private readonly paths = new Map<EntryId, string>();
  private readonly top = new Set<string>();
  private readonly folderList: ZipMember[] = [];
  private readonly fileList: ZipMember[] = [];

  /** Parents before their children. An entry that was added before, by itself or with its folder, is left out. */
  add(entry: Entry): void {
    if (this.paths.has(entry.id)) return;
    const parent = this.paths.get(entry.parentId);
    const path = parent === undefined ? this.topName(entry.name) : `${parent}/${entry.name}`;
    this.paths.set(entry.id, path);
    const member = { entryId: entry.id, contentRevision: entry.contentRevision, path, size: entry.size, mtime: entry.mtime };
    (entry.kind === 'folder' ? this.folderList : this.fileList).push(member);
  }

  get size(): number {
    return this.paths.size;
  }

  folders(): readonly ZipMember[] {
    return this.folderList;
  }

  files(): readonly ZipMember[] {
    return this.fileList;
  }

  private topName(name: string): string {
    // A path that begins like a drive (“c:…”) is absolute to some programs; ours may begin so, theirs may not.
    const free = freeName(name.replace(/^([a-zA-Z]):/, '$1_'), (key) => this.top.has(key));
    this.top.add(nameKey(free));
    return free;
  }
}
