import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { create } from 'content-disposition';
import { ZipFile } from 'yazl';
import { z } from 'zod';
import type { EntryId, NamespaceId } from '@/lib/sync/model/ids';
import { SELECTION_ENTRIES_MAX } from '@/lib/sync/model/limits';
import { checkName } from '@/lib/sync/model/names';
import { uuidOf } from '@/lib/sync/protocol/commit';
import type { Identity } from '../accounts/identity';
import type { BlockLog } from '../block-server/block-log';
import type { ContentReader } from '../block-server/content-reader';
import { readContent } from '../block-server/content-reader';
import type { FileRevision, MetadataStore } from '../metadata-server/metadata-store';
import { ApiError } from './api-error';
import { logBroken } from './downloads';
import type { RequestContext } from './route';
import type { ZipMember } from './zip-members';
import { ZipMembers } from './zip-members';

const formSchema = z.object({
  namespaceId: z.tuple([uuidOf<NamespaceId>()]),
  entryId: z.array(uuidOf<EntryId>()).min(1).max(SELECTION_ENTRIES_MAX),
  name: z.tuple([z.string().max(1024)]),
});

/** Manifests are asked for together for this many files, as long as they stay small. */
const BATCH_FILES = 64;
const BATCH_BYTES = 256 * 1024 * 1024;

export interface ZipOptions {
  readonly metadata: Pick<MetadataStore, 'roleOf' | 'revisions' | 'walk'>;
  readonly content: ContentReader;
  readonly log: BlockLog;
}

/** Answers a form post with the selection as a ZIP. Throws ApiError `not_found` or `too_large` before the first byte; later trouble breaks the connection. */
export async function downloadZip(
  options: ZipOptions,
  { response, identity }: RequestContext<Identity>,
  body: unknown,
): Promise<undefined> {
  const form = formSchema.safeParse(body);
  if (!form.success) throw new ApiError('bad_request');
  const [namespaceId] = form.data.namespaceId;
  if ((await options.metadata.roleOf(identity.userId, namespaceId)) === null) throw new ApiError('not_found');
  const members = new ZipMembers();
  for await (const batch of options.metadata.walk(namespaceId, form.data.entryId)) {
    for (const { entry } of batch) members.add(entry);
    if (members.size > SELECTION_ENTRIES_MAX) throw new ApiError('too_large', undefined, { entriesMax: SELECTION_ENTRIES_MAX });
  }
  if (members.size === 0) throw new ApiError('not_found');

  response.statusCode = 200;
  response.setHeader('Content-Type', 'application/zip');
  response.setHeader('Content-Disposition', create(zipName(form.data.name[0])));
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  const open = contentsOf(options, namespaceId, members.files());
  await sendZip({ response, members, open, log: options.log });
}

function zipName(asked: string): string {
  const name = checkName(asked.replace(/(\.zip)?$/i, '.zip'));
  return name.ok ? name.name : 'download.zip';
}

export interface ZipSending {
  readonly response: ServerResponse;
  readonly members: ZipMembers;
  /** The bytes of one file; called once for each, in order, when its turn comes. */
  readonly open: (file: ZipMember) => Promise<AsyncIterable<Uint8Array>>;
  readonly log: BlockLog;
}

/**
 * Streams members as a ZIP (ZIP64 where sizes or counts ask for it), one file open at a time, at the client's pace.
 *
 * Nothing is compressed: most bytes people keep are compressed already, deflate would hold a download to some 50 MB/s of
 * a whole core, and only stored members let the total be known before, so that browsers can show progress.
 */
export async function sendZip({ response, members, open, log }: ZipSending): Promise<void> {
  const zip = new ZipFile();
  /** The one being read now. */
  const sources: Readable[] = [];
  const fail = (error: unknown) => {
    // The client going away is no fault of the content.
    if (!response.destroyed) logBroken(log, 'zip_broken', error);
    response.destroy();
  };
  zip.on('error', fail);
  // Folders first, while nothing is being pumped: yazl recurses once for each folder that queues behind a file.
  for (const [at, { path, mtime }] of members.folders().entries()) {
    zip.addEmptyDirectory(path, { mtime: zipDate(mtime) });
    // Each call looks through all before it; other requests get their turn in between.
    if (at % 200 === 199) await new Promise(setImmediate);
  }
  if (response.destroyed) return;
  for (const file of members.files()) {
    zip.addReadStreamLazy(file.path, { size: file.size, mtime: zipDate(file.mtime), compress: false }, (give) => {
      open(file).then((bytes) => {
        const source = Readable.from(bytes, { objectMode: false });
        sources[0] = source;
        source.on('error', fail);
        if (response.destroyed) source.destroy();
        else give(null, source);
      }, fail);
    });
  }
  // The types leave out the callback's argument; it is -1 when the size is not known.
  const withTotal = (total: number) => {
    if (total >= 0 && !response.headersSent) response.setHeader('Content-Length', total);
  };
  const closed = new Promise<void>((resolve) => response.on('close', resolve));
  zip.end({ forceZip64Format: directoryBytesMax(members) >= 0xffff, comment: '' }, withTotal as () => void);
  zip.outputStream.pipe(response);
  await closed;
  sources[0]?.destroy();
}

/**
 * At most this many bytes of central directory. From 64 KiB on, yazl 3.3.1 announces a ZIP64 end record that it then does
 * not write, so the length would be wrong and the download never end; asked for in so many words, it does both.
 */
function directoryBytesMax(members: ZipMembers): number {
  const record = 46 + 9 + 28;
  return [...members.folders(), ...members.files()].reduce((sum, { path }) => sum + record + Buffer.byteLength(path) + 1, 0);
}

/** The formats' years: DOS times begin in 1980, and the seconds beside them must not be negative. */
function zipDate(mtime: number): Date {
  return new Date(Math.min(Math.max(mtime, 0), Date.UTC(2107, 11, 31)));
}

function contentsOf({ metadata, content }: ZipOptions, namespaceId: NamespaceId, files: readonly ZipMember[]): ZipSending['open'] {
  let revisions = new Map<string, FileRevision>();
  let next = 0;
  return async (file) => {
    if (!revisions.has(file.entryId)) {
      const batch: ZipMember[] = [];
      let bytes = 0;
      while (next < files.length && batch.length < BATCH_FILES && (batch.length === 0 || bytes < BATCH_BYTES)) {
        const member = files[next++] as ZipMember;
        bytes += member.size;
        batch.push(member);
      }
      revisions = new Map((await metadata.revisions(namespaceId, batch)).map((revision) => [revision.entry.id, revision]));
    }
    const revision = revisions.get(file.entryId);
    if (revision === undefined) throw new Error(`entry ${file.entryId} has no revision ${file.contentRevision}`);
    revisions.delete(file.entryId);
    return readContent(content, revision.manifest, 0, file.size);
  };
}
