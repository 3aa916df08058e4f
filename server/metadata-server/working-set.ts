import type { Entry } from '@/lib/sync/model/entry';
import type { ChunkId, EntryId } from '@/lib/sync/model/ids';
import { rootOf } from '@/lib/sync/model/ids';
import type { Manifest } from '@/lib/sync/model/manifest';
import { checkName, nameKey } from '@/lib/sync/model/names';
import type { CommitRequest, FileContent } from '@/lib/sync/protocol/commit';

/** A name in a folder that a commit wants to give. */
export interface Placement {
  readonly parentId: EntryId;
  readonly nameKey: string;
}

/** What has to be read before a commit can be decided. */
export interface Needs {
  /** Entries and parents named; they are wanted with all folders above them. */
  readonly entryIds: readonly EntryId[];
  /** Whoever is live there now is wanted too. */
  readonly placements: readonly Placement[];
  /** Entries that may carry a folder tree to another depth. */
  readonly movedIds: readonly EntryId[];
  /** Files whose present manifest is wanted. */
  readonly splicedIds: readonly EntryId[];
  readonly copies: readonly { readonly entryId: EntryId; readonly contentRevision: number }[];
  readonly chunkIds: readonly ChunkId[];
}

/** The part of a namespace that one commit touches, as it was before. */
export interface WorkingSet {
  readonly entries: ReadonlyMap<EntryId, Entry>;
  /** Steps down from a moved folder to what lies deepest in it; absent: 0. */
  readonly heights: ReadonlyMap<EntryId, number>;
  /** By `manifestKey`. */
  readonly manifests: ReadonlyMap<string, Manifest>;
  /** Chunks the person can reach; `granted`: to this namespace already. Others are absent. */
  readonly chunks: ReadonlyMap<ChunkId, { readonly size: number; readonly granted: boolean }>;
}

/** Key of `WorkingSet.manifests`. */
export function manifestKey(entryId: EntryId, contentRevision: number): string {
  return `${entryId}:${contentRevision}`;
}

/** Key of a placement. */
export function placementKey({ parentId, nameKey: key }: Placement): string {
  return `${parentId}/${key}`;
}

/** The chunks that the content of an operation brings along; those of a base or copied manifest are the namespace's own already. */
export function chunksNamed(content: FileContent): Manifest {
  if (content.from === 'chunks') return content.chunks;
  return content.from === 'splices' ? content.splices.flatMap((splice) => splice.insert) : [];
}

/** Finds out what `request` needs. */
export function needsOf(request: CommitRequest): Needs {
  const root = rootOf(request.namespaceId);
  const entryIds = new Set<EntryId>();
  const placements = new Map<string, Placement>();
  const movedIds = new Set<EntryId>();
  const splicedIds = new Set<EntryId>();
  const copies = new Map<string, { entryId: EntryId; contentRevision: number }>();
  const chunkIds = new Set<ChunkId>();
  for (const operation of request.operations) {
    entryIds.add(operation.entryId);
    if ('parentId' in operation) {
      if (operation.parentId !== root) entryIds.add(operation.parentId);
      const checked = checkName(operation.name);
      if (checked.ok) {
        const placement = { parentId: operation.parentId, nameKey: nameKey(checked.name) };
        placements.set(placementKey(placement), placement);
      }
    }
    if (operation.kind === 'move' || operation.kind === 'restore') movedIds.add(operation.entryId);
    if ('content' in operation) {
      const { content } = operation;
      if (content.from === 'splices') splicedIds.add(operation.entryId);
      if (content.from === 'copy') copies.set(manifestKey(content.entryId, content.contentRevision), content);
      for (const chunk of chunksNamed(content)) chunkIds.add(chunk.id);
    }
  }
  return {
    entryIds: [...entryIds],
    placements: [...placements.values()],
    movedIds: [...movedIds],
    splicedIds: [...splicedIds],
    copies: [...copies.values()].map(({ entryId, contentRevision }) => ({ entryId, contentRevision })),
    chunkIds: [...chunkIds],
  };
}
