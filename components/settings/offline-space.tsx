'use client';
import { offlineRoom, SEEN_BYTES_KEY, seenBytes, setSeenBytes } from '@/lib/sync/adapters/browser/pins';
import { Card } from '../collections/heading';
import { useWatched } from '../data/use-watched';
import { formatBytes } from '../pure/format';
import { useSession } from '../session/session-context';

const GB = 1_000_000_000;
const CHOICES: readonly { readonly bytes: number; readonly label: string }[] = [
  { bytes: 0, label: 'Nothing' },
  { bytes: GB / 4, label: '250 MB' },
  { bytes: GB, label: '1 GB' },
  { bytes: 5 * GB, label: '5 GB' },
  { bytes: 20 * GB, label: '20 GB' },
];

/** What offline use takes on this device, and how much of it files may take that nobody asked to keep. */
export function OfflineSpace() {
  const { database } = useSession();
  const room = useWatched(() => offlineRoom(database), { database, tables: ['offline'], key: 'room', interval: 500 });
  const most = useWatched(() => seenBytes(database), { database, tables: ['settings'], key: SEEN_BYTES_KEY });
  return (
    <Card title="Offline">
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1.5">
        <dt className="text-ink-3">Kept for you</dt>
        <dd className="tabular-nums">{room === undefined ? '…' : formatBytes(room.pinnedBytes)}</dd>
        {room !== undefined && room.tooBigBytes > 0 && (
          <>
            <dt className="text-ink-3">Does not fit</dt>
            <dd className="text-warn tabular-nums">{formatBytes(room.tooBigBytes)}</dd>
          </>
        )}
        <dt className="text-ink-3">Opened before</dt>
        <dd className="tabular-nums">{room === undefined ? '…' : formatBytes(room.seenBytes)}</dd>
      </dl>
      <label className="mt-3.5 flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <span>Files you have opened may take</span>
        <select
          className="h-9 rounded-md border border-line bg-surface px-2.5 phone:h-11"
          value={most ?? ''}
          disabled={most === undefined}
          onChange={(event) => void setSeenBytes(database, Number(event.target.value))}
        >
          {most !== undefined && !CHOICES.some(({ bytes }) => bytes === most) && <option value={most}>{formatBytes(most)}</option>}
          {CHOICES.map(({ bytes, label }) => (
            <option key={bytes} value={bytes}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <p className="mt-1.5 text-ink-3 text-sm">
        They open without a network, until newer ones need their room. What you keep offline is not counted and stays.
      </p>
    </Card>
  );
}
