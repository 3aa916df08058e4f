import type { LocalTransfer } from '@/lib/sync/ports/local-store';
import type { MergeBench, MergedFile } from '@/lib/sync/ports/merge-bench';
import type { Reply } from '@/lib/sync/ports/sync-service';
import type { Session } from './device';
import type { Disk } from './disk';
import type { Link } from './network';
import { digestOf, manifestOf, type World } from './world';

type Parts = Pick<Session, 'life' | 'store' | 'random'> & {
  readonly world: World;
  readonly disk: Disk;
  readonly link: Link;
  /** New bytes wait to be sent. */
  readonly onStaged: () => void;
};

/** Merge bench of a device: reads revisions over its wires, and stages what is merged like anything a person adds. */
export class SimBench implements MergeBench {
  constructor(private readonly parts: Parts) {}

  async revision(file: Parameters<MergeBench['revision']>[0], bytesMax: number): Promise<Reply<Uint8Array<ArrayBuffer> | null>> {
    const { life, link, world } = this.parts;
    await life.pause(20);
    if (!link.up || link.server.running === null) return { ok: false, code: 'offline', message: 'no answer' };
    const [found] = await link.server.metadata.revisions(file.namespaceId, [file]);
    await life.pause(20);
    const text = found === undefined ? undefined : world.texts.get(found.digest as Parameters<typeof world.texts.get>[0]);
    // Of no bytes every world knows the text.
    const bytes = text === undefined ? (found?.size === 0 ? new Uint8Array() : null) : new TextEncoder().encode(text);
    if (bytes === null) return { ok: false, code: 'not_found', message: '' };
    return { ok: true, value: bytes.length > bytesMax ? null : bytes };
  }

  async staged(transferId: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const { store, disk } = this.parts;
    const [transfer] = await store.read((reading) => reading.transfers([transferId]));
    const bytes = disk.staged.get(transferId);
    return bytes === undefined || bytes.length !== transfer?.size ? null : new Uint8Array(bytes);
  }

  async stage(file: MergedFile, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    const { store, disk, random, world, onStaged } = this.parts;
    const text = new TextDecoder().decode(bytes);
    const digest = digestOf(manifestOf(text));
    world.texts.set(digest, text);
    const id = random.uuid();
    const size = bytes.length;
    disk.staged.set(id, bytes);
    disk.store.putStaged(id, manifestOf(text));
    const transfer: LocalTransfer = { ...file, id, size, state: 'staged', paused: 0, stagedBytes: size, sentBytes: 0, digest };
    await store.putTransfer(transfer);
    onStaged();
    return id;
  }
}
