'use client';
import { clsx } from 'clsx';
import { CircleAlert, CircleCheck, Pause, Play, RotateCcw, X } from 'lucide-react';
import type { TransferRow } from '@/lib/sync/adapters/browser/database';
import type { EngineClient } from '@/lib/sync/adapters/browser/engine-client-types';
import { formatBytes } from '../pure/format';
import { isFinished, transferSentence } from '../pure/transfer-totals';
import { FileIcon } from '../ui/file-icon';

const BUTTON =
  'inline-flex size-7 items-center justify-center rounded-md text-ink-3 hover:bg-pressed hover:text-ink phone:size-10 [&_svg]:size-4';

/** One file in the tray. */
export function TransferLine({
  row,
  online,
  client,
}: {
  readonly row: TransferRow;
  readonly online: boolean;
  readonly client: EngineClient;
}) {
  const broken = row.state === 'failed' || row.state === 'lost';
  const share = row.size === 0 ? 0 : row.state === 'staging' ? row.stagedBytes / row.size : row.sentBytes / row.size;
  const finished = isFinished(row);
  return (
    <div className="flex h-full items-center gap-3 pr-2 pl-4">
      <FileIcon entry={{ kind: 'file', name: row.name }} className="size-5" />
      <div className="min-w-0 flex-1">
        <div className="truncate text-sm" title={row.name}>
          {row.name}
        </div>
        <div className={clsx('truncate text-xs', broken ? 'text-danger' : 'text-ink-3')}>
          {transferSentence(row, online)}
          {!broken && ` · ${row.state === 'sending' ? `${formatBytes(row.sentBytes)} of ` : ''}${formatBytes(row.size)}`}
        </div>
        {!finished && (
          <div className="mt-1 h-[3px] overflow-hidden rounded-full bg-pressed">
            <div
              className={clsx('h-full origin-left rounded-full', row.state === 'staging' || row.paused === 1 ? 'bg-ink-3' : 'bg-accent')}
              style={{ transform: `scaleX(${Math.min(1, share)})` }}
            />
          </div>
        )}
      </div>
      {row.state === 'done' && <CircleCheck aria-label="Done" className="mr-1.5 size-[18px] text-good" />}
      {broken && <CircleAlert aria-hidden className="size-[18px] shrink-0 text-danger" />}
      {broken && row.state !== 'lost' && (
        <button type="button" className={BUTTON} aria-label={`Retry ${row.name}`} onClick={() => void client.retryTransfers([row.id])}>
          <RotateCcw aria-hidden />
        </button>
      )}
      {row.state === 'lost' && row.handle !== undefined && (
        <button
          type="button"
          className={clsx(BUTTON, 'w-auto px-2 font-medium text-sm phone:w-auto')}
          aria-label={`Continue ${row.name}`}
          onClick={() => void client.continueTransfers([row])}
        >
          Continue
        </button>
      )}
      {!finished && (
        <button
          type="button"
          className={BUTTON}
          aria-label={`${row.paused === 1 ? 'Resume' : 'Pause'} ${row.name}`}
          onClick={() => void (row.paused === 1 ? client.resumeTransfers([row.id]) : client.pauseTransfers([row.id]))}
        >
          {row.paused === 1 ? <Play aria-hidden /> : <Pause aria-hidden />}
        </button>
      )}
      {row.state !== 'done' && (
        <button type="button" className={BUTTON} aria-label={`Cancel ${row.name}`} onClick={() => void client.cancelTransfers([row.id])}>
          <X aria-hidden />
        </button>
      )}
    </div>
  );
}
