import { Dexie, type Table } from 'dexie';
import type { DiskRecord } from '../../model/disk';
import type { ChunkId, DeviceId, Digest, EntryId, NamespaceId, UserId } from '../../model/ids';
import type { LocalCursor, LocalEntry, LocalRequest, LocalTransfer } from '../../ports/local-store';

/**
 * The device's own metadata database: one per account, read by the page, written by intake and engine.
 * The page never waits for the network: it watches these tables.
 */

/** One entry as the person sees it (the local tree), with what the indexes need. */
export interface EntryRow extends LocalEntry {
  /** 1 while `deletedAt` is null; indexable. */
  readonly live: 0 | 1;
  /** 0 folder, 1 file: folders come first in every order. */
  readonly rank: 0 | 1;
  readonly nameKey: string;
  /** `sortKeyOf(name)`: natural order, so that “2” comes before “10”. */
  readonly sortKey: string;
  /** 1: a live file named as a conflict copy. Absent from all others, so that the index holds the few that matter. */
  readonly conflict?: 1;
}

/** How far each journal has been read. */
export type CursorRow = LocalCursor;

/** The device's request queue: what waits to be committed, in order. Written with strict durability. */
export type RequestRow = LocalRequest;

/**
 * One file on its way up.
 * queued → staging (bytes go into the browser's private file system) → staged (safe: survives a closed browser) → sending →
 * durable (every chunk on the server) → done (committed). `failed` carries a reason and can be retried; `lost`: the page closed
 * before the bytes were safe and they cannot be reached again without the person.
 */
export type TransferState = LocalTransfer['state'];

/** `staged` names the `StagedRow` that holds all chunks; `sentBytes` is written at most four times a second. */
export interface TransferRow extends LocalTransfer {
  /** All files of one drop or pick share it. */
  readonly batchId: string;
  readonly createdAt: number;
  /** Where the browser gives one, so that staging can go on after a restart. */
  readonly handle?: FileSystemFileHandle;
  /** `FileIntake.id` of the worker that holds the File. While the Web Lock of that name is held nobody else reads it. */
  readonly intakeId?: string;
  /** 1: an edit in place; its state shows at its entry and not in the list of transfers. */
  readonly quiet?: 1;
}

/** Chunks of one transfer that are staged behind each other in one staging file, in order. */
export interface StagedPart {
  readonly transferId: string;
  /** Counts up within the transfer. */
  readonly part: number;
  /** Offset of the first chunk in the staging file; the chunks follow each other without gaps. */
  readonly offset: number;
  /** `encodeManifest` of the chunks. */
  readonly chunks: Uint8Array<ArrayBuffer>;
}

/** What lies in one staging file (see the note “one row a staging file”). */
export interface StagedRow {
  /** The segment's name; for a file that stays where it is several rows share a segment. */
  readonly id: string;
  /** Name of the staging file in the private file system. */
  readonly segment: string;
  readonly parts: readonly StagedPart[];
  /** Transfers of these parts that have, or may come to have, parts in other rows too. */
  readonly spanning: readonly string[];
}

/** One pack on its way; its body is rebuilt from staging files, byte for byte the same, for resuming. */
export interface PackRow {
  readonly id: string;
  readonly namespaceId: NamespaceId;
  readonly state: 'waiting' | 'sending';
  /** Address of the resumable upload once begun. */
  readonly address: string | null;
  readonly bytes: number;
  readonly chunks: readonly {
    readonly id: ChunkId;
    readonly size: number;
    readonly segment: string;
    readonly offset: number;
    readonly transferId: string;
  }[];
}

/** Offline content: files kept for opening without a network. The bytes lie in the Cache named `OFFLINE_CACHE`. */
export interface OfflineRow {
  readonly entryId: EntryId;
  readonly namespaceId: NamespaceId;
  readonly contentRevision: number;
  readonly bytes: number;
  /** 1: asked for by the person, kept; 0: seen before, may be evicted. */
  readonly pinned: 0 | 1;
  /** `too_big`: pinned, but there is no room for it; tried again when there is. */
  readonly state: 'wanted' | 'present' | 'too_big';
  readonly usedAt: number;
}

/** What the person asked to keep for offline use: a file, or a folder with everything in it, now and later. */
export interface PinRow {
  readonly entryId: EntryId;
  readonly pinnedAt: number;
}
export const OFFLINE_CACHE = 'satchel-content-v1';

/** Text that was typed and has not become a revision yet: what a crash would lose otherwise. Gone once the bytes are staged. */
export interface DraftRow {
  readonly entryId: EntryId;
  readonly namespaceId: NamespaceId;
  readonly parentId: EntryId;
  readonly name: string;
  /** The whole file as it is to be written. */
  readonly text: string;
  /** What it was edited from. */
  readonly base: { readonly contentRevision: number; readonly digest: Digest | null };
  /** Milliseconds since 1970 UTC. */
  readonly at: number;
}

export interface SettingRow {
  readonly key: string;
  readonly value: unknown;
}

/** Natural order: digit runs compare by value (length first), the rest by name key. */
export function sortKeyOf(nameKey: string): string {
  return nameKey.replace(/\d+/g, (digits) => {
    const value = digits.replace(/^0+(?=\d)/, '');
    return String.fromCharCode(0x30 + Math.min(value.length, 40)) + value;
  });
}

export class SatchelDatabase extends Dexie {
  declare entries: Table<EntryRow, EntryId>;
  declare cursors: Table<CursorRow, NamespaceId>;
  declare requests: Table<RequestRow, number>;
  declare transfers: Table<TransferRow, string>;
  declare staged: Table<StagedRow, string>;
  declare packs: Table<PackRow, string>;
  declare offline: Table<OfflineRow, EntryId>;
  declare settings: Table<SettingRow, string>;
  declare pins: Table<PinRow, EntryId>;
  declare disk: Table<DiskRecord, EntryId>;
  declare drafts: Table<DraftRow, EntryId>;

  constructor(userId: UserId) {
    // Chromium and Firefox default to relaxed durability: an acknowledged change must survive a crash.
    super(`satchel-${userId}`, { chromeTransactionDurability: 'strict' });
    this.version(1).stores({
      entries:
        'id, [parentId+live+rank+sortKey], [parentId+live+rank+mtime], [parentId+live+rank+size], [parentId+nameKey], deletedAt, state, conflict',
      cursors: 'namespaceId',
      requests: '++order, requestId',
      // Few indexes on purpose: a file's row is written four times on its way up, and each index costs as much as the row; few rows carry `quiet`.
      transfers: 'id, state, entryId, quiet',
      staged: 'id, segment, *spanning',
      packs: 'id, state',
      offline: 'entryId, pinned, state, usedAt',
      settings: 'key',
      pins: 'entryId',
      // What the picked folder on disk and the tree last agreed on. Read as a whole, written a few at a time.
      disk: 'entryId',
      drafts: 'entryId',
    });
  }
}

/** Who is signed in on this browser profile, kept outside the accounts' databases so that the shell opens offline. */
export interface Profile {
  readonly deviceId: DeviceId;
  readonly me: {
    readonly userId: UserId;
    readonly email: string;
    readonly name: string;
    readonly isAdmin: boolean;
    readonly rootNamespaceId: NamespaceId;
  } | null;
}
