import type { ChunkId, Digest } from '../model/ids';
import { type ChunkRef, encodeManifest, type Manifest } from '../model/manifest';
import type { Hasher } from '../ports/hasher';
import { ContentBroken } from '../ports/workspace';
import { Chunker } from './chunker';

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function chunkOf(parts: readonly Uint8Array[], hasher: Hasher): Promise<ChunkRef> {
  const bytes = joined(parts);
  return { id: (await hasher.sha256(bytes)) as ChunkId, size: bytes.length };
}

/** The digest that a file with this content has. Holds one chunk at a time. Throws what reading throws. */
export async function contentDigest(content: AsyncIterable<Uint8Array>, hasher: Hasher): Promise<Digest> {
  const chunker = new Chunker();
  const manifest: ChunkRef[] = [];
  let open: Uint8Array[] = [];
  for await (const piece of content) {
    let from = 0;
    for (const end of chunker.push(piece)) {
      manifest.push(await chunkOf([...open, piece.subarray(from, end)], hasher));
      open = [];
      from = end;
    }
    // A copy: the reader may use its buffer again.
    if (from < piece.length) open.push(piece.slice(from));
  }
  if (chunker.finish()) manifest.push(await chunkOf(open, hasher));
  return manifestDigest(manifest, hasher);
}

/** SHA-256 of the encoded manifest. */
export async function manifestDigest(manifest: Manifest, hasher: Hasher): Promise<Digest> {
  return (await hasher.sha256(encodeManifest(manifest))) as string as Digest;
}

/** Passes content on, chunk by chunk, each only once its SHA-256 is what the manifest says. Throws `ContentBroken` otherwise, also at an early or late end. */
export async function* verified(content: AsyncIterable<Uint8Array>, manifest: Manifest, hasher: Hasher): AsyncGenerator<Uint8Array> {
  let index = 0;
  let open: Uint8Array[] = [];
  let length = 0;
  for await (const piece of content) {
    for (let from = 0; from < piece.length; ) {
      const chunk = manifest[index];
      if (chunk === undefined) throw new ContentBroken('more bytes than promised');
      const part = piece.slice(from, from + chunk.size - length);
      open.push(part);
      from += part.length;
      length += part.length;
      if (length < chunk.size) continue;
      const bytes = joined(open);
      if ((await hasher.sha256(bytes)) !== chunk.id) throw new ContentBroken(`chunk ${index} is not what it should be`);
      yield bytes;
      index += 1;
      open = [];
      length = 0;
    }
  }
  if (index < manifest.length) throw new ContentBroken('the content broke off');
}
