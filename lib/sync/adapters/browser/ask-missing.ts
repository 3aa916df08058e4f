import type { ChunkId, NamespaceId } from '../../model/ids';
import { MISSING_CHUNKS_MAX } from '../../model/limits';
import type { BlockServer } from '../../ports/block-server';
import type { Patience } from './patience';

export interface AskMissingDeps {
  readonly blocks: Pick<BlockServer<Blob>, 'missing'>;
  readonly patience: Patience;
}

/** Which of `ids` the block server lacks, asked until it answers; null when the answer did not come before `lost`. */
export async function askMissing(
  { blocks, patience }: AskMissingDeps,
  namespaceId: NamespaceId,
  ids: readonly ChunkId[],
  lost: AbortSignal,
): Promise<ReadonlySet<ChunkId> | null> {
  const missing = new Set<ChunkId>();
  for (let at = 0; at < ids.length; at += MISSING_CHUNKS_MAX) {
    for (;;) {
      const reply = await blocks.missing(namespaceId, ids.slice(at, at + MISSING_CHUNKS_MAX));
      if (lost.aborted) return null;
      if (reply.ok) {
        patience.reached();
        for (const id of reply.value) missing.add(id);
        break;
      }
      // Whatever it is (no network, signed out, a right that was taken away): the commit tells the person; here we wait.
      await patience.afterFailure(reply);
      if (lost.aborted) return null;
    }
  }
  return missing;
}
