import { CHUNK_BYTES_FORCED, CHUNK_BYTES_MIN } from '../model/limits';

/**
 * Where chunks end: content-defined, after FastCDC (Xia et al., 2016): a rolling gear hash, no boundary before the minimum, a
 * strict condition up to a normal size and a lax one behind it, so that sizes gather around the average.
 *
 * The parameters are for ever: another table, mask or normal size would cut every file anew and nothing old would match.
 * The hash of a position depends on the 32 bytes before it only (each step shifts one bit out of 32), so that boundaries
 * find themselves again right after a change.
 */

/** From here on the lax condition holds. With the masks below the mean chunk of random bytes is 254 KiB (CHUNK_BYTES_AVERAGE). */
const NORMAL_BYTES = 208 * 1024;
/** The hash's highest bits, in which all of the window has a say: 20 of them before the normal size, 16 behind it. */
const STRICT_MASK = 0xfffff000 | 0;
const LAX_MASK = 0xffff0000 | 0;
const LITTLE_ENDIAN = new Uint8Array(new Int32Array([1]).buffer)[0] === 1;
/** Bytes the hash remembers. */
const WINDOW_BYTES = 32;

/** One random-looking 32-bit integer a byte value: the first 256 outputs of the mixing function below, counted up from a fixed seed. */
const GEAR = gearTable();

function gearTable(): Int32Array {
  const table = new Int32Array(256);
  let state = 0x5a7c4e11;
  for (let value = 0; value < 256; value++) {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    table[value] = mixed ^ (mixed >>> 16);
  }
  return table;
}

/** Cuts one stream of bytes. However the stream is sliced into calls of `push`, the boundaries are the same. */
export class Chunker {
  /** Bytes of the chunk that is being looked at. */
  private length = 0;
  private hash = 0;

  /**
   * Looks at the next bytes of the stream and keeps none of them. Returns the offsets in `bytes` right behind each chunk's last
   * byte, ascending, each in 1 … bytes.length; what follows the last offset belongs to a chunk that is not complete yet.
   */
  push(bytes: Uint8Array): number[] {
    const ends: number[] = [];
    const total = bytes.length;
    let at = 0;
    while (at < total) {
      const end = this.next(bytes, at);
      if (end === -1) break;
      ends.push(end);
      this.length = 0;
      this.hash = 0;
      at = end;
    }
    return ends;
  }

  /** The stream is over: true when an incomplete chunk is left, which then ends with the stream. Ready for the next stream afterwards. */
  finish(): boolean {
    const left = this.length > 0;
    this.length = 0;
    this.hash = 0;
    return left;
  }

  /** The end of the present chunk at or behind `from`, or -1 when `bytes` ends first. */
  private next(bytes: Uint8Array, from: number): number {
    const start = from - this.length;
    const total = bytes.length;
    // The hash is filled by the window before the first place where a boundary may be; what comes earlier cannot matter.
    let at = Math.max(from, Math.min(total, start + CHUNK_BYTES_MIN - WINDOW_BYTES));
    for (const filled = Math.min(total, start + CHUNK_BYTES_MIN - 1); at < filled; at++) {
      this.hash = ((this.hash << 1) + (GEAR[bytes[at] as number] as number)) | 0;
    }
    const normal = Math.min(total, start + NORMAL_BYTES);
    if (at < normal) {
      const end = this.roll(bytes, at, normal, STRICT_MASK);
      if (end !== -1) return end;
      at = normal;
    }
    const forced = Math.min(total, start + CHUNK_BYTES_FORCED);
    if (at < forced) {
      const end = this.roll(bytes, at, forced, LAX_MASK);
      if (end !== -1) return end;
      at = forced;
    }
    this.length = at - start;
    return this.length === CHUNK_BYTES_FORCED ? at : -1;
  }

  /** Rolls the hash over bytes [from, to); the end of the chunk when a byte fulfils the condition, else -1. This is the chunker's whole cost. */
  private roll(bytes: Uint8Array, from: number, to: number, mask: number): number {
    const gear = GEAR;
    let hash = this.hash;
    let at = from;
    const base = bytes.byteOffset;
    // Byte by byte to a word's beginning, then a word a load, which is half as fast again, then the rest byte by byte.
    const words = LITTLE_ENDIAN ? Math.min(to, from + (-(base + from) & 3)) : to;
    for (; at < words; at++) {
      hash = ((hash << 1) + (gear[bytes[at] as number] as number)) | 0;
      if ((hash & mask) === 0) return at + 1;
    }
    const count = (to - at) >> 2;
    if (count > 0) {
      const view = new Int32Array(bytes.buffer, base + at, count);
      for (let index = 0; index < count; index++) {
        const word = view[index] as number;
        hash = ((hash << 1) + (gear[word & 255] as number)) | 0;
        if ((hash & mask) === 0) return at + 4 * index + 1;
        hash = ((hash << 1) + (gear[(word >>> 8) & 255] as number)) | 0;
        if ((hash & mask) === 0) return at + 4 * index + 2;
        hash = ((hash << 1) + (gear[(word >>> 16) & 255] as number)) | 0;
        if ((hash & mask) === 0) return at + 4 * index + 3;
        hash = ((hash << 1) + (gear[word >>> 24] as number)) | 0;
        if ((hash & mask) === 0) return at + 4 * index + 4;
      }
      at += 4 * count;
    }
    for (; at < to; at++) {
      hash = ((hash << 1) + (gear[bytes[at] as number] as number)) | 0;
      if ((hash & mask) === 0) return at + 1;
    }
    this.hash = hash;
    return -1;
  }
}
