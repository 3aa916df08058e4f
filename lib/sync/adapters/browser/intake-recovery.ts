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
 * `intakeId`, with the size and time the file has now; the others `lost`. Returns the adopted ones.
 */
export async function adoptOrphans(
  database: SatchelDatabase,
  intakeId: string,
  isHeld: (transferId: string) => boolean,
): Promise<readonly IntakeItem[]> {
  const inState = (state: TransferRow['state']) => database.transfers.where('state').equals(state).toArray();
  const unfinished = (await Promise.all([inState('queued'), inState('staging')])).flat();
  if (unfinished.length === 0) return [];
  const living = await namesOfLivingIntakes();
  const orphans = unfinished.filter((row) => (row.intakeId === intakeId ? false : !living.has(row.intakeId ?? '')) && !isHeld(row.id));
  const adopted: IntakeItem[] = [];
  for (const orphan of orphans) {
    const file = await readableAgain(orphan.handle);
    const row = await database.transaction('rw', database.transfers, database.staged, async () => {
      const now = await database.transfers.get(orphan.id);
      if (now === undefined || now.intakeId !== orphan.intakeId || (now.state !== 'queued' && now.state !== 'staging')) return null;
      await dropParts(database.staged, [now.id]);
      const { digest: _, ...rest } = now;
      const next: TransferRow = file
        ? { ...rest, state: 'queued', intakeId, stagedBytes: 0, sentBytes: 0, size: file.size, mtime: file.lastModified }
        : { ...rest, state: 'lost', stagedBytes: 0, sentBytes: 0 };
      await database.transfers.put(next);
      return next;
    });
    if (row !== null && file !== null) adopted.push({ row, file });
  }
  return adopted;
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
