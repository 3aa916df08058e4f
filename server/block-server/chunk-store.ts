/** Where packs lie: fs, S3, replicated. Knows no names and no users. */
export interface ChunkStore {
  /** Takes over the complete local file at `path` as pack `packId`; durable (fsynced, or acknowledged by every replica wanted) when it resolves. Idempotent. Throws `StoreFull` when there is no room. */
  put(packId: string, path: string): Promise<void>;
  /** Bytes [offset, offset + length) of a pack. Throws `PackMissing`. */
  read(packId: string, offset: number, length: number): Promise<Uint8Array>;
  /** Removes a pack; not an error when it is gone already. */
  delete(packId: string): Promise<void>;
}

export class StoreFull extends Error {
  override name = 'StoreFull';
}
export class PackMissing extends Error {
  override name = 'PackMissing';
}
