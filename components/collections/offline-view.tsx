'use client';
import { CloudDownload, ShieldCheck } from 'lucide-react';
import { useEffect, useState } from 'react';
import { toast } from 'sonner';
import { requestPersistentStorage } from '@/lib/sync/adapters/browser/profile';
import { sameIds } from '../data/folders';
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

/** What is kept on this device, how much room it takes, and whether the browser promised to keep it. */
export function OfflineView() {
  const { database } = useSession();
  const commands = useCommands();
  const pinned = usePinned();
  const [selection, setSelection] = useState<Selection>(NOTHING_SELECTED);
  const ids = useWatched(() => database.offline.where('pinned').equals(1).primaryKeys(), {
    database,
    tables: ['offline'],
    key: 'offline',
    interval: 300,
    equal: sameIds,
  });
  return (
    <>
      <Heading
        title="Offline"
        note={ids === undefined || ids.length === 0 ? '' : `${formatCount(ids.length, 'file')} kept on this device`}
      />
      <StorageBar />
      <EntryBrowser
        label="Kept offline"
        ids={ids}
        layout="list"
        actionsFor={(picked) => entryActions(picked, { commands, pinned, onRename: () => undefined })}
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
        <Button onClick={() => void ask()}>Protect from being cleared</Button>
      )}
    </div>
  );
}
