import type { DiskRecord } from '../model/disk';
import type { EntryId } from '../model/ids';
import type { DiskRecords } from '../ports/workspace';

/** The synced tree in memory, written through: reading tens of thousands of rows again for every change would cost a second each. */
export class WorkspaceRecords {
  readonly #rows = new Map<EntryId, DiskRecord>();

  private constructor(readonly store: DiskRecords) {}

  static async open(store: DiskRecords): Promise<WorkspaceRecords> {
    const records = new WorkspaceRecords(store);
    for (const row of await store.all()) records.#rows.set(row.entryId, row);
    return records;
  }

  get all(): ReadonlyMap<EntryId, DiskRecord> {
    return this.#rows;
  }

  /** Files whose bytes intake has not copied yet. */
  uploading(): number {
    let count = 0;
    for (const { uploading } of this.#rows.values()) if (uploading !== undefined) count += 1;
    return count;
  }

  async put(rows: readonly DiskRecord[]): Promise<void> {
    if (rows.length === 0) return;
    await this.store.put(rows);
    for (const row of rows) this.#rows.set(row.entryId, row);
  }

  async remove(entryIds: readonly EntryId[]): Promise<void> {
    const known = entryIds.filter((id) => this.#rows.has(id));
    if (known.length === 0) return;
    await this.store.remove(known);
    for (const id of known) this.#rows.delete(id);
  }
}
