import type { EntryId, NamespaceId, UserId } from '../../model/ids';
import type { ContentBase, ContentSource, EditResult, IntentResult, OnConflict, PickedItem, UploadCheck } from './engine-client-types';

/** What tabs and workers of one account tell the engine, wherever it runs. A lost message costs delay only. */
export type EngineMessage =
  /** The queue grew. */
  | { readonly kind: 'requests' }
  /** Pull now, and try again what waits for the network. */
  | { readonly kind: 'wake' };

/** One end of the channel on which an account's tabs and workers wake the engine. */
export function openEngineChannel(userId: UserId, listener?: (message: EngineMessage) => void): BroadcastChannel {
  const channel = new BroadcastChannel(`satchel-engine-${userId}`);
  if (listener !== undefined) channel.onmessage = (event: MessageEvent<EngineMessage>) => listener(event.data);
  return channel;
}

/** What a page asks of its own worker; everything else it sees in the database. */
export interface WorkerCalls {
  createFolder(parentId: EntryId, name: string): Promise<IntentResult>;
  rename(entryId: EntryId, name: string): Promise<IntentResult>;
  move(entryIds: readonly EntryId[], parentId: EntryId): Promise<IntentResult>;
  copy(entryIds: readonly EntryId[], parentId: EntryId): Promise<IntentResult>;
  /** `confirmed`: the person was asked, or asked for just this; else a mass deletion is held. */
  remove(entryIds: readonly EntryId[], options: { readonly confirmed: boolean }): Promise<IntentResult>;
  restore(entryIds: readonly EntryId[]): Promise<IntentResult>;
  /** Adds to the things picked under `pickId`; they are let go by `upload` and `forgetPicked`. */
  picked(pickId: string, items: readonly PickedItem[]): Promise<void>;
  forgetPicked(pickId: string): Promise<void>;
  checkUpload(pickId: string, parentId: EntryId): Promise<UploadCheck>;
  upload(pickId: string, parentId: EntryId, onConflict: OnConflict): Promise<IntentResult>;
  pauseTransfers(ids: readonly string[] | 'all', paused: 0 | 1): Promise<void>;
  cancelTransfers(ids: readonly string[] | 'all'): Promise<void>;
  retryTransfers(ids: readonly string[] | 'all'): Promise<void>;
  confirmHeld(): Promise<void>;
  discardHeld(): Promise<void>;
  continueTransfers(ids: readonly string[]): Promise<void>;
  writeFile(entryId: EntryId, bytes: Blob, base: ContentBase, quiet: boolean): Promise<EditResult>;
  createFile(parentId: EntryId, name: string, bytes: Blob): Promise<EditResult>;
  replaceContent(entryId: EntryId, source: ContentSource): Promise<IntentResult>;
  /** Gives the lease back and closes files and database. */
  stop(): Promise<void>;
}

export interface WorkerStart {
  readonly userId: UserId;
  readonly rootNamespaceId: NamespaceId;
  /** Named in conflict copies. */
  readonly deviceName: string;
  /** The server's; a worker may have been loaded from somewhere that has none. */
  readonly origin: string;
}

export type ToWorker =
  | ({ readonly kind: 'start' } & WorkerStart)
  | { readonly kind: 'call'; readonly id: number; readonly method: keyof WorkerCalls; readonly args: readonly unknown[] };

export type FromWorker =
  | { readonly kind: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'threw'; readonly id: number; readonly message: string };
