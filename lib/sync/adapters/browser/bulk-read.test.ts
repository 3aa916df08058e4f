import { randomUUID } from 'node:crypto';
import { Dexie, type Table } from 'dexie';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { expect, test } from 'vitest';
import { bulkRead } from './bulk-read';

class Rows extends Dexie {
  declare rows: Table<{ id: string; n: number }, string>;
}

test('rows come in the order in which they are asked for, dense or sparse, known or not', async () => {
  const database = new Rows(randomUUID(), { indexedDB: new IDBFactory(), IDBKeyRange }) as Rows;
  database.version(1).stores({ rows: 'id' });
  const id = (n: number): string => String(n).padStart(6, '0');
  await database.rows.bulkPut(Array.from({ length: 3000 }, (_, n) => ({ id: id(n * 2), n: n * 2 })));
  const wanted = [
    Array.from({ length: 100 }, (_, n) => 400 + n * 2),
    Array.from({ length: 100 }, (_, n) => 5998 - n * 60),
    Array.from({ length: 50 }, (_, n) => n * 3),
    [7, 4, 4],
    Array.from({ length: 20 }, () => 8),
    [],
  ];
  for (const list of wanted) {
    const rows = await bulkRead(database.rows, list.map(id));
    expect(rows.map((row) => row?.n)).toEqual(list.map((n) => (n % 2 === 0 && n < 6000 ? n : undefined)));
  }
});
