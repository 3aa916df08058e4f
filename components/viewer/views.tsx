'use client';
import { clsx } from 'clsx';
import { useEffect, useState } from 'react';
import { formatBytes } from '../pure/format';

const TEXT_BYTES_MAX = 1024 * 1024;

/** Fits the window; a click shows it at its own size. */
export function ImageView({ address, name }: { readonly address: string; readonly name: string }) {
  const [zoomed, setZoomed] = useState(false);
  return (
    <div className="flex min-h-0 flex-1 overflow-auto">
      <button
        type="button"
        aria-label={zoomed ? 'Fit into the window' : 'Show at its own size'}
        onClick={() => setZoomed(!zoomed)}
        className={clsx(
          'm-auto flex',
          !zoomed && 'h-full w-full items-center justify-center p-4',
          zoomed ? 'cursor-zoom-out' : 'cursor-zoom-in',
        )}
      >
        {/* biome-ignore lint/performance/noImgElement: the bytes come from the own content address, as they are. */}
        <img src={address} alt={name} className={clsx(!zoomed && 'max-h-full max-w-full rounded-sm object-contain')} />
      </button>
    </div>
  );
}

export function MediaView({ kind, address, name }: { readonly kind: 'video' | 'audio'; readonly address: string; readonly name: string }) {
  return (
    <div className="flex min-h-0 flex-1 items-center justify-center p-4">
      {kind === 'video' ? (
        // biome-ignore lint/a11y/useMediaCaption: a person's own recording; there is no caption track to show.
        <video src={address} controls aria-label={name} className="max-h-full max-w-full rounded-md bg-black" />
      ) : (
        // biome-ignore lint/a11y/useMediaCaption: see above.
        <audio src={address} controls aria-label={name} className="w-full max-w-lg" />
      )}
    </div>
  );
}

/** The first megabyte as text. */
export function TextView({ address, size }: { readonly address: string; readonly size: number }) {
  const [text, setText] = useState<string | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    const read = async (): Promise<void> => {
      if (size === 0) {
        setText('');
        return;
      }
      const response = await fetch(address, { headers: { range: `bytes=0-${Math.min(size, TEXT_BYTES_MAX) - 1}` }, signal: stop.signal });
      if (!response.ok) throw new Error(`content answered ${response.status}`);
      setText(new TextDecoder().decode(await response.arrayBuffer()));
    };
    read().catch((error: unknown) => {
      if (stop.signal.aborted) return;
      console.error(error);
      setFailed(true);
    });
    return () => stop.abort();
  }, [address, size]);
  if (failed) return <p className="m-auto text-ink-2">The text could not be read.</p>;
  if (text === null) return <div aria-busy className="skeleton m-6 flex-1" />;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a long text must be scrollable by keyboard.
    <div tabIndex={0} className="min-h-0 flex-1 overflow-auto bg-surface p-5 outline-none">
      {text === '' ? (
        <p className="text-ink-3">This file is empty.</p>
      ) : (
        <pre className="whitespace-pre-wrap break-words font-mono text-sm">{text}</pre>
      )}
      {size > TEXT_BYTES_MAX && (
        <p className="mt-4 border-line border-t pt-3 text-ink-3 text-sm">
          The first {formatBytes(TEXT_BYTES_MAX)} of {formatBytes(size)}. Download the file to see all of it.
        </p>
      )}
    </div>
  );
}
