import type { Digest } from '../../model/ids';
import { encodeManifest } from '../../model/manifest';
import type { Hasher } from '../../ports/hasher';
import type { SatchelDatabase, StagedPart } from './database';
import { FileChanged, readChunks } from './file-chunks';
import { MEMORY_SEGMENT, type OpfsStaging } from './opfs-staging';
import { concat } from './staging-lane';
import type { TransferChannel } from './transfer-channel';

/** Bytes of a file whose chunks are recorded in one row. */
const PART_BYTES = 16 * 1024 * 1024;

export interface InPlaceDeps {
  readonly database: SatchelDatabase;
  readonly staging: OpfsStaging;
  readonly hasher: Hasher;
  readonly channel: TransferChannel;
}

/**
 * Names the chunks of a file that stays where it is, because it cannot be staged; the sender slices the File itself, for as long as
 * its page lives. False when it is not `wanted` any more. Throws what reading throws.
 */
export async function nameChunksInPlace(deps: InPlaceDeps, transferId: string, file: File, wanted: () => boolean): Promise<boolean> {
  const segment = `${MEMORY_SEGMENT}${transferId}`;
  deps.staging.setMemoryFile(segment, file);
  deps.channel.say({ kind: 'memory_file', segment, file });
  let manifest = new Uint8Array(0);
  let known = new Uint8Array(0);
  let offset = 0;
  let read = 0;
  let part = 0;
  for await (const { bytes, chunks } of readChunks(file, deps.hasher)) {
    if (!wanted()) return false;
    known = concat(known, encodeManifest(chunks));
    read += bytes.length;
    if (read - offset < PART_BYTES || read === file.size) continue;
    await record(deps, segment, { transferId, part, offset, chunks: known }, undefined);
    manifest = concat(manifest, known);
    known = new Uint8Array(0);
    offset = read;
    part++;
  }
  if (read !== file.size) throw new FileChanged();
  manifest = concat(manifest, known);
  const digest = (await deps.hasher.sha256(manifest)) as string as Digest;
  await record(deps, segment, { transferId, part, offset, chunks: known }, digest);
  return true;
}

async function record({ database, channel }: InPlaceDeps, segment: string, staged: StagedPart, digest: Digest | undefined): Promise<void> {
  await database.transaction('rw', database.transfers, database.staged, async () => {
    const row = await database.transfers.get(staged.transferId);
    if (row === undefined || row.state === 'cancelled') return;
    const { transferId } = staged;
    if (staged.chunks.length > 0)
      await database.staged.put({ id: `${segment}/${staged.part}`, segment, parts: [staged], spanning: [transferId] });
    if (digest !== undefined) await database.transfers.put({ ...row, digest });
  });
  channel.say({ kind: 'staged', segment, ids: [staged.transferId], bare: [] });
}
