import type { Entry } from '@/lib/sync/model/entry';
import type { DeviceId, Digest, EntryId, NamespaceId } from '@/lib/sync/model/ids';
import { rootOf } from '@/lib/sync/model/ids';
import { nameKey } from '@/lib/sync/model/names';
import type { LocalEntry } from '@/lib/sync/ports/local-store';
import type { JournalCommit } from '@/lib/sync/protocol/commit';
import type { SimDevice } from './device';
import type { SimServer, Who } from './server';
import type { Accepted, World } from './world';

/** A namespace as its journal tells it. */
export interface Told {
  readonly namespaceId: NamespaceId;
  readonly journal: readonly JournalCommit[];
  readonly entries: ReadonlyMap<EntryId, Entry>;
  /** Entries whose content was this one at some time. */
  readonly holders: ReadonlyMap<Digest, ReadonlySet<EntryId>>;
}

/** Reads a whole journal as a device would. */
export async function tell(server: SimServer, who: Who, namespaceId: NamespaceId): Promise<Told> {
  const journal: JournalCommit[] = [];
  let cursor = null;
  for (;;) {
    const page = await server.metadata.journalSince({ ...who, namespaceId, cursor });
    if (page === null) throw new Error('the server does not know its own cursor');
    journal.push(...page.commits);
    cursor = page.cursor;
    if (!page.more) break;
  }
  const entries = new Map<EntryId, Entry>();
  const holders = new Map<Digest, Set<EntryId>>();
  for (const { changes } of journal) {
    for (const entry of changes) {
      entries.set(entry.id, entry);
      if (entry.digest === null) continue;
      const set = holders.get(entry.digest) ?? new Set();
      holders.set(entry.digest, set.add(entry.id));
    }
  }
  return { namespaceId, journal, entries, holders };
}

/** The journal by itself: no gap, each request once, revisions in steps, parents first, nothing overwritten unseen. */
export function checkJournal({ journal, namespaceId }: Told, world: World): void {
  const known = new Map<EntryId, Entry>();
  const requests = new Set<string>();
  const byDigest = new Map<Digest, Accepted>([...world.accepted.values()].map((one) => [one.digest, one]));
  journal.forEach(({ seq, requestId, changes }, index) => {
    if (seq !== index + 1) world.breaks(`the journal has ${seq} where ${index + 1} should be`);
    if (requests.has(requestId)) world.breaks(`request ${requestId} is in the journal twice`);
    requests.add(requestId);
    for (const entry of changes) {
      const before = known.get(entry.id);
      if (entry.parentId !== rootOf(namespaceId) && !known.has(entry.parentId))
        world.breaks(`commit ${seq} shows ${entry.id} before its folder`);
      if (before !== undefined && entry.revision < before.revision)
        world.breaks(`commit ${seq} takes ${entry.id} back to revision ${entry.revision}`);
      if (before !== undefined && before.digest !== entry.digest) checkSeen(before, entry, byDigest, world);
      known.set(entry.id, entry);
    }
  });
}

/** Who writes over something has seen it: it is what their writing was based on, directly or by earlier writings of theirs. */
function checkSeen(before: Entry, after: Entry, byDigest: ReadonlyMap<Digest, Accepted>, world: World): void {
  const writing = after.digest === null ? undefined : byDigest.get(after.digest);
  const over = before.digest === null ? undefined : byDigest.get(before.digest);
  if (writing === undefined || writing.mark === null || (over !== undefined && over.mark === null)) return;
  const seen = new Set<Digest>();
  for (let at: Accepted | undefined = writing; at !== undefined; at = at.base === null ? undefined : byDigest.get(at.base)) {
    // A text that several write alike says nothing of what its writer saw.
    if (at.mark === null || at.base === before.digest) return;
    if (seen.has(at.digest)) break;
    seen.add(at.digest);
  }
  world.breaks(
    `${writing.device} wrote ${after.digest?.slice(0, 4)} over ${before.digest?.slice(0, 4)} in ${after.id.slice(0, 4)} without having seen it`,
  );
}

/** The tree: every parent is there and a folder, no cycles, one name once. */
export function checkTree({ entries, namespaceId }: Told, world: World): void {
  const root = rootOf(namespaceId);
  const names = new Map<string, EntryId>();
  for (const entry of entries.values()) {
    const way = new Set<EntryId>([entry.id]);
    for (let id = entry.parentId; id !== root; ) {
      const folder = entries.get(id);
      if (folder === undefined || folder.kind !== 'folder') {
        world.breaks(`${entry.id} hangs on ${folder === undefined ? 'nothing' : 'a file'}`);
        break;
      }
      if (way.has(id)) {
        world.breaks(`${entry.id} stands in itself`);
        break;
      }
      way.add(id);
      id = folder.parentId;
    }
    if (entry.deletedAt !== null) continue;
    const key = `${entry.parentId}/${nameKey(entry.name)}`;
    const other = names.get(key);
    if (other !== undefined) world.breaks(`${other} and ${entry.id} are both called ${JSON.stringify(entry.name)}`);
    names.set(key, entry.id);
  }
}

/** The device's tree is the server's, nothing waits, and what failed says why. */
export async function checkDevice(device: SimDevice, told: Told): Promise<void> {
  const { world, name } = device;
  const rows = new Map((await device.rows()).map((row) => [row.id, row]));
  for (const entry of told.entries.values()) {
    const row = rows.get(entry.id);
    if (row === undefined) world.breaks(`${name} does not know ${entry.id.slice(0, 4)} ${JSON.stringify(entry.name)}`);
    else checkRow(device, row, entry, told);
  }
  for (const row of rows.values()) {
    if (!told.entries.has(row.id))
      world.breaks(
        `${name} has ${row.id.slice(0, 4)} ${JSON.stringify(row.name)} (${row.state} ${row.reason ?? ''}) and the server does not`,
      );
  }
  await device.disk.store.read(async (reading) => {
    const queue = await reading.requests();
    if (queue.length > 0) world.breaks(`${name} still has ${queue.length} requests`);
    for (const { id, state, reason } of await reading.transfersIn(['queued', 'staging', 'staged', 'sending', 'durable', 'failed']))
      world.breaks(`${name} still has the transfer ${id.slice(0, 4)} as ${state} ${reason ?? ''}`);
  });
}

const COMPARED = [
  'parentId',
  'name',
  'kind',
  'revision',
  'contentRevision',
  'placeRevision',
  'size',
  'digest',
  'mtime',
  'deletedAt',
] as const;

function checkRow({ world, name, link }: SimDevice, row: LocalEntry, entry: Entry, told: Told): void {
  const what = `${name}: ${row.id.slice(0, 4)} ${JSON.stringify(row.name)}`;
  for (const field of COMPARED) {
    if (row[field] !== entry[field]) world.breaks(`${what} has ${field} ${String(row[field])}, the server ${String(entry[field])}`);
  }
  if (row.remote !== undefined) world.breaks(`${what} remembers another state of the server`);
  if (row.transferId !== undefined) world.breaks(`${what} still waits for a transfer`);
  if (row.state === 'synced') return;
  if (row.state !== 'failed' || row.reason === undefined) world.breaks(`${what} is ${row.state} ${row.reason ?? ''}`);
  else if (!isExplained(row, link.who.deviceId, told)) world.breaks(`${what} failed with ${row.reason}, and nobody else touched it`);
}

/** A wish may fail where another device changed the same thing, or deleted or changed a folder above it. */
function isExplained(row: LocalEntry, own: DeviceId, { journal, entries }: Told): boolean {
  const concerned = new Set<EntryId>([row.id]);
  for (let at = entries.get(row.id); at !== undefined && !concerned.has(at.parentId); at = entries.get(at.parentId))
    concerned.add(at.parentId);
  // What its folder was when the wish was made, nobody knows any more.
  const folderGone = (entry: Entry) => row.reason === 'parent_missing' && entry.kind === 'folder' && entry.deletedAt !== null;
  return journal.some(({ deviceId, changes }) => deviceId !== own && changes.some((entry) => concerned.has(entry.id) || folderGone(entry)));
}

/** Every content that was accepted is in the tree, in a conflict copy, in history, or was deleted by a person; and none was multiplied by itself. */
export function checkContents(told: readonly Told[], cancelled: ReadonlySet<string>, world: World): void {
  const holders = (digest: Digest) => told.flatMap((one) => [...(one.holders.get(digest) ?? [])]);
  const texts = new Set(told.flatMap((one) => [...one.holders.keys()]));
  for (const one of world.accepted.values()) {
    const kept = holders(one.digest);
    // Somebody who writes over their own unsent writing has replaced it themselves.
    const isReplaced = world.overwritten.has(`${one.device} ${one.digest}`) && cancelled.has(one.transferId);
    if (kept.length === 0 && !(one.takenBack && cancelled.has(one.transferId)) && !isReplaced && !isMerged(one, texts, world))
      world.breaks(`lost: ${one.digest.slice(0, 4)} of ${one.device} (transfer ${one.transferId.slice(0, 4)})`);
    const allowed = 1 + (world.copies.get(one.digest) ?? 0);
    if (one.mark !== null && kept.length > allowed)
      world.breaks(
        `${one.digest.slice(0, 4)} of ${one.device} is the content of ${kept.length} files: ${kept.map((id) => id.slice(0, 4)).join(', ')}`,
      );
  }
}

/** Lines of both sides may live on in a text that was merged: then the line that only this writing holds is in it. */
function isMerged({ mark }: Accepted, digests: ReadonlySet<Digest>, world: World): boolean {
  if (mark === null) return false;
  for (const digest of digests) if (world.texts.get(digest)?.includes(mark) === true) return true;
  return false;
}

/** Every revision's bytes can be read back from the block server. */
export async function checkBytes(
  { journal, namespaceId }: Told,
  server: SimServer,
  world: World,
  hash: (bytes: Uint8Array) => string,
): Promise<void> {
  const seen = new Set<string>();
  const files = journal.flatMap(({ changes }) => changes).filter(({ kind }) => kind === 'file');
  const wanted = files.filter(({ id, contentRevision }) => !seen.has(`${id} ${contentRevision}`) && seen.add(`${id} ${contentRevision}`));
  const revisions = await server.metadata.revisions(
    namespaceId,
    wanted.map(({ id, contentRevision }) => ({ entryId: id, contentRevision })),
  );
  if (revisions.length !== wanted.length) world.breaks(`${wanted.length - revisions.length} revisions are missing`);
  const places = new Map(
    (await server.index.locate(revisions.flatMap(({ manifest }) => manifest.map(({ id }) => id)))).map((place) => [place.id, place]),
  );
  const checked = new Set<string>();
  for (const { id } of revisions.flatMap(({ manifest }) => manifest)) {
    if (checked.has(id)) continue;
    checked.add(id);
    const place = places.get(id);
    const bytes = place === undefined ? null : await server.store.read(place.packId, place.offset, place.stored).catch(() => null);
    if (bytes === null || hash(bytes) !== id) world.breaks(`the bytes of chunk ${id.slice(0, 4)} are not on the server`);
  }
}
