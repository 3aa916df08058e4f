import type { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { DataStore, ERRORS, Upload } from '@tus/utils';
import { PACK_UPLOAD_IDLE_HOURS_MAX } from '@/lib/sync/model/limits';
import type { Identity } from '../../accounts/identity';
import { ApiError } from '../../http/api-error';
import type { BlockLog } from '../block-log';
import type { ChunkIndex } from '../chunk-index';
import type { ChunkStore } from '../chunk-store';
import { takeInPack } from '../pack-intake';
import { isDiskFull } from './disk';
import type { FsPackStaging, StagedUpload, UploadTicket } from './fs-pack-staging';
import { receiveBody } from './receive-body';

/** One request of an upload, from the guard to the answer. */
export interface Exchange {
  readonly identity: Identity;
  readonly request: IncomingMessage;
  /** Fires when the same upload is asked for by a newer request. */
  readonly stopped: AbortSignal;
  stop(): void;
}

export interface TusPackStoreOptions {
  readonly staging: FsPackStaging;
  readonly index: ChunkIndex;
  readonly store: ChunkStore;
  /** Whether the person may still write there. Throws ApiError `unavailable` when that cannot be found out. */
  readonly mayWrite: (ticket: UploadTicket) => Promise<boolean>;
  readonly exchanges: AsyncLocalStorage<Exchange>;
  readonly log: BlockLog;
}

/**
 * What tus keeps uploads in. The bytes are taken from the connection itself and not from the stream that @tus/server hands
 * over: that one has gone through two web streams and three pipes, which halves the throughput.
 *
 * A pack is taken in inside `write`, under the upload's lock, and not in `onUploadFinish`, which runs after the lock is
 * given back: otherwise a HEAD in between would tell the client that everything is done before it is.
 */
export class TusPackStore extends DataStore {
  constructor(private readonly options: TusPackStoreOptions) {
    super();
    this.extensions = ['creation', 'creation-with-upload', 'termination', 'expiration'];
  }

  override async create(upload: Upload): Promise<Upload> {
    const { identity } = this.exchange();
    const namespaceId = upload.metadata?.namespaceId as UploadTicket['namespaceId'];
    const { userId, deviceId } = identity;
    await this.options.staging
      .create({ id: upload.id, userId, deviceId, namespaceId, bytes: upload.size ?? 0, finished: false })
      .catch(sayFull);
    return upload;
  }

  /**
   * An upload that holds all its bytes but was not taken in (the server was killed there, or PostgreSQL was away) is told
   * one byte shorter, and is: a client that hears “everything is here” never comes back, one that lacks a byte sends it,
   * and that finishes the pack. Only a request that brings bytes itself sees the true length, so an empty PATCH finishes it too.
   */
  override async getUpload(id: string): Promise<Upload> {
    const { request } = this.exchange();
    const { ticket, received, touchedAt } = await this.find(id);
    let offset = received;
    if (!ticket.finished && received >= ticket.bytes && request.method === 'HEAD') {
      offset = ticket.bytes - 1;
      await this.options.staging.cut(id, offset);
    }
    // tus reckons from the creation on; an upload is forgotten when it is idle, so its last byte counts as that.
    const creation_date = new Date(touchedAt).toISOString();
    return new Upload({ id, size: ticket.bytes, offset, metadata: { namespaceId: ticket.namespaceId }, creation_date });
  }

  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    // The request's body is read below; tus was given an empty stream instead.
    stream.resume();
    const { request } = this.exchange();
    const { ticket } = await this.find(id);
    if (ticket.finished) return ticket.bytes;
    const position = await this.receive(ticket, offset);
    if (position === ticket.bytes) await this.takeIn(ticket);
    // Nobody learns the address of an upload whose creation was cut off.
    else if (request.method === 'POST' && !request.complete) await this.options.staging.remove(id);
    return position;
  }

  override async remove(id: string): Promise<void> {
    await this.find(id);
    await this.options.staging.remove(id);
  }

  override async deleteExpired(): Promise<number> {
    return this.options.staging.sweep(Date.now());
  }

  override getExpiration(): number {
    return PACK_UPLOAD_IDLE_HOURS_MAX * 3_600_000;
  }

  /** The upload, if it is this identity's. Anybody else's does not exist. */
  async find(id: string): Promise<StagedUpload> {
    const { identity } = this.exchange();
    const found = await this.options.staging.find(id);
    if (found === null || found.ticket.userId !== identity.userId || found.ticket.deviceId !== identity.deviceId)
      throw ERRORS.FILE_NOT_FOUND;
    return found;
  }

  private exchange(): Exchange {
    const exchange = this.options.exchanges.getStore();
    if (exchange === undefined) throw new Error('an upload is asked for outside a request');
    return exchange;
  }

  private async receive(ticket: UploadTicket, offset: number): Promise<number> {
    const { request, stopped } = this.exchange();
    const file = await open(this.options.staging.path(ticket.id), 'r+');
    try {
      const received = await receiveBody(request, file, offset, ticket.bytes - offset, stopped);
      if (received.end === 'too_long') throw ERRORS.ERR_SIZE_EXCEEDED;
      return received.position;
    } catch (error) {
      return sayFull(error);
    } finally {
      await file.close();
    }
  }

  private async takeIn(ticket: UploadTicket): Promise<void> {
    const { staging, index, store, log } = this.options;
    if (!(await this.options.mayWrite(ticket))) {
      await staging.remove(ticket.id);
      throw new ApiError('not_found');
    }
    const outcome = await takeInPack({
      staged: staging.staged(ticket),
      namespaceId: ticket.namespaceId,
      packId: randomUUID(),
      index,
      store,
    });
    if (outcome.ok) return staging.finish(ticket);
    if (outcome.code === 'bad_pack' || outcome.code === 'chunk_mismatch') {
      await staging.remove(ticket.id);
      log.warn('pack_refused', { uploadId: ticket.id, code: outcome.code, ...outcome.detail });
      throw new ApiError(outcome.code, undefined, outcome.detail);
    }
    log.error('pack_not_taken_in', { uploadId: ticket.id, code: outcome.code, cause: String(outcome.cause) });
    throw new ApiError(outcome.code);
  }
}

function sayFull(error: unknown): never {
  if (isDiskFull(error) || isDiskFull(error instanceof Error ? error.cause : undefined)) throw new ApiError('insufficient_storage');
  throw error;
}
