import { randomUUID } from 'node:crypto';
import { Client, Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RequestId } from '@/lib/sync/model/ids';
import type { CommitReply } from '@/lib/sync/protocol/commit';
import { createPostgresChunkIndex } from '@/server/metadata-server/drivers/postgres-chunk-index';
import { createPostgresMetadataStore } from '@/server/metadata-server/drivers/postgres-metadata-store';
import { isDatabaseGone } from '@/server/metadata-server/drivers/postgres-transaction';
import { createFolder, Person } from '../contracts/metadata-store-fixture';
import { migratedUrl, startTestPostgres, type TestPostgres } from '../support/postgres';

describe('PostgreSQL going away', () => {
  let postgres: TestPostgres;
  let pool: Pool;
  let me: Person;
  beforeAll(async () => {
    postgres = await startTestPostgres();
    pool = new Pool({ connectionString: await migratedUrl(postgres.url), max: 5 });
    me = await Person.make({ metadata: createPostgresMetadataStore(pool), index: createPostgresChunkIndex(pool) });
  });
  afterAll(async () => {
    await pool.end();
    await postgres.stop();
    postgres.remove();
  });

  /** Asks with the same request until the database answers, as a device does. */
  async function insist(name: string, requestId: RequestId, meanwhile: (error: unknown) => void): Promise<CommitReply> {
    const operations = [createFolder(name, me.root)];
    for (;;) {
      try {
        return await me.commit(operations, requestId);
      } catch (error) {
        meanwhile(error);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  test('connections that are cut in the middle of commits cost nothing', async () => {
    const assassin = new Client({ connectionString: postgres.url });
    await assassin.connect();
    const cut = () =>
      assassin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = $1', [
        'client backend',
      ]);
    const failures: unknown[] = [];
    const before = (await me.journal()).length;
    const commits = Array.from({ length: 60 }, (_, n) => insist(`cut ${n}`, randomUUID() as RequestId, (error) => failures.push(error)));
    for (let n = 0; n < 10; n++) {
      await cut();
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    await Promise.all(commits);
    await assassin.end();
    expect(failures.filter((error) => !isDatabaseGone(error))).toEqual([]);
    const journal = (await me.journal()).slice(before);
    expect(journal.map((commit) => commit.seq)).toEqual(Array.from({ length: 60 }, (_, n) => before + n + 1));
  });

  test('stopped and started again: refused meanwhile, then every request applied exactly once', async () => {
    const requests = Array.from({ length: 30 }, () => randomUUID() as RequestId);
    const failures: unknown[] = [];
    const before = (await me.journal()).length;
    const commits = requests.map(async (requestId, n) => {
      await new Promise((resolve) => setTimeout(resolve, n * 10));
      return insist(`stop ${n}`, requestId, (error) => failures.push(error));
    });
    await new Promise((resolve) => setTimeout(resolve, 60));
    await postgres.stop('SIGQUIT');
    await expect(me.journal()).rejects.toSatisfy(isDatabaseGone);
    postgres = await startTestPostgres({ dataDir: postgres.dataDir, port: postgres.port });
    const replies = await Promise.all(commits);
    expect(failures.length).toBeGreaterThan(0);
    expect(failures.filter((error) => !isDatabaseGone(error))).toEqual([]);
    const journal = (await me.journal()).slice(before);
    expect(journal.map((commit) => commit.seq)).toEqual(requests.map((_, n) => before + n + 1));
    expect(new Set(journal.map((commit) => commit.requestId))).toEqual(new Set(requests));
    for (const reply of replies)
      expect(reply).toMatchObject({ ok: true, changes: journal[('seq' in reply ? reply.seq : 0) - 1 - before]?.changes });
  });

  test('a wrong statement is not an absent database', async () => {
    const error = await pool.query('SELECT nonsense').catch((caught: unknown) => caught);
    expect(isDatabaseGone(error)).toBe(false);
    expect(isDatabaseGone(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))).toBe(true);
    expect(isDatabaseGone(new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })]))).toBe(true);
  });
});
