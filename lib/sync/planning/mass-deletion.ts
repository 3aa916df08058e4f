import { MASS_DELETION_ENTRIES_MIN, MASS_DELETION_SHARE_MIN } from '../model/limits';

/**
 * True when so many entries are about to be deleted or emptied at once that a person has to confirm it: more than
 * MASS_DELETION_ENTRIES_MIN and more than MASS_DELETION_SHARE_MIN of the namespace's live entries.
 */
export function isMassDeletion(entries: number, liveEntries: number): boolean {
  return entries > Math.max(MASS_DELETION_ENTRIES_MIN, MASS_DELETION_SHARE_MIN * liveEntries);
}
