import type { ChunkId, NamespaceId, UserId } from '@/lib/sync/model/ids';

/** Where one chunk's payload lies. */
export interface ChunkPlace {
  readonly id: ChunkId;
  readonly size: number;
  readonly packId: string;
  readonly offset: number;
  readonly stored: number;
  readonly encoding: number;
}

/** The block server's records in the metadata database: chunk → place, and which namespace may name which chunk. */
export interface ChunkIndex {
  /** Of `ids`, those that have a place already, whoever brought them. For the block server's own use: never an answer to a client. */
  known(ids: readonly ChunkId[]): Promise<ReadonlySet<ChunkId>>;
  /** Records a durable pack, the places of its chunks (a chunk that got a place meanwhile keeps it), and grants `granted` to the namespace; one transaction. `pack` null: nothing new was stored, only grants. */
  record(args: {
    pack: { id: string; bytes: number } | null;
    places: readonly ChunkPlace[];
    namespaceId: NamespaceId;
    granted: readonly ChunkId[];
  }): Promise<void>;
  /** Of `ids`, those that no namespace of which `userId` is a member has been granted. */
  unreachable(userId: UserId, ids: readonly ChunkId[]): Promise<readonly ChunkId[]>;
  /** Places, in no particular order; unknown ids are left out. */
  locate(ids: readonly ChunkId[]): Promise<readonly ChunkPlace[]>;
}
