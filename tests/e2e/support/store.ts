import type { Page } from 'playwright-core';

/** All rows of one table of the account's own store, as they are on this device. */
export function readTable<T>(page: Page, table: string): Promise<T[]> {
  return page.evaluate(async (name) => {
    const all = await indexedDB.databases();
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const open = indexedDB.open(all.find((one) => /^satchel-[0-9a-f-]{36}$/.test(one.name ?? ''))?.name ?? '');
      open.onsuccess = () => resolve(open.result);
      open.onerror = () => reject(open.error);
    });
    const rows = await new Promise<unknown[]>((resolve, reject) => {
      const asked = database.transaction(name).objectStore(name).getAll();
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
    database.close();
    return rows;
  }, table) as Promise<T[]>;
}

/** Writes one row into the account's own store, past the product. */
export function writeRow(page: Page, table: string, row: Readonly<Record<string, unknown>>): Promise<void> {
  return page.evaluate(
    async ([name, value]) => {
      const all = await indexedDB.databases();
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const open = indexedDB.open(all.find((one) => /^satchel-[0-9a-f-]{36}$/.test(one.name ?? ''))?.name ?? '');
        open.onsuccess = () => resolve(open.result);
        open.onerror = () => reject(open.error);
      });
      await new Promise<void>((resolve, reject) => {
        const transaction = database.transaction(name, 'readwrite');
        transaction.objectStore(name).put(value);
        transaction.oncomplete = () => resolve();
        transaction.onerror = () => reject(transaction.error);
      });
      database.close();
    },
    [table, row] as const,
  );
}
