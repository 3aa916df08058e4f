import { prepareTemplate, startTestPostgres, TEST_POSTGRES_URL } from './postgres';

/** vitest `globalSetup`: one PostgreSQL for the whole run, stopped and removed at its end. */
export async function setup(): Promise<() => Promise<void>> {
  const postgres = await startTestPostgres();
  await prepareTemplate(postgres.url);
  process.env[TEST_POSTGRES_URL] = postgres.url;
  return async () => {
    await postgres.stop('SIGINT');
    postgres.remove();
  };
}
