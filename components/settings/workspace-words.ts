import type { WorkspaceStatusRow } from '@/lib/sync/adapters/browser/picked-folder-store';
import { NAME_SENTENCES, type NameProblem } from '@/lib/sync/model/names';
import { formatCount } from '../pure/format';

const REASONS: Readonly<Record<string, string>> = {
  disk_name: 'This computer cannot hold a file of this name.',
  link: 'A link or something that is no file; it is not followed.',
  clash: 'Satchel takes this name and that of a neighbour for the same.',
  cancelled: 'You cancelled its upload; it is tried again when it changes.',
  ignored_place: 'It was moved to where ignore rules apply.',
  unreadable: 'This folder cannot be read at the moment.',
  not_empty: 'Deleted elsewhere, but files that are ignored still stand in it here.',
  failed: 'This could not be done just now; it is tried again.',
};

/** Why something is left alone, as a sentence. */
export function problemSentence(reason: string): string {
  return REASONS[reason] ?? NAME_SENTENCES[reason as NameProblem] ?? 'It is left alone.';
}

/** How the folder stands, as a sentence. */
export function statusSentence(status: WorkspaceStatusRow | null): string {
  if (status === null) return 'Starting…';
  const { state, found, waiting } = status;
  if (state === 'in_step') return `In step · ${formatCount(found, 'entry', 'entries')}`;
  if (state === 'scanning') return `Looking through the folder · ${formatCount(found, 'entry', 'entries')} so far`;
  if (state === 'working') return `Working · ${formatCount(waiting, 'change')} to go`;
  if (state === 'paused') return 'Paused: nothing is changed on either side.';
  if (state === 'needs_permission') return 'The browser wants your permission again before Satchel may use the folder.';
  if (state === 'missing') return 'The folder is not there. Is its disk connected? Nothing is deleted meanwhile.';
  if (state === 'looks_empty') return 'The folder is empty all of a sudden. Nothing is deleted before you say so.';
  if (state === 'target_missing')
    return 'The folder in Satchel is not there any more. Let go of this one, or restore the other from the trash.';
  if (state === 'failed') return 'Something went wrong; it is tried again by itself.';
  return 'Starting…';
}
