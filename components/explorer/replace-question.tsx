'use client';
import type { EntryRow } from '@/lib/sync/adapters/browser/database';
import type { PickedItem } from '@/lib/sync/adapters/browser/engine-client-types';
import { Button } from '../ui/button';
import { Confirm } from '../ui/modal';

/** One file that was dropped onto another. */
export interface ReplaceOffer {
  readonly row: EntryRow;
  readonly item: Extract<PickedItem, { kind: 'file' }>;
}

interface ReplaceQuestionProps {
  readonly offer: ReplaceOffer | null;
  readonly onClose: () => void;
  readonly onReplace: (offer: ReplaceOffer) => void;
  readonly onBeside: (offer: ReplaceOffer) => void;
}

/** Asks before a drop takes a file's content away: aiming at the space between rows is not easy. */
export function ReplaceQuestion({ offer, onClose, onReplace, onBeside }: ReplaceQuestionProps) {
  const answer = (take: (offer: ReplaceOffer) => void): void => {
    if (offer !== null) take(offer);
    onClose();
  };
  return (
    <Confirm
      open={offer !== null}
      onClose={onClose}
      title={`Replace “${offer?.row.name ?? ''}”?`}
      actions={
        <>
          <Button onClick={() => answer(onBeside)}>Upload beside it</Button>
          <Button look="primary" onClick={() => answer(onReplace)}>
            Replace
          </Button>
        </>
      }
    >
      “{offer?.item.file.name ?? ''}” becomes its new content. The old content stays in its history.
    </Confirm>
  );
}
