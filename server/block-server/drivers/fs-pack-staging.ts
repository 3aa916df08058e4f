import { link, mkdir, open, readdir, readFile, rename, rm, stat, statfs, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assert } from '@/lib/sync/model/assert';
import type { ChunkId, DeviceId, NamespaceId, UserId } from '@/lib/sync/model/ids';
import { isUuid } from '@/lib/sync/model/ids';
import { PACK_UPLOAD_IDLE_HOURS_MAX } from '@/lib/sync/model/limits';
import type { PackedChunk } from '@/lib/sync/protocol/pack-format';
import { encodePackHeader } from '@/lib/sync/protocol/pack-format';
import type { StagedPack } from '../pack-intake';
import { readFully, systemCode, tellingFull, writeFully } from './disk';
import type { PackVerifier } from './pack-verifier';

/** Whose upload it is, and how much it will be. Written once beside the bytes; never fsynced: what a power cut takes is sent again. */
export interface UploadTicket {
  readonly id: string;
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly namespaceId: NamespaceId;
  /** Bytes of the whole pack. */
  readonly bytes: number;
  /** Its chunks are stored and recorded; only this ticket is left, for clients that lost the answer. */
  readonly finished: boolean;
}

/** An upload as it is on the disk now. */
export interface StagedUpload {
  readonly ticket: UploadTicket;
  /** Bytes that came in: the size of the file. */
  readonly received: number;
  /** When its last byte came, milliseconds since 1970 UTC. */
  readonly touchedAt: number;
}

const HOUR = 3_600_000;
/** A client that lost the last answer asks within a day or sends again. */
const TICKET_HOURS_MAX = 24;

/**
 * Packs on their way in: `<id>` holds the bytes so far, `<id>.json` the ticket, `<id>.out` a file on its way to the chunk
 * store. The file's size is the offset, so nothing needs repair after a kill.
 */
export class FsPackStaging {
  constructor(
    private readonly folder: string,
    private readonly verifier: PackVerifier,
  ) {}

  /** Makes the folder, and clears what a killed process left on the way to the chunk store. */
  async open(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    for (const name of await readdir(this.folder)) {
      if (name.endsWith('.out') || name.endsWith('.new')) await rm(this.path(name), { force: true });
    }
  }

  /** Bytes the file system would still take from us. */
  async room(): Promise<number> {
    const { bavail, bsize } = await statfs(this.folder);
    return bavail * bsize;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Throws StoreFull. */
  async create(ticket: UploadTicket): Promise<void> {
    await tellingFull(async () => {
      // The bytes' file first: a ticket without one means that they were finished or lost.
      await writeFile(this.path(ticket.id), '', { flag: 'wx' });
      await this.writeTicket(ticket);
    });
  }

  /** Null for what is not there, and for anything that is not an upload id. */
  async find(id: string): Promise<StagedUpload | null> {
    if (!isUuid(id)) return null;
    const ticket = await this.ticket(id);
    if (ticket === null) return null;
    const about = await statOrNull(this.path(ticket.finished ? `${id}.json` : id));
    if (about === null) return null;
    return { ticket, received: ticket.finished ? ticket.bytes : about.size, touchedAt: about.mtimeMs };
  }

  /** Cuts the staged bytes to `bytes`. */
  async cut(id: string, bytes: number): Promise<void> {
    assert(isUuid(id), 'an upload id is a UUID');
    await truncate(this.path(id), bytes);
  }

  /** Lets go of the bytes, and keeps the ticket as the answer to a client that did not get ours. */
  async finish(ticket: UploadTicket): Promise<void> {
    await this.writeTicket({ ...ticket, finished: true });
    await rm(this.path(ticket.id), { force: true });
  }

  async remove(id: string): Promise<void> {
    assert(isUuid(id), 'an upload id is a UUID');
    await rm(this.path(`${id}.json`), { force: true });
    await rm(this.path(id), { force: true });
    await rm(this.path(`${id}.out`), { force: true });
  }

  /** Removes uploads without a byte for PACK_UPLOAD_IDLE_HOURS_MAX, and old tickets. Returns how many. */
  async sweep(now: number): Promise<number> {
    const ids = new Set((await readdir(this.folder)).map((name) => name.slice(0, 36)).filter(isUuid));
    let removed = 0;
    for (const id of ids) {
      const touched = (await Promise.all([statOrNull(this.path(id)), statOrNull(this.path(`${id}.json`))])).map(
        (about) => about?.mtimeMs ?? 0,
      );
      const finished = (await this.ticket(id))?.finished === true;
      if (now - Math.max(...touched) <= (finished ? TICKET_HOURS_MAX : PACK_UPLOAD_IDLE_HOURS_MAX) * HOUR) continue;
      await this.remove(id);
      removed++;
    }
    return removed;
  }

  /** The complete upload as the intake sees it. */
  staged(ticket: UploadTicket): StagedPack {
    const path = this.path(ticket.id);
    const out = `${path}.out`;
    return {
      bytes: ticket.bytes,
      head: (length) => readHead(path, length),
      firstMismatch: (chunks): Promise<ChunkId | null> => this.verifier.firstMismatch(path, chunks),
      whole: () => secondName(path, out),
      only: (chunks) => repack(path, out, chunks),
    };
  }

  private async ticket(id: string): Promise<UploadTicket | null> {
    try {
      // Written by us, under a name that nobody else can write to, and replaced only as a whole.
      return JSON.parse(await readFile(this.path(`${id}.json`), 'utf8')) as UploadTicket;
    } catch (error) {
      // A power cut may leave an empty ticket: such an upload begins again.
      if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return null;
      throw error;
    }
  }

  private async writeTicket(ticket: UploadTicket): Promise<void> {
    const fresh = this.path(`${ticket.id}.new`);
    await writeFile(fresh, JSON.stringify(ticket));
    await rename(fresh, this.path(`${ticket.id}.json`));
  }
}

async function statOrNull(path: string): Promise<{ size: number; mtimeMs: number } | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

async function readHead(path: string, length: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, await readFully(file, bytes, 0));
  } finally {
    await file.close();
  }
}

/**
 * The chunk store takes a file away, but when the records fail afterwards the bytes must still be here to try again: so it
 * is given a second name of the same file. Where the file system has no hard links the only name goes, and the client sends again.
 */
async function secondName(path: string, out: string): Promise<string> {
  await rm(out, { force: true });
  try {
    await link(path, out);
    return out;
  } catch (error) {
    if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES'].includes(systemCode(error) ?? '')) return path;
    throw error;
  }
}

async function repack(path: string, out: string, chunks: readonly PackedChunk[]): Promise<string> {
  await tellingFull(async () => {
    const [source, target] = await Promise.all([open(path, 'r'), open(out, 'w')]);
    try {
      let position = await writeFully(target, [encodePackHeader(chunks)], 0);
      for (const chunk of chunks) {
        const payload = Buffer.allocUnsafeSlow(chunk.stored);
        const filled = await readFully(source, payload, chunk.offset);
        assert(filled === chunk.stored, 'a verified pack holds all its chunks');
        position += await writeFully(target, [payload], position);
      }
    } finally {
      await Promise.all([source.close(), target.close()]);
    }
  });
  return out;
}
