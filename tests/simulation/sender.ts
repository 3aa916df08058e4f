import { Bell, backOff } from '@/lib/sync/engine/bell';
import type { ChunkRef, Manifest } from '@/lib/sync/model/manifest';
import type { Clock, Random } from '@/lib/sync/ports/clock';
import type { LocalTransfer } from '@/lib/sync/ports/local-store';
import type { Disk, LifeStore } from './disk';
import type { Life } from './life';
import type { Link } from './network';
import type { DevicePlant } from './plants';
import { sha256, type World } from './world';

/** Chunks of one pack: few, so that files need several and a crash leaves some here and some there. */
const PACK_CHUNKS = 2;

interface SenderParts {
  readonly world: World;
  readonly name: string;
  readonly disk: Disk;
  readonly store: LifeStore;
  readonly life: Life;
  readonly link: Link;
  readonly clock: Clock;
  readonly random: Random;
  readonly plant: DevicePlant;
  /** Transfers became durable. */
  onDurable(): void;
}

/** Small twin of the browser's pack sender: asks what is missing, sends it in packs, and moves transfers staged → sending → durable. */
export class ChunkSender {
  readonly #bell = new Bell();
  #failures = 0;

  constructor(private readonly parts: SenderParts) {}

  wake(): void {
    this.#bell.ring();
  }

  /** Sends until `lost` aborts. */
  async run(lost: AbortSignal): Promise<void> {
    const { store, clock, random } = this.parts;
    while (!lost.aborted) {
      const waiting = (await store.read((reading) => reading.transfersIn(['staged', 'sending']))).filter(({ paused }) => paused === 0);
      let failed = false;
      for (const transfer of waiting) {
        if (lost.aborted) return;
        if (!(await this.#send(transfer))) {
          failed = true;
          break;
        }
      }
      await this.#sweep();
      this.#failures = failed ? this.#failures + 1 : 0;
      await this.#bell.wait(clock, failed ? backOff(this.#failures, random.fraction()) : 60_000, lost);
    }
  }

  /** False when the network or the server did not take it now. */
  async #send(transfer: LocalTransfer): Promise<boolean> {
    const { store, link, life, plant } = this.parts;
    const [manifest] = await store.read((reading) => reading.stagedManifests([transfer]));
    const bytes = this.parts.disk.staged.get(transfer.id);
    const chunks = manifest && bytes !== undefined ? cut(bytes, manifest) : null;
    if (chunks === null) {
      await this.#move(transfer.id, { state: 'failed', reason: 'unreadable' });
      return true;
    }
    if (plant.refuses?.(transfer.id) === true) return true;
    if (!(await this.#move(transfer.id, { state: 'sending' }))) return true;
    if (plant.claimsDurable !== true) {
      const reply = await link.missing(life, transfer.namespaceId, [...new Set(chunks.map(({ id }) => id))]);
      if (!reply.ok) return false;
      const missing = new Set(reply.value);
      const wanted = chunks.filter(({ id }, index) => missing.has(id) && chunks.findIndex((one) => one.id === id) === index);
      for (let at = 0; at < wanted.length; at += PACK_CHUNKS) {
        const put = await link.putPack(life, transfer.namespaceId, wanted.slice(at, at + PACK_CHUNKS), this.parts.random.uuid());
        if (!put.ok) return false;
      }
    }
    if (await this.#move(transfer.id, { state: 'durable', sentBytes: transfer.size })) {
      this.parts.world.say(this.parts.name, `bytes of ${transfer.id.slice(0, 4)} are on the server`);
      plant.sent?.(transfer.id);
      this.parts.onDurable();
    }
    return true;
  }

  /** Changes a transfer unless it was taken back meanwhile. */
  #move(id: string, changes: Partial<Omit<LocalTransfer, 'id'>>): Promise<boolean> {
    return this.parts.store.write(async (writing) => {
      const [now] = await writing.transfers([id]);
      if (now === undefined || (now.state !== 'staged' && now.state !== 'sending')) return false;
      await writing.updateTransfers([{ id, changes }]);
      return true;
    });
  }

  /** Staged bytes go once their transfer is over, as the browser's sweep has it. */
  async #sweep(): Promise<void> {
    const { store, disk } = this.parts;
    for (const { id } of await store.read((reading) => reading.transfersIn(['done', 'cancelled', 'lost']))) {
      disk.staged.delete(id);
      disk.store.removeStaged(id);
    }
  }
}

/** Staged bytes as the manifest names them; null when they are not what was staged. */
function cut(bytes: Uint8Array, manifest: Manifest): readonly (ChunkRef & { readonly bytes: Uint8Array })[] | null {
  let at = 0;
  const chunks = manifest.map((chunk) => {
    const part = bytes.slice(at, at + chunk.size);
    at += chunk.size;
    return { ...chunk, bytes: part };
  });
  return at === bytes.length && chunks.every((chunk) => sha256(chunk.bytes) === chunk.id) ? chunks : null;
}
