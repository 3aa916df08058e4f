import type { ChunkId } from '@/lib/sync/model/ids';
import type { ChunkRef, Manifest } from '@/lib/sync/model/manifest';
import type { ChunkIndex, ChunkPlace } from './chunk-index';
import type { ChunkStore } from './chunk-store';

/** Adjacent chunks of one pack are read together up to this many bytes. */
const READ_BYTES_TARGET = 1024 * 1024;
/** Places are asked for this many chunks at a time, so that a huge manifest costs no more memory than a small one. */
const LOCATE_CHUNKS = 512;

/** A chunk of the manifest is gone, or its bytes are not what its name says. The reader must not be given a shorter file instead. */
export class ContentBroken extends Error {
  override name = 'ContentBroken';
  constructor(
    readonly chunkId: ChunkId,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`chunk ${chunkId}: ${problem}`, options);
  }
}

export interface ContentReader {
  readonly index: Pick<ChunkIndex, 'locate'>;
  readonly store: Pick<ChunkStore, 'read'>;
  /** SHA-256 as 64 hexadecimal digits, off the main thread. */
  readonly sha256: (bytes: Uint8Array) => Promise<string>;
}

/** Chunks that lie one behind the other in one pack. */
interface Run {
  readonly packId: string;
  readonly offset: number;
  length: number;
  readonly chunks: { readonly id: ChunkId; readonly at: number; readonly size: number }[];
  /** Bytes of the first and the last chunk that were not asked for. */
  readonly skip: number;
  drop: number;
}

/**
 * Bytes [start, end) of a manifest, in order, a few hundred KiB at a time, one read ahead of the consumer and no more.
 * Whole chunks are read and their digests verified before a byte of them is given out: what leaves is right or does not leave.
 * Throws ContentBroken.
 */
export async function* readContent(
  reader: ContentReader,
  manifest: Manifest,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let ahead: Promise<Uint8Array> | null = null;
  for await (const run of runsOf(reader, manifest, start, end)) {
    const next = readRun(reader, run);
    // The consumer may leave before it is awaited; that must not end the process.
    next.catch(() => undefined);
    if (ahead !== null) yield await ahead;
    ahead = next;
  }
  if (ahead !== null) yield await ahead;
}

async function* runsOf(reader: ContentReader, manifest: Manifest, start: number, end: number): AsyncGenerator<Run, void, undefined> {
  let position = 0;
  let window: { chunk: ChunkRef; skip: number; drop: number }[] = [];
  for (const chunk of manifest) {
    const chunkStart = position;
    position += chunk.size;
    if (position <= start) continue;
    if (chunkStart >= end) break;
    window.push({ chunk, skip: Math.max(0, start - chunkStart), drop: Math.max(0, position - end) });
    if (window.length === LOCATE_CHUNKS) {
      yield* joined(await located(reader, window));
      window = [];
    }
  }
  yield* joined(await located(reader, window));
}

interface Located {
  readonly place: ChunkPlace;
  readonly skip: number;
  readonly drop: number;
}

async function located(
  reader: ContentReader,
  window: readonly { chunk: ChunkRef; skip: number; drop: number }[],
): Promise<readonly Located[]> {
  if (window.length === 0) return [];
  const places = new Map((await reader.index.locate([...new Set(window.map(({ chunk }) => chunk.id))])).map((place) => [place.id, place]));
  return window.map(({ chunk, skip, drop }) => {
    const place = places.get(chunk.id);
    if (place === undefined) throw new ContentBroken(chunk.id, 'it has no place');
    // Only raw payloads exist so far; anything else would be sent as if it were the content.
    if (place.size !== chunk.size || place.stored !== place.size || place.encoding !== 0)
      throw new ContentBroken(chunk.id, 'its record differs from the manifest');
    return { place, skip, drop };
  });
}

function* joined(chunks: readonly Located[]): Generator<Run, void, undefined> {
  let run: Run | null = null;
  for (const { place, skip, drop } of chunks) {
    if (
      run !== null &&
      run.packId === place.packId &&
      run.offset + run.length === place.offset &&
      run.length + place.stored <= READ_BYTES_TARGET
    ) {
      run.chunks.push({ id: place.id, at: run.length, size: place.size });
      run.length += place.stored;
      run.drop = drop;
      continue;
    }
    if (run !== null) yield run;
    run = {
      packId: place.packId,
      offset: place.offset,
      length: place.stored,
      chunks: [{ id: place.id, at: 0, size: place.size }],
      skip,
      drop,
    };
  }
  if (run !== null) yield run;
}

async function readRun({ store, sha256 }: ContentReader, run: Run): Promise<Uint8Array> {
  const first = run.chunks[0] as Run['chunks'][number];
  const bytes = await store.read(run.packId, run.offset, run.length).catch((cause: unknown) => {
    throw new ContentBroken(first.id, `pack ${run.packId} cannot be read`, { cause });
  });
  if (bytes.length !== run.length) throw new ContentBroken(first.id, `pack ${run.packId} gave ${bytes.length} bytes of ${run.length}`);
  await Promise.all(
    run.chunks.map(async ({ id, at, size }) => {
      if ((await sha256(bytes.subarray(at, at + size))) !== id) throw new ContentBroken(id, `its bytes in pack ${run.packId} are damaged`);
    }),
  );
  return bytes.subarray(run.skip, run.length - run.drop);
}
