import { sameStamp } from '../../model/disk';
import type { Clock, Random } from '../../ports/clock';
import type { DiskUploads } from '../../ports/workspace';
import type { SatchelDatabase, TransferRow } from './database';
import type { FileIntake, IntakeItem } from './file-intake';
import { reasonOf } from './picked-folder-handles';
import type { PickedFolderWorkspace } from './picked-folder-workspace';

export interface PickedFolderUploadsDeps {
  readonly database: SatchelDatabase;
  readonly intake: FileIntake;
  readonly workspace: PickedFolderWorkspace;
  readonly clock: Clock;
  readonly random: Random;
}

/** Files of the picked folder become transfers like dropped ones, with their handles, so that reading goes on after a restart. */
export function createPickedFolderUploads({ database, intake, workspace, clock, random }: PickedFolderUploadsDeps): DiskUploads {
  return {
    async add(uploads) {
      const batchId = random.uuid();
      const createdAt = clock.now();
      const items: IntakeItem[] = [];
      for (const { transferId: id, path, stamp, entryId, parentId, namespaceId, name, baseRevision } of uploads) {
        const opened = await fileAt(workspace, path);
        if (opened === null || !sameStamp({ size: opened.file.size, mtime: opened.file.lastModified }, stamp)) continue;
        const { handle, file } = opened;
        const place = { id, batchId, namespaceId, parentId, entryId, baseRevision, name, intakeId: intake.id };
        const { size, mtime } = stamp;
        const row: TransferRow = { ...place, size, mtime, state: 'queued', paused: 0, stagedBytes: 0, sentBytes: 0, createdAt, handle };
        items.push({ row, file });
      }
      await database.transfers.bulkPut(items.map(({ row }) => row));
      intake.add(items);
    },
  };
}

async function fileAt(
  workspace: PickedFolderWorkspace,
  path: string,
): Promise<{ readonly handle: FileSystemFileHandle; readonly file: File } | null> {
  try {
    const handle = await workspace.file(path);
    return { handle, file: await handle.getFile() };
  } catch (error) {
    if (reasonOf(error) === null) throw error;
    return null; // Gone meanwhile: the next look at the disk tells.
  }
}
