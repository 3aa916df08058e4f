import { Dexie } from 'dexie';
import mime from 'mime/lite';
import { isUuid, type UserId } from '../../model/ids';
import { decodeManifest } from '../../model/manifest';
import { contentAddress, ROUTES } from '../../protocol/routes';
import { type EntryRow, OFFLINE_CACHE, SatchelDatabase } from './database';
import { MEMORY_SEGMENT, OpfsStaging } from './opfs-staging';
import { partsOf } from './staged-rows';
import { accountsInTabs } from './web-lock-engine-lease';

/** What an address of `contentAddress` names. */
export interface ContentName {
  readonly namespaceId: string;
  readonly entryId: string;
  readonly contentRevision: number;
  readonly download: boolean;
}

/** A file's bytes as this device has them, with the headers they are to be served under (length and range left out). */
export interface LocalContent {
  readonly body: Blob;
  readonly headers: Headers;
}

/** As the server's, see `server/http/content-type.ts`: nothing a person uploaded ever runs as our origin. */
const CONTENT_POLICY =
  "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/** Reads an address of file content; null for every other address. */
export function readContentName(url: URL): ContentName | null {
  // Whoever merges wants the server's bytes of just that revision, never what waits on this device in its place.
  if (url.searchParams.get('exact') === '1') return null;
  if (!url.pathname.startsWith(`${ROUTES.files}/`)) return null;
  const [namespaceId = '', entryId = '', revision = '', last] = url.pathname.slice(ROUTES.files.length + 1).split('/');
  if (last !== 'content' || !isUuid(namespaceId) || !isUuid(entryId) || !/^[0-9]{1,15}$/.test(revision)) return null;
  return { namespaceId, entryId, contentRevision: Number(revision), download: url.searchParams.get('download') === '1' };
}

/**
 * The bytes this device has for `name`: kept for offline use, or staged and not sent yet. null when it has none. Asks only the
 * accounts that are open in a tab right now: what somebody else left on this browser is nobody's business.
 */
export async function findLocalContent(name: ContentName): Promise<LocalContent | null> {
  for (const userId of await openAccounts()) {
    const database = new SatchelDatabase(userId);
    try {
      const found = await readLocalContent(database, userId, await sourceOf(database, name));
      if (found !== null) return found;
    } finally {
      database.close();
    }
  }
  return null;
}

/** As `findLocalContent`, in an account's database that is open already. */
export async function readLocalContent(database: SatchelDatabase, userId: UserId, name: ContentName): Promise<LocalContent | null> {
  return (await staged(database, userId, name)) ?? (await cached(database, name));
}

/** How many copies of copies are followed. */
const COPIES_MAX = 16;

/**
 * Where the bytes of `name` are to be had. A file that was given another revision's bytes has them under that revision's name until the
 * server has made the copy; every other name stands for itself.
 */
export async function sourceOf(database: SatchelDatabase, name: ContentName): Promise<ContentName> {
  let source = name;
  for (let step = 0; step < COPIES_MAX; step++) {
    const row = await database.entries.get(source.entryId as EntryRow['id']);
    const asked = row !== undefined && row.contentRevision === source.contentRevision;
    if (!asked || row.transferId !== undefined || row.remote === undefined || row.remote?.digest === row.digest) return source;
    const copy = (await database.requests.orderBy(':id').reverse().toArray())
      .flatMap(({ operations }) => operations.toReversed())
      .find((operation) => operation.entryId === row.id && 'content' in operation && operation.digest === row.digest);
    if (copy === undefined || !('content' in copy) || copy.content.from !== 'copy') return source;
    const { entryId, contentRevision } = copy.content;
    // A file that goes back to its own earlier revision is named by that revision from here on.
    if (entryId === source.entryId) return { ...source, contentRevision };
    source = { ...source, entryId, contentRevision };
  }
  return source;
}

/** As `sourceOf`, for the accounts that are open in a tab right now. */
export async function findSource(name: ContentName): Promise<ContentName> {
  for (const userId of await openAccounts()) {
    const database = new SatchelDatabase(userId);
    try {
      const source = await sourceOf(database, name);
      if (source !== name) return source;
    } finally {
      database.close();
    }
  }
  return name;
}

/** Every open tab's worker holds its account's lease or waits for it. */
async function openAccounts(): Promise<readonly UserId[]> {
  const known = new Set(await Dexie.getDatabaseNames());
  return (await accountsInTabs()).filter((userId) => known.has(`satchel-${userId}`)) as UserId[];
}

async function cached(database: SatchelDatabase, name: ContentName): Promise<LocalContent | null> {
  const row = await database.offline.get(name.entryId as EntryRow['id']);
  if (row?.state !== 'present' || row.contentRevision !== name.contentRevision || row.namespaceId !== name.namespaceId) return null;
  const response = await (await caches.open(OFFLINE_CACHE)).match(contentAddress(name));
  if (response === undefined) return null;
  const headers = new Headers(response.headers);
  headers.delete('content-length');
  const disposition = headers.get('content-disposition') ?? 'inline';
  if (name.download) headers.set('content-disposition', disposition.replace(/^inline/, 'attachment'));
  return { body: await response.blob(), headers };
}

async function staged(database: SatchelDatabase, userId: UserId, name: ContentName): Promise<LocalContent | null> {
  const entry = await database.entries.get(name.entryId as EntryRow['id']);
  if (entry?.transferId === undefined || entry.contentRevision !== name.contentRevision || entry.namespaceId !== name.namespaceId)
    return null;
  const transfer = await database.transfers.get(entry.transferId);
  if (transfer === undefined) return null;
  const rows = (await partsOf(database.staged, [transfer])).get(transfer.id) ?? [];
  const staging = await OpfsStaging.openToRead(userId);
  const parts: Blob[] = [];
  for (const row of rows) {
    const file = row.segment.startsWith(MEMORY_SEGMENT) ? null : await staging.blob(row.segment);
    if (file === null) return null;
    const bytes = decodeManifest(row.chunks).reduce((sum, chunk) => sum + chunk.size, 0);
    parts.push(file.slice(row.offset, row.offset + bytes));
  }
  const body = new Blob(parts);
  return body.size === entry.size ? { body, headers: headersOf(entry, name.download) } : null;
}

/** Pictures, sound and video keep their types, text is plain text, the rest is bytes to be saved. */
function headersOf(entry: EntryRow, download: boolean): Headers {
  const guess = mime.getType(entry.name) ?? 'application/octet-stream';
  const media = /^(image|audio|video)\//.test(guess);
  const text = /^text\/|^application\/(json|xml|javascript)$|[+](json|xml)$/.test(guess) && !media;
  const disposition = download || !(media || text) ? 'attachment' : 'inline';
  return new Headers({
    'content-type': media ? guess : text ? 'text/plain; charset=utf-8' : 'application/octet-stream',
    'content-disposition': `${disposition}; filename*=UTF-8''${encodeURIComponent(entry.name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)}`,
    'content-security-policy': CONTENT_POLICY,
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
    ...(entry.digest === null ? {} : { etag: `"${entry.digest}"` }),
  });
}
