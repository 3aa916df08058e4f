import { CircleAlert, CircleCheck, CircleDashed, CloudUpload, HardDrive, Split } from 'lucide-react';
import type { ReactNode } from 'react';
import type { EntryRow, OfflineRow } from '@/lib/sync/adapters/browser/database';
import { ERRORS } from '@/lib/sync/protocol/error-codes';
import { useSyncing } from '../data/use-syncing';
import { Tip } from '../ui/tip';

/** How an entry stands towards the server, as a person sees it. */
export type EntryState = 'synced' | 'only_here' | 'waiting' | 'syncing' | 'conflict' | 'failed';

/** The state of a row; `syncing`: it is on its way at this moment. What needs the person comes before what does not. */
export function stateOf(row: EntryRow, syncing: boolean): EntryState {
  if (row.state === 'failed') return 'failed';
  if (row.state !== 'synced') return syncing || row.state === 'syncing' ? 'syncing' : row.remote === null ? 'only_here' : 'waiting';
  return row.conflict === 1 ? 'conflict' : 'synced';
}

const SENTENCES: Readonly<Record<Exclude<EntryState, 'failed'>, string>> = {
  synced: 'Synced',
  only_here: 'On this device only; waiting to be sent',
  waiting: 'Changed here; waiting to be sent',
  syncing: 'Being sent to the server',
  conflict: 'Conflict: two devices changed this file, and this is the other version',
};

/** How an entry stands, in words. */
export function stateSentence(row: EntryRow, kept: OfflineRow['state'] | undefined, syncing: boolean): string {
  const state = stateOf(row, syncing);
  if (state === 'failed') return row.reason ? `Failed: ${ERRORS[row.reason].sentence}` : 'Failed: this change could not be sent.';
  if (state !== 'synced') return SENTENCES[state];
  if (kept === 'wanted') return 'Synced; being kept for offline use';
  if (kept === 'too_big') return 'Synced; to be kept offline, but this browser has no room for it';
  return kept === 'present' ? 'Synced; kept for offline use' : SENTENCES.synced;
}

const SIGNS: Readonly<Record<EntryState, ReactNode>> = {
  failed: <CircleAlert className="text-danger" />,
  syncing: <CloudUpload className="text-accent" />,
  waiting: <CloudUpload className="text-warn" />,
  only_here: <HardDrive className="text-warn" />,
  conflict: <Split className="text-danger" />,
  synced: null,
};

const PINNED: Readonly<Record<OfflineRow['state'], ReactNode>> = {
  wanted: <CircleDashed className="text-ink-3" />,
  present: <CircleCheck className="text-good" />,
  too_big: <CircleAlert className="text-warn" />,
};

/** A small sign beside the name; to the eye nothing when all is well, because that is the rule. */
export function StateBadge({ row, kept }: { readonly row: EntryRow; readonly kept: OfflineRow['state'] | undefined }) {
  const syncing = useSyncing().has(row.id);
  const sentence = stateSentence(row, kept, syncing);
  const state = stateOf(row, syncing);
  const pinned = kept === undefined ? null : PINNED[kept];
  const sign = state === 'synced' ? pinned : SIGNS[state];
  if (sign === null) return <span role="img" aria-label={sentence} data-state={state} className="sr-only" />;
  return (
    <Tip text={sentence}>
      <span role="img" aria-label={sentence} data-state={state} className="inline-flex shrink-0 [&_svg]:size-4">
        {sign}
      </span>
    </Tip>
  );
}
