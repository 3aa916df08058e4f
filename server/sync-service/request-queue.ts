import type { NamespaceId } from '@/lib/sync/model/ids';

/** The global request queue: commits to one namespace are applied one after the other, in the order they came; namespaces do not wait for each other. */
export interface RequestQueue {
  /** Runs `work` in its turn. Throws `QueueFull` when too many already wait for this namespace. */
  run<T>(namespaceId: NamespaceId, work: () => Promise<T>): Promise<T>;
}
export class QueueFull extends Error {
  override name = 'QueueFull';
}
