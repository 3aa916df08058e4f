import type { ErrorCode } from '@/lib/sync/protocol/error-codes';

/** Thrown by handlers; the router turns it into `{ error: { code, message, detail } }` with the code's status. */
export class ApiError extends Error {
  override name = 'ApiError';
  constructor(
    readonly code: ErrorCode,
    /** Goes to the client: never a path, token or another person's data. Absent: the code's sentence. */
    message?: string,
    readonly detail?: Readonly<Record<string, unknown>>,
  ) {
    super(message ?? code);
  }
}
