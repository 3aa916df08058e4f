import type { SatchelDatabase, TransferState } from './database';
import type { OpfsStaging } from './opfs-staging';

/** In these states the staged bytes may still be needed. `failed` keeps them for trying again. */
const NEEDED: readonly TransferState[] = ['queued', 'staging', 'staged', 'sending', 'durable', 'failed'];

/**
 * Removes staging files all of whose transfers are done, cancelled, lost or forgotten; rows first, files afterwards. `inUse`: files
 * that are being sent from. Walks keys only. Returns how many files went.
 */
export async function sweepStaging(database: SatchelDatabase, staging: OpfsStaging, inUse: ReadonlySet<string>): Promise<number> {
  const removable = await database.transaction('rw', database.staged, database.transfers, database.packs, async () => {
    const rows = await database.staged.toArray();
    if (rows.length === 0) return [];
    // One state at a time is read in bulk, several at once key by key.
    const needed = await Promise.all(NEEDED.map((state) => database.transfers.where('state').equals(state).primaryKeys()));
    const kept = new Set(needed.flat());
    const busy = new Set(inUse);
    for (const pack of await database.packs.toArray()) for (const chunk of pack.chunks) busy.add(chunk.segment);
    for (const { segment, parts } of rows) if (parts.some(({ transferId }) => kept.has(transferId))) busy.add(segment);
    const gone = rows.filter(({ segment }) => !busy.has(segment));
    await database.staged.bulkDelete(gone.map(({ id }) => id));
    return [...new Set(gone.map(({ segment }) => segment))];
  });
  await staging.remove(removable);
  return removable.length;
}
