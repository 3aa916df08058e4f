/**
 * Every error a client can meet, by a stable code, with the HTTP status it travels under and the sentence the page shows.
 * The wire form is `{ "error": { "code", "message", "detail"? } }`.
 */
export const ERRORS = {
  bad_request: { status: 400, sentence: 'The request could not be understood.' },
  bad_name: { status: 400, sentence: 'That name cannot be used.' },
  bad_pack: { status: 400, sentence: 'The uploaded data does not have the right form; it will be sent again.' },
  chunk_mismatch: { status: 400, sentence: 'The uploaded data was damaged on the way; it will be sent again.' },
  not_signed_in: { status: 401, sentence: 'Please sign in again.' },
  wrong_credentials: { status: 401, sentence: 'The e-mail address or the password is wrong.' },
  device_revoked: { status: 401, sentence: 'This device was signed out from another device.' },
  foreign_origin: { status: 403, sentence: 'The request came from another site and was refused.' },
  sign_up_closed: { status: 403, sentence: 'Signing up is closed here. Ask the administrator for an account.' },
  not_allowed: { status: 403, sentence: 'You do not have the right to do this.' },
  not_found: { status: 404, sentence: 'This does not exist, or you have no access to it.' },
  email_taken: { status: 409, sentence: 'There is already an account with this e-mail address.' },
  name_taken: { status: 409, sentence: 'Something with this name is already there.' },
  entry_exists: { status: 409, sentence: 'This entry exists already.' },
  entry_deleted: { status: 409, sentence: 'This was deleted in the meantime.' },
  parent_missing: { status: 409, sentence: 'The folder it belongs in is no longer there.' },
  not_a_folder: { status: 409, sentence: 'Only folders can hold other entries.' },
  not_a_file: { status: 409, sentence: 'Only files have content.' },
  would_cycle: { status: 409, sentence: 'A folder cannot be moved into itself.' },
  too_deep: { status: 409, sentence: 'Folders are nested too deeply there.' },
  stale_base: { status: 409, sentence: 'This was changed on another device in the meantime.' },
  chunk_missing: { status: 409, sentence: 'Some of the file’s content has not arrived yet; it will be sent.' },
  digest_mismatch: { status: 409, sentence: 'The file’s content does not match its checksum; it will be sent again.' },
  cursor_unknown: { status: 409, sentence: 'This device has to read the list of files anew.' },
  too_large: { status: 413, sentence: 'This is too large.' },
  range_not_satisfiable: { status: 416, sentence: 'That part of the file does not exist.' },
  too_many_requests: { status: 429, sentence: 'Too many attempts. Please wait a moment.' },
  internal: { status: 500, sentence: 'Something went wrong on the server. Nothing was lost; it will be tried again.' },
  unavailable: { status: 503, sentence: 'The server is not ready at the moment; it will be tried again.' },
  insufficient_storage: {
    status: 507,
    sentence: 'The server’s disk is full. Your files are safe on this device and will be sent when there is room.',
  },
} as const satisfies Record<string, { status: number; sentence: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** Codes after which the same request may succeed later without anybody changing it. */
export const RETRY_LATER: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'too_many_requests',
  'internal',
  'unavailable',
  'insufficient_storage',
]);

/** Codes that end the sign-in on this device. */
export const SIGNED_OUT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['not_signed_in', 'device_revoked']);

/** True when `code` is one of ours; answers of foreign servers in between carry others. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}

/** The body of every answer that is not a success. */
export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly detail?: Readonly<Record<string, unknown>> };
}
