/**
 * The planner for what the server refuses: one operation, the three trees around it and the server's reason → what to do. Pure; the
 * engine gathers the case and carries the actions out.
 *
 * Note “who wins”: the first commit has the name and the place. Nobody's bytes lose: an edit is stronger than a deletion, whoever came
 * first; two edits become one text if they do not touch, else two files. A rename or move that comes second is undone, because nothing
 * is lost by it, and the person is told.
 */
import type { Entry } from '../model/entry';
import type { Digest, EntryId } from '../model/ids';
import { conflictName } from './conflict-name';
import type { Author, Trees, Wanted } from './trees';

/** What is known around one refused operation. */
export interface RefusedCase {
  readonly wanted: Wanted;
  /** The protocol's error code. */
  readonly reason: string;
  /** Of the entry the operation is about; `remote` is as new as the refusal. */
  readonly trees: Trees;
  /** Who holds the wished name, for `name_taken`. */
  readonly standing: Entry | null;
  /** The person has deleted `standing`, and the server does not know that yet. */
  readonly standingGoes: boolean;
  /** Where the operation's bytes are: on this device, with another entry on the server, or it has none. */
  readonly bytes: 'staged' | 'copied' | 'none';
  /** The person has written the file again since, and these bytes are on their way; undefined: the operation's bytes are the newest. */
  readonly newerDigest: Digest | undefined;
  readonly root: EntryId;
  /** The nearest folder that is not known to be deleted, above (never at) where the operation wants its entry. */
  readonly refuge: EntryId;
  /** The same for where the server has the entry: its own folder when that is live. */
  readonly remoteRefuge: EntryId;
  /** Whether the wished folder is live as far as this device knows. */
  readonly wantedFolderLive: boolean;
  /** Whether merging the texts is still to be tried. */
  readonly canMerge: boolean;
  readonly author: Author;
}

/** One thing the engine does about the refused operation; it drops out of the queue unless the action says that it goes on. */
export type RefusedAction =
  /** The entry becomes what the server has. `tell`: the person's wish was undone, so say why. */
  | { readonly do: 'adopt_remote'; readonly tell: boolean }
  /** What was wanted is there already: as `adopt_remote`, and the bytes are through. */
  | { readonly do: 'settle' }
  /** The operation goes on, in this folder, under this name or the next free one. */
  | { readonly do: 'place'; readonly parentId: EntryId; readonly name: string }
  /** The operation goes on, based on this revision. */
  | { readonly do: 'rebase'; readonly baseRevision: number }
  /** The move goes on as a restore, because the folder it leaves is gone. */
  | { readonly do: 'restore_at_goal'; readonly baseRevision: number }
  /** The entry is brought back into this folder first; then the operation goes on. */
  | { readonly do: 'restore_first'; readonly parentId: EntryId; readonly name: string; readonly baseRevision: number }
  /** The bytes become an entry of their own in this folder, under this name or the next free one; the original is what the server has. */
  | { readonly do: 'conflict_copy'; readonly parentId: EntryId; readonly name: string }
  /** The three texts are to be merged; if that cannot be, the case is planned again without `canMerge`. */
  | { readonly do: 'merge_text'; readonly baseRevision: number; readonly remoteRevision: number }
  /** Two devices made the same folder: ours becomes theirs, with everything in it. */
  | { readonly do: 'merge_folder'; readonly into: EntryId }
  /** Two devices added the same bytes under the same name: ours becomes theirs. */
  | { readonly do: 'same_file'; readonly into: EntryId }
  /** The bytes are asked for and sent again. */
  | { readonly do: 'send_again' }
  /** Nothing helps: bytes stay on this device, visible, and the person is told. */
  | { readonly do: 'give_up' };

const adopt = (tell: boolean): RefusedAction => ({ do: 'adopt_remote', tell });

/** What to do about a refused operation. Always the same for the same case. */
export function planRefused(one: RefusedCase): readonly RefusedAction[] {
  switch (one.reason) {
    case 'name_taken':
      return [onNameTaken(one)];
    case 'stale_base':
      return [onStaleBase(one)];
    case 'entry_deleted':
      return [onEntryDeleted(one)];
    case 'parent_missing':
    case 'not_a_folder':
    case 'too_deep':
      return [onFolderGone(one)];
    case 'would_cycle':
      // A into B here, B into A there: the first move stands, ours is undone. A restore goes to the top instead.
      return [one.wanted.kind === 'restore' ? { do: 'place', parentId: one.root, name: one.wanted.name ?? '' } : adopt(true)];
    case 'entry_exists':
      return [onEntryExists(one)];
    case 'not_found':
      return [onNotFound(one)];
    case 'not_a_file':
      return [one.wanted.kind === 'write_file' ? conflictCopy(one) : { do: 'give_up' }];
    case 'chunk_missing':
      return [one.bytes === 'staged' ? { do: 'send_again' } : { do: 'give_up' }];
    default:
      return [{ do: 'give_up' }];
  }
}

/** The entry was not renamed, moved or deleted here after this operation: what the operation wants is what the person wants. */
function isLatestPlace({ wanted, trees: { local } }: RefusedCase): boolean {
  return local !== null && local.deletedAt === null && local.parentId === wanted.parentId && local.name === wanted.name;
}

function onNameTaken(one: RefusedCase): RefusedAction {
  const { wanted, standing, author } = one;
  const { parentId, name } = wanted;
  if (parentId === undefined || name === undefined) return { do: 'give_up' };
  const theirs = standing !== null && standing.deletedAt === null ? standing : null;
  // Renamed or deleted later on: any name does until then, and what others have under this one is not meant.
  // Nor is what the person has deleted meant: our own would go with it.
  if (theirs !== null && !one.standingGoes && isLatestPlace(one)) {
    if (wanted.kind === 'create_folder' && theirs.kind === 'folder') return { do: 'merge_folder', into: theirs.id };
    if (wanted.kind === 'create_file' && theirs.kind === 'file') {
      // Theirs may also be what became of ours since: what was in between was overwritten by the person.
      if (theirs.digest === wanted.digest || theirs.digest === one.newerDigest) return { do: 'same_file', into: theirs.id };
      return { do: 'place', parentId, name: conflictName(name, author.deviceName, author.now) };
    }
  }
  return { do: 'place', parentId, name };
}

function onStaleBase(one: RefusedCase): RefusedAction {
  const { wanted, trees } = one;
  const { remote, synced } = trees;
  if (remote === null) return onNotFound(one);
  const base = wanted.baseRevision ?? 0;
  switch (wanted.kind) {
    case 'write_file':
      return onBothWrote(one, remote, base);
    case 'delete': {
      const edited = synced === null || remote.contentRevision > synced.contentRevision;
      // An edit is stronger than a deletion; a deletion is stronger than a rename or move, which loses nothing by it.
      return edited || remote.deletedAt !== null ? adopt(false) : { do: 'rebase', baseRevision: remote.revision };
    }
    case 'restore':
      return remote.deletedAt === null ? adopt(false) : { do: 'rebase', baseRevision: remote.placeRevision };
    default:
      // A base the server has not reached yet: its history was set back.
      return base > remote.revision ? { do: 'rebase', baseRevision: remote.placeRevision } : adopt(true);
  }
}

function onBothWrote(one: RefusedCase, remote: Entry, base: number): RefusedAction {
  // The second: both came to the same in the end, by way of something the person has overwritten.
  if (remote.digest === one.wanted.digest || remote.digest === one.newerDigest) return { do: 'settle' };
  const mergeable = one.canMerge && one.bytes === 'staged' && remote.kind === 'file' && remote.deletedAt === null;
  if (mergeable && base < remote.contentRevision) {
    return { do: 'merge_text', baseRevision: base, remoteRevision: remote.contentRevision };
  }
  return conflictCopy(one);
}

function conflictCopy(one: RefusedCase): RefusedAction {
  const { trees, author, remoteRefuge, wanted, bytes } = one;
  const name = trees.remote?.name ?? trees.local?.name ?? wanted.name;
  if (bytes === 'none' || name === undefined) return { do: 'give_up' };
  return { do: 'conflict_copy', parentId: remoteRefuge, name: conflictName(name, author.deviceName, author.now) };
}

function onEntryDeleted(one: RefusedCase): RefusedAction {
  const { wanted, trees, remoteRefuge, wantedFolderLive } = one;
  const { remote } = trees;
  if (remote === null) return onNotFound(one);
  const baseRevision = remote.placeRevision;
  switch (wanted.kind) {
    case 'write_file':
      return { do: 'restore_first', parentId: remoteRefuge, name: remote.name, baseRevision };
    case 'move':
      // Moved out of a folder that was deleted elsewhere: the person wants to keep it. Deleted itself: the deletion stands.
      if (remote.deletedAt === null && wantedFolderLive && wanted.parentId !== remote.parentId)
        return { do: 'restore_at_goal', baseRevision };
      return adopt(true);
    case 'delete':
      return adopt(false);
    default:
      return onFolderGone(one);
  }
}

/** What would exist nowhere else goes into the nearest folder that is left; what stands somewhere stays there. */
function onFolderGone({ wanted, root, refuge }: RefusedCase): RefusedAction {
  if (wanted.kind === 'move') return adopt(true);
  if (wanted.parentId === undefined || wanted.parentId === root) return { do: 'give_up' };
  return { do: 'place', parentId: refuge, name: wanted.name ?? '' };
}

function onEntryExists(one: RefusedCase): RefusedAction {
  const { remote } = one.trees;
  // Our own entry, from a request whose reply we never saw.
  if (remote === null || one.wanted.kind !== 'create_file' || remote.digest === one.wanted.digest) return { do: 'settle' };
  return conflictCopy(one);
}

/** The server never had it, or was set back to before it: bytes are brought again under their name, the rest is over. */
function onNotFound(one: RefusedCase): RefusedAction {
  const { wanted, trees, refuge, bytes } = one;
  if (wanted.kind === 'create_file' || wanted.kind === 'create_folder') return { do: 'give_up' };
  if (wanted.kind !== 'write_file') return adopt(wanted.kind !== 'delete');
  const place = trees.local;
  if (bytes === 'none' || place === null) return { do: 'give_up' };
  return { do: 'conflict_copy', parentId: refuge, name: place.name };
}
