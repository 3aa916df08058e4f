import type { Digest } from '../../model/ids';
import { type ChunkRef, EMPTY_DIGEST, encodeManifest } from '../../model/manifest';
import type { Random } from '../../ports/clock';
import type { Hasher } from '../../ports/hasher';
import type { Log } from '../../ports/log';
import type { SatchelDatabase, TransferRow } from './database';
import { chunksOf, FileChanged, readChunks, readTogether } from './file-chunks';
import { nameChunksInPlace } from './file-in-place';
import { adoptOrphans, removeStrayFiles } from './intake-recovery';
import { isQuotaError, MEMORY_SEGMENT, type OpfsStaging } from './opfs-staging';
import { dropParts } from './staged-rows';
import { concat, StagingLane } from './staging-lane';
import type { TransferChannel } from './transfer-channel';

/**
 * Takes in the files a person gave us. How it is used:
 *
 *     const staging = await OpfsStaging.open(userId);              // one per worker
 *     const intake = new FileIntake({ database, staging, hasher, random, log, channel: new TransferChannel(userId) });
 *     await intake.open();                                         // takes its Web Lock; in every tab's worker
 *     // intents: put TransferRows { state: 'queued', intakeId: intake.id, … } durably, then
 *     intake.add([{ row, file }]);
 *     await intake.recover();                                      // only in the worker that holds the lease; at start and now and then
 *
 * It moves transfers queued → staging → staged (with `digest`, `stagedBytes`, rows in `staged`) or → failed (`quota`, `unreadable`,
 * `changed_while_reading`) or → lost. Pausing stops sending only: bytes are brought to safety all the same.
 * A file that cannot be staged (no room, no sync handles) is hashed where it is, its `staged` rows name the segment
 * `memory:<transferId>`, and the transfer stays `staging` with its `digest` set until it is durable: it is lost with its page.
 * So: every chunk of a transfer is known ⇔ `row.digest !== undefined`.
 * Cancelling, pausing, retrying: write the rows (`state: 'cancelled'`; `paused`; `state: 'queued'` when `digest` is undefined,
 * else `'staged'`), then `channel.say({ kind: 'changed', ids })` on a channel of your own.
 */
export interface FileIntakeDeps {
  readonly database: SatchelDatabase;
  readonly staging: OpfsStaging;
  readonly hasher: Hasher;
  readonly random: Random;
  readonly log: Log;
  /** Its own; `close` closes it. Says `staged`, listens for `changed`. */
  readonly channel: TransferChannel;
}

export interface IntakeItem {
  /** Already durable in `transfers`, state `queued`, with this intake's `intakeId`. */
  readonly row: TransferRow;
  /** Absent: taken from `row.handle`. */
  readonly file?: File;
}

/** Files up to this size are read many at a time; larger ones one after the other, as streams. */
const SMALL_FILE_BYTES_MAX = 2 * 1024 * 1024;
/** What is read at a time; two of these are in memory. Each reading has its own cost, so they are as large as memory allows. */
const BATCH_BYTES_TARGET = 10 * 1024 * 1024;
const BATCH_FILES_MAX = 500;
/** Left free for rows, the shell and offline content. */
const SPARE_BYTES = 64 * 1024 * 1024;
interface SmallFile {
  readonly held: Held;
  /** null: to be read by itself. */
  readonly bytes: Uint8Array<ArrayBuffer> | null;
}
interface SmallBatch {
  readonly files: readonly SmallFile[];
  /** To be used again once the files are placed. */
  readonly buffer: ArrayBuffer | null;
}
interface HashedFile {
  readonly held: Held;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly chunks: readonly ChunkRef[];
  readonly digest: Digest;
}

interface Held {
  readonly row: TransferRow;
  readonly file: File;
  /** Stays where it is: no room or no way to stage it. */
  inMemory: boolean;
  state: 'waiting' | 'working' | 'failed' | 'kept';
}

export class FileIntake {
  /** Also the name of the Web Lock it holds while it lives. Goes into `TransferRow.intakeId`. */
  readonly id: string;
  private readonly held = new Map<string, Held>();
  private readonly small: Held[] = [];
  private readonly large: Held[] = [];
  private readonly lanes: { readonly small: StagingLane; readonly large: StagingLane };
  private running = { small: false, large: false };
  private segments = 0;
  private closed = false;
  private letGo: () => void = () => undefined;

  constructor(private readonly deps: FileIntakeDeps) {
    this.id = `intake-${deps.random.uuid()}`;
    const lane = (): StagingLane =>
      new StagingLane({
        database: deps.database,
        staging: deps.staging,
        channel: deps.channel,
        segmentName: () => `${this.id}.${this.segments++}`,
        onStaged: (ids) => {
          for (const id of ids) this.held.delete(id);
        },
        onRefused: (ids, error) => this.refuse(ids, error),
      });
    this.lanes = { small: lane(), large: lane() };
  }

  /** Takes the Web Lock that tells other tabs that this intake lives, and listens. Call once, before `add`. */
  async open(): Promise<void> {
    this.deps.channel.listen((message) => {
      if (message.kind === 'changed') this.background(this.look(message.ids));
      if (message.kind === 'durable' || message.kind === 'done') this.release(message.ids);
      if (message.kind === 'memory_files_wanted') this.tellMemoryFiles();
    });
    await new Promise<void>((resolve, reject) => {
      navigator.locks
        .request(this.id, () => {
          resolve();
          return new Promise<void>((letGo) => {
            this.letGo = letGo;
          });
        })
        .catch(reject);
    });
  }

  /** Begins with these files at once. What becomes of them is seen in `transfers`. */
  add(items: readonly IntakeItem[]): void {
    this.background(this.take(items));
  }

  /**
   * Adopts transfers that intakes of closed tabs left unfinished and whose handle may be read without asking; the others become
   * `lost`. Removes staging files nobody knows. Only under the lease; safe to call again and again.
   */
  async recover(): Promise<void> {
    const adopted = await adoptOrphans(this.deps.database, this.id, (id) => this.held.has(id));
    await this.take(adopted);
    await removeStrayFiles(this.deps.database, this.deps.staging, this.id);
  }

  /** Stops, and lets other tabs have what is unfinished. What was staged stays. */
  async close(): Promise<void> {
    this.closed = true;
    this.small.length = 0;
    this.large.length = 0;
    this.deps.channel.close();
    await Promise.all([this.lanes.small.flush(), this.lanes.large.flush()]);
    this.letGo();
  }

  private async take(items: readonly IntakeItem[]): Promise<void> {
    let free = this.deps.staging.canWrite ? ((await this.deps.staging.freeBytes()) ?? Number.POSITIVE_INFINITY) : 0;
    for (const held of this.held.values()) if (!held.inMemory) free -= held.row.size;
    for (const { row, file } of items) {
      const source = file ?? (await row.handle?.getFile().catch(() => undefined));
      if (source === undefined) {
        await this.fail([row.id], 'unreadable');
        continue;
      }
      const inMemory = free - source.size < SPARE_BYTES;
      if (!inMemory) free -= source.size;
      this.enqueue({ row, file: source, inMemory, state: 'waiting' });
    }
  }

  private enqueue(held: Held): void {
    if (this.closed) return;
    held.state = 'waiting';
    this.held.set(held.row.id, held);
    const lane = held.file.size <= SMALL_FILE_BYTES_MAX && !held.inMemory ? 'small' : 'large';
    this[lane].push(held);
    if (this.running[lane]) return;
    this.running[lane] = true;
    this.background(lane === 'small' ? this.runSmall() : this.runLarge());
  }

  /** A next file that is still wanted, or null. */
  private next(queue: Held[]): Held | null {
    for (let held = queue.shift(); held !== undefined; held = queue.shift()) {
      if (this.held.get(held.row.id) !== held) continue;
      held.state = 'working';
      return held;
    }
    return null;
  }

  private wanted(held: Held): boolean {
    return !this.closed && this.held.get(held.row.id) === held && held.state === 'working';
  }

  // Small files: read in batches, the next one while the present one is hashed and placed.

  private async runSmall(): Promise<void> {
    const lane = this.lanes.small;
    const buffers = [newBatchBuffer(), newBatchBuffer()];
    let reading = this.readBatch(buffers);
    for (;;) {
      const batch = await reading;
      if (batch === null) {
        await lane.flush();
        // Said in the same breath as the last look at the queue: what comes later starts a new run.
        if (this.small.length === 0) break;
        reading = this.readBatch(buffers);
        continue;
      }
      reading = this.readBatch(buffers);
      for (const file of await Promise.all(batch.files.map((one) => this.hashSmall(one)))) await this.placeSmall(lane, file);
      if (batch.buffer !== null) buffers.push(batch.buffer);
    }
    this.running.small = false;
  }

  private async readBatch(buffers: ArrayBuffer[]): Promise<SmallBatch | null> {
    const batch: Held[] = [];
    for (let bytes = 0; batch.length < BATCH_FILES_MAX && bytes < BATCH_BYTES_TARGET; ) {
      const held = this.next(this.small);
      if (held === null) break;
      bytes += held.file.size;
      batch.push(held);
    }
    if (batch.length === 0) return null;
    const files = batch.map((held) => held.file);
    const together = await readTogether(files, buffers.pop() ?? newBatchBuffer());
    if (together === null) return { files: batch.map((held) => ({ held, bytes: null })), buffer: null };
    return { files: batch.map((held, index) => ({ held, bytes: together[index] ?? null })), buffer: together[0]?.buffer ?? null };
  }

  private async hashSmall({ held, bytes: read }: SmallFile): Promise<HashedFile | null> {
    try {
      // One of the batch could not be read: now each says for itself how it is.
      const bytes = read ?? new Uint8Array(await held.file.arrayBuffer());
      if (bytes.length !== held.file.size) throw new FileChanged();
      const chunks = await chunksOf(bytes, this.deps.hasher);
      const digest = chunks.length === 0 ? EMPTY_DIGEST : ((await this.deps.hasher.sha256(encodeManifest(chunks))) as string as Digest);
      return { held, bytes, chunks, digest };
    } catch (error) {
      await this.refuse([held.row.id], error);
      return null;
    }
  }

  private async placeSmall(lane: StagingLane, file: HashedFile | null): Promise<void> {
    if (file === null || !this.wanted(file.held)) return;
    const { held, bytes, chunks, digest } = file;
    try {
      if (chunks.length > 0) await lane.place({ transferId: held.row.id, part: 0, bytes, chunks, stagedBytes: bytes.length });
      lane.finish(held.row.id, bytes.length, digest);
      if (lane.isFull()) await lane.cut();
    } catch (error) {
      await this.refuse([held.row.id], error);
    }
  }

  // Large files: one stream after the other.

  private async runLarge(): Promise<void> {
    const lane = this.lanes.large;
    for (;;) {
      const held = this.next(this.large);
      if (held === null) {
        await lane.flush();
        // As with the small ones: no wait between the last look and the end.
        if (this.large.length === 0) break;
        continue;
      }
      try {
        await this.begin(held.row.id);
        if (!held.inMemory) await this.stageLarge(held, lane);
        else if (await nameChunksInPlace(this.deps, held.row.id, held.file, () => this.wanted(held))) held.state = 'kept';
      } catch (error) {
        await this.refuse([held.row.id], error);
      }
    }
    this.running.large = false;
  }

  private async stageLarge(held: Held, lane: StagingLane): Promise<void> {
    const { row, file } = held;
    let manifest = new Uint8Array(0);
    let part = 0;
    let stagedBytes = 0;
    for await (const { bytes, chunks } of readChunks(file, this.deps.hasher)) {
      if (!this.wanted(held)) return lane.drop(row.id);
      if (chunks.length === 0) continue;
      stagedBytes += bytes.length;
      await lane.place({ transferId: row.id, part, bytes, chunks, stagedBytes });
      manifest = concat(manifest, encodeManifest(chunks));
      if (lane.isFull() && stagedBytes < file.size) {
        await lane.cut();
        part++;
      }
    }
    if (stagedBytes !== file.size) throw new FileChanged();
    lane.finish(row.id, stagedBytes, (await this.deps.hasher.sha256(manifest)) as string as Digest);
    if (lane.isFull()) await lane.cut();
  }

  private async begin(id: string): Promise<void> {
    await this.deps.database.transfers
      .where('id')
      .equals(id)
      .and((row) => row.state === 'queued')
      .modify({ state: 'staging' });
  }

  // What goes wrong, and what people wish meanwhile.

  private async refuse(ids: readonly string[], error: unknown): Promise<void> {
    if (this.closed) return;
    const reason = reasonOf(error);
    this.deps.log.warn('intake.refused', { reason, files: ids.length, error: error instanceof Error ? error.name : 'unknown' });
    await this.fail(ids, reason);
    for (const id of ids) {
      const held = this.held.get(id);
      if (held === undefined) continue;
      held.state = 'failed';
      // When the person tries again it goes without staging: the room will hardly have grown.
      if (reason === 'quota') held.inMemory = true;
    }
  }

  /** Nothing half-staged is left: rows of chunks go, their files follow with the sender's next sweep. */
  private async fail(ids: readonly string[], reason: NonNullable<TransferRow['reason']>): Promise<void> {
    const { database } = this.deps;
    for (const id of ids) {
      this.lanes.small.drop(id);
      this.lanes.large.drop(id);
    }
    await database.transaction('rw', database.transfers, database.staged, async () => {
      await dropParts(database.staged, ids);
      await database.transfers
        .where('id')
        .anyOf([...ids])
        .and((row) => row.state === 'queued' || row.state === 'staging')
        .modify((row, place) => {
          const { digest: _, ...rest } = row;
          place.value = { ...rest, state: 'failed', reason, stagedBytes: 0, sentBytes: 0 };
        });
    });
  }

  private async look(ids: readonly string[] | 'all'): Promise<void> {
    const mine = ids === 'all' ? [...this.held.keys()] : ids.filter((id) => this.held.has(id));
    if (mine.length === 0) return;
    const rows = await this.deps.database.transfers.bulkGet(mine);
    rows.forEach((row, index) => {
      const held = this.held.get(mine[index] as string);
      if (held === undefined) return;
      if (row === undefined || row.state === 'cancelled' || row.state === 'done') this.release([held.row.id]);
      else if (row.state === 'queued' && held.state === 'failed') this.enqueue({ ...held, row });
    });
  }

  private release(ids: readonly string[]): void {
    for (const id of ids) {
      const held = this.held.get(id);
      if (held === undefined) continue;
      this.held.delete(id);
      if (held.inMemory) this.deps.staging.setMemoryFile(`${MEMORY_SEGMENT}${id}`, null);
    }
  }

  private tellMemoryFiles(): void {
    for (const { row, file, inMemory, state } of this.held.values()) {
      if (inMemory && state !== 'waiting') this.deps.channel.say({ kind: 'memory_file', segment: `${MEMORY_SEGMENT}${row.id}`, file });
    }
  }

  /** Work nobody waits for: what it meets is written into rows; anything else is a broken promise, and told. */
  private background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.deps.log.error('intake.broken', { error: error instanceof Error ? `${error.name}: ${error.message}` : 'unknown' });
    });
  }
}

function newBatchBuffer(): ArrayBuffer {
  // One more than fits, so that the end of the stream is seen and a file that grew is noticed.
  return new ArrayBuffer(BATCH_BYTES_TARGET + SMALL_FILE_BYTES_MAX + 1);
}

function reasonOf(error: unknown): 'quota' | 'unreadable' | 'changed_while_reading' {
  if (isQuotaError(error)) return 'quota';
  if (error instanceof FileChanged) return 'changed_while_reading';
  // Chromium's and Firefox's word for a file whose size or time is not what it was when it was picked.
  if (error instanceof Error && error.name === 'NotReadableError') return 'changed_while_reading';
  return 'unreadable';
}
