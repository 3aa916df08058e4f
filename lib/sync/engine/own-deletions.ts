import type { EntryId, RequestId } from '../model/ids';
import type { QueuedRequest } from '../ports/local-store';

/**
 * Own deletions that the server confirmed by its reply, until the journal shows them: what comes before them in the journal was done by
 * devices that could not know of them, and must not go with them. Kept in memory: after a restart the deletion stands, and what it
 * took along lies in the trash.
 */
export class OwnDeletions {
  readonly #byRequest = new Map<RequestId, ReadonlySet<EntryId>>();

  /** To be called in the transaction that confirms the request. */
  confirmed({ requestId, operations }: QueuedRequest): void {
    const ids = operations.filter(({ kind }) => kind === 'delete').map(({ entryId }) => entryId);
    if (ids.length > 0) this.#byRequest.set(requestId, new Set(ids));
  }

  knows(requestId: RequestId): boolean {
    return this.#byRequest.has(requestId);
  }

  /** The journal has come to it. */
  seen(requestId: RequestId): void {
    this.#byRequest.delete(requestId);
  }

  get isEmpty(): boolean {
    return this.#byRequest.size === 0;
  }

  has(entryId: EntryId): boolean {
    for (const ids of this.#byRequest.values()) if (ids.has(entryId)) return true;
    return false;
  }
}
