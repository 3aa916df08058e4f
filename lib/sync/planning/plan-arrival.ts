/**
 * The planner for what arrives from other devices while own changes wait. Most of it needs no plan: rows without own changes follow
 * the server, the others keep theirs until the server has judged them. What is planned here is what the server would accept although it
 * must not be: deleting a folder in which somebody just worked. And what the person must not see: folders that stand in each other.
 */
import type { Entry } from '../model/entry';
import type { EntryId } from '../model/ids';
import { conflictName } from './conflict-name';
import type { Author } from './trees';

/** One change of another device. */
export interface Arrival {
  /** What the server had as far as we knew; null: nothing. */
  readonly before: Entry | null;
  readonly after: Entry;
}

/** What planning asks of the local tree. Unknown ids (the root) end a way up. */
export interface LocalTree {
  /** As the person sees it, own changes included. */
  row(id: EntryId): Pick<Entry, 'parentId' | 'deletedAt'> | undefined;
  /** The folder it will stand in once the server has judged what waits here: a move that knows an older place than the server's is refused. */
  settledParent(id: EntryId): EntryId | undefined;
  /** The entry was deleted here, and no other device can have known of it when it made its change. */
  ownDeletion(id: EntryId): boolean;
  /** A move of the entry waits here. */
  ownMove(id: EntryId): boolean;
  /** Other live entries of that name in the folder that the server does not know there: made or moved there on this device. */
  ownTwins(entry: Entry): readonly Entry[];
}

export type ArrivalAction =
  /** Somebody edited what we wanted to delete, or put something into it: it stays. */
  | { readonly do: 'take_back_deletion'; readonly entryId: EntryId }
  /** Our move and theirs would put two folders into each other: theirs came first. */
  | { readonly do: 'take_back_move'; readonly entryId: EntryId }
  /** Theirs has the name: ours takes this one, or the next free one. What may be one and the same is left to the server's answer. */
  | { readonly do: 'give_way'; readonly entryId: EntryId; readonly name: string };

/** New bytes, or something that was not there: what a deletion that did not know of it must not take along. */
function bringsSomething({ before, after }: Arrival): boolean {
  if (after.deletedAt !== null) return false;
  if (before === null || before.deletedAt !== null) return true;
  return after.contentRevision > before.contentRevision || after.parentId !== before.parentId;
}

/** Two folders, or two files with the same bytes, will be one as soon as the server has seen ours. */
function isOne(ours: Entry, theirs: Entry): boolean {
  return ours.kind === theirs.kind && ours.digest === theirs.digest;
}

function giveWay(ours: Entry, theirs: Entry, { deviceName, now }: Author): ArrivalAction {
  const bothFiles = ours.kind === 'file' && theirs.kind === 'file';
  return { do: 'give_way', entryId: ours.id, name: bothFiles ? conflictName(ours.name, deviceName, now) : ours.name };
}

/** The entry and the folders above it, nearest first; the walk ends at the root, or where it comes back to itself. */
function wayUp(parentOf: (id: EntryId) => EntryId | undefined, id: EntryId): { readonly ids: readonly EntryId[]; readonly loops: boolean } {
  const ids = [id];
  const seen = new Set(ids);
  for (let at = parentOf(id); at !== undefined && parentOf(at) !== undefined; at = parentOf(at)) {
    if (seen.has(at)) return { ids, loops: at === id };
    ids.push(at);
    seen.add(at);
  }
  return { ids, loops: false };
}

/** What to do about changes of other devices before they are taken into the local tree, in their order. Each action at most once. */
export function planArrivals(arrivals: readonly Arrival[], tree: LocalTree, author: Author): readonly ArrivalAction[] {
  const actions = new Map<string, ArrivalAction>();
  const last = new Map(arrivals.map(({ after }) => [after.id, after]));
  const put = (action: ArrivalAction) => actions.set(`${action.do} ${action.entryId}`, action);
  for (const arrival of arrivals) {
    const { before, after } = arrival;
    const parentId = tree.ownMove(after.id) ? (tree.row(after.id)?.parentId ?? after.parentId) : after.parentId;
    const { ids, loops } = wayUp((id) => (id === after.id ? parentId : tree.row(id)?.parentId), after.id);
    const settled = wayUp((id) => (id === after.id ? (tree.settledParent(id) ?? after.parentId) : tree.settledParent(id)), after.id).ids;
    // Somebody moved what the person had moved out of a folder before deleting that: it comes back there, and the folder with it.
    const undone = tree.ownMove(after.id) && after.deletedAt === null && settled[1] !== ids[1];
    if (undone || bringsSomething(arrival)) {
      const edited = before === null || after.contentRevision > before.contentRevision;
      for (const id of new Set([...ids, ...settled])) {
        // Moved or renamed elsewhere, deleted here: the deletion of the entry itself stands.
        if (id === after.id && !edited) continue;
        if (tree.ownDeletion(id)) put({ do: 'take_back_deletion', entryId: id });
      }
    }
    // Of several changes the last one says whether it is the same as ours.
    if (after.deletedAt === null && last.get(after.id) === after)
      for (const twin of tree.ownTwins(after)) if (!isOne(twin, after) || tree.ownDeletion(after.id)) put(giveWay(twin, after, author));
    const moved = loops ? ids.find((id) => id !== after.id && tree.ownMove(id)) : undefined;
    if (moved !== undefined) put({ do: 'take_back_move', entryId: moved });
  }
  return [...actions.values()];
}
