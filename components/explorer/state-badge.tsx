import { CircleAlert, CircleCheck, CircleDashed, CloudUpload } from 'lucide-react';
import type { EntryRow, OfflineRow } from '@/lib/sync/adapters/browser/database';
import { ERRORS } from '@/lib/sync/protocol/error-codes';
import { Tip } from '../ui/tip';

/** How an entry stands, in words. */
export function stateSentence(row: EntryRow, kept: OfflineRow['state'] | undefined): string | null {
  if (row.state === 'failed') return row.reason ? ERRORS[row.reason].sentence : 'This change could not be sent.';
  if (row.state === 'syncing') return 'Being sent to the server';
  if (row.state === 'waiting') return row.remote === null ? 'On this device only; waiting to be sent' : 'Changed here; waiting to be sent';
  if (kept === 'wanted') return 'Being kept for offline use';
  if (kept === 'too_big') return 'To be kept offline, but this browser has no room for it';
  return kept === 'present' ? 'Kept for offline use' : null;
}

/** A small sign beside the name; nothing when all is well, because that is the rule. */
export function StateBadge({ row, kept }: { readonly row: EntryRow; readonly kept: OfflineRow['state'] | undefined }) {
  const sentence = stateSentence(row, kept);
  if (sentence === null) return null;
  const sign =
    row.state === 'failed' ? (
      <CircleAlert className="text-danger" />
    ) : row.state === 'syncing' ? (
      <CloudUpload className="text-accent" />
    ) : row.state === 'waiting' ? (
      <CloudUpload className="text-warn" />
    ) : kept === 'too_big' ? (
      <CircleAlert className="text-warn" />
    ) : kept === 'wanted' ? (
      <CircleDashed className="text-ink-3" />
    ) : (
      <CircleCheck className="text-good" />
    );
  return (
    <Tip text={sentence}>
      <span role="img" aria-label={sentence} className="inline-flex shrink-0 [&_svg]:size-4">
        {sign}
      </span>
    </Tip>
  );
}
