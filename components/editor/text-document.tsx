'use client';
import { clsx } from 'clsx';
import { BookOpenText, CircleAlert, CloudCheck, Columns2, HardDriveDownload, LoaderCircle, Pencil, Search, WrapText } from 'lucide-react';
import { lazy, type ReactNode, Suspense, useCallback, useDeferredValue, useMemo, useRef, useState } from 'react';
import { toast } from 'sonner';
import type { EntryRow } from '@/lib/sync/adapters/browser/database';
import { ERRORS } from '@/lib/sync/protocol/error-codes';
import { fileKind } from '../pure/file-kind';
import { formatBytes, formatCount } from '../pure/format';
import { useSession } from '../session/session-context';
import { IconButton } from '../ui/button';
import { Tip } from '../ui/tip';
import { usePhone } from '../ui/use-media';
import type { EditorHandle } from './code-editor';
import type { SaveState } from './document-session';
import { isMarkdown } from './languages';
import { countWords } from './text-codec';
import { type Problem, useDocument } from './use-document';

const CodeEditor = lazy(() => import('./code-editor').then((module) => ({ default: module.CodeEditor })));
const MarkdownView = lazy(() => import('./markdown-view').then((module) => ({ default: module.MarkdownView })));

type Mode = 'edit' | 'both' | 'read';

/** A text file to be read and changed in place, offline as online. `fallback` draws what cannot be edited. */
export function TextDocument({ row, fallback }: { readonly row: EntryRow; readonly fallback: (problem: Problem) => ReactNode }) {
  const { client } = useSession();
  const phone = usePhone();
  const handle = useRef<EditorHandle | null>(null);
  const markdown = isMarkdown(row.name);
  const [chosen, setChosen] = useState<Mode | null>(null);
  const [wrap, setWrap] = useState(fileKind(row.name) !== 'code');
  const [text, setText] = useState<string | null>(null);
  const name = row.name;
  const document = useDocument(
    row,
    handle,
    ({ before, after }) =>
      toast(`Edited “${name}”`, {
        duration: 8000,
        action: {
          label: 'Undo',
          onClick: () =>
            void client.writeFile(row.id, new Blob([before.text.text]), after, true).then(
              (result) => (result.ok ? toast(`“${name}” is as it was`) : toast.error(result.sentence)),
              () => toast.error('This could not be undone on this device. Please try again.'),
            ),
        },
      }),
    () => toast(`“${name}” was given other content meanwhile. What you wrote is kept beside it as a conflict copy.`),
  );
  const { state } = document;
  const shown = text ?? (state.phase === 'ready' ? state.initial.text : '');
  const reading = useRef<ReturnType<typeof setTimeout> | null>(null);
  const { edited } = document;
  const onEdit = useCallback((): void => {
    edited();
    // The preview and the count follow a little later: reading the whole text costs more than a key.
    reading.current ??= setTimeout(() => {
      reading.current = null;
      if (handle.current !== null) setText(handle.current.read());
    }, 120);
  }, [edited]);
  if (state.phase === 'problem') return fallback(state.problem);
  if (state.phase === 'loading') return <div aria-busy className="skeleton m-6 flex-1" />;
  const mode: Mode = !markdown ? 'edit' : (chosen ?? (phone ? (row.size === 0 ? 'edit' : 'read') : 'both'));
  const readOnly = !state.mine;
  return (
    <div className="flex min-h-0 flex-1 flex-col bg-surface">
      <div role="toolbar" aria-label="Text" className="flex h-10 shrink-0 items-center gap-0.5 border-line border-b px-2 phone:h-12">
        {markdown && <ModeButtons mode={mode} onMode={setChosen} phone={phone} />}
        {mode !== 'read' && (
          <>
            <Tip text="Find and replace">
              <IconButton label="Find and replace" onClick={() => handle.current?.openSearch()}>
                <Search aria-hidden />
              </IconButton>
            </Tip>
            <Tip text="Wrap long lines">
              <IconButton label="Wrap long lines" aria-pressed={wrap} onClick={() => setWrap(!wrap)}>
                <WrapText aria-hidden />
              </IconButton>
            </Tip>
          </>
        )}
        <SavedSign row={row} saving={document.saving} />
      </div>
      {readOnly && (
        <Notice>This file is open for editing in another tab of this browser. It can be edited here once it is closed there.</Notice>
      )}
      {document.overtaken && !readOnly && (
        <Notice>
          This file was changed on another device meanwhile. Go on writing: both changes are kept, merged where they do not touch.
        </Notice>
      )}
      <Suspense fallback={<div aria-busy className="skeleton m-6 flex-1" />}>
        <div className="flex min-h-0 flex-1">
          {/* Kept while only the formatted text is shown: it holds the text and what Undo knows. */}
          <div className={clsx('flex min-h-0 min-w-0 flex-1', mode === 'read' && 'hidden')}>
            <CodeEditor
              key={state.generation}
              name={name}
              initial={state.initial}
              wrap={wrap}
              readOnly={readOnly}
              numbers={fileKind(name) === 'code'}
              handle={handle}
              onEdit={onEdit}
              onReplaced={() => setText(handle.current?.read() ?? null)}
              onBlur={document.flush}
            />
          </div>
          {markdown && mode !== 'edit' && (
            <div className={clsx('flex min-h-0 min-w-0 flex-1', mode === 'both' && 'border-line border-l')}>
              <MarkdownView text={shown} />
            </div>
          )}
        </div>
      </Suspense>
      <Counts text={shown} lineEnd={state.initial.lineEnd} />
    </div>
  );
}

function ModeButtons({ mode, onMode, phone }: { readonly mode: Mode; readonly onMode: (mode: Mode) => void; readonly phone: boolean }) {
  const modes = [
    { mode: 'edit', label: 'Edit', icon: Pencil },
    ...(phone ? [] : [{ mode: 'both', label: 'Edit and preview', icon: Columns2 } as const]),
    { mode: 'read', label: 'Preview', icon: BookOpenText },
  ] as const;
  return (
    <>
      {modes.map(({ mode: target, label, icon: Icon }) => (
        <Tip key={target} text={label}>
          <IconButton label={label} aria-pressed={mode === target} onClick={() => onMode(target)}>
            <Icon aria-hidden />
          </IconButton>
        </Tip>
      ))}
      <span aria-hidden className="mx-1.5 h-5 w-px bg-line" />
    </>
  );
}

function Notice({ children }: { readonly children: ReactNode }) {
  return (
    <p role="status" className="border-line border-b bg-warn-soft px-4 py-2 text-sm text-warn">
      {children}
    </p>
  );
}

/** Where the text stands: being typed, safe here, on the server. */
function SavedSign({ row, saving }: { readonly row: EntryRow; readonly saving: SaveState }) {
  const [icon, text, colour] = ((): readonly [ReactNode, string, string] => {
    if (saving.kind === 'failed') return [<CircleAlert key="i" />, saving.sentence, 'text-danger'];
    if (saving.kind === 'dirty') return [<Pencil key="i" />, 'Editing…', 'text-ink-3'];
    if (saving.kind === 'saving') return [<LoaderCircle key="i" className="animate-spin" />, 'Saving…', 'text-ink-3'];
    if (row.state === 'failed')
      return [<CircleAlert key="i" />, row.reason ? ERRORS[row.reason].sentence : 'This change could not be sent.', 'text-danger'];
    if (row.state !== 'synced') return [<HardDriveDownload key="i" />, 'Saved on this device', 'text-warn'];
    return [<CloudCheck key="i" />, 'Synced', 'text-good'];
  })();
  return (
    <span role="status" aria-label={text} className={clsx('ml-auto flex min-w-0 items-center gap-1.5 pr-2 text-sm [&_svg]:size-4', colour)}>
      <span aria-hidden className="shrink-0">
        {icon}
      </span>
      <span className="truncate">{text}</span>
    </span>
  );
}

function Counts({ text, lineEnd }: { readonly text: string; readonly lineEnd: '\n' | '\r\n' }) {
  const calm = useDeferredValue(text);
  const [words, bytes] = useMemo(() => [countWords(calm), new Blob([calm]).size], [calm]);
  return (
    <p className="flex h-7 shrink-0 items-center gap-3 border-line border-t px-4 text-ink-3 text-xs tabular-nums">
      <span>{formatCount(words, 'word')}</span>
      <span>{formatBytes(bytes)}</span>
      <span className="ml-auto">UTF-8{lineEnd === '\r\n' ? ' · CRLF' : ''}</span>
    </p>
  );
}
