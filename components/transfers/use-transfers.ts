'use client';
import { useEffect, useRef, useState } from 'react';
import { BACKGROUND_SYNC_KEY } from '@/lib/sync/adapters/browser/background-sync';
import type { TransferRow } from '@/lib/sync/adapters/browser/database';
import { transfers } from '@/lib/sync/adapters/browser/read-model';
import { useWatched } from '../data/use-watched';
import { NO_SPEED, noteBytes, type SpeedEstimate, secondsLeft, speedOf } from '../pure/speed';
import { type TransferTotals, totalsOf } from '../pure/transfer-totals';
import { useSession } from '../session/session-context';

export interface Transfers {
  readonly rows: readonly TransferRow[];
  readonly totals: TransferTotals;
  /** Bytes per second; null while unknown. */
  readonly speed: number | null;
  readonly secondsLeft: number;
}

const NONE: readonly TransferRow[] = [];

/** All transfers of this device with their speed, newest batch first; repainted at most three times a second. */
export function useTransfers(): Transfers {
  const { database } = useSession();
  const rows =
    useWatched(async () => (await transfers(database)).filter((row) => row.state !== 'cancelled' && row.quiet !== 1), {
      database,
      tables: ['transfers'],
      key: 'transfers',
      interval: 330,
    }) ?? NONE;
  const totals = totalsOf(rows);
  const estimate = useRef<SpeedEstimate>(NO_SPEED);
  const [speed, setSpeed] = useState<number | null>(null);
  const sent = useRef(0);
  sent.current = totals.sentBytes;
  const moving = totals.active > 0;
  useEffect(() => {
    if (!moving) {
      estimate.current = NO_SPEED;
      setSpeed(null);
      return;
    }
    // Also while nothing arrives: a standstill must sink to zero.
    const timer = setInterval(() => {
      estimate.current = noteBytes(estimate.current, performance.now(), sent.current);
      setSpeed(speedOf(estimate.current));
    }, 500);
    return () => clearInterval(timer);
  }, [moving]);
  return { rows, totals, speed, secondsLeft: secondsLeft(totals.bytes - totals.sentBytes, speed) };
}

/** The browser asks before closing only while something would be lost. */
export function useUnsafeWarning(unsafe: number): void {
  useEffect(() => {
    if (unsafe === 0) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [unsafe]);
}

/** True when this browser promised to go on with what waits though every tab is closed. */
export function useGoesOnAlone(): boolean {
  const { database } = useSession();
  const promised = useWatched(async () => (await database.settings.get(BACKGROUND_SYNC_KEY))?.value === true, {
    database,
    tables: ['settings'],
    key: BACKGROUND_SYNC_KEY,
  });
  return promised ?? false;
}
