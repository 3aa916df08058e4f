import type { Entry } from '../model/entry';
import type { Cursor, Digest, EntryId, NamespaceId, RequestId } from '../model/ids';
import type { Manifest } from '../model/manifest';
import type { Operation } from '../protocol/commit';
import type { ErrorCode } from '../protocol/error-codes';

/**
 * One entry as the person sees it. The revision numbers are those of the server's state this view is based on, also while own
 * changes wait (1, 1, 1 for entries the server does not know yet): a request names them, so that nothing newer is overwritten.
 */
export interface LocalEntry extends Entry {
  readonly namespaceId: NamespaceId;
  readonly state: 'synced' | 'waiting' | 'syncing' | 'failed';
  /** Why, when state is `failed`. */
  readonly reason?: ErrorCode;
  /** The server's newest state while it differs from this row (null: the server does not know the entry); absent in settled rows. */
  readonly remote?: Entry | null;
  /** The transfer that carries this file's newest bytes, while they are not on the server. */
  readonly transferId?: string;
}

/** One request of the device's queue. `order` is given by the store. */
export interface LocalRequest {
  readonly order?: number;
  readonly requestId: RequestId;
  readonly namespaceId: NamespaceId;
  readonly operations: readonly Operation[];
  readonly createdAt: number;
  /** How often it was sent; counted before it is, so that 0 means: the server cannot know of it. */
  readonly attempts: number;
  /** Not to be sent before the person has confirmed it: it deletes or empties much at once. */
  readonly held?: 'mass_deletion';
}
export type QueuedRequest = LocalRequest & { readonly order: number };

export interface LocalCursor {
  readonly namespaceId: NamespaceId;
  readonly kind: 'root' | 'shared';
  readonly role: 'owner' | 'editor' | 'viewer';
  readonly cursor: Cursor | null;
}

/** One file on its way up, as far as the engine is concerned. */
export interface LocalTransfer {
  readonly id: string;
  readonly namespaceId: NamespaceId;
  readonly parentId: EntryId;
  readonly entryId: EntryId;
  /** null: a new file; else the `contentRevision` these bytes replace. */
  readonly baseRevision: number | null;
  readonly name: string;
  readonly size: number;
  readonly mtime: number;
  readonly state: 'queued' | 'staging' | 'staged' | 'sending' | 'durable' | 'done' | 'failed' | 'lost' | 'cancelled';
  readonly paused: 0 | 1;
  readonly reason?: ErrorCode | 'quota' | 'unreadable' | 'changed_while_reading' | 'offline';
  readonly stagedBytes: number;
  readonly sentBytes: number;
  readonly digest?: Digest;
  /** Its bytes have been its row's content: when the row names another transfer now, these bytes were overwritten by the person. */
  readonly shown?: true;
  /** The store's own note of where the chunks are staged. */
  readonly staged?: string;
  readonly finishedAt?: number;
}
export type TransferChange = { readonly id: string; readonly changes: Partial<Omit<LocalTransfer, 'id'>> };

/** How this device stands towards the server, for the page to show. */
export interface Connection {
  readonly state: 'connecting' | 'online' | 'offline' | 'signed_out';
  readonly firstSync: boolean;
  readonly pulledAt: number | null;
}

/** What can be asked inside a transaction. */
export interface LocalReading {
  /** In the order of `ids`; undefined for the unknown. */
  entries(ids: readonly EntryId[]): Promise<readonly (LocalEntry | undefined)[]>;
  /** Everything that stands in a folder, deleted entries included. */
  children(parentId: EntryId): Promise<readonly LocalEntry[]>;
  /** Live entries of that name (`nameKey`) in a folder. More than one only until the server has decided. */
  liveByName(parentId: EntryId, nameKey: string): Promise<readonly LocalEntry[]>;
  entryIds(namespaceId: NamespaceId): Promise<readonly EntryId[]>;
  /** True while no entry is known at all: a first sync need not look for what it replaces. */
  isEmpty(): Promise<boolean>;
  /** The whole queue, in order. */
  requests(): Promise<readonly QueuedRequest[]>;
  firstRequest(): Promise<QueuedRequest | undefined>;
  cursors(): Promise<readonly LocalCursor[]>;
  transfers(ids: readonly string[]): Promise<readonly (LocalTransfer | undefined)[]>;
  /** Transfers of these entries, in any state. */
  transfersOf(entryIds: readonly EntryId[]): Promise<readonly LocalTransfer[]>;
  /** Transfers in one of `states`; at most `limit`, or all. */
  transfersIn(states: readonly LocalTransfer['state'][], limit?: number): Promise<readonly LocalTransfer[]>;
  /** The chunks that are staged for each transfer, all of its bytes; null when some are missing. */
  stagedManifests(transfers: readonly Pick<LocalTransfer, 'id' | 'size' | 'staged'>[]): Promise<readonly (Manifest | null)[]>;
  connection(): Promise<Connection | null>;
}

/** What can be changed inside a transaction, besides reading. */
export interface LocalWriting extends LocalReading {
  putEntries(rows: readonly LocalEntry[]): Promise<void>;
  removeEntries(ids: readonly EntryId[]): Promise<void>;
  /** Puts it at the end of the queue. */
  addRequest(request: LocalRequest): Promise<void>;
  /** Replaces a request in its place. */
  putRequest(request: QueuedRequest): Promise<void>;
  removeRequest(order: number): Promise<void>;
  putCursor(row: LocalCursor): Promise<void>;
  updateTransfers(changes: readonly TransferChange[]): Promise<void>;
  putConnection(connection: Connection): Promise<void>;
}

/**
 * The device's own tree and queues. A transaction is all or nothing, durable when its promise resolves, and isolated from other
 * tabs; inside it nothing but its own methods may be awaited. When `work` throws, nothing of it remains and the error goes on.
 */
export interface LocalStore {
  read<T>(work: (reading: LocalReading) => Promise<T>): Promise<T>;
  write<T>(work: (writing: LocalWriting) => Promise<T>): Promise<T>;
}
