import { manifestDigest, verified } from '../../chunking/content-digest';
import type { Manifest } from '../../model/manifest';
import type { Hasher } from '../../ports/hasher';
import type { LocalEntry, LocalStore } from '../../ports/local-store';
import type { SyncService } from '../../ports/sync-service';
import { ContentBroken, type ContentSource } from '../../ports/workspace';
import { contentAddress } from '../../protocol/routes';
import { findLocalContent } from './local-content';

export interface EntryContentDeps {
  readonly store: LocalStore;
  readonly service: Pick<SyncService, 'manifests'>;
  readonly hasher: Hasher;
  /** The server's. */
  readonly origin: string;
}

/** Entries' bytes from this device or the server, each chunk held against the manifest, and the manifest against the entry's digest. */
export function createEntryContent(deps: EntryContentDeps): ContentSource {
  return {
    async open(rows) {
      const manifests = await manifestsOf(deps, rows);
      return Promise.all(
        rows.map(async (row, index) => {
          const manifest = manifests[index];
          if (manifest === undefined || manifest === null) return 'unreachable';
          if ((await manifestDigest(manifest, deps.hasher)) !== row.digest) return 'unreachable';
          return verified(bytesOf(deps, row), manifest, deps.hasher);
        }),
      );
    },
  };
}

/** Of what only this device has, the staged chunks; of everything else, the server's word. */
async function manifestsOf({ store, service }: EntryContentDeps, rows: readonly LocalEntry[]): Promise<(Manifest | null)[]> {
  const own = rows.filter(({ transferId }) => transferId !== undefined);
  const staged = await store.read((reading) =>
    reading.stagedManifests(own.map(({ transferId, size }) => ({ id: transferId as string, size }))),
  );
  const found = new Map(own.map(({ id }, index) => [id, staged[index] ?? null]));
  const groups = new Map<LocalEntry['namespaceId'], LocalEntry[]>();
  for (const row of rows) {
    if (row.transferId !== undefined) continue;
    groups.set(row.namespaceId, [...(groups.get(row.namespaceId) ?? []), row]);
  }
  for (const [namespaceId, group] of groups) {
    const reply = await service.manifests({
      namespaceId,
      files: group.map(({ id: entryId, contentRevision }) => ({ entryId, contentRevision })),
    });
    if (reply.ok) for (const { entryId, manifest } of reply.value.files) found.set(entryId, manifest);
  }
  return rows.map(({ id }) => found.get(id) ?? null);
}

async function* bytesOf({ origin }: EntryContentDeps, row: LocalEntry): AsyncGenerator<Uint8Array> {
  if (row.size === 0) return;
  const { id: entryId, namespaceId, contentRevision } = row;
  const name = { entryId, namespaceId, contentRevision, download: false };
  const local = row.transferId === undefined ? null : await findLocalContent(name);
  if (row.transferId !== undefined && local === null) throw new ContentBroken('the staged bytes are not here any more');
  const stream = local === null ? await fetched(origin + contentAddress(name)) : local.body.stream();
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw new ContentBroken(`the content broke off: ${String(error)}`);
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // It has failed or ended already.
  }
}

async function fetched(address: string): Promise<ReadableStream<Uint8Array>> {
  const response = await fetch(address, { credentials: 'same-origin', cache: 'no-store' }).catch((error: unknown) => {
    throw new ContentBroken(`the server cannot be reached: ${String(error)}`);
  });
  if (!response.ok || response.body === null) throw new ContentBroken(`the server answered ${response.status}`);
  return response.body;
}
