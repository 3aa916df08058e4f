import { liveQuery } from 'dexie';
import type { EntryId, NamespaceId } from '../../model/ids';
import { decodeManifest } from '../../model/manifest';
import type { Clock, Random } from '../../ports/clock';
import type { MergeBench, MergedFile } from '../../ports/merge-bench';
import type { Reply } from '../../ports/sync-service';
import { contentAddress } from '../../protocol/routes';
import type { SatchelDatabase, TransferRow } from './database';
import { OFFLINE_SENTENCE, refusal } from './fetch-reply';
import type { FileIntake } from './file-intake';
import type { OpfsStaging } from './opfs-staging';
import { partsOf } from './staged-rows';

export interface BrowserMergeBenchDeps {
  readonly origin: string;
  readonly database: SatchelDatabase;
  readonly staging: OpfsStaging;
  readonly intake: FileIntake;
  readonly clock: Clock;
  readonly random: Random;
}

const TIMEOUT_MILLISECONDS = 60_000;

/** Merge bench of a browser profile: reads revisions by fetch, staged bytes from the private file system, and stages through intake. */
export class BrowserMergeBench implements MergeBench {
  readonly #deps: BrowserMergeBenchDeps;

  constructor(deps: BrowserMergeBenchDeps) {
    this.#deps = deps;
  }

  async revision(
    file: { readonly namespaceId: NamespaceId; readonly entryId: EntryId; readonly contentRevision: number },
    bytesMax: number,
  ): Promise<Reply<Uint8Array<ArrayBuffer> | null>> {
    try {
      const response = await fetch(`${this.#deps.origin}${contentAddress(file)}?exact=1`, {
        cache: 'no-store',
        credentials: 'same-origin',
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
      });
      if (!response.ok) return await refusal(response);
      const length = Number(response.headers.get('content-length') ?? Number.NaN);
      if (length > bytesMax) {
        await response.body?.cancel();
        return { ok: true, value: null };
      }
      const bytes = new Uint8Array(await response.arrayBuffer());
      return { ok: true, value: bytes.length > bytesMax ? null : bytes };
    } catch {
      // No connection, a timeout, or an answer that broke off.
      return { ok: false, code: 'offline', message: OFFLINE_SENTENCE };
    }
  }

  async staged(transferId: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const { database, staging } = this.#deps;
    const transfer = await database.transfers.get(transferId);
    if (transfer === undefined) return null;
    const rows = (await partsOf(database.staged, [transfer])).get(transferId) ?? [];
    const parts: Blob[] = [];
    for (const { segment, offset, chunks } of rows) {
      const file = await staging.blob(segment);
      if (file === null) return null;
      const bytes = decodeManifest(chunks).reduce((sum, { size }) => sum + size, 0);
      parts.push(file.slice(offset, offset + bytes));
    }
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    return bytes.length === transfer.size ? bytes : null;
  }

  async stage(file: MergedFile, bytes: Uint8Array<ArrayBuffer>): Promise<string | null> {
    const { database, intake, clock, random } = this.#deps;
    const source = new File([bytes], file.name, { lastModified: file.mtime });
    const row: TransferRow = {
      ...file,
      id: random.uuid(),
      batchId: random.uuid(),
      intakeId: intake.id,
      size: bytes.length,
      state: 'queued',
      paused: 0,
      stagedBytes: 0,
      sentBytes: 0,
      createdAt: clock.now(),
    };
    await database.transfers.put(row);
    intake.add([{ row, file: source }]);
    return (await this.#isSafe(row.id)) ? row.id : null;
  }

  /** Waits until the bytes are staged (or known to stay in memory until they are sent), or cannot be. */
  #isSafe(id: string): Promise<boolean> {
    const { clock, database } = this.#deps;
    const over = new AbortController();
    const known = new Promise<boolean>((resolve, reject) => {
      const watch = liveQuery(() => database.transfers.get(id)).subscribe({
        next: (row) => {
          if (row === undefined || row.state === 'failed' || row.state === 'lost' || row.state === 'cancelled') resolve(false);
          else if (row.digest !== undefined) resolve(true);
        },
        error: reject,
      });
      over.signal.addEventListener('abort', () => watch.unsubscribe(), { once: true });
    });
    // A bench that never answers would hold up everything that waits behind it.
    const patience = clock.sleep(TIMEOUT_MILLISECONDS, over.signal).then(() => false);
    return Promise.race([known, patience]).finally(() => over.abort());
  }
}
