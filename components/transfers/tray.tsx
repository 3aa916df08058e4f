'use client';
import { useVirtualizer } from '@tanstack/react-virtual';
import { clsx } from 'clsx';
import { ChevronDown, CircleAlert, CircleCheck, CloudUpload, Pause, Play, RotateCcw, X } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { formatBytes, formatCount, formatRemaining } from '../pure/format';
import { progressOf, waitingSentence } from '../pure/transfer-totals';
import { useConnection, useSession } from '../session/session-context';
import { IconButton } from '../ui/button';
import { usePhone } from '../ui/use-media';
import { TransferLine } from './transfer-line';
import { type Transfers, useGoesOnAlone, useTransfers, useUnsafeWarning } from './use-transfers';

const LINE_PIXELS = 56;
const SETTLED_MILLISECONDS = 6000;

/** What the tray says in one line, and one below it. */
function headline({ totals, speed, secondsLeft }: Transfers, online: boolean, alone: boolean): readonly [string, string] {
  const { files, done, failed, active, paused } = totals;
  if (active + paused === 0) {
    if (failed > 0)
      return [
        `${formatCount(failed, 'file')} could not be sent`,
        done > 0 ? `${formatCount(done, 'file')} uploaded` : 'See the reasons below',
      ];
    return [`${formatCount(done, 'file')} uploaded`, formatBytes(totals.bytes)];
  }
  const amount = `${formatBytes(totals.sentBytes)} of ${formatBytes(totals.bytes)}`;
  if (active === 0) return [`Paused: ${formatCount(paused, 'file')}`, amount];
  const title = `Uploading ${files === 1 ? '1 file' : `${(done + failed).toLocaleString('en')} of ${formatCount(files, 'file')}`}`;
  if (!online) return [title, `${amount} · ${waitingSentence(totals.unsafe === 0 && alone)}`];
  const left = formatRemaining(secondsLeft);
  return [
    title,
    [amount, speed ? `${formatBytes(speed)}/s` : '', left === '' ? '' : `${left} left`].filter((part) => part !== '').join(' · '),
  ];
}

/** The card in the corner that shows what is on its way; on phones it stands above the tab bar. */
export function Tray() {
  const { client } = useSession();
  const transfers = useTransfers();
  const connection = useConnection();
  const online = connection.state === 'online';
  const alone = useGoesOnAlone();
  const { rows, totals } = transfers;
  const [open, setOpen] = useState(false);
  const [hidden, setHidden] = useState(false);
  const phone = usePhone();
  useUnsafeWarning(totals.unsafe);
  const running = totals.active + totals.paused > 0;
  const before = useRef(0);
  useEffect(() => {
    // A new batch brings the tray back.
    if (rows.length > before.current) setHidden(false);
    before.current = rows.length;
  }, [rows.length]);
  const settled = !running && totals.failed === 0;
  useEffect(() => {
    // Small screens get their room back once there is nothing left to say.
    if (!phone || !settled || open) return;
    const timer = setTimeout(() => setHidden(true), SETTLED_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [phone, settled, open]);
  if (rows.length === 0 || hidden) return null;
  const [title, line] = headline(transfers, online, alone);
  const close = (): void => {
    setOpen(false);
    setHidden(true);
    if (totals.failed === 0) void client.clearFinishedTransfers();
  };
  return (
    <section
      aria-label="Transfers"
      className={clsx(
        'fixed right-5 bottom-5 z-20 flex max-h-[min(70dvh,560px)] w-[400px] animate-rise flex-col overflow-hidden rounded-lg border border-line bg-raised shadow-3 phone:bottom-[calc(72px+env(safe-area-inset-bottom))] phone:left-2 phone:w-auto',
        // Closed, it leaves the button for new things free.
        open ? 'phone:right-2' : 'phone:right-[84px]',
      )}
    >
      <header className="flex items-center gap-3 py-2.5 pr-2 pl-4">
        <Sign transfers={transfers} />
        <div className="min-w-0 flex-1">
          <p className="truncate font-medium" aria-live="polite">
            {title}
          </p>
          <p className="truncate text-ink-3 text-xs tabular-nums">{line}</p>
        </div>
        <IconButton
          label={open ? 'Hide the list of transfers' : 'Show the list of transfers'}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <ChevronDown aria-hidden className={clsx('transition-transform', !open && 'rotate-180')} />
        </IconButton>
        {!running && (
          <IconButton label="Close transfers" onClick={close}>
            <X aria-hidden />
          </IconButton>
        )}
      </header>
      {running && (
        <>
          <div
            role="progressbar"
            aria-label="Upload progress"
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.floor(progressOf(totals) * 100)}
            className="mx-4 h-1.5 shrink-0 overflow-hidden rounded-full bg-pressed"
          >
            <div
              className={clsx('h-full origin-left rounded-full', totals.active === 0 ? 'bg-ink-3' : 'bg-accent')}
              style={{ transform: `scaleX(${progressOf(totals)})` }}
            />
          </div>
          <div className="flex gap-1 px-2.5 pt-1.5 pb-2">
            {totals.active > 0 && (
              <TrayButton onClick={() => void client.pauseTransfers('all')}>
                <Pause aria-hidden />
                Pause all
              </TrayButton>
            )}
            {totals.paused > 0 && (
              <TrayButton onClick={() => void client.resumeTransfers('all')}>
                <Play aria-hidden />
                Resume all
              </TrayButton>
            )}
            <TrayButton onClick={() => void client.cancelTransfers('all')}>
              <X aria-hidden />
              Cancel all
            </TrayButton>
          </div>
        </>
      )}
      {totals.failed > 0 && !running && (
        <div className="flex gap-1 px-2.5 pb-2">
          <TrayButton
            onClick={() => {
              void client.retryTransfers('all');
              void client.continueTransfers(rows.filter(({ state }) => state === 'lost'));
            }}
          >
            <RotateCcw aria-hidden />
            Retry all
          </TrayButton>
          <TrayButton onClick={() => void client.clearFinishedTransfers()}>Clear finished</TrayButton>
        </div>
      )}
      {open && <Lines transfers={transfers} online={online} />}
    </section>
  );
}

function TrayButton({ onClick, children }: { readonly onClick: () => void; readonly children: ReactNode }) {
  return (
    <button
      type="button"
      onClick={onClick}
      className="inline-flex h-7 items-center gap-1.5 rounded-md px-1.5 font-medium text-ink-2 text-sm hover:bg-hover hover:text-ink phone:h-10 phone:px-2.5 [&_svg]:size-3.5"
    >
      {children}
    </button>
  );
}

function Sign({ transfers: { totals } }: { readonly transfers: Transfers }) {
  if (totals.active + totals.paused > 0) return <CloudUpload aria-hidden className="size-5 shrink-0 text-accent" />;
  return totals.failed > 0 ? (
    <CircleAlert aria-hidden className="size-5 shrink-0 text-danger" />
  ) : (
    <CircleCheck aria-hidden className="size-5 shrink-0 text-good" />
  );
}

/** Every file, drawn only where it is seen: ten thousand are as light as ten. Newest first, what needs attention before all. */
function Lines({ transfers, online }: { readonly transfers: Transfers; readonly online: boolean }) {
  const { client } = useSession();
  const scroll = useRef<HTMLDivElement>(null);
  const rows = inOrder(transfers.rows);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => LINE_PIXELS,
    overscan: 6,
  });
  return (
    <div
      ref={scroll}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by the keyboard.
      tabIndex={0}
      className="min-h-0 flex-1 overflow-y-auto border-line border-t"
      style={{ height: Math.min(rows.length, 6) * LINE_PIXELS + 8 }}
    >
      <ul aria-label="Files on their way" className="relative my-1" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index];
          return (
            row && (
              <li key={row.id} className="absolute inset-x-0 top-0" style={{ height: item.size, transform: `translateY(${item.start}px)` }}>
                <TransferLine row={row} online={online} client={client} />
              </li>
            )
          );
        })}
      </ul>
    </div>
  );
}

const RANK: Readonly<Record<string, number>> = { failed: 0, lost: 0, sending: 1, durable: 1, staging: 2, staged: 3, queued: 4, done: 5 };

function inOrder(rows: Transfers['rows']): Transfers['rows'] {
  return [...rows].sort((a, b) => (RANK[a.state] ?? 9) - (RANK[b.state] ?? 9) || b.createdAt - a.createdAt);
}
