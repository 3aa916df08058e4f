import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { StoreFull } from '../chunk-store';

/** The `code` of a system error, or undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** True when the disk or the quota has no room. */
export function isDiskFull(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Runs `work`; a full disk is told as StoreFull, everything else as it is. */
export async function tellingFull<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isDiskFull(error)) throw new StoreFull('no room on the disk', { cause: error });
    throw error;
  }
}

/** Makes the file's bytes and length durable. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Makes names added to or taken from a folder durable; a new file is not safe before its folder is. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open folders; its file systems journal names by themselves.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Writes all of `buffers` at `position`: the system may take less than it was given. Returns the bytes written. */
export async function writeFully(file: FileHandle, buffers: readonly Uint8Array[], position: number): Promise<number> {
  let rest: readonly Uint8Array[] = buffers;
  let written = 0;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest, position + written);
    written += bytesWritten;
    rest = without(rest, bytesWritten);
  }
  return written;
}

function without(buffers: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skip = bytes;
  let first = 0;
  for (; first < buffers.length; first++) {
    const length = (buffers[first] as Uint8Array).length;
    if (skip < length) break;
    skip -= length;
  }
  const rest = buffers.slice(first);
  if (skip > 0) rest[0] = (rest[0] as Uint8Array).subarray(skip);
  return rest;
}

/** Reads until `target` is full or the file ends; returns the bytes read. */
export async function readFully(file: FileHandle, target: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    const { bytesRead } = await file.read(target, filled, target.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}
