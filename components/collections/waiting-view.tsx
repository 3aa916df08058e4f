'use client';
import {
  CheckCheck,
  CircleAlert,
  Clock3,
  CloudOff,
  FilePen,
  FilePlus2,
  FolderPlus,
  LoaderCircle,
  type LucideIcon,
  MoveRight,
  RotateCcw,
  Trash2,
  Upload,
} from 'lucide-react';
import { ERRORS } from '@/lib/sync/protocol/error-codes';
import { useWatched } from '../data/use-watched';
import { WAITING_SHOWN_MAX, type WaitingItem, type WaitingKind, waitingChanges } from '../data/waiting';
import { formatAgo, formatBytes, formatCount, formatMoment } from '../pure/format';
import { useConnection, useSession } from '../session/session-context';
import { Button } from '../ui/button';
import { Empty } from '../ui/empty';
import { Heading } from './heading';

const WHAT: Readonly<Record<WaitingKind, { readonly word: string; readonly icon: LucideIcon }>> = {
  create_folder: { word: 'New folder', icon: FolderPlus },
  create_file: { word: 'New file', icon: FilePlus2 },
  write_file: { word: 'New content', icon: FilePen },
  move: { word: 'Renamed or moved', icon: MoveRight },
  delete: { word: 'Deleted', icon: Trash2 },
  restore: { word: 'Restored', icon: RotateCcw },
  upload: { word: 'Upload', icon: Upload },
  edit: { word: 'Edit', icon: FilePen },
};

const FAILURES: Readonly<Record<string, string>> = {
  quota: 'This browser had no room for the file.',
  unreadable: 'The file could not be read.',
  changed_while_reading: 'The file was changed while it was being read.',
  offline: 'The server could not be reached.',
};

/** Why a change has not arrived yet. */
function whyNot({ transfer, attempts, first }: WaitingItem, online: boolean): { readonly text: string; readonly failed: boolean } {
  const reason = transfer?.reason;
  if (transfer?.state === 'lost') return { text: 'The page was closed before the file was safe. Please pick it again.', failed: true };
  if (transfer?.state === 'failed') {
    const known = reason !== undefined && reason in ERRORS ? ERRORS[reason as keyof typeof ERRORS].sentence : FAILURES[reason ?? ''];
    return { text: known ?? 'It could not be sent.', failed: true };
  }
  if (transfer?.paused === 1) return { text: 'Paused by you.', failed: false };
  if (!online) return { text: 'Kept on this device; goes when the network is back.', failed: false };
  if (transfer?.state === 'sending')
    return { text: `${formatBytes(transfer.sentBytes)} of ${formatBytes(transfer.size)} sent.`, failed: false };
  if (transfer !== undefined) return { text: 'Its turn comes soon.', failed: false };
  if (!first) return { text: 'Waits for the changes before it.', failed: false };
  return { text: attempts > 1 ? `Tried ${attempts} times; tried again by itself.` : 'Being sent.', failed: false };
}

/** What the server does not have yet: what, where, since when, and why. */
export function WaitingView() {
  const { database, client } = useSession();
  const { state, pulledAt } = useConnection();
  const online = state === 'online';
  const waiting = useWatched(() => waitingChanges(database), {
    database,
    tables: ['requests', 'transfers', 'entries'],
    key: 'waiting',
    interval: 400,
  });
  const retry = (): void => {
    void client.retryTransfers('all').then(() => client.wake());
  };
  const failed = waiting?.items.filter(({ transfer }) => transfer?.state === 'failed').length ?? 0;
  return (
    <div className="min-h-0 flex-1 overflow-y-auto pb-24">
      <Heading title="Waiting changes" note={waiting === undefined ? '' : waiting.total === 0 ? '' : formatCount(waiting.total, 'change')}>
        {waiting !== undefined && waiting.total > 0 && (
          <Button onClick={retry}>
            <RotateCcw aria-hidden className="size-4" />
            Try now
          </Button>
        )}
      </Heading>
      {waiting !== undefined && waiting.total > 0 && (
        <p className="mx-5 mb-4 flex max-w-3xl items-start gap-3 rounded-lg border border-line bg-raised px-4 py-3 text-ink-2 text-sm phone:mx-3">
          {online ? (
            <LoaderCircle aria-hidden className="mt-0.5 size-4 shrink-0" />
          ) : (
            <CloudOff aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
          )}
          <span>
            {online
              ? 'These go to the server in this order. You can close this page: they stay on this device and go on when Satchel is opened again.'
              : `Everything below is kept on this device, also when the browser is closed. When the network is back and Satchel is open, this device first reads what changed elsewhere, then sends these in order.${pulledAt === null ? '' : ` Last in touch with the server ${formatAgo(pulledAt, Date.now())}.`}`}
            {failed > 0 && ' What failed is tried again only when you ask for it.'}
          </span>
        </p>
      )}
      {waiting?.total === 0 && (
        <Empty icon={CheckCheck} title="Everything is on the server">
          Changes you make appear here while they wait to be sent, and disappear once they have arrived.
        </Empty>
      )}
      <ol aria-label="Waiting changes" className="mx-5 flex max-w-3xl flex-col gap-1.5 phone:mx-3">
        {waiting?.items.map((item) => (
          <Line key={item.key} item={item} online={online} />
        ))}
      </ol>
      {waiting !== undefined && waiting.total > waiting.items.length && (
        <p className="mx-5 mt-4 text-ink-3 text-sm">
          and {(waiting.total - waiting.items.length).toLocaleString('en')} more; the first {WAITING_SHOWN_MAX} are shown
        </p>
      )}
    </div>
  );
}

function Line({ item, online }: { readonly item: WaitingItem; readonly online: boolean }) {
  const { client } = useSession();
  const { word, icon: Icon } = WHAT[item.what];
  const why = whyNot(item, online);
  const { transfer } = item;
  return (
    <li className="flex items-center gap-3.5 rounded-lg border border-line bg-raised px-4 py-2.5">
      <Icon aria-hidden className="size-5 shrink-0 text-ink-3" />
      <div className="min-w-0 flex-1">
        <p className="flex min-w-0 items-baseline gap-2">
          <span className="truncate font-medium">{item.name}</span>
          <span className="shrink-0 text-ink-3 text-sm">{word}</span>
        </p>
        <p className="truncate text-ink-3 text-sm">
          {item.where === '' ? 'Files' : `Files / ${item.where}`} ·{' '}
          <time dateTime={new Date(item.since).toISOString()} title={formatMoment(item.since)}>
            {formatAgo(item.since, Date.now())}
          </time>
        </p>
        <p className={why.failed ? 'flex items-center gap-1.5 text-danger text-sm' : 'flex items-center gap-1.5 text-ink-2 text-sm'}>
          {why.failed ? <CircleAlert aria-hidden className="size-3.5 shrink-0" /> : <Clock3 aria-hidden className="size-3.5 shrink-0" />}
          <span className="min-w-0">{why.text}</span>
        </p>
      </div>
      {transfer?.state === 'failed' && (
        <Button aria-label={`Retry ${item.name}`} onClick={() => void client.retryTransfers([transfer.id])}>
          Retry
        </Button>
      )}
    </li>
  );
}
