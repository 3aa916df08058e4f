import { nameKey } from '../../model/names';
import type { SatchelDatabase, TransferRow } from './database';
import type { IntakeItem } from './file-intake';
import { MEMORY_SEGMENT, type OpfsStaging } from './opfs-staging';
import { dropParts } from './staged-rows';

/** Only Chromium has it; elsewhere a stored handle may be read as long as it can be read at all. */
type AskableHandle = FileSystemFileHandle & { queryPermission?: (mode: { mode: 'read' }) => Promise<PermissionState> };

async function namesOfLivingIntakes(): Promise<ReadonlySet<string>> {
  const { held } = await navigator.locks.query();
  return new Set(held?.flatMap((lock) => lock.name ?? []));
}

async function readableAgain(handle: FileSystemFileHandle | undefined): Promise<File | null> {
  if (handle === undefined) return null;
  try {
    const permission = await (handle as AskableHandle).queryPermission?.({ mode: 'read' });
    if (permission !== undefined && permission !== 'granted') return null;
    return await handle.getFile();
  } catch {
    return null; // Moved, deleted, or on a disk that is not there.
  }
}

/**
 * Transfers whose bytes are not safe and whose intake is gone: those with a readable handle become `queued` again, in the name of
 * `intakeId`, with the size and time the file has now; the others `lost`. One that is lost already comes back once its file may be
 * read again and is still the same. Returns the adopted ones.
 */
export async function adoptOrphans(
  database: SatchelDatabase,
  intakeId: string,
  isHeld: (transferId: string) => boolean,
): Promise<readonly IntakeItem[]> {
  const inState = (state: TransferRow['state']) => database.transfers.where('state').equals(state).toArray();
  const unfinished = (await Promise.all([inState('queued'), inState('staging'), inState('lost')])).flat();
  if (unfinished.length === 0) return [];
  const living = await namesOfLivingIntakes();
  const orphans = unfinished.filter((row) => (row.intakeId === intakeId ? false : !living.has(row.intakeId ?? '')) && !isHeld(row.id));
  const adopted: IntakeItem[] = [];
  for (const orphan of orphans) {
    const file = await readableAgain(orphan.handle);
    if (orphan.state === 'lost' && (file?.size !== orphan.size || file.lastModified !== orphan.mtime)) continue;
    const row = await settleOrphan(database, orphan, file, intakeId);
    if (row !== null && file !== null) adopted.push({ row, file });
  }
  return adopted;
}

/**
 * Lost transfers the person wants to go on, after the page asked for the right to read them: those that can be read become `queued`
 * in the name of `intakeId`, with the size and time the file has now; the others stay `lost`. Returns the adopted ones.
 */
export async function adoptLost(database: SatchelDatabase, intakeId: string, ids: readonly string[]): Promise<readonly IntakeItem[]> {
  const adopted: IntakeItem[] = [];
  for (const orphan of await database.transfers.bulkGet([...ids])) {
    if (orphan?.state !== 'lost') continue;
    const file = await readableAgain(orphan.handle);
    const row = file === null ? null : await settleOrphan(database, orphan, file, intakeId);
    if (row !== null && file !== null) adopted.push({ row, file });
  }
  return adopted;
}

/** Writes what becomes of an orphan: `queued` with the file, `lost` without. null when it changed meanwhile. */
async function settleOrphan(
  database: SatchelDatabase,
  orphan: TransferRow,
  file: File | null,
  intakeId: string,
): Promise<TransferRow | null> {
  return database.transaction('rw', database.transfers, database.staged, async () => {
    const now = await database.transfers.get(orphan.id);
    if (now === undefined || now.intakeId !== orphan.intakeId || !['queued', 'staging', 'lost'].includes(now.state)) return null;
    await dropParts(database.staged, [now.id]);
    const { digest: _, reason: __, staged: ___, ...rest } = now;
    const next: TransferRow = file
      ? { ...rest, state: 'queued', intakeId, stagedBytes: 0, sentBytes: 0, size: file.size, mtime: file.lastModified }
      : { ...rest, state: 'lost', stagedBytes: 0, sentBytes: 0 };
    await database.transfers.put(next);
    return next;
  });
}

/** A file that is uploaded into a folder, and under which name. */
export type Arriving = Pick<TransferRow, 'parentId' | 'entryId' | 'baseRevision' | 'name' | 'size' | 'mtime'>;

/**
 * A lost transfer is the same as one that arrives when folder, name, size and time agree: picked again it goes on under its old id
 * and entry, and of what was sent already nothing is sent again (the server knows its chunks). A lost replacement goes on only where
 * the new upload replaces the same entry. The answer's `take` gives each lost transfer once.
 */
export async function lostTransfers(database: SatchelDatabase): Promise<{ take(file: Arriving): TransferRow | null }> {
  const lost = await database.transfers.where('state').equals('lost').toArray();
  const byPlace = new Map<string, TransferRow[]>();
  const keyOf = ({ parentId, name, size, mtime }: Arriving): string => JSON.stringify([parentId, nameKey(name), size, mtime]);
  for (const row of lost) byPlace.set(keyOf(row), [...(byPlace.get(keyOf(row)) ?? []), row]);
  return {
    take(file) {
      const rows = byPlace.get(keyOf(file)) ?? [];
      // A new file never takes the place of an entry that is replaced, nor the other way round.
      const at = rows.findIndex((row) => (row.baseRevision === null ? file.baseRevision === null : row.entryId === file.entryId));
      if (at < 0) return null;
      return rows.splice(at, 1)[0] ?? null;
    },
  };
}

/** Removes staging files that no row names and whose intake is gone (it was closed between writing and recording). */
export async function removeStrayFiles(database: SatchelDatabase, staging: OpfsStaging, intakeId: string): Promise<void> {
  const files = (await staging.list()).filter((name) => !name.startsWith(MEMORY_SEGMENT));
  if (files.length === 0) return;
  // Living first, rows afterwards: an intake that ends in between has recorded what it could by then.
  const living = await namesOfLivingIntakes();
  const named = new Set(await database.staged.orderBy('segment').uniqueKeys());
  for (const pack of await database.packs.toArray()) for (const chunk of pack.chunks) named.add(chunk.segment);
  const owner = (name: string): string => name.slice(0, name.lastIndexOf('.'));
  await staging.remove(files.filter((name) => !named.has(name) && owner(name) !== intakeId && !living.has(owner(name))));
}
