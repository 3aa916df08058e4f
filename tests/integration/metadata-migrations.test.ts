import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MigrationRefused, migrate } from '@/server/metadata-server/drivers/migrate';
import { type FreshDatabase, freshDatabase } from '../support/postgres';

const MIGRATIONS = join(process.cwd(), 'prisma', 'migrations');
const SCHEMA = join(process.cwd(), 'prisma', 'schema.prisma');

/** What Prisma's schema language cannot say. */
const ONLY_IN_SQL = /^index .* entry_live_name_key /;

type Engine = typeof import('@prisma/schema-engine-wasm').SchemaEngine;

/** The package's own entry imports the .wasm file as a module, which Node does not do without a flag: the same by hand. */
async function loadSchemaEngine(): Promise<Engine> {
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'));
  const glue = (await import(/* @vite-ignore */ join(folder, 'schema_engine_bg.js'))) as WebAssembly.ModuleImports & {
    __wbg_set_wasm(exports: WebAssembly.Exports): void;
    SchemaEngine: Engine;
  };
  const { instance } = await WebAssembly.instantiate(await readFile(join(folder, 'schema_engine_bg.wasm')), {
    './schema_engine_bg.js': glue,
  });
  glue.__wbg_set_wasm(instance.exports);
  (instance.exports.__wbindgen_start as () => void)();
  return glue.SchemaEngine;
}

/** The SQL that makes a new database as schema.prisma says, written by Prisma's engine; it asks the server at `url` for its version only. */
async function schemaSql(url: string): Promise<string> {
  const Engine = await loadSchemaEngine();
  const files = [{ path: SCHEMA, content: await readFile(SCHEMA, 'utf8') }];
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPg({ connectionString: url }));
  const engine = await Engine.new({ datamodels: files.map((file) => [file.path, file.content]) }, () => undefined, adapter);
  const result = await engine.diff({
    from: { tag: 'empty' },
    to: { tag: 'schemaDatamodel', files },
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  });
  engine.free();
  return result.stdout ?? '';
}

/** Every column, index and constraint, as PostgreSQL itself writes them down. */
async function described(url: string): Promise<readonly string[]> {
  const rows = await query(
    url,
    `SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
            || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') AS line
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
      UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
                  FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'`,
  );
  return rows
    .map((row) => String(row.line))
    .filter((line) => !line.includes('_prisma_migrations'))
    .sort();
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('migrations', () => {
  let database: FreshDatabase;
  let folder: string;
  beforeEach(async () => {
    database = await freshDatabase();
    folder = await mkdtemp(join(tmpdir(), 'satchel-migrations-'));
    await cp(MIGRATIONS, folder, { recursive: true });
  });
  afterEach(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  async function add(name: string, sql: string): Promise<void> {
    await cp(join(folder, '0001_init'), join(folder, name), { recursive: true });
    await writeFile(join(folder, name, 'migration.sql'), sql);
  }

  test('make exactly what schema.prisma says', async () => {
    const fromSchema = await freshDatabase();
    await query(fromSchema.url, `DROP SCHEMA public CASCADE; CREATE SCHEMA public; ${await schemaSql(fromSchema.url)}`);
    const wanted = await described(fromSchema.url);
    await fromSchema.drop();
    expect(wanted.length).toBeGreaterThan(80);
    const made = await described(database.url);
    expect(made.filter((line) => !ONLY_IN_SQL.test(line))).toEqual(wanted);
    expect(made.filter((line) => ONLY_IN_SQL.test(line))).toHaveLength(1);
  });

  test('are applied once, also by two servers that start at the same time', async () => {
    await add('0002_more', 'CREATE TABLE more (id INT)');
    const applied = await Promise.all([migrate(database.url, folder), migrate(database.url, folder)]);
    expect(applied.flat()).toEqual(['0002_more']);
    expect(await migrate(database.url, folder)).toEqual([]);
  });

  test('that fail leave no trace', async () => {
    await add('0002_more', 'CREATE TABLE more (id INT); SELECT 1 / 0');
    await expect(migrate(database.url, folder)).rejects.toThrow(MigrationRefused);
    expect(await query(database.url, "SELECT to_regclass('more') AS more")).toEqual([{ more: null }]);
    expect(await query(database.url, 'SELECT migration_name FROM _prisma_migrations')).toEqual([{ migration_name: '0001_init' }]);
  });

  test('that were changed afterwards, or that only a newer version has, are refused', async () => {
    await writeFile(join(folder, '0001_init', 'migration.sql'), '-- another');
    await expect(migrate(database.url, folder)).rejects.toThrow('was changed after it was applied');
    await rm(join(folder, '0001_init'), { recursive: true });
    await expect(migrate(database.url, folder)).rejects.toThrow('newer version');
  });
});
