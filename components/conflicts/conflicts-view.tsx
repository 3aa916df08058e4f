'use client';
import { CheckCheck, FolderOpen } from 'lucide-react';
import { useState } from 'react';
import { pathTo } from '@/lib/sync/adapters/browser/read-model';
import { rootOf } from '@/lib/sync/model/ids';
import { Heading } from '../collections/heading';
import { type Conflict, conflicts } from '../data/conflicts';
import { useWatched } from '../data/use-watched';
import { fault } from '../explorer/undoable';
import { Link } from '../navigation/link';
import { addressOf } from '../navigation/location';
import { formatCount } from '../pure/format';
import { useSession } from '../session/session-context';
import { Button } from '../ui/button';
import { Empty } from '../ui/empty';
import { BothSides, Facts } from './both-sides';
import { type Choice, resolveConflict } from './resolve';

/** Files that two devices changed at the same time: both versions, and one click to decide. */
export function ConflictsView() {
  const { database } = useSession();
  const found = useWatched(() => conflicts(database), { database, tables: ['entries'], key: 'conflicts', interval: 400 });
  return (
    <div className="min-h-0 flex-1 overflow-y-auto pb-24">
      <Heading title="Conflicts" note={found === undefined || found.length === 0 ? '' : formatCount(found.length, 'file')} />
      {found?.length === 0 && (
        <Empty icon={CheckCheck} title="No conflicts">
          When two devices change the same file at the same time and the changes touch, both versions are kept and you choose here.
        </Empty>
      )}
      <ul aria-label="Conflicts" className="mx-5 flex max-w-5xl flex-col gap-4 phone:mx-3">
        {found?.map((conflict) => (
          <ConflictCard key={conflict.copy.id} conflict={conflict} />
        ))}
      </ul>
    </div>
  );
}

function ConflictCard({ conflict }: { readonly conflict: Conflict }) {
  const session = useSession();
  const { copy, named, original } = conflict;
  const [busy, setBusy] = useState<Choice | null>(null);
  const root = rootOf(copy.namespaceId);
  const path = useWatched(() => pathTo(session.database, copy.parentId), {
    database: session.database,
    tables: ['entries'],
    key: `conflict ${copy.parentId}`,
    interval: 1000,
  });
  const choose = (choice: Choice): void => {
    setBusy(choice);
    resolveConflict(session, conflict, choice)
      .catch(fault)
      .finally(() => setBusy(null));
  };
  const labels = ['Current version', `From ${named.device}, ${named.day}`] as const;
  const title = `conflict-${copy.id}`;
  return (
    <li aria-labelledby={title} className="flex flex-col gap-4 rounded-lg border border-line bg-raised px-5 py-4 phone:px-4">
      <div>
        <h2 id={title} className="break-words font-medium text-md">
          {named.original}
        </h2>
        <Link
          href={addressOf({ view: 'files', entryId: copy.parentId === root ? null : copy.parentId })}
          className="inline-flex items-center gap-1.5 text-ink-3 text-sm hover:text-ink"
        >
          <FolderOpen aria-hidden className="size-3.5" />
          {['Files', ...(path ?? []).map(({ name }) => name)].join(' / ')}
        </Link>
      </div>
      {original === null ? (
        <>
          <p className="text-ink-2 text-sm">The original is gone. This is the version that was kept:</p>
          <Facts row={copy} label={labels[1]} />
        </>
      ) : (
        <BothSides original={original} copy={copy} labels={labels} />
      )}
      <div className="flex flex-wrap gap-2 phone:flex-col">
        {original === null ? (
          <Button look="primary" busy={busy !== null} onClick={() => choose('copy')}>
            Keep it as “{named.original}”
          </Button>
        ) : (
          <>
            <Button disabled={busy !== null} busy={busy === 'original'} onClick={() => choose('original')}>
              Keep the current version
            </Button>
            <Button disabled={busy !== null} busy={busy === 'copy'} onClick={() => choose('copy')}>
              Keep the version from {named.device}
            </Button>
            <Button look="primary" disabled={busy !== null} busy={busy === 'both'} onClick={() => choose('both')}>
              Keep both
            </Button>
          </>
        )}
      </div>
    </li>
  );
}
