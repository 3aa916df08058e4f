import type { Digest, EntryId, NamespaceId } from '../model/ids';
import { nameKey } from '../model/names';
import { conflictName } from '../planning/conflict-name';
import type { LocalEntry, LocalReading } from '../ports/local-store';
import type { Operation } from '../protocol/commit';
import { folderNamespace, type IntentContext, queueOperations, refuse, usableName, type Wish, wish } from './intents';
import { changedRow, entriesIn, freeNameIn, remoteOf } from './local-tree';

/**
 * Edits in place: which transfer new bytes of an entry become, and against which revision they are held.
 *
 * Note “the base of an edit”: an editor knows the content it began from by revision and digest. Where the digest is that of the row or
 * of the server's state, the edit is based on that one, whatever its number is by now: between two saves the first of them may have
 * been committed, and must not look like somebody else's change.
 */

/** What an edit began from. */
export interface EditBase {
  readonly contentRevision: number;
  readonly digest: Digest | null;
}

/** Where written bytes go: what a transfer needs to know besides the bytes. */
export interface EditPlacement {
  readonly entryId: EntryId;
  readonly parentId: EntryId;
  readonly namespaceId: NamespaceId;
  readonly name: string;
  /** null: a new file. */
  readonly baseRevision: number | null;
  /** The bytes become a conflict copy: the entry was given other bytes on this device since the edit began. */
  readonly copied: boolean;
}

/** One revision's bytes on the server. */
export interface EditSource {
  readonly entryId: EntryId;
  readonly contentRevision: number;
  readonly size: number;
  readonly digest: Digest;
}

export type PlannedEdit = { readonly ok: true; readonly placement: EditPlacement } | { readonly ok: false; readonly sentence: string };

const GONE = 'This file is not there any more.';

async function liveFile(reading: LocalReading, entryId: EntryId): Promise<LocalEntry> {
  const [row] = await reading.entries([entryId]);
  if (row === undefined || row.deletedAt !== null) return refuse(GONE);
  return row.kind === 'file' ? row : refuse('Only files have content.');
}

/** Runs a plan as a wish; what it found out comes back beside the wish's answer. */
async function planned(context: IntentContext, plan: (reading: LocalReading) => Promise<EditPlacement>): Promise<PlannedEdit> {
  let placement: EditPlacement | null = null;
  const result = await wish(context, async (writing) => {
    placement = await plan(writing);
    return [placement.entryId];
  });
  if (!result.ok) return result;
  return placement === null ? { ok: false, sentence: GONE } : { ok: true, placement };
}

/** The revision that bytes edited from `base` replace; see the note “the base of an edit”. */
function baseRevision(row: LocalEntry, base: EditBase): number | null {
  const remote = remoteOf(row);
  if (remote === null) return null;
  if (base.digest === row.digest) return row.contentRevision;
  return base.digest === remote.digest ? remote.contentRevision : base.contentRevision;
}

/**
 * Where new bytes of `entryId` go. Usually onto the entry. When the row holds other bytes of this device that are not sent yet, which
 * the edit has not seen, replacing them would lose them: then the new bytes become a conflict copy beside it. Changes nothing.
 */
export function planWrite(
  context: IntentContext,
  request: { readonly entryId: EntryId; readonly base: EditBase; readonly deviceName: string },
): Promise<PlannedEdit> {
  const { entryId, base, deviceName } = request;
  return planned(context, async (reading) => {
    const row = await liveFile(reading, entryId);
    const { namespaceId, parentId, name } = row;
    const unseen = row.transferId !== undefined && row.digest !== base.digest;
    if (!unseen) return { entryId, parentId, namespaceId, name, baseRevision: baseRevision(row, base), copied: false };
    const copy = await freeNameIn(reading, { parentId, name: conflictName(name, deviceName, context.clock.now()) });
    return { entryId: context.random.uuid() as EntryId, parentId, namespaceId, name: copy, baseRevision: null, copied: true };
  });
}

/** Where the bytes of a new file go. A taken name is refused. Changes nothing. */
export function planCreate(context: IntentContext, parentId: EntryId, rawName: string): Promise<PlannedEdit> {
  return planned(context, async (reading) => {
    const name = usableName(rawName);
    const namespaceId = await folderNamespace(reading, context, parentId);
    if ((await reading.liveByName(parentId, nameKey(name))).length > 0) refuse(`“${name}” is already there.`);
    return { entryId: context.random.uuid() as EntryId, parentId, namespaceId, name, baseRevision: null, copied: false };
  });
}

/**
 * Gives a file the bytes of a revision the server has (or will have by the time this request is its turn): another entry's, or an
 * earlier one of its own. No content travels. Bytes of the file that are waiting to be sent are given up.
 */
export async function replaceContent(context: IntentContext, entryId: EntryId, source: EditSource): Promise<Wish> {
  let ended: string | undefined;
  const result = await wish(context, async (writing) => {
    const row = await liveFile(writing, entryId);
    if (row.digest === source.digest) return [entryId];
    const queued = entriesIn(await writing.requests()).has(entryId);
    const { transferId, ...rest } = row;
    if (transferId !== undefined) {
      const [transfer] = await writing.transfers([transferId]);
      // What stands in the queue already goes its way; this request comes behind it.
      if (transfer?.state !== 'durable' || !queued) {
        ended = transferId;
        await writing.updateTransfers([{ id: transferId, changes: { state: 'cancelled', reason: undefined } }]);
      }
    }
    const mtime = context.clock.now();
    const { size, digest } = source;
    const content = { from: 'copy' as const, entryId: source.entryId, contentRevision: source.contentRevision };
    const bytes = { size, digest, mtime, content };
    const { namespaceId, parentId, name, contentRevision } = row;
    const unknown = remoteOf(row) === null && !queued;
    const operation: Operation = unknown
      ? { kind: 'create_file', entryId, parentId, name, ...bytes }
      : { kind: 'write_file', entryId, baseRevision: contentRevision, ...bytes };
    await writing.putEntries([changedRow(rest, { size, digest, mtime })]);
    await queueOperations(writing, context, [{ namespaceId, operation }]);
    return [entryId];
  });
  if (result.ok && ended !== undefined) context.onTransfers([ended]);
  return result;
}
