'use client';
import { useEffect, useRef, useState } from 'react';
import { toast } from 'sonner';
import type { OnConflict, PickedItem, UploadCheck } from '@/lib/sync/adapters/browser/engine-client-types';
import type { EntryId } from '@/lib/sync/model/ids';
import { NAME_SENTENCES } from '@/lib/sync/model/names';
import { formatBytes, formatCount } from '../pure/format';
import { useSession } from '../session/session-context';
import { Button } from '../ui/button';
import { Confirm } from '../ui/modal';

export interface UploadWish {
  readonly parentId: EntryId;
  readonly items: readonly PickedItem[] | Promise<readonly PickedItem[]>;
}

interface Question {
  readonly parentId: EntryId;
  readonly items: readonly PickedItem[];
  readonly check: UploadCheck;
}

/** Asks what must be asked before an upload (taken names, unusable names, too little room), once for all files, then starts it. */
export function UploadFlow({ wish, onClose }: { readonly wish: UploadWish | null; readonly onClose: () => void }) {
  const { client } = useSession();
  const [question, setQuestion] = useState<Question | null>(null);
  const begun = useRef<UploadWish | null>(null);

  const start = async ({ parentId, items }: Question, onConflict: OnConflict): Promise<void> => {
    setQuestion(null);
    onClose();
    const result = await client.upload(parentId, items, onConflict);
    if (!result.ok) toast.error(result.sentence);
  };
  useEffect(() => {
    if (wish === null || begun.current === wish) return;
    begun.current = wish;
    const reading = wish.items instanceof Promise ? toast.loading('Reading the folder…') : null;
    const begin = async (): Promise<void> => {
      const items = await wish.items;
      if (reading !== null) toast.dismiss(reading);
      if (items.length === 0) {
        onClose();
        return;
      }
      const check = await client.checkUpload(wish.parentId, items);
      const next = { parentId: wish.parentId, items, check };
      if (check.conflicts.length > 0 || check.refused.length > 0 || !check.fitsStorage) setQuestion(next);
      else {
        onClose();
        const result = await client.upload(wish.parentId, items, 'keep_both');
        if (!result.ok) toast.error(result.sentence);
      }
    };
    begin().catch((error: unknown) => {
      console.error(error);
      if (reading !== null) toast.dismiss(reading);
      toast.error('What was picked could not be read. Please pick it again.');
      onClose();
    });
  }, [wish, client, onClose]);

  const close = (): void => {
    setQuestion(null);
    onClose();
  };
  if (question === null) return null;
  const { check } = question;
  const conflicts = check.conflicts.length;
  return (
    <Confirm
      open
      onClose={close}
      title={
        conflicts > 0
          ? conflicts === 1
            ? `“${lastPart(check.conflicts[0]?.path ?? '')}” is already here`
            : `${formatCount(conflicts, 'file')} are already here`
          : check.fitsStorage
            ? 'Some names cannot be used'
            : 'Keep this page open while it uploads'
      }
      actions={
        conflicts > 0 ? (
          <>
            <Button onClick={() => void start(question, 'skip')}>Skip</Button>
            <Button onClick={() => void start(question, 'replace')}>Replace</Button>
            <Button look="primary" onClick={() => void start(question, 'keep_both')}>
              Keep both
            </Button>
          </>
        ) : (
          <Button
            look="primary"
            disabled={check.files === 0 && check.refused.length === question.items.length}
            onClick={() => void start(question, 'keep_both')}
          >
            {check.refused.length > 0 ? 'Upload the others' : 'Upload'}
          </Button>
        )
      }
    >
      {conflicts > 0 && (
        <>
          <p>
            Replacing makes a new revision; the old content stays in its history.{' '}
            {conflicts > 1 && `Your choice applies to all ${conflicts.toLocaleString('en')}.`}
          </p>
          <PathList paths={check.conflicts.map((conflict) => ({ path: conflict.path }))} />
        </>
      )}
      {check.refused.length > 0 && (
        <>
          <p className="mt-3">{formatCount(check.refused.length, 'item')} will be left out:</p>
          <PathList paths={check.refused.map(({ path, problem }) => ({ path, note: NAME_SENTENCES[problem] }))} />
        </>
      )}
      {!check.fitsStorage && (
        <p className="mt-3 rounded-md bg-warn-soft px-3 py-2.5 text-warn">
          This browser has {check.freeBytes === null ? 'too little' : `only ${formatBytes(check.freeBytes)} of`} room for{' '}
          {formatBytes(check.bytes)}. The upload works, but it runs only while this page stays open; if it is closed, you will have to pick
          the files again.
        </p>
      )}
    </Confirm>
  );
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

const SHOWN = 50;

function PathList({ paths }: { readonly paths: readonly { readonly path: string; readonly note?: string }[] }) {
  if (paths.length < 2 && paths[0]?.note === undefined) return null;
  return (
    <ul className="mt-2.5 max-h-40 overflow-y-auto rounded-md border border-line bg-surface px-3 py-2 text-ink text-sm">
      {paths.slice(0, SHOWN).map(({ path, note }) => (
        <li key={path} className="py-0.5">
          <span className="break-all">{path}</span>
          {note && <span className="block text-ink-3 text-xs">{note}</span>}
        </li>
      ))}
      {paths.length > SHOWN && <li className="py-0.5 text-ink-3">and {(paths.length - SHOWN).toLocaleString('en')} more</li>}
    </ul>
  );
}
