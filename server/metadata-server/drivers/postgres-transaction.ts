import type { Pool, PoolClient } from 'pg';

/** Classes and codes of PostgreSQL, and codes of the socket, that mean: it is not there right now, the same request may succeed later. */
const GONE_CODES = /^(08...|57P0[1-3]|53300|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|P1001|P1002|P1008|P1017)$/;
const GONE_MESSAGES =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect)/;

/** True when `error` says that the database cannot be reached at the moment (stopped, restarting, connection cut), and not that a statement was wrong. */
export function isDatabaseGone(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, message, cause, errors, meta } = error as Record<string, unknown>;
  if (typeof code === 'string' && GONE_CODES.test(code)) return true;
  if (typeof message === 'string' && GONE_MESSAGES.test(message)) return true;
  // AggregateError of several addresses; Prisma keeps the driver's error in `meta`.
  if (Array.isArray(errors) && errors.some(isDatabaseGone)) return true;
  return isDatabaseGone(cause) || isDatabaseGone((meta as Record<string, unknown> | undefined)?.driverAdapterError);
}

/**
 * Note “one lookup a row”: a connection keeps the plan it made while the tables were small or not yet analysed, and a plan that reads
 * a whole namespace for each commit would stay. So statements that look rows up by lists of keys say it row by row
 * (`unnest … CROSS JOIN LATERAL (… LIMIT 1)`, which the planner may not turn round), and reading whole tables is off.
 * `synchronous_commit`: what was answered as accepted survives a power cut.
 */
const BEGIN = 'BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL synchronous_commit = on';

const heard = new WeakSet<Pool>();
const ignore = (): void => undefined;

/**
 * A connection that breaks between two statements, or while it is being thrown away, tells so by an event of the connection, and one that
 * breaks while idle by an event of the pool; unheard, either ends the process. The next statement fails by itself, so nothing is lost by
 * not listening. Once per pool is enough, and has to come before its first use.
 */
export function surviveLostConnections(pool: Pool): void {
  if (heard.has(pool)) return;
  heard.add(pool);
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
}

/** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken = true;
  try {
    await client.query(BEGIN);
    const result = await work(client);
    await client.query('COMMIT');
    broken = false;
    return result;
  } catch (error) {
    if (!isDatabaseGone(error)) {
      broken = await client.query('ROLLBACK').then(
        () => false,
        () => true,
      );
    }
    throw error;
  } finally {
    client.release(broken);
  }
}
