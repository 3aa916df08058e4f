import { Chunker } from '../../chunking/chunker';
import type { ChunkRef } from '../../model/manifest';
import type { Hasher } from '../../ports/hasher';

/** Two blocks of this many bytes are all the memory a file needs, however large it is. */
const BLOCK_BYTES = 4 * 1024 * 1024;

/** The bytes that came are not those that were promised. */
export class FileChanged extends Error {
  override name = 'FileChanged';
}

/** Whole chunks that follow each other in `bytes`; the buffer is used again once the next run is asked for. */
export interface HashedRun {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly chunks: readonly ChunkRef[];
}

/** Cuts and hashes bytes that are in memory as a whole. */
export async function chunksOf(bytes: Uint8Array<ArrayBuffer>, hasher: Hasher): Promise<ChunkRef[]> {
  const chunker = new Chunker();
  const ends = chunker.push(bytes);
  if (chunker.finish()) ends.push(bytes.length);
  return hashed(bytes, ends, hasher);
}

function hashed(bytes: Uint8Array<ArrayBuffer>, ends: readonly number[], hasher: Hasher): Promise<ChunkRef[]> {
  return Promise.all(
    ends.map(async (end, index) => {
      const chunk = bytes.subarray(ends[index - 1] ?? 0, end);
      return { id: await hasher.sha256(chunk), size: chunk.length };
    }),
  );
}

/**
 * Reads a file once, in order, and yields its chunks in runs. While one block is hashed (and used by the caller) the next one is
 * read. Throws what the file's stream throws. Constant memory.
 */
export async function* readChunks(file: Blob, hasher: Hasher): AsyncGenerator<HashedRun, void, void> {
  const source = new BlockReader(file);
  const chunker = new Chunker();
  try {
    let spare = new ArrayBuffer(BLOCK_BYTES);
    let carried = 0;
    let reading = source.fill(new ArrayBuffer(BLOCK_BYTES), 0);
    for (;;) {
      const block = await reading;
      const ends = chunker.push(block.bytes.subarray(carried)).map((end) => end + carried);
      if (block.last) {
        if (chunker.finish()) ends.push(block.bytes.length);
        yield { bytes: block.bytes, chunks: await hashed(block.bytes, ends, hasher) };
        return;
      }
      const whole = ends[ends.length - 1] ?? 0;
      carried = block.bytes.length - whole;
      new Uint8Array(spare).set(block.bytes.subarray(whole));
      reading = source.fill(spare, carried);
      // Handled when it is awaited; without this an early end would leave the rejection to nobody.
      reading.catch(() => undefined);
      yield { bytes: block.bytes.subarray(0, whole), chunks: await hashed(block.bytes, ends, hasher) };
      spare = block.bytes.buffer;
    }
  } finally {
    await source.cancel();
  }
}

/**
 * Reads small files behind each other as one stream: asking the browser for each of thousands costs more than the bytes. Returns the
 * bytes of each (views of `buffer`, which is taken over and must be larger than all together), or null when any of them is not
 * what it was when it was picked.
 */
export async function readTogether(files: readonly File[], buffer: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>[] | null> {
  const source = new BlockReader(new Blob([...files]));
  try {
    const { bytes, last } = await source.fill(buffer, 0);
    const total = files.reduce((sum, file) => sum + file.size, 0);
    if (!last || bytes.length !== total) return null;
    let at = 0;
    return files.map((file) => {
      at += file.size;
      return bytes.subarray(at - file.size, at);
    });
  } catch {
    return null; // Which one it was is found out by reading each by itself.
  } finally {
    await source.cancel();
  }
}

interface Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Nothing follows. */
  readonly last: boolean;
}

/**
 * Note “readers at work”: Chromium lets a Blob's stream, and with it everything that awaits a read, be collected as garbage while
 * the read is under way, when nothing else refers to it; the read then never ends. (Seen in one of some 700 reads.) So readers and
 * their Blobs are kept here until they are through.
 */
const atWork = new Set<BlockReader>();

/** Fills buffers from a Blob's stream: into ours where the browser can (BYOB: half again as fast, no garbage), else by copying. */
class BlockReader {
  private readonly byob: ReadableStreamBYOBReader | null;
  private readonly plain: ReadableStreamDefaultReader<Uint8Array> | null;
  private rest: Uint8Array | null = null;

  constructor(private readonly file: Blob) {
    atWork.add(this);
    const stream = this.file.stream();
    let byob: ReadableStreamBYOBReader | null = null;
    try {
      byob = stream.getReader({ mode: 'byob' });
    } catch {
      // Blob streams are byte streams in Chromium and Firefox; elsewhere this throws a TypeError.
    }
    this.byob = byob;
    this.plain = byob === null ? stream.getReader() : null;
  }

  /** Fills `buffer` from `from` on. The buffer is taken over; the block's bytes begin at 0. */
  async fill(buffer: ArrayBuffer, from: number): Promise<Block> {
    return this.byob ? fillByob(this.byob, buffer, from) : this.fillByCopy(buffer, from);
  }

  private async fillByCopy(buffer: ArrayBuffer, from: number): Promise<Block> {
    const target = new Uint8Array(buffer);
    let filled = from;
    while (filled < target.length) {
      const piece = this.rest ?? (await this.plain?.read())?.value ?? null;
      if (piece === null) return { bytes: target.subarray(0, filled), last: true };
      const taken = piece.subarray(0, target.length - filled);
      target.set(taken, filled);
      filled += taken.length;
      this.rest = taken.length < piece.length ? piece.subarray(taken.length) : null;
    }
    return { bytes: target, last: false };
  }

  async cancel(): Promise<void> {
    atWork.delete(this);
    await (this.byob ?? this.plain)?.cancel().catch(() => undefined); // It may have failed or ended already.
  }
}

async function fillByob(reader: ReadableStreamBYOBReader, buffer: ArrayBuffer, from: number): Promise<Block> {
  let held = buffer;
  let filled = from;
  const size = buffer.byteLength;
  while (filled < size) {
    const { value, done } = await reader.read(new Uint8Array(held, filled, size - filled));
    if (value === undefined) return { bytes: new Uint8Array(0), last: true };
    held = value.buffer as ArrayBuffer;
    filled += value.byteLength;
    if (done) return { bytes: new Uint8Array(held, 0, filled), last: true };
  }
  return { bytes: new Uint8Array(held), last: false };
}
