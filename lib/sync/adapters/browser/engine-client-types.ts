import type { Digest, EntryId } from '../../model/ids';
import type { NameProblem } from '../../model/names';
import type { EntryRow, TransferRow } from './database';

/** One thing a person picked, dropped or pasted. `path` is relative with “/”, NFC not yet applied. */
export type PickedItem =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly file: File; readonly handle?: FileSystemFileHandle };

export type OnConflict = 'keep_both' | 'replace' | 'skip';

/** What an upload would meet; asked before it starts. */
export interface UploadCheck {
  /** Files whose name is taken by a live file in the target. Folders are merged and do not count. */
  readonly conflicts: readonly { readonly path: string; readonly entryId: EntryId }[];
  /** Paths with names that cannot be used; they will be left out. */
  readonly refused: readonly { readonly path: string; readonly problem: NameProblem }[];
  readonly files: number;
  readonly bytes: number;
  /** False: the browser's storage cannot hold the staging; the upload then only runs while the page stays open. */
  readonly fitsStorage: boolean;
  readonly freeBytes: number | null;
}

export type IntentResult = { readonly ok: true; readonly entryIds: readonly EntryId[] } | { readonly ok: false; readonly sentence: string };

/** What an edit began from: the entry's content as it was read. */
export interface ContentBase {
  readonly contentRevision: number;
  readonly digest: Digest | null;
}

/** One revision's bytes on the server, to be taken over without sending them. */
export interface ContentSource {
  readonly entryId: EntryId;
  readonly contentRevision: number;
  readonly size: number;
  readonly digest: Digest;
}

/** What became of bytes that were written. */
export type EditResult =
  | {
      readonly ok: true;
      /** The entry that has the bytes now; with `copied` a new conflict copy, because the entry had been given other bytes meanwhile. */
      readonly entryId: EntryId;
      readonly copied: boolean;
      readonly digest: Digest;
      /** False: the browser had no room to stage them; they are lost when the page closes before they are sent. */
      readonly safe: boolean;
    }
  | { readonly ok: false; readonly sentence: string };

/**
 * What the page can ask for. Every call is done once the wish is durable on this device; none waits for the network.
 * Results are seen by watching the local store.
 */
export interface EngineClient {
  createFolder(parentId: EntryId, name: string): Promise<IntentResult>;
  rename(entryId: EntryId, name: string): Promise<IntentResult>;
  /** Moves into `parentId`; a taken name becomes `name (2)`. */
  move(entryIds: readonly EntryId[], parentId: EntryId): Promise<IntentResult>;
  /** Copies without sending content, folders with everything in them. */
  copy(entryIds: readonly EntryId[], parentId: EntryId): Promise<IntentResult>;
  /** To the trash. A person's own selection is meant as it is; `confirmed: false` has mass deletions held until `confirmHeld`. */
  remove(entryIds: readonly EntryId[], options?: { readonly confirmed: boolean }): Promise<IntentResult>;
  /** Out of the trash, to where they were (or to the top when that folder is gone). */
  restore(entryIds: readonly EntryId[]): Promise<IntentResult>;

  /** The held requests of the queue (`requests` rows with `held`) are meant: they go out. */
  confirmHeld(): Promise<void>;
  /** They are not: the entries are back as they were. */
  discardHeld(): Promise<void>;

  checkUpload(parentId: EntryId, items: readonly PickedItem[]): Promise<UploadCheck>;
  upload(parentId: EntryId, items: readonly PickedItem[], onConflict: OnConflict): Promise<IntentResult>;
  pauseTransfers(ids: readonly string[] | 'all'): Promise<void>;
  resumeTransfers(ids: readonly string[] | 'all'): Promise<void>;
  cancelTransfers(ids: readonly string[] | 'all'): Promise<void>;
  retryTransfers(ids: readonly string[] | 'all'): Promise<void>;
  /** Lets lost transfers that have a handle go on; asks the person for the right to read them, so call it from a click. */
  continueTransfers(rows: readonly TransferRow[]): Promise<void>;
  /** Forgets finished, failed-and-cancelled transfers from the tray. */
  clearFinishedTransfers(): Promise<void>;

  /** Keeps files for offline use, folders with everything in them, now and later. The first time the browser is asked to keep its storage. */
  pin(entryIds: readonly EntryId[]): Promise<void>;
  /** Lets them go, with what is pinned below them. Answers with a pinned folder above that keeps them all the same, or null. */
  unpin(entryIds: readonly EntryId[]): Promise<EntryRow | null>;

  /**
   * Makes `bytes` the content of a file. Done once they are staged and shown; sent when there is a network. A later write takes the
   * place of an earlier one that has not been sent. `quiet`: an edit in place, not shown in the list of transfers.
   */
  writeFile(entryId: EntryId, bytes: Blob, base: ContentBase, quiet: boolean): Promise<EditResult>;
  /** A new file with these bytes; a taken name is refused. */
  createFile(parentId: EntryId, name: string, bytes: Blob): Promise<EditResult>;
  /** Gives a file the bytes of another entry's (or its own earlier) revision; no content is sent. */
  replaceContent(entryId: EntryId, source: ContentSource): Promise<IntentResult>;

  /** Pull now (after the page became visible, or the person asked). */
  wake(): void;
  /** Stops workers and closes the database (sign-out). `forget` also removes this account's data from the browser. */
  close(options: { forget: boolean }): Promise<void>;
}

/** Kept in the settings table under `connection`, written by the engine. */
export interface ConnectionState {
  readonly state: 'connecting' | 'online' | 'offline' | 'signed_out';
  /** True until the first pull of a new device is through. */
  readonly firstSync: boolean;
  /** Milliseconds since 1970 UTC of the last complete pull. */
  readonly pulledAt: number | null;
}
