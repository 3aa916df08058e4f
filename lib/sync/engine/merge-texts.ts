import { MERGE_BYTES_MAX } from '../model/limits';
import { planRefused, type RefusedAction } from '../planning/plan-refused';
import { mergeText } from '../planning/text-merge';
import type { LocalReading, LocalStore, QueuedRequest } from '../ports/local-store';
import type { MergeBench, MergedFile } from '../ports/merge-bench';
import { findRefused, type MergedText, type Refusal, refusedCase } from './reject';

export interface MergeContext {
  readonly store: LocalStore;
  readonly bench: MergeBench;
  readonly deviceName: string;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
}

/** What the three texts come to; `later`: the network is away, the same request is to be tried again. */
export type Merging = { readonly outcome: 'merged'; readonly merged: MergedText } | { readonly outcome: 'none' | 'later' };

const NONE: Merging = { outcome: 'none' };

interface Task {
  readonly file: MergedFile;
  readonly transferId: string;
  readonly action: Extract<RefusedAction, { do: 'merge_text' }>;
}

/** What would be merged if the planner wants a merge for this refusal. */
async function taskOf(reading: LocalReading, sent: QueuedRequest, refusal: Refusal, context: MergeContext): Promise<Task | null> {
  const found = await findRefused(reading, sent, refusal);
  if (found === null || found.row === undefined || found.transfer === undefined) return null;
  const [action] = planRefused(await refusedCase(reading, found, context));
  if (action?.do !== 'merge_text') return null;
  const { namespaceId, id: entryId, parentId, name } = found.row;
  const { mtime, id: transferId } = found.transfer;
  return { file: { namespaceId, entryId, parentId, name, mtime, baseRevision: action.remoteRevision }, transferId, action };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/**
 * Two devices wrote the same file: reads what both began with and what both have, and merges the texts if they let themselves be merged.
 * Done outside the store's transactions, because it waits for the network; `reject` looks at the case again inside one.
 */
export async function mergeTexts(sent: QueuedRequest, refusal: Refusal, context: MergeContext): Promise<Merging> {
  const { store, bench } = context;
  const task = await store.read((reading) => taskOf(reading, sent, refusal, context));
  if (task === null) return NONE;
  const { file, action } = task;
  const local = await bench.staged(task.transferId);
  if (local === null || local.length > MERGE_BYTES_MAX) return NONE;
  const sides: Uint8Array<ArrayBuffer>[] = [];
  for (const contentRevision of [action.baseRevision, action.remoteRevision]) {
    const reply = await bench.revision({ ...file, contentRevision }, MERGE_BYTES_MAX);
    if (!reply.ok && reply.code !== 'not_found') return { outcome: 'later' };
    if (!reply.ok || reply.value === null) return NONE;
    sides.push(reply.value);
  }
  const [base, remote] = sides as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
  const result = mergeText({ base, local, remote });
  if (result.outcome !== 'merged') return NONE;
  const remoteRevision = action.remoteRevision;
  if (isSame(result.bytes, remote)) return { outcome: 'merged', merged: { remoteRevision, transferId: null } };
  const transferId = await bench.stage(file, result.bytes);
  return transferId === null ? NONE : { outcome: 'merged', merged: { remoteRevision, transferId } };
}
