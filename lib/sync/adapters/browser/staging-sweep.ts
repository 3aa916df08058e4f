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
    const [segments, parts, needed, packs] = await Promise.all([
      database.staged.orderBy('segment').keys() as Promise<unknown> as Promise<string[]>,
      database.staged.orderBy('segment').primaryKeys(),
      database.transfers
        .where('state')
        .anyOf([...NEEDED])
        .primaryKeys(),
      database.packs.toArray(),
    ]);
    const kept = new Set(needed);
    const busy = new Set(inUse);
    for (const pack of packs) for (const chunk of pack.chunks) busy.add(chunk.segment);
    segments.forEach((segment, index) => {
      if (kept.has((parts[index] as [string, number])[0])) busy.add(segment);
    });
    const gone = new Set(segments.filter((segment) => !busy.has(segment)));
    await database.staged.bulkDelete(parts.filter((_, index) => gone.has(segments[index] as string)));
    return [...gone];
  });
  await staging.remove(removable);
  return removable.length;
}
