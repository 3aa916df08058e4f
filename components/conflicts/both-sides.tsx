'use client';
import { lazy, Suspense, useEffect, useState } from 'react';
import type { EntryRow } from '@/lib/sync/adapters/browser/database';
import { noteSeen } from '@/lib/sync/adapters/browser/offline-content';
import { decodeText } from '../editor/text-codec';
import { readContent } from '../editor/use-document';
import { contentOf } from '../explorer/download';
import { isText, viewerKind } from '../pure/file-kind';
import { formatBytes, formatMoment } from '../pure/format';
import { useSession } from '../session/session-context';
import { FileIcon } from '../ui/file-icon';
import { usePhone } from '../ui/use-media';

const TextDiff = lazy(() => import('./text-diff').then((module) => ({ default: module.TextDiff })));

/** Larger texts are compared elsewhere: a comparison of megabytes would stop the page. */
const DIFF_BYTES_MAX = 1024 * 1024;

type Texts = { readonly left: string; readonly right: string } | 'reading' | 'unreadable';

/** Both versions of a file: the text with its differences, pictures side by side, else what is known of them. */
export function BothSides({
  original,
  copy,
  labels,
}: {
  readonly original: EntryRow;
  readonly copy: EntryRow;
  readonly labels: readonly [string, string];
}) {
  if (viewerKind(original.name) === 'image') {
    return (
      <div className="grid grid-cols-2 gap-3">
        {[original, copy].map((row, index) => (
          <figure key={row.id} className="flex min-w-0 flex-col gap-2">
            {/* biome-ignore lint/performance/noImgElement: the bytes come from the own content address, as they are. */}
            <img src={contentOf(row)} alt={labels[index] ?? ''} className="h-56 w-full rounded-md bg-sunken object-contain phone:h-36" />
            <Facts row={row} label={labels[index] ?? ''} />
          </figure>
        ))}
      </div>
    );
  }
  const text = isText(original.name) && Math.max(original.size, copy.size) <= DIFF_BYTES_MAX;
  return (
    <div className="flex flex-col gap-3">
      <div className="grid grid-cols-2 gap-3">
        <Facts row={original} label={labels[0]} />
        <Facts row={copy} label={labels[1]} />
      </div>
      {text && <Differences original={original} copy={copy} labels={labels} />}
    </div>
  );
}

function Differences({
  original,
  copy,
  labels,
}: {
  readonly original: EntryRow;
  readonly copy: EntryRow;
  readonly labels: readonly [string, string];
}) {
  const session = useSession();
  const { database, client } = session;
  const phone = usePhone();
  const [texts, setTexts] = useState<Texts>('reading');
  // biome-ignore lint/correctness/useExhaustiveDependencies: read anew when the bytes are others, not when a row was written again.
  useEffect(() => {
    let closed = false;
    const read = async (row: EntryRow): Promise<string | null> => {
      const content = await readContent(session, row);
      return content.ok ? (decodeText(new Uint8Array(await content.bytes.arrayBuffer()))?.text ?? null) : null;
    };
    Promise.all([read(original), read(copy)]).then(
      ([left, right]) => {
        if (!closed) setTexts(left === null || right === null ? 'unreadable' : { left, right });
      },
      (error: unknown) => {
        console.error(error);
        if (!closed) setTexts('unreadable');
      },
    );
    return () => {
      closed = true;
    };
  }, [session, original.digest, copy.digest]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above.
  useEffect(() => {
    // Looked at, so kept: the decision can then be made and seen without a network.
    void Promise.all([original, copy].map((row) => noteSeen(database, row, Date.now()))).then(() => client.wake());
  }, [database, client, original.contentRevision, copy.contentRevision]);
  if (texts === 'reading') return <div aria-busy className="skeleton h-24" />;
  if (texts === 'unreadable')
    return <p className="text-ink-3 text-sm">The texts cannot be compared here: one of them is not on this device or not UTF-8 text.</p>;
  return (
    <Suspense fallback={<div aria-busy className="skeleton h-24" />}>
      <TextDiff left={texts.left} right={texts.right} labels={labels} narrow={phone} />
    </Suspense>
  );
}

/** Size and date of one side. */
export function Facts({ row, label }: { readonly row: EntryRow; readonly label: string }) {
  return (
    <div className="flex min-w-0 items-center gap-2.5">
      <FileIcon entry={row} className="size-6 shrink-0 phone:hidden" />
      <p className="min-w-0">
        <span className="line-clamp-2 font-medium text-sm">{label}</span>
        <span className="block truncate text-ink-3 text-xs">
          {formatBytes(row.size)} · {formatMoment(row.mtime)}
        </span>
      </p>
    </div>
  );
}
