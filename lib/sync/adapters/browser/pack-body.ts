import { decodeManifest } from '../../model/manifest';
import type { Hasher } from '../../ports/hasher';
import { encodePackHeader } from '../../protocol/pack-format';
import type { OpfsStaging } from './opfs-staging';
import type { StagedChunk } from './send-plan';
import type { LocatedPart } from './staged-rows';

/**
 * The bytes of a pack as a Blob: header, then slices of staging files, neighbours merged into one slice. Nothing is read here; the
 * browser streams it while sending. null when a staging file is gone.
 */
export async function packBody(chunks: readonly StagedChunk[], staging: OpfsStaging): Promise<Blob | null> {
  const parts: BlobPart[] = [encodePackHeader(chunks)];
  for (let first = 0; first < chunks.length; ) {
    const { segment, offset } = chunks[first] as StagedChunk;
    let end = offset;
    let next = first;
    for (let chunk = chunks[next]; chunk?.segment === segment && chunk.offset === end; chunk = chunks[++next]) end += chunk.size;
    const file = await staging.blob(segment);
    if (file === null || file.size < end) return null;
    parts.push(file.slice(offset, end));
    first = next;
  }
  return new Blob(parts);
}

/** Those chunks whose staged bytes are not what their names say, or cannot be read. */
export async function damagedChunks(chunks: readonly StagedChunk[], staging: OpfsStaging, hasher: Hasher): Promise<readonly StagedChunk[]> {
  const damaged: StagedChunk[] = [];
  for (const chunk of chunks) {
    try {
      const bytes = await (await staging.blob(chunk.segment))?.slice(chunk.offset, chunk.offset + chunk.size).arrayBuffer();
      if (bytes === undefined || (await hasher.sha256(new Uint8Array(bytes))) !== chunk.id) damaged.push(chunk);
    } catch {
      damaged.push(chunk); // The browser could not read its own file.
    }
  }
  return damaged;
}

/** The chunks of a staged part, each with its place. */
export function stagedChunks(row: LocatedPart): StagedChunk[] {
  let offset = row.offset;
  return decodeManifest(row.chunks).map(({ id, size }) => {
    const chunk: StagedChunk = { id, size, segment: row.segment, offset, transferId: row.transferId };
    offset += size;
    return chunk;
  });
}
