import type { Entry, EntryKind } from '@/lib/sync/model/entry';
import type { Digest, EntryId } from '@/lib/sync/model/ids';

/** The columns of `entry` (alias `e`) as `EntryRow`; numbers travel as double precision, which holds every whole number up to 2^53. */
export const ENTRY_COLUMNS = `e.id, e.parent_id, e.name, e.kind, e.revision, e.content_revision, e.place_revision, e.size::float8 AS size,
  encode(e.digest, 'hex') AS digest, e.mtime::float8 AS mtime, (extract(epoch FROM e.deleted_at) * 1000)::float8 AS deleted_at`;

export interface EntryRow {
  readonly id: string;
  readonly parent_id: string;
  readonly name: string;
  readonly kind: string;
  readonly revision: number;
  readonly content_revision: number;
  readonly place_revision: number;
  readonly size: number;
  readonly digest: string | null;
  readonly mtime: number;
  readonly deleted_at: number | null;
}

export function entryOf(row: EntryRow): Entry {
  return {
    id: row.id as EntryId,
    parentId: row.parent_id as EntryId,
    name: row.name,
    kind: row.kind as EntryKind,
    revision: row.revision,
    contentRevision: row.content_revision,
    placeRevision: row.place_revision,
    size: row.size,
    digest: row.digest as Digest | null,
    mtime: row.mtime,
    deletedAt: row.deleted_at === null ? null : Math.round(row.deleted_at),
  };
}
