import { randomUUID } from 'node:crypto';
import { Dexie } from 'dexie';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { SatchelDatabase, type StagedRow, type TransferRow } from '@/lib/sync/adapters/browser/database';
import { createDexieLocalStore } from '@/lib/sync/adapters/browser/dexie-local-store';
import { MemoryLocalStore } from '@/lib/sync/adapters/memory/memory-local-store';
import type { UserId } from '@/lib/sync/model/ids';
import { encodeManifest } from '@/lib/sync/model/manifest';
import { localStoreContract } from './local-store-contract';

Dexie.dependencies.indexedDB = new IDBFactory();
Dexie.dependencies.IDBKeyRange = IDBKeyRange;

localStoreContract('memory', async () => {
  const store = new MemoryLocalStore();
  return { store, putTransfer: async (transfer, manifest) => store.putTransfer(transfer, manifest), close: async () => undefined };
});

localStoreContract('Dexie', async () => {
  const database = new SatchelDatabase(randomUUID() as UserId);
  return {
    store: createDexieLocalStore(database),
    async putTransfer(transfer, manifest) {
      const row: TransferRow = { ...transfer, batchId: 'b', createdAt: 1 };
      await database.transfers.put(row);
      // In two parts, as a file that lies in two staging files.
      const parts = manifest === null ? [] : [manifest.slice(0, 2), manifest.slice(2)];
      const rows = parts.map((chunks, part): StagedRow => {
        const staged = { transferId: transfer.id, part, offset: 0, chunks: encodeManifest(chunks) };
        return { id: `s${part}`, segment: `s${part}`, parts: [staged], spanning: [transfer.id] };
      });
      await database.staged.bulkPut(rows.reverse());
    },
    close: async () => database.delete(),
  };
});
