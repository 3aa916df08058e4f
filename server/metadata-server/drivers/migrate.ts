import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';

/** Any number that nothing else in this database uses: two servers that start at once migrate one after the other. */
const MIGRATION_LOCK = 7_265_001;

/** The history table as Prisma's own CLI makes it, so that either can go on where the other stopped. */
const HISTORY = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id                  VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum            VARCHAR(64) NOT NULL,
  finished_at         TIMESTAMPTZ,
  migration_name      VARCHAR(255) NOT NULL,
  logs                TEXT,
  rolled_back_at      TIMESTAMPTZ,
  started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`;

/** The database and the migration files do not belong together. */
export class MigrationRefused extends Error {
  override name = 'MigrationRefused';
}

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const folders = (await readdir(folder, { withFileTypes: true })).filter((item) => item.isDirectory()).map((item) => item.name);
  return Promise.all(
    folders.sort().map(async (name) => {
      const sql = await readFile(join(folder, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function applyOne(client: Client, migration: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(migration.sql);
    await client.query(
      'INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count) VALUES ($1, $2, $3, now(), clock_timestamp(), 1)',
      [randomUUID(), migration.checksum, migration.name],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw new MigrationRefused(`Migration ${migration.name} could not be applied: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Brings the database at `url` to the newest migration in `folder`; each file in a transaction of its own. Answers the names applied now.
 * Throws `MigrationRefused` when an applied file was changed afterwards, when the database is newer than the files, or when one fails
 * (which then leaves no trace).
 */
export async function migrate(url: string, folder = join(process.cwd(), 'prisma', 'migrations')): Promise<readonly string[]> {
  const migrations = await readMigrations(folder);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await client.query(HISTORY);
    const history = await client.query<{ migration_name: string; checksum: string; finished_at: Date | null }>(
      'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
    );
    const applied = new Map(history.rows.map((row) => [row.migration_name, row]));
    for (const row of history.rows) {
      const file = migrations.find((migration) => migration.name === row.migration_name);
      if (!file) throw new MigrationRefused(`The database was made by a newer version: it knows the migration ${row.migration_name}.`);
      if (file.checksum !== row.checksum)
        throw new MigrationRefused(`The migration ${row.migration_name} was changed after it was applied.`);
      if (!row.finished_at) throw new MigrationRefused(`The migration ${row.migration_name} was begun by another tool and never finished.`);
    }
    const wanted = migrations.filter((migration) => !applied.has(migration.name));
    for (const migration of wanted) await applyOne(client, migration);
    return wanted.map((migration) => migration.name);
  } finally {
    // Closing the connection gives the lock back.
    await client.end();
  }
}
