'use client';
import { SearchX } from 'lucide-react';
import { useState } from 'react';
import { searchNames } from '@/lib/sync/adapters/browser/read-model';
import { type EntryId, rootOf } from '@/lib/sync/model/ids';
import { sameIds } from '../data/folders';
import { usePinned } from '../data/use-pinned';
import { useWatched } from '../data/use-watched';
import { useCommands } from '../explorer/commands';
import { entryActions } from '../explorer/entry-actions';
import { EntryBrowser } from '../explorer/entry-browser';
import { addressOf, navigate, usePlace } from '../navigation/location';
import { formatCount } from '../pure/format';
import { NOTHING_SELECTED, type Selection } from '../pure/selection';
import { useSession } from '../session/session-context';
import { setPreferences, usePreferences } from '../settings/preferences';
import { Empty } from '../ui/empty';
import { Heading } from './heading';

const FOUND_MAX = 500;

/** Entries by name, from this device's own store: it works offline and as fast as one types. */
export function SearchView() {
  const { database } = useSession();
  const { query } = usePlace();
  const { layout } = usePreferences();
  const commands = useCommands();
  const pinned = usePinned();
  const [selection, setSelection] = useState<Selection>(NOTHING_SELECTED);
  const [renaming, setRenaming] = useState<EntryId | null>(null);
  const found = useWatched(() => searchNames(database, query, FOUND_MAX).then((rows) => rows.map((row) => row.id)), {
    database,
    tables: ['entries'],
    key: `search ${query}`,
    interval: 400,
    equal: sameIds,
  });
  const show = (id: EntryId): void => {
    void database.entries.get(id).then((row) => {
      if (row) navigate(addressOf({ view: 'files', entryId: row.parentId === rootOf(row.namespaceId) ? null : row.parentId }));
    });
  };
  const note =
    found === undefined ? '' : found.length >= FOUND_MAX ? `The first ${FOUND_MAX}` : formatCount(found.length, 'match', 'matches');
  return (
    <>
      <Heading title={`Results for “${query.trim()}”`} note={note} />
      <EntryBrowser
        label="Search results"
        ids={found}
        layout={layout}
        actionsFor={(picked) =>
          entryActions(picked, {
            commands,
            pinned,
            onRename: setRenaming,
            onShow: show,
            onDetails: () => setPreferences({ details: true }),
          })
        }
        onOpen={commands.open}
        onRename={(row, name) => commands.rename(row.id, name)}
        onDelete={commands.remove}
        selection={selection}
        onSelection={setSelection}
        renaming={renaming}
        onRenaming={setRenaming}
        empty={
          <Empty icon={SearchX} title="Nothing with that name">
            Satchel looks for every word you type in the names of files and folders.
          </Empty>
        }
      />
    </>
  );
}
