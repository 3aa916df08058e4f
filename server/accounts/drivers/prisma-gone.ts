/** Kinds of the driver adapter's errors that mean: the database is not there right now, the same request may succeed later. */
const GONE_KINDS: ReadonlySet<unknown> = new Set(['DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections']);

/** True when Prisma says of `error` that the database could not be reached; it wraps what `pg` says, and hides the code. */
export function isPrismaGone(error: unknown): boolean {
  const { meta, cause } = (typeof error === 'object' && error !== null ? error : {}) as {
    meta?: { driverAdapterError?: unknown };
    cause?: { kind?: unknown };
  };
  return GONE_KINDS.has(cause?.kind) || (meta?.driverAdapterError !== undefined && isPrismaGone(meta.driverAdapterError));
}
