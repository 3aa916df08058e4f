import { SatchelDatabase } from '@/lib/sync/adapters/browser/database';
import type { FolderHandle } from '@/lib/sync/adapters/browser/picked-folder-handles';
import { createDexieDiskRecords } from '@/lib/sync/adapters/browser/picked-folder-store';
import { PickedFolderWorkspace } from '@/lib/sync/adapters/browser/picked-folder-workspace';
import { webCryptoHasher } from '@/lib/sync/adapters/browser/web-crypto-hasher';
import type { UserId } from '@/lib/sync/model/ids';
import { learn, rescan } from './rescan-core';

declare const window: {
  offeredFolder: FolderHandle;
  prepare(): Promise<number>;
  rescan(): Promise<unknown>;
  plainWalk(): Promise<{ files: number; milliseconds: number }>;
};

const database = new SatchelDatabase('00000000-0000-4000-8000-000000000001' as UserId);
const records = createDexieDiskRecords(database);

window.prepare = async () => {
  const rows = await learn(new PickedFolderWorkspace(window.offeredFolder), webCryptoHasher);
  await records.put(rows);
  return rows.length;
};

window.rescan = () => rescan(new PickedFolderWorkspace(window.offeredFolder), webCryptoHasher, records);

/** The simplest thing that asks for every file's size and time, one after the other. */
window.plainWalk = async () => {
  const began = performance.now();
  let files = 0;
  const open = [window.offeredFolder];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for await (const child of folder.values()) {
      if (child.kind === 'directory') open.push(child as FolderHandle);
      else {
        const { size, lastModified } = await child.getFile();
        if (size >= 0 && lastModified > 0) files += 1;
      }
    }
  }
  return { files, milliseconds: performance.now() - began };
};
