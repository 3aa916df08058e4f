import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPostgresChunkIndex } from '@/server/metadata-server/drivers/postgres-chunk-index';
import { createPostgresMetadataStore } from '@/server/metadata-server/drivers/postgres-metadata-store';
import { metadataStoreContract } from '../contracts/metadata-store-contract';
import { createFile, Person } from '../contracts/metadata-store-fixture';
import { type FreshDatabase, freshDatabase } from '../support/postgres';

let database: FreshDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await freshDatabase();
  pool = new Pool({ connectionString: database.url, max: 10 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});
const stores = () => ({ metadata: createPostgresMetadataStore(pool), index: createPostgresChunkIndex(pool) });

metadataStoreContract('PostgreSQL', async () => stores());

describe('metadata store over PostgreSQL', () => {
  test('remembers how far a device has read', async () => {
    const me = await Person.make(stores());
    const { cursor } = await me.accepted(createFile('a', me.root));
    const read = async () => {
      const { rows } = await pool.query('SELECT seq::int AS seq FROM device_cursor WHERE device_id = $1', [me.deviceId]);
      return rows.map((row) => row.seq);
    };
    await me.page(null);
    expect(await read()).toEqual([0]);
    await me.page(cursor);
    expect(await read()).toEqual([1]);
  });
});
