/** What the name of a conflict copy says: `report (conflicted copy, DEVICE, YYYY-MM-DD).txt`, perhaps with ` (2)` behind the bracket. */
export interface ConflictName {
  /** The name the copy was made from, as far as it was not shortened. */
  readonly original: string;
  readonly device: string;
  /** YYYY-MM-DD, UTC. */
  readonly day: string;
}

/** The rule by which `conflictName` makes names, read backwards; the last bracket counts, so that a copy of a copy belongs to the copy. */
const RULE = /^(.+) \(conflicted copy, (.{1,80}?), (\d{4}-\d{2}-\d{2})\)(?: \(\d{1,6}\))?(\.[^.]*)?$/su;

/** Reads the name of a conflict copy; null for every other name. */
export function parseConflictName(name: string): ConflictName | null {
  // Asked of every file of every first sync: the cheap look comes first.
  if (!name.includes(' (conflicted copy, ')) return null;
  const match = RULE.exec(name);
  if (match === null) return null;
  const [, stem = '', device = '', day = '', extension = ''] = match;
  return { original: stem + extension, device, day };
}
