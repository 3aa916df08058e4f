import type { NamespaceId } from '../../model/ids';
import { PACKS_IN_FLIGHT_MAX } from '../../model/limits';
import type { BlockServer } from '../../ports/block-server';
import type { Hasher } from '../../ports/hasher';
import type { Log } from '../../ports/log';
import { RETRY_LATER, SIGNED_OUT } from '../../protocol/error-codes';
import { askMissing } from './ask-missing';
import { bulkRead } from './bulk-read';
import type { PackRow, SatchelDatabase, TransferRow } from './database';
import { MEMORY_SEGMENT, type OpfsStaging } from './opfs-staging';
import { damagedChunks, packBody, stagedChunks } from './pack-body';
import { Patience, type PatienceDeps } from './patience';
import { SendPlan, type StagedChunk } from './send-plan';
import { type Flight, SENDABLE, SendProgress } from './send-progress';
import { type LocatedPart, partsIn, partsOf } from './staged-rows';
import { sweepStaging } from './staging-sweep';
import type { TransferChannel } from './transfer-channel';

/**
 * Brings staged chunks to the block server. How it is used, only under the lease:
 *
 *     const sender = new PackSender({ database, staging, blocks, hasher, clock, random, log, channel: new TransferChannel(userId) });
 *     await sender.run(lost);            // until `lost` aborts; recovers by itself at the start
 *
 * Moves transfers staged → sending → durable, and says `durable` on the channel. After the commit: write `state: 'done'` and say
 * `changed`; staging files go once every transfer in them is done or cancelled. When a commit is answered `chunk_missing`: write
 * `state: 'staged'` and say `changed`, and everything is asked and sent anew.
 */
/** `onReachable` is told with each answer of the block server whether it could be reached, and when the session is over. */
export interface PackSenderDeps extends PatienceDeps {
  readonly database: SatchelDatabase;
  readonly staging: OpfsStaging;
  readonly blocks: BlockServer<Blob>;
  readonly hasher: Hasher;
  readonly log: Log;
  /** Its own; closed when `run` ends. */
  readonly channel: TransferChannel;
}

/** Chunks are asked about until this much waits to be sent: enough that no connection idles, little enough to stay small. */
const PLAN_BYTES_AHEAD = 64 * 1024 * 1024;
const PROGRESS_MILLISECONDS = 250;
const SWEEP_MILLISECONDS = 3000;
const MEMORY_FILES_MILLISECONDS = 3000;
/** A pack whose bytes are right here and wrong there is sent again this often. */
const MISMATCHES_MAX = 3;
export class PackSender {
  private readonly plan = new SendPlan();
  private readonly flights = new Map<string, Flight>();
  /** Segments with rows that are not planned yet. */
  private readonly segments = new Set<string>();
  /** Transfers whose rows are to be read again. */
  private readonly changed = new Set<string>();
  /** Chunks that became durable while the block server was being asked: its answer may be older. */
  private settledMeanwhile = new Set<string>();
  private readonly progress: SendProgress;
  private readonly patience: Patience;
  private kicked: () => void = () => undefined;
  private sweepWanted = true;
  private broken: unknown = null;

  constructor(private readonly deps: PackSenderDeps) {
    this.progress = new SendProgress(deps.database, this.plan);
    this.patience = new Patience(deps);
  }

  /** Sends until `lost` aborts; packs under way are then left as they are, to be resumed by whoever comes next. */
  async run(lost: AbortSignal): Promise<void> {
    this.listen();
    const stop = (): void => {
      for (const flight of this.flights.values()) flight.abort.abort();
      this.wake();
    };
    lost.addEventListener('abort', stop, { once: true });
    const progress = this.reportProgress(lost);
    const sweeping = this.sweepNowAndThen(lost);
    try {
      this.deps.channel.say({ kind: 'memory_files_wanted' });
      await this.lookAtEverything();
      while (!lost.aborted) {
        const rested = new Promise<void>((resolve) => {
          this.kicked = resolve;
        });
        const busy = await this.step(lost);
        if (this.broken !== null) throw this.broken;
        if (!busy && !lost.aborted) await rested;
      }
    } finally {
      lost.removeEventListener('abort', stop);
      stop();
      this.deps.channel.close();
      await Promise.all([progress, sweeping]);
    }
  }

  /** Tries at once what waits for the network (the connection is back, the person signed in again). */
  wake(): void {
    this.patience.wake();
    this.kicked();
  }

  private listen(): void {
    this.deps.channel.listen((message) => {
      if (message.kind === 'memory_file') {
        this.deps.staging.setMemoryFile(message.segment, message.file);
        this.segments.add(message.segment);
      }
      if (message.kind === 'staged') {
        if (message.segment !== null) this.segments.add(message.segment);
        // An empty file lies in no segment; the others are looked at with theirs.
        for (const id of message.bare) this.changed.add(id);
      }
      if (message.kind === 'done') {
        this.sweepWanted = true;
        for (const id of message.ids) this.plan.drop(id);
      }
      if (message.kind === 'changed') {
        this.sweepWanted = true;
        // At once, not at the loop's next turn: it may be waiting for the network.
        this.inBackground(message.ids === 'all' ? this.lookAtEverything() : this.look(message.ids, true));
      }
      this.kicked();
    });
  }

  /** A promise nobody waits for: a throw means a broken promise and ends `run`. */
  private inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.broken = error;
      this.kicked();
    });
  }

  /** Reads everything anew: at the start, and when the person paused or resumed all. */
  private async lookAtEverything(): Promise<void> {
    const { database } = this.deps;
    const rows = await database.transfers
      .where('state')
      .anyOf([...SENDABLE])
      .toArray();
    for (const row of rows) this.changed.add(row.id);
    for (const id of this.plan.ids()) this.changed.add(id);
    for (const segment of (await database.staged.orderBy('segment').uniqueKeys()) as string[]) this.segments.add(segment);
    await this.resumePacks();
    this.kicked();
  }

  /** One turn: false when there is nothing to do before something happens. */
  private async step(lost: AbortSignal): Promise<boolean> {
    let busy = this.changed.size > 0;
    const changed = [...this.changed];
    this.changed.clear();
    if (busy) await this.look(changed, false);
    if (this.segments.size > 0 && this.plan.queuedBytes() < PLAN_BYTES_AHEAD) busy = (await this.planSegment(lost)) || busy;
    if (this.flights.size < PACKS_IN_FLIGHT_MAX) {
      const next = this.plan.nextPack(this.segments.size === 0 || this.plan.queuedBytes() >= PLAN_BYTES_AHEAD);
      if (next !== null && !lost.aborted) {
        const bytes = next.chunks.reduce((sum, chunk) => sum + chunk.size, 0);
        const pack: PackRow = { id: this.deps.random.uuid(), ...next, state: 'sending', address: null, bytes };
        this.plan.adopt(pack);
        this.launch(pack, this.deps.database.packs.add(pack));
        return true;
      }
    }
    return busy;
  }

  /** What the rows say now about these transfers. `search`: those that came back have chunks whose segments nobody will tell again. */
  private async look(ids: readonly string[], search: boolean): Promise<void> {
    const rows = await bulkRead(this.deps.database.transfers, ids);
    const finished: string[] = [];
    const opened: TransferRow[] = [];
    for (const [index, row] of rows.entries()) {
      const id = ids[index] as string;
      const sendable = row !== undefined && SENDABLE.has(row.state) && row.paused === 0;
      if (!sendable) this.plan.drop(id);
      else if (!this.plan.has(id)) {
        this.plan.open(id, row.namespaceId, row.size);
        opened.push(row);
      }
      if (sendable && row.digest !== undefined && this.plan.durableBytes(id) === row.size) finished.push(id);
    }
    if (search && opened.length > 0) await this.findSegments(opened);
    this.abortUnawaited();
    await this.markDurable(finished);
    this.kicked();
  }

  private async findSegments(transfers: readonly TransferRow[]): Promise<void> {
    for (const parts of (await partsOf(this.deps.database.staged, transfers)).values()) {
      for (const { segment } of parts) this.segments.add(segment);
    }
    await this.resumePacks();
  }

  /** Packs begun before: those somebody still waits for go on at the byte, the others are let go. */
  private async resumePacks(): Promise<void> {
    const { database } = this.deps;
    for (const pack of await database.packs.toArray()) {
      if (this.flights.has(pack.id)) continue;
      const wish = await this.progress.wishFor(pack);
      if (wish === 'forget') await this.forget(pack);
      if (wish !== 'send' || this.flights.has(pack.id)) continue;
      this.plan.adopt(pack);
      this.launch(pack, Promise.resolve());
    }
  }

  /** Asks which chunks of one segment are missing, and plans them. */
  private async planSegment(lost: AbortSignal): Promise<boolean> {
    const segment = this.segments.values().next().value as string;
    this.segments.delete(segment);
    const { database } = this.deps;
    // In the order in which they lie in the file: neighbours are then sent as one slice, and the browser opens the file once.
    const rows = await partsIn(database.staged, segment);
    const transfers = await bulkRead(
      database.transfers,
      rows.map((row) => row.transferId),
    );
    const fresh: { row: LocatedPart; namespaceId: NamespaceId; chunks: StagedChunk[] }[] = [];
    for (const [index, row] of rows.entries()) {
      const transfer = transfers[index];
      if (transfer === undefined || !SENDABLE.has(transfer.state) || transfer.paused === 1) continue;
      this.plan.open(transfer.id, transfer.namespaceId, transfer.size);
      if (!this.plan.hasPart(transfer.id, segment, row.part))
        fresh.push({ row, namespaceId: transfer.namespaceId, chunks: stagedChunks(row) });
    }
    for (const namespaceId of new Set(fresh.map((part) => part.namespaceId))) {
      const parts = fresh.filter((part) => part.namespaceId === namespaceId);
      const ids = new Set(
        parts.flatMap((part) => part.chunks.map((chunk) => chunk.id)).filter((id) => !this.plan.isWanted(namespaceId, id)),
      );
      this.settledMeanwhile = new Set();
      const missing = await askMissing({ ...this.deps, patience: this.patience }, namespaceId, [...ids], lost);
      if (missing === null) {
        this.segments.add(segment);
        return false;
      }
      const known = parts.flatMap((part) => part.chunks.map((chunk) => chunk.id));
      const present = new Set(known.filter((id) => (ids.has(id) && !missing.has(id)) || this.settledMeanwhile.has(`${namespaceId} ${id}`)));
      for (const { row, chunks } of parts) this.plan.add(row.transferId, row.part, chunks, present);
    }
    // Everything of them may be there already; their other parts too.
    await this.markDurable(
      transfers.flatMap((row) => (row !== undefined && row.digest !== undefined && this.plan.isComplete(row.id) ? [row.id] : [])),
    );
    return true;
  }

  /** `recorded`: the pack's row is durable; no byte goes before. */
  private launch(pack: PackRow, recorded: PromiseLike<unknown>): void {
    const flight: Flight = { pack, abort: new AbortController(), sentBytes: 0 };
    this.flights.set(pack.id, flight);
    const flown = async (): Promise<void> => {
      try {
        await recorded;
        await this.fly(flight);
      } finally {
        this.flights.delete(pack.id);
        this.kicked();
      }
    };
    this.inBackground(flown());
  }

  /** Sends one pack, however long it takes. */
  private async fly(flight: Flight): Promise<void> {
    for (let mismatches = 0; !flight.abort.signal.aborted; ) {
      const body = (await packBody(flight.pack.chunks, this.deps.staging)) ?? (await this.bodyOfMemoryFiles(flight.pack));
      if (body === null) return this.inspect(flight.pack, 'unreadable');
      const reply = await this.deps.blocks.put({
        packId: flight.pack.id,
        namespaceId: flight.pack.namespaceId,
        body,
        address: flight.pack.address,
        signal: flight.abort.signal,
        onAddress: (address) => this.setAddress(flight, address),
        onProgress: (bytes) => {
          flight.sentBytes = bytes;
        },
      });
      if (reply.ok) {
        this.patience.reached();
        return this.settle(flight.pack);
      }
      flight.sentBytes = 0;
      if (reply.code === 'aborted') return;
      if (reply.code === 'offline' || RETRY_LATER.has(reply.code) || SIGNED_OUT.has(reply.code)) {
        await this.progress.note(this.plan.waitersOf(flight.pack), reply.code);
        await this.patience.afterFailure({ ...reply, code: reply.code });
      } else if (reply.code === 'not_found' && flight.pack.address !== null) {
        await this.setAddress(flight, null);
      } else if (reply.code === 'chunk_mismatch' || reply.code === 'bad_pack') {
        this.deps.log.warn('packs.mismatch', { code: reply.code, mismatches });
        await this.setAddress(flight, null);
        if ((await damagedChunks(flight.pack.chunks, this.deps.staging, this.deps.hasher)).length > 0)
          return this.inspect(flight.pack, 'unreadable');
        if (++mismatches >= MISMATCHES_MAX) return this.inspect(flight.pack, reply.code);
      } else {
        return this.inspect(flight.pack, reply.code);
      }
    }
  }

  /** Files that other tabs hold are told on the channel; after a while nobody will. */
  private async bodyOfMemoryFiles(pack: PackRow): Promise<Blob | null> {
    if (!pack.chunks.some((chunk) => chunk.segment.startsWith(MEMORY_SEGMENT))) return null;
    this.deps.channel.say({ kind: 'memory_files_wanted' });
    await this.deps.clock.sleep(MEMORY_FILES_MILLISECONDS);
    return packBody(pack.chunks, this.deps.staging);
  }

  private async setAddress(flight: Flight, address: string | null): Promise<void> {
    flight.pack = { ...flight.pack, address };
    await this.deps.database.packs.update(flight.pack.id, { address });
  }

  /**
   * The pack cannot go as it is: transfers with damaged chunks fail as `unreadable`, or, when the bytes are right, all of its
   * transfers with the server's reason; the rest is packed anew.
   */
  private async inspect(pack: PackRow, reason: NonNullable<TransferRow['reason']>): Promise<void> {
    const bad = reason === 'unreadable' ? await damagedChunks(pack.chunks, this.deps.staging, this.deps.hasher) : pack.chunks;
    const waiters = this.plan.waitersOf({ ...pack, chunks: bad });
    const ids = new Set([...waiters, ...bad.map((chunk) => chunk.transferId)]);
    // Bytes in memory are only unreadable here, not damaged: the tab that has them may still tell us where they are.
    const homeless = bad.length > 0 && bad.every((chunk) => chunk.segment.startsWith(MEMORY_SEGMENT));
    this.deps.log.warn('packs.given_up', { reason, transfers: ids.size });
    await this.progress.giveUp(ids, homeless ? 'lost' : 'failed', reason);
    for (const id of ids) this.plan.drop(id);
    await this.forget(pack);
    this.plan.giveBack(pack);
    this.kicked();
  }

  /** The row goes first: an upload that is let go must never be resumed. */
  private async forget(pack: PackRow): Promise<void> {
    await this.deps.database.packs.delete(pack.id);
    if (pack.address !== null) this.inBackground(this.deps.blocks.discard(pack.address));
  }

  private async settle(pack: PackRow): Promise<void> {
    for (const { id } of pack.chunks) this.settledMeanwhile.add(`${pack.namespaceId} ${id}`);
    const touched = this.plan.settle(pack);
    await this.deps.database.packs.delete(pack.id);
    const complete = [...touched].filter((id) => this.plan.isComplete(id));
    await this.markDurable(complete);
  }

  private async markDurable(ids: readonly string[]): Promise<void> {
    const durable = await this.progress.markDurable(ids);
    for (const id of durable) this.plan.close(id);
    if (durable.length > 0) this.deps.channel.say({ kind: 'durable', ids: durable });
  }

  /** Packs nobody waits for any more stop at once; a paused transfer's pack keeps its address, a cancelled one's is let go. */
  private abortUnawaited(): void {
    for (const flight of this.flights.values()) {
      if (this.plan.isAwaited(flight.pack) || flight.abort.signal.aborted) continue;
      // A pack from before a restart is awaited by transfers whose segments are yet to be planned.
      if (flight.pack.chunks.some((chunk) => this.plan.has(chunk.transferId))) continue;
      flight.abort.abort();
      this.plan.giveBack(flight.pack);
      const wish = this.progress.wishFor(flight.pack);
      this.inBackground(wish.then((is) => (is === 'forget' ? this.forget(flight.pack) : undefined)));
    }
  }

  private async reportProgress(lost: AbortSignal): Promise<void> {
    while (!lost.aborted) {
      await this.deps.clock.sleep(PROGRESS_MILLISECONDS, lost);
      await this.progress.report(this.flights.values());
    }
  }

  private async sweepNowAndThen(lost: AbortSignal): Promise<void> {
    while (!lost.aborted) {
      if (this.sweepWanted) {
        this.sweepWanted = false;
        // A pack that was stopped in the moment in which its transfer came back would lie here for ever.
        await this.resumePacks();
        await sweepStaging(this.deps.database, this.deps.staging, this.plan.segmentsInUse());
      }
      await this.deps.clock.sleep(SWEEP_MILLISECONDS, lost);
    }
  }
}
