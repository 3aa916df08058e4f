'use client';
import { ChevronLeft, ChevronRight, Download, FileQuestion, WifiOff, X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useEffect, useState } from 'react';
import type { EntryRow } from '@/lib/sync/adapters/browser/database';
import { noteSeen } from '@/lib/sync/adapters/browser/offline-content';
import { entriesByIds, folderIds } from '@/lib/sync/adapters/browser/read-model';
import { useWatched } from '../data/use-watched';
import { EDIT_BYTES_MAX } from '../editor/text-codec';
import { TextDocument } from '../editor/text-document';
import { contentOf, downloadFile } from '../explorer/download';
import { addressOf, navigate, placeOf, usePlace } from '../navigation/location';
import { isText, viewerKind } from '../pure/file-kind';
import { formatBytes } from '../pure/format';
import { useSession } from '../session/session-context';
import { usePreferences } from '../settings/preferences';
import { Button, IconButton } from '../ui/button';
import { ImageView, MediaView, TextView } from './views';

/** The file that the address opens, above whatever view is below; arrows go through its folder. */
export function Viewer() {
  const { database, client } = useSession();
  const { open } = usePlace();
  const { sort } = usePreferences();
  const row = useWatched(() => (open === null ? Promise.resolve(null) : database.entries.get(open).then((found) => found ?? null)), {
    database,
    tables: ['entries'],
    key: `viewer ${open}`,
    interval: 200,
  });
  const parentId = row?.parentId;
  const near = useWatched(
    async (): Promise<{ before: EntryRow | undefined; after: EntryRow | undefined }> => {
      if (open === null || parentId === undefined) return { before: undefined, after: undefined };
      const ids = await folderIds(database, parentId, sort);
      const at = ids.indexOf(open);
      const rows = await entriesByIds(
        database,
        [ids[at - 1], ids[at + 1]].filter((id) => id !== undefined),
      );
      const file = (id: (typeof ids)[number] | undefined): EntryRow | undefined =>
        rows.find((candidate) => candidate.id === id && candidate.kind === 'file');
      return { before: file(ids[at - 1]), after: file(ids[at + 1]) };
    },
    { database, tables: ['entries'], key: `near ${open} ${parentId} ${sort.by} ${sort.descending}`, interval: 500 },
  );
  const revision = row?.contentRevision;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new look is what another file or another content of it is.
  useEffect(() => {
    if (row?.kind !== 'file') return;
    void noteSeen(database, row, Date.now()).then(() => client.wake());
  }, [database, client, row?.id, revision]);
  const show = (target: EntryRow | undefined): void => {
    if (target) navigate(addressOf({ ...placeOf(location.href), open: target.id }), 'replace');
  };
  // Replacing, so that Back leads on and does not open the file again.
  const close = (): void => navigate(addressOf({ ...placeOf(location.href), open: null }), 'replace');
  return (
    <Dialog.Root open={open !== null} onOpenChange={(next) => !next && close()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 animate-fade bg-scrim" />
        <Dialog.Content
          aria-describedby={undefined}
          // The file is what is looked at, not the first button above it; arrows and Escape work from here.
          onOpenAutoFocus={(event) => {
            event.preventDefault();
            (event.currentTarget as HTMLElement).focus();
          }}
          onEscapeKeyDown={(event) => {
            const editor = document.activeElement?.closest('[data-editor]');
            if (!editor) return;
            // In the text, Escape first closes the search, then leaves the text (so that Tab leads on); only then the file.
            event.preventDefault();
            const search = editor.querySelector<HTMLElement>('.cm-search [name=close]');
            if (search !== null) search.click();
            else (editor.closest('[role=dialog]') as HTMLElement | null)?.focus();
          }}
          onKeyDown={(event) => {
            if (event.target instanceof HTMLMediaElement || isTyping(event.target)) return;
            if (event.key === 'ArrowLeft') show(near?.before);
            if (event.key === 'ArrowRight') show(near?.after);
          }}
          className="fixed inset-0 z-40 flex animate-pop flex-col bg-surface outline-none desk:inset-5 desk:overflow-hidden desk:rounded-xl desk:border desk:border-line desk:shadow-3"
        >
          <header className="flex h-13 shrink-0 items-center gap-1 border-line border-b pr-2 pl-4">
            <Dialog.Title className="min-w-0 flex-1 truncate font-medium text-md">
              {row?.name ?? ''} <span className="pl-1.5 font-normal text-ink-3 text-sm">{row ? formatBytes(row.size) : ''}</span>
            </Dialog.Title>
            <IconButton label="Previous file" disabled={!near?.before} onClick={() => show(near?.before)}>
              <ChevronLeft aria-hidden />
            </IconButton>
            <IconButton label="Next file" disabled={!near?.after} onClick={() => show(near?.after)}>
              <ChevronRight aria-hidden />
            </IconButton>
            {row && (
              <IconButton label={`Download ${row.name}`} onClick={() => downloadFile(row)}>
                <Download aria-hidden />
              </IconButton>
            )}
            <Dialog.Close asChild>
              <IconButton label="Close">
                <X aria-hidden />
              </IconButton>
            </Dialog.Close>
          </header>
          <div className="relative flex min-h-0 flex-1 flex-col bg-sunken">
            {row && <Content key={isText(row.name) ? row.id : `${row.id} ${row.contentRevision} ${row.digest}`} row={row} />}
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function isTyping(target: EventTarget): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, [data-editor] *'));
}

/** A text to be edited, or a file to be looked at. */
function Content({ row }: { readonly row: EntryRow }) {
  if (!isText(row.name) || row.kind !== 'file') return <FileContent row={row} />;
  return (
    <TextDocument
      row={row}
      fallback={(problem) =>
        problem === 'offline' || problem === 'gone' ? (
          <FileContent row={row} />
        ) : viewerKind(row.name) === 'none' ? (
          <NoPreview row={row} />
        ) : (
          <>
            <p role="status" className="border-line border-b bg-warn-soft px-4 py-2 text-sm text-warn">
              {problem === 'too_large'
                ? `Files over ${formatBytes(EDIT_BYTES_MAX)} are shown here and edited elsewhere.`
                : 'This file is not UTF-8 text. It is shown as well as it can be and cannot be edited here.'}
            </p>
            <FileContent row={row} />
          </>
        )
      }
    />
  );
}

function NoPreview({ row }: { readonly row: EntryRow }) {
  return (
    <Message icon={<FileQuestion aria-hidden className="size-9" strokeWidth={1.5} />} title="There is no preview for this kind of file">
      <Button look="primary" onClick={() => downloadFile(row)}>
        <Download aria-hidden className="size-4" />
        Download {formatBytes(row.size)}
      </Button>
    </Message>
  );
}

/** The file itself, once it is known that it can be had. */
function FileContent({ row }: { readonly row: EntryRow }) {
  const address = contentOf(row);
  const [state, setState] = useState<'asking' | 'there' | 'offline' | 'gone'>('asking');
  const kind = viewerKind(row.name);
  useEffect(() => {
    if (kind === 'none') return;
    const stop = new AbortController();
    // One byte tells whether it can be had, here or on the server, before an element shows a broken picture.
    fetch(address, { headers: { range: 'bytes=0-0' }, signal: stop.signal }).then(
      (response) => {
        void response.body?.cancel();
        setState(response.ok || response.status === 416 ? 'there' : response.status === 503 ? 'offline' : 'gone');
      },
      () => !stop.signal.aborted && setState('offline'),
    );
    return () => stop.abort();
  }, [address, kind]);
  if (kind === 'none') return <NoPreview row={row} />;
  if (state === 'offline') {
    return (
      <Message icon={<WifiOff aria-hidden className="size-9" strokeWidth={1.5} />} title="This file is not on this device">
        <p className="max-w-sm text-ink-2">
          It opens again when the network is back. Files you keep offline, or opened before, are always here.
        </p>
      </Message>
    );
  }
  if (state === 'gone')
    return (
      <Message
        icon={<FileQuestion aria-hidden className="size-9" strokeWidth={1.5} />}
        title="The content of this file could not be read"
      />
    );
  if (state === 'asking') return <div aria-busy className="skeleton m-6 flex-1" />;
  if (kind === 'image') return <ImageView address={address} name={row.name} />;
  if (kind === 'video' || kind === 'audio') return <MediaView kind={kind} address={address} name={row.name} />;
  return <TextView address={address} size={row.size} />;
}

function Message({
  icon,
  title,
  children,
}: {
  readonly icon: React.ReactNode;
  readonly title: string;
  readonly children?: React.ReactNode;
}) {
  return (
    <div className="m-auto flex flex-col items-center gap-4 px-6 text-center">
      <span className="flex size-18 items-center justify-center rounded-xl bg-accent-soft text-accent">{icon}</span>
      <h2 className="font-semibold text-lg">{title}</h2>
      {children}
    </div>
  );
}
