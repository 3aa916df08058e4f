'use client';
import { RotateCcw, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { deletedEntries } from '@/lib/sync/adapters/browser/read-model';
import { sameIds } from '../data/folders';
import { useWatched } from '../data/use-watched';
import { useCommands } from '../explorer/commands';
import { trashActions } from '../explorer/entry-actions';
import { EntryBrowser } from '../explorer/entry-browser';
import { formatCount, formatMoment } from '../pure/format';
import { NOTHING_SELECTED, type Selection } from '../pure/selection';
import { useSession } from '../session/session-context';
import { Button } from '../ui/button';
import { Empty } from '../ui/empty';
import { Heading } from './heading';

const SHOWN_MAX = 5000;

/** What was deleted, newest first; a double click or the menu brings it back. */
export function TrashView() {
  const { database } = useSession();
  const commands = useCommands();
  const [selection, setSelection] = useState<Selection>(NOTHING_SELECTED);
  const ids = useWatched(() => deletedEntries(database, SHOWN_MAX).then((rows) => rows.map((row) => row.id)), {
    database,
    tables: ['entries'],
    key: 'trash',
    interval: 300,
    equal: sameIds,
  });
  const picked = [...selection.ids].filter((id) => ids?.includes(id));
  return (
    <>
      <Heading
        title="Trash"
        note={ids === undefined || ids.length === 0 ? '' : `${formatCount(ids.length, 'item')}, kept until you restore them`}
      >
        {picked.length > 0 && (
          <Button
            onClick={() => {
              setSelection(NOTHING_SELECTED);
              commands.restore(picked);
            }}
          >
            <RotateCcw aria-hidden className="size-4" />
            Restore {formatCount(picked.length, 'item')}
          </Button>
        )}
      </Heading>
      <EntryBrowser
        label="Trash"
        ids={ids}
        layout="list"
        dateLabel="Changed"
        actionsFor={(chosen) => trashActions(chosen, commands)}
        onOpen={(row) => commands.restore([row.id])}
        noteOf={(row) => (row.deletedAt === null ? undefined : `Deleted ${formatMoment(row.deletedAt)}`)}
        selection={selection}
        onSelection={setSelection}
        renaming={null}
        onRenaming={() => undefined}
        empty={
          <Empty icon={Trash2} title="The trash is empty">
            What you delete waits here, on every device, until you bring it back.
          </Empty>
        }
      />
    </>
  );
}
