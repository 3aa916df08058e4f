'use client';
import { FolderSync } from 'lucide-react';
import { useEffect, useState } from 'react';
import { toast } from 'sonner';
import type { SatchelDatabase } from '@/lib/sync/adapters/browser/database';
import type { FolderHandle } from '@/lib/sync/adapters/browser/picked-folder-handles';
import {
  allowWorkspace,
  answerWorkspace,
  pauseWorkspace,
  readSetup,
  startWorkspace,
  stopWorkspace,
  WORKSPACE_STATUS,
  type WorkspaceSetup,
  type WorkspaceStatusRow,
} from '@/lib/sync/adapters/browser/picked-folder-store';
import { pathTo } from '@/lib/sync/adapters/browser/read-model';
import { type EntryId, rootOf } from '@/lib/sync/model/ids';
import { Card } from '../collections/heading';
import { useWatched } from '../data/use-watched';
import { FolderPicker } from '../explorer/folder-picker';
import { formatCount } from '../pure/format';
import { useSession } from '../session/session-context';
import { Button } from '../ui/button';
import { Confirm } from '../ui/modal';
import { problemSentence, statusSentence } from './workspace-words';

interface PickerScope {
  showDirectoryPicker?(options: { mode: 'readwrite'; id: string }): Promise<FolderHandle>;
}

/** A folder on this computer that is kept in step with Satchel, where the browser can do that; what it can do instead elsewhere. */
export function WorkspaceSection() {
  const { database } = useSession();
  const [isAble, setAble] = useState<boolean | null>(null);
  useEffect(() => setAble((window as PickerScope).showDirectoryPicker !== undefined), []);
  const kept = useWatched(() => readKept(database), { database, tables: ['settings'], key: 'workspace', interval: 250 });
  if (isAble === null || kept === undefined) return null;
  return (
    <Card title="Folder on this computer">
      {kept.setup !== null ? <Kept setup={kept.setup} status={kept.status} /> : isAble ? <Offer /> : <Unable />}
    </Card>
  );
}

async function readKept(database: SatchelDatabase): Promise<{ setup: WorkspaceSetup | null; status: WorkspaceStatusRow | null }> {
  const [setup, status] = await Promise.all([readSetup(database), database.settings.get(WORKSPACE_STATUS)]);
  return { setup, status: (status?.value as WorkspaceStatusRow | undefined) ?? null };
}

function Unable() {
  return (
    <div className="flex flex-col gap-2 text-ink-2">
      <p>
        This browser cannot keep a folder of your computer in step; Chrome, Edge and other browsers built on Chromium can, on a desktop
        computer.
      </p>
      <p>What works here all the same: “Keep offline” for files and folders, “Upload folder”, and downloading a folder as a ZIP file.</p>
    </div>
  );
}

function useFolderName(folderId: EntryId): string {
  const { me, database } = useSession();
  const path = useWatched(() => pathTo(database, folderId), { database, tables: ['entries'], key: folderId, interval: 500 });
  if (folderId === rootOf(me.rootNamespaceId)) return 'Files';
  return ['Files', ...(path ?? []).map(({ name }) => name)].join(' / ');
}

/** Nothing picked yet. */
function Offer() {
  const { me, database } = useSession();
  const [folderId, setFolderId] = useState<EntryId>(rootOf(me.rootNamespaceId));
  const [choosing, setChoosing] = useState(false);
  const name = useFolderName(folderId);
  const pick = async (): Promise<void> => {
    try {
      const handle = await (window as PickerScope).showDirectoryPicker?.({ mode: 'readwrite', id: 'satchel' });
      if (handle === undefined) return;
      if ((await handle.requestPermission({ mode: 'readwrite' })) === 'granted') await startWorkspace(database, handle, folderId);
      else toast('Without the permission to write, the folder cannot be kept in step.');
    } catch (error) {
      // The person closed the dialog, or the browser keeps this folder to itself.
      if (!(error instanceof DOMException)) throw error;
      if (error.name !== 'AbortError') toast('The browser does not let this folder be used. Please choose another one.');
    }
  };
  return (
    <div className="flex flex-col gap-3">
      <p className="text-ink-2">
        Choose a folder on this computer, and Satchel keeps it in step both ways for as long as it is open. Everything already in the folder
        is uploaded. Rules in a file named <code>.satchelignore</code> leave things out.
      </p>
      <div className="flex flex-wrap items-center gap-2">
        <Button look="primary" onClick={() => void pick()}>
          <FolderSync aria-hidden className="size-4" />
          Choose a folder
        </Button>
        <Button look="quiet" onClick={() => setChoosing(true)}>
          In step with: {name}
        </Button>
      </div>
      <FolderPicker
        open={choosing}
        title="Keep in step with"
        verb="Use this folder"
        excluded={new Set()}
        onClose={() => setChoosing(false)}
        onPick={(id) => {
          setFolderId(id);
          setChoosing(false);
        }}
      />
    </div>
  );
}

function Kept({ setup, status }: { readonly setup: WorkspaceSetup; readonly status: WorkspaceStatusRow | null }) {
  const { database } = useSession();
  const [leaving, setLeaving] = useState(false);
  const name = useFolderName(setup.folderId);
  const allow = async (): Promise<void> => {
    if (!(await allowWorkspace(database))) toast('The browser has not given the permission.');
  };
  return (
    <div className="flex flex-col gap-3">
      <p>
        <strong className="font-medium">{setup.handle.name}</strong> <span className="text-ink-3">is kept in step with</span> {name}
      </p>
      <p role="status" className="text-ink-2 text-sm tabular-nums">
        {statusSentence(status)}
      </p>
      {status?.asks && <Question asks={status.asks} />}
      <div className="flex flex-wrap gap-2">
        {status?.state === 'needs_permission' && (
          <Button look="primary" onClick={() => void allow()}>
            Allow again
          </Button>
        )}
        <Button onClick={() => void pauseWorkspace(database, !setup.paused)}>{setup.paused ? 'Go on' : 'Pause'}</Button>
        <Button look="quiet" onClick={() => setLeaving(true)}>
          Let go of the folder
        </Button>
      </div>
      {status !== null && status.problemCount > 0 && <Problems status={status} />}
      <p className="text-ink-3 text-sm">
        Symbolic links and names the browser hides from Satchel are neither seen nor touched, and cannot be listed here.
      </p>
      <Confirm
        open={leaving}
        onClose={() => setLeaving(false)}
        title="Let go of the folder?"
        actions={
          <Button look="primary" onClick={() => void stopWorkspace(database).then(() => setLeaving(false))}>
            Let go
          </Button>
        }
      >
        It is not kept in step any more. Nothing is deleted, neither on this computer nor in Satchel.
      </Confirm>
    </div>
  );
}

function Question({ asks }: { readonly asks: { readonly deletions: number; readonly of: number } }) {
  const { database } = useSession();
  const count = formatCount(asks.deletions, 'entry', 'entries');
  return (
    <div role="alert" className="flex flex-col gap-2 rounded-md border border-edge bg-sunken px-4 py-3">
      <p>
        {count} of {asks.of.toLocaleString('en')} are not in the folder any more. Are they meant to be deleted?
      </p>
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => void answerWorkspace(database, { kind: 'restore' })}>Bring them back</Button>
        <Button look="danger" onClick={() => void answerWorkspace(database, { kind: 'delete', deletions: asks.deletions })}>
          Move {count} to the trash
        </Button>
      </div>
    </div>
  );
}

function Problems({ status }: { readonly status: WorkspaceStatusRow }) {
  return (
    <details className="rounded-md border border-line px-4 py-2">
      <summary className="cursor-default">{formatCount(status.problemCount, 'entry', 'entries')} left alone</summary>
      <ul aria-label="Left alone" className="mt-2 flex max-h-72 flex-col gap-1.5 overflow-y-auto">
        {status.problems.map(({ path, reason }) => (
          <li key={`${path} ${reason}`}>
            <span className="block truncate">{path}</span>
            <span className="text-ink-3 text-sm">{problemSentence(reason)}</span>
          </li>
        ))}
        {status.problemCount > status.problems.length && <li className="text-ink-3">… and more</li>}
      </ul>
    </details>
  );
}
