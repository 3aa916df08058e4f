/** Every limit of the product, unit last in its name. Client and server read the same file. */

/** Ceiling of a chunk, fixed by the protocol (the chunker aims far lower). */
export const CHUNK_BYTES_MAX = 4 * 1024 * 1024;
/** Chunker: no boundary before this many bytes. */
export const CHUNK_BYTES_MIN = 64 * 1024;
/** Chunker: expected distance of boundaries. */
export const CHUNK_BYTES_AVERAGE = 256 * 1024;
/** Chunker: a boundary is forced here; WebCrypto's SHA-256 slows down by half above it. */
export const CHUNK_BYTES_FORCED = 896 * 1024;

/** A pack is closed once its payload reaches this. */
export const PACK_BYTES_TARGET = 16 * 1024 * 1024;
/** The server refuses larger packs: header + payload. */
export const PACK_BYTES_MAX = 24 * 1024 * 1024;
/** Chunks in one pack at most (keeps the header under 128 KiB). */
export const PACK_CHUNKS_MAX = 2048;
/** Packs a device keeps in flight. */
export const PACKS_IN_FLIGHT_MAX = 4;

/** Operations in one commit. */
export const COMMIT_OPERATIONS_MAX = 1000;
/** Bytes of one JSON request body: the manifest of a file of FILE_BYTES_MAX, at about 90 bytes a chunk, fits in. */
export const REQUEST_BYTES_MAX = 32 * 1024 * 1024;
/** Chunk ids asked about in one `missing` request. */
export const MISSING_CHUNKS_MAX = 8192;
/** Journal changes in one page of a pull (a page always holds at least one whole commit). */
export const JOURNAL_CHANGES_PER_PAGE = 5000;

/** UTF-8 bytes of one name. */
export const NAME_BYTES_MAX = 240;
/** Folders above an entry. */
export const DEPTH_MAX = 256;
/** Bytes of one file: 64 GiB, some 262,000 chunks. */
export const FILE_BYTES_MAX = 64 * 2 ** 30;
/** Entries one selection may hold in a ZIP download or delete. */
export const SELECTION_ENTRIES_MAX = 10_000;

export const PASSWORD_CHARACTERS_MIN = 10;
export const PASSWORD_CHARACTERS_MAX = 256;
export const DEVICE_NAME_CHARACTERS_MAX = 80;
export const USER_NAME_CHARACTERS_MAX = 80;

/** A sign-in lasts this long without use. */
export const SESSION_IDLE_DAYS_MAX = 60;
/** Half-uploaded packs are forgotten after this long without a byte. */
export const PACK_UPLOAD_IDLE_HOURS_MAX = 72;
/** The service worker drains the queue this long at a time; browsers end it after some 189 s. */
export const DRAIN_MILLISECONDS_MAX = 150_000;

/** A text file up to this size, on every side, is merged line by line; larger ones are kept both. */
export const MERGE_BYTES_MAX = 4 * 2 ** 20;
/** Comparisons of lines one merge may need: about a second of work. Files of many equal lines need their square. */
export const MERGE_COMPARISONS_MAX = 20_000_000;

/** So many deletions at once are never asked about … */
export const MASS_DELETION_ENTRIES_MIN = 50;
/** … nor is this share of a namespace's live entries, whichever is more. */
export const MASS_DELETION_SHARE_MIN = 0.25;
