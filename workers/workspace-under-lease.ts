import { liveQuery } from 'dexie';
import { browserClock, browserLog, browserRandom } from '@/lib/sync/adapters/browser/browser-clock';
import type { SatchelDatabase } from '@/lib/sync/adapters/browser/database';
import { onTablesChanged } from '@/lib/sync/adapters/browser/database-changes';
import { createEntryContent } from '@/lib/sync/adapters/browser/entry-content';
import type { FileIntake } from '@/lib/sync/adapters/browser/file-intake';
import {
  createDexieDiskRecords,
  readSetup,
  WORKSPACE_ANSWER,
  WORKSPACE_LOOK,
  WORKSPACE_STATUS,
  type WorkspaceAnswerRow,
  type WorkspaceSetup,
  type WorkspaceStatusRow,
} from '@/lib/sync/adapters/browser/picked-folder-store';
import { createPickedFolderUploads } from '@/lib/sync/adapters/browser/picked-folder-uploads';
import { PickedFolderWatcher } from '@/lib/sync/adapters/browser/picked-folder-watcher';
import { PickedFolderWorkspace } from '@/lib/sync/adapters/browser/picked-folder-workspace';
import { webCryptoHasher } from '@/lib/sync/adapters/browser/web-crypto-hasher';
import { WorkspaceLoop } from '@/lib/sync/engine/workspace-loop';
import type { NamespaceId } from '@/lib/sync/model/ids';
import type { LocalStore } from '@/lib/sync/ports/local-store';
import type { SyncService } from '@/lib/sync/ports/sync-service';

export interface WorkspaceUnderLeaseDeps {
  readonly database: SatchelDatabase;
  readonly store: LocalStore;
  readonly service: SyncService;
  readonly intake: FileIntake;
  readonly rootNamespaceId: NamespaceId;
  readonly deviceName: string;
  readonly origin: string;
  onRequests(): void;
  onTransfers(ids: readonly string[]): void;
}

const NOTHING: Omit<WorkspaceStatusRow, 'state'> = { found: 0, waiting: 0, asks: null, problems: [], problemCount: 0 };
const FAILED_MILLISECONDS = 30_000;

/** What has to change for the loop to be built anew. */
function keyOf(setup: WorkspaceSetup | null): string {
  return setup === null ? '' : `${setup.id} ${setup.folderId} ${setup.paused}`;
}

/** Keeps the picked folder in step, if the person has picked one, for as long as this worker leads. */
export class WorkspaceUnderLease {
  readonly #deps: WorkspaceUnderLeaseDeps;
  #telling: Promise<unknown> = Promise.resolve();

  constructor(deps: WorkspaceUnderLeaseDeps) {
    this.#deps = deps;
  }

  async run(lost: AbortSignal): Promise<void> {
    const { database } = this.#deps;
    while (!lost.aborted) {
      const setup = await readSetup(database);
      const ended = new AbortController();
      const end = () => ended.abort();
      lost.addEventListener('abort', end, { once: true });
      const watching = liveQuery(() => readSetup(database)).subscribe({
        next: (now) => keyOf(now) !== keyOf(setup) && end(),
        error: (error: unknown) => {
          browserLog.warn('workspace.watch_ended', { error: String(error) });
          end();
        },
      });
      if (lost.aborted) end();
      await this.#keep(setup, ended.signal);
      watching.unsubscribe();
      lost.removeEventListener('abort', end);
    }
    await this.#telling;
  }

  async #keep(setup: WorkspaceSetup | null, signal: AbortSignal): Promise<void> {
    if (setup === null || setup.paused) {
      if (setup !== null) this.#tell({ ...NOTHING, state: 'paused' }, signal);
      await aborted(signal);
      return;
    }
    while (!signal.aborted) {
      const loop = this.#loop(setup, signal);
      const quiet = onTablesChanged(this.#deps.database, ['entries', 'transfers'], () => loop.wake());
      const answers = liveQuery(() => this.#deps.database.settings.bulkGet([WORKSPACE_ANSWER, WORKSPACE_LOOK])).subscribe({
        next: () => loop.wake(),
        error: (error: unknown) => browserLog.warn('workspace.answers_ended', { error: String(error) }),
      });
      try {
        await loop.run(signal);
      } catch (error) {
        // A fault of ours must not stop the other loops; what is on the disk and in the tree stays as it is.
        browserLog.error('workspace.failed', { error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
        this.#tell({ ...NOTHING, state: 'failed' }, signal);
        await browserClock.sleep(FAILED_MILLISECONDS, signal);
      } finally {
        quiet();
        answers.unsubscribe();
      }
    }
  }

  #loop(setup: WorkspaceSetup, signal: AbortSignal): WorkspaceLoop {
    const { database, store, service, intake, origin, onRequests, onTransfers, deviceName, rootNamespaceId } = this.#deps;
    const workspace = new PickedFolderWorkspace(setup.handle);
    const tools = { clock: browserClock, random: browserRandom, log: browserLog, hasher: webCryptoHasher };
    return new WorkspaceLoop({
      ...tools,
      workspace,
      watcher: new PickedFolderWatcher(setup.handle),
      diskRecords: createDexieDiskRecords(database),
      uploads: createPickedFolderUploads({ database, intake, workspace, ...tools }),
      content: createEntryContent({ store, service, hasher: webCryptoHasher, origin }),
      store,
      deviceName,
      rootNamespaceId,
      folderId: setup.folderId,
      onRequests,
      onTransfers,
      report: (status) => this.#tell(status, signal),
      answer: async () => ((await database.settings.get(WORKSPACE_ANSWER))?.value as WorkspaceAnswerRow | undefined) ?? null,
      answered: () => database.settings.delete(WORKSPACE_ANSWER),
    });
  }

  /** One after the other, so that the last word is the one that stays; nothing once the person has let go of the folder. */
  #tell(status: WorkspaceStatusRow, signal: AbortSignal): void {
    this.#telling = this.#telling
      .then(async () => {
        if (!signal.aborted) await this.#deps.database.settings.put({ key: WORKSPACE_STATUS, value: status });
      })
      .catch((error: unknown) => browserLog.warn('workspace.status_not_told', { error: String(error) }));
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
