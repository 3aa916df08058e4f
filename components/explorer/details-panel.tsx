'use client';
import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import type { EntryRow } from '@/lib/sync/adapters/browser/database';
import type { EntryId } from '@/lib/sync/model/ids';
import { usePinned } from '../data/use-pinned';
import { useSyncing } from '../data/use-syncing';
import { useWatched } from '../data/use-watched';
import { kindLabel, viewerKind } from '../pure/file-kind';
import { formatBytes, formatCount, formatMoment } from '../pure/format';
import { useSession } from '../session/session-context';
import { IconButton } from '../ui/button';
import { FileIcon } from '../ui/file-icon';
import { Modal } from '../ui/modal';
import { usePhone } from '../ui/use-media';
import { contentOf } from './download';
import { stateSentence } from './state-badge';

interface DetailsProps {
  readonly ids: ReadonlySet<EntryId>;
  readonly onClose: () => void;
}

/** What is known about the selected entry: a panel at the side, on phones a sheet. */
export function DetailsPanel({ ids, onClose }: DetailsProps) {
  const { database } = useSession();
  const phone = usePhone();
  const [id] = ids;
  const row = useWatched(async () => (ids.size === 1 && id ? ((await database.entries.get(id)) ?? null) : null), {
    database,
    tables: ['entries'],
    key: `details ${id} ${ids.size}`,
  });
  const body = row ? (
    <Facts row={row} />
  ) : (
    <p className="px-1 text-ink-3">
      {ids.size > 1 ? `${formatCount(ids.size, 'item')} selected.` : 'Select a file or folder to see its details.'}
    </p>
  );
  if (phone) {
    return (
      <Modal open={ids.size > 0} onClose={onClose} title="Details">
        {body}
      </Modal>
    );
  }
  return (
    <aside aria-label="Details" className="flex w-72 shrink-0 flex-col border-line border-l">
      <div className="flex h-13 shrink-0 items-center justify-between pr-2 pl-5">
        <h2 className="font-semibold">Details</h2>
        <IconButton label="Close details" onClick={onClose}>
          <X aria-hidden />
        </IconButton>
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto px-5 pb-6">{body}</div>
    </aside>
  );
}

function Facts({ row }: { readonly row: EntryRow }) {
  const { database } = useSession();
  const kept = usePinned().get(row.id);
  const syncing = useSyncing().has(row.id);
  const count = useWatched(
    async () =>
      row.kind === 'folder' ? database.entries.where('[parentId+nameKey]').between([row.id, ''], [row.id, '\uffff']).count() : 0,
    {
      database,
      tables: ['entries'],
      key: `count ${row.id}`,
      interval: 1000,
    },
  );
  const picture = row.kind === 'file' && viewerKind(row.name) === 'image' && row.size < 8_000_000;
  return (
    <>
      <div className="mb-4 flex h-40 items-center justify-center overflow-hidden rounded-lg bg-sunken">
        {picture ? (
          // biome-ignore lint/performance/noImgElement: served by the service worker, also offline.
          <img src={contentOf(row)} alt="" className="size-full object-contain" />
        ) : (
          <FileIcon entry={row} className="size-16" />
        )}
      </div>
      <h3 className="break-words font-medium">{row.name}</h3>
      <dl className="mt-4 grid grid-cols-[auto_1fr] gap-x-5 gap-y-2.5 text-sm">
        <Fact label="Kind">{kindLabel(row)}</Fact>
        {row.kind === 'file' ? (
          <Fact label="Size">
            {formatBytes(row.size)} <span className="text-ink-3">({row.size.toLocaleString('en')} bytes)</span>
          </Fact>
        ) : (
          <Fact label="Holds">{count === undefined ? '…' : formatCount(count, 'item')}</Fact>
        )}
        <Fact label="Modified">{formatMoment(row.mtime)}</Fact>
        <Fact label="Revision">{row.revision === 0 ? 'not sent yet' : row.revision.toLocaleString('en')}</Fact>
        <Fact label="State">{stateSentence(row, kept, syncing)}</Fact>
      </dl>
    </>
  );
}

function Fact({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-3">{label}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </>
  );
}
