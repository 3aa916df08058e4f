import type { Cursor, NamespaceId } from '@/lib/sync/model/ids';

const CURSOR = /^([0-9a-f]{8})-(0|[1-9][0-9]{0,14})$/;

/** The position after commit `seq` of a namespace's journal; 0 is the beginning. */
export function cursorAt(namespaceId: NamespaceId, seq: number): Cursor {
  return `${namespaceId.slice(0, 8)}-${seq}` as Cursor;
}

/** Inverse of `cursorAt`: the seq, or null for what was never a cursor of this journal. */
export function seqOf(namespaceId: NamespaceId, cursor: Cursor): number | null {
  const parts = CURSOR.exec(cursor);
  return parts && parts[1] === namespaceId.slice(0, 8) ? Number(parts[2]) : null;
}
