'use client';
import { CloudDownload, ShieldCheck } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { toast } from 'sonner';
import { offlineRoom, type PinSummary, pinSummaries } from '@/lib/sync/adapters/browser/pins';
import { requestPersistentStorage } from '@/lib/sync/adapters/browser/profile';
import type { EntryId } from '@/lib/sync/model/ids';
import { usePinned } from '../data/use-pinned';
import { useWatched } from '../data/use-watched';
import { useCommands } from '../explorer/commands';
import { entryActions } from '../explorer/entry-actions';
import { EntryBrowser } from '../explorer/entry-browser';
import { formatBytes, formatCount } from '../pure/format';
import { NOTHING_SELECTED, type Selection } from '../pure/selection';
import { useSession } from '../session/session-context';
import { Button } from '../ui/button';
import { Empty } from '../ui/empty';
import { Heading } from './heading';

/** What is kept on this device, how far, how much room it takes, and whether the browser promised to keep it. */
export function OfflineView() {
  const { database } = useSession();
  const commands = useCommands();
  const pinned = usePinned();
  const [selection, setSelection] = useState<Selection>(NOTHING_SELECTED);
  const watch = { database, tables: ['pins', 'offline', 'entries'], interval: 500 } as const;
  const pins = useWatched(() => pinSummaries(database), { ...watch, key: 'pins', equal: sameSummaries });
  const ids = useMemo(() => (pins === undefined ? undefined : [...pins.keys()]), [pins]);
  const room = useWatched(() => offlineRoom(database), { database, tables: ['offline'], key: 'room', interval: 500 });
  return (
    <>
      <Heading
        title="Offline"
        note={ids === undefined || ids.length === 0 || room === undefined ? '' : `${formatBytes(room.pinnedBytes)} kept on this device`}
      />
      <StorageBar />
      {room !== undefined && room.tooBigBytes > 0 && (
        <p role="status" className="mx-5 mb-3 rounded-md bg-warn-soft px-3 py-2.5 text-sm text-warn phone:mx-3">
          {formatBytes(room.tooBigBytes)} of what you want to keep does not fit into the room this browser gives Satchel. It is fetched as
          soon as there is room: let go of something else, or free space on this device.
        </p>
      )}
      <EntryBrowser
        label="Kept offline"
        ids={ids}
        layout="list"
        actionsFor={(picked) => entryActions(picked, { commands, pinned, onRename: () => undefined })}
        noteOf={(row) => pinSentence(pins?.get(row.id))}
        onOpen={commands.open}
        selection={selection}
        onSelection={setSelection}
        renaming={null}
        onRenaming={() => undefined}
        empty={
          <Empty icon={CloudDownload} title="Nothing is kept offline yet">
            Choose “Keep offline” for files or folders you need without a network. Files you have opened stay for a while by themselves.
          </Empty>
        }
      />
    </>
  );
}

/** How far a pin is kept, in words. */
function pinSentence(pin: PinSummary | undefined): string | undefined {
  if (pin === undefined) return undefined;
  const { files, bytes, waiting, tooBig } = pin;
  const kept = waiting + tooBig === 0 ? 'Kept' : waiting === 0 ? '' : `${waiting.toLocaleString('en')} waiting`;
  const parts = [formatCount(files, 'file'), formatBytes(bytes), kept, tooBig > 0 ? `${tooBig.toLocaleString('en')} too big` : ''];
  return parts.filter((part) => part !== '').join(' · ');
}

function sameSummaries(a: ReadonlyMap<EntryId, PinSummary>, b: ReadonlyMap<EntryId, PinSummary>): boolean {
  return JSON.stringify([...a]) === JSON.stringify([...b]);
}

interface Storage {
  readonly usedBytes: number;
  readonly quotaBytes: number;
  readonly persistent: boolean;
}

async function readStorage(): Promise<Storage> {
  const [estimate, persistent] = await Promise.all([navigator.storage.estimate(), navigator.storage.persisted()]);
  return { usedBytes: estimate.usage ?? 0, quotaBytes: estimate.quota ?? 0, persistent };
}

/** Room used in this browser; asks for storage that the browser may not clear by itself. */
export function StorageBar() {
  const [storage, setStorage] = useState<Storage | null>(null);
  useEffect(() => {
    // Without a secure context the browser has no such storage.
    if (!navigator.storage) return;
    void readStorage().then(setStorage);
  }, []);
  if (storage === null) return null;
  const ask = async (): Promise<void> => {
    const granted = await requestPersistentStorage();
    setStorage(await readStorage());
    if (!granted) toast('The browser has not agreed yet. Installing Satchel, or using it more often, usually changes its mind.');
  };
  const share = storage.quotaBytes === 0 ? 0 : Math.min(1, storage.usedBytes / storage.quotaBytes);
  return (
    <div className="mx-5 mb-3 flex flex-wrap items-center gap-x-5 gap-y-2 rounded-lg border border-line bg-raised px-4 py-3 phone:mx-3">
      <div className="min-w-48 flex-1">
        <p className="mb-1.5 text-sm tabular-nums">
          {formatBytes(storage.usedBytes)} <span className="text-ink-3">of {formatBytes(storage.quotaBytes)} that this browser allows</span>
        </p>
        <div className="h-1.5 overflow-hidden rounded-full bg-pressed">
          <div className="h-full rounded-full bg-accent" style={{ width: `${Math.max(share * 100, storage.usedBytes > 0 ? 1 : 0)}%` }} />
        </div>
      </div>
      {storage.persistent ? (
        <p className="flex items-center gap-2 text-good text-sm">
          <ShieldCheck aria-hidden className="size-4" />
          The browser keeps it for good
        </p>
      ) : (
        <>
          <p className="text-ink-3 text-sm">The browser may clear it when the disk is full</p>
          <Button onClick={() => void ask()}>Protect from being cleared</Button>
        </>
      )}
    </div>
  );
}
