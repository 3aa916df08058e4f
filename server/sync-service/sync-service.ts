/** The synchronization service: checks rights, lets commits to one namespace through one after the other, and tells devices that it moved on. */
import type { Cursor, DeviceId, NamespaceId, UserId } from '@/lib/sync/model/ids';
import type { ManifestsReply, ManifestsRequest } from '@/lib/sync/protocol/blocks';
import type { CommitReply, CommitRequest, JournalPage, NamespaceView } from '@/lib/sync/protocol/commit';
import type { MetadataStore } from '../metadata-server/metadata-store';
import type { Notifier } from './notifier';
import { QueueFull, type RequestQueue } from './request-queue';

/** Who asks, from which device. */
export interface Asker {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

/** Why a request was refused before the store was asked. Codes of lib/sync/protocol/error-codes.ts. */
export type Refused = { readonly refused: 'not_found' | 'not_allowed' | 'cursor_unknown' | 'unavailable' };

/** True for the answers that are refusals. */
export function isRefused(answer: object): answer is Refused {
  return 'refused' in answer;
}

export interface SyncServiceParts {
  readonly metadata: MetadataStore;
  readonly queue: RequestQueue;
  readonly notifier: Pick<Notifier, 'notify'>;
  /** Milliseconds since 1970 UTC. */
  readonly clock: { now(): number };
}

export class SyncService {
  constructor(private readonly parts: SyncServiceParts) {}

  namespaces({ userId }: Asker): Promise<readonly NamespaceView[]> {
    return this.parts.metadata.namespacesOf(userId);
  }

  /** Applies a change set, exactly once per request id. A namespace that the person cannot see is `not_found`, one they may only read `not_allowed`. */
  async commit({ userId, deviceId }: Asker, request: CommitRequest): Promise<CommitReply | Refused> {
    const { metadata, queue, notifier, clock } = this.parts;
    const { namespaceId } = request;
    try {
      return await queue.run(namespaceId, async () => {
        // Asked in its turn, so that a right taken away while the request waited counts.
        const role = await metadata.roleOf(userId, namespaceId);
        if (role === null) return { refused: 'not_found' };
        if (role === 'viewer') return { refused: 'not_allowed' };
        const reply = await metadata.commit({ userId, deviceId, at: clock.now(), request });
        if (reply.ok) notifier.notify({ namespaceId, cursor: reply.cursor });
        return reply;
      });
    } catch (error) {
      if (error instanceof QueueFull) return { refused: 'unavailable' };
      throw error;
    }
  }

  /** One page of a journal after `cursor`; `cursor_unknown` when the device has to begin anew. */
  async journalSince(asker: Asker, namespaceId: NamespaceId, cursor: Cursor | null): Promise<JournalPage | Refused> {
    const { metadata } = this.parts;
    if ((await metadata.roleOf(asker.userId, namespaceId)) === null) return { refused: 'not_found' };
    const { userId, deviceId } = asker;
    return (await metadata.journalSince({ userId, deviceId, namespaceId, cursor })) ?? { refused: 'cursor_unknown' };
  }

  /** Manifests of those revisions that exist. */
  async manifests({ userId }: Asker, { namespaceId, files }: ManifestsRequest): Promise<ManifestsReply | Refused> {
    const { metadata } = this.parts;
    if ((await metadata.roleOf(userId, namespaceId)) === null) return { refused: 'not_found' };
    const revisions = await metadata.revisions(namespaceId, files);
    return { files: revisions.map(({ entry, contentRevision, manifest }) => ({ entryId: entry.id, contentRevision, manifest })) };
  }
}
