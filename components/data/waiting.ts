import type { EntryRow, RequestRow, SatchelDatabase, TransferRow } from '@/lib/sync/adapters/browser/database';
import { pathTo } from '@/lib/sync/adapters/browser/read-model';
import type { EntryId } from '@/lib/sync/model/ids';

/** One change that the server does not have yet. */
export interface WaitingItem {
  readonly key: string;
  readonly what: WaitingKind;
  readonly entryId: EntryId;
  readonly name: string;
  /** Folders from the top, joined for reading; empty at the top. */
  readonly where: string;
  /** Milliseconds since 1970 UTC. */
  readonly since: number;
  /** How often it was sent, for requests. */
  readonly attempts: number;
  /** The transfer behind it, for content. */
  readonly transfer?: TransferRow;
  /** True for the one whose turn it is. */
  readonly first: boolean;
}
export type WaitingKind = RequestRow['operations'][number]['kind'] | 'upload' | 'edit';

export interface Waiting {
  readonly items: readonly WaitingItem[];
  /** How many there are in all; `items` holds the first of them. */
  readonly total: number;
}

/** Lines of the view. The queue may hold ten thousand; nobody reads that many. */
export const WAITING_SHOWN_MAX = 200;
const TRANSFERS_OPEN = ['queued', 'staging', 'staged', 'sending', 'durable', 'failed', 'lost'] as const;

async function placeOf(database: SatchelDatabase, row: EntryRow | undefined): Promise<string> {
  if (row === undefined) return '';
  return (await pathTo(database, row.parentId)).map(({ name }) => name).join(' / ');
}

/** What waits to be sent, in the order in which it will be: the request queue, then the files whose bytes are on their way. */
export async function waitingChanges(database: SatchelDatabase): Promise<Waiting> {
  const requests: RequestRow[] = await database.requests.orderBy(':id').toArray();
  const transfers = await database.transfers.where('state').anyOf(TRANSFERS_OPEN).toArray();
  transfers.sort((a, b) => rank(a) - rank(b) || a.createdAt - b.createdAt);
  const operations = requests.flatMap((request, at) =>
    request.operations.map((operation, index) => ({ request, operation, first: at === 0, key: `${request.requestId} ${index}` })),
  );
  // The transfer whose commit is queued already would stand there twice.
  const named = new Set(operations.map(({ operation }) => operation.entryId));
  const open = transfers.filter(({ state, entryId, quiet }) => {
    // What a crash took from an edit is in its draft, and comes back from there.
    if (state === 'lost' && quiet === 1) return false;
    return state !== 'durable' || !named.has(entryId);
  });
  const shown = operations.slice(0, WAITING_SHOWN_MAX);
  const files = open.slice(0, Math.max(WAITING_SHOWN_MAX - shown.length, 20));
  const rows = await database.entries.bulkGet([...shown.map(({ operation }) => operation.entryId), ...files.map(({ entryId }) => entryId)]);
  const items: WaitingItem[] = [];
  for (const [index, { request, operation, first, key }] of shown.entries()) {
    const row = rows[index];
    const name = row?.name ?? ('name' in operation ? operation.name : 'Something that is gone by now');
    const where = await placeOf(database, row);
    items.push({
      key,
      what: operation.kind,
      entryId: operation.entryId,
      name,
      where,
      since: request.createdAt,
      attempts: request.attempts,
      first,
    });
  }
  for (const [index, transfer] of files.entries()) {
    const row = rows[shown.length + index];
    const what = transfer.quiet === 1 || transfer.baseRevision !== null ? 'edit' : 'upload';
    const { id: key, entryId, createdAt: since } = transfer;
    const name = row?.name ?? transfer.name;
    items.push({ key, what, entryId, name, where: await placeOf(database, row), since, attempts: 0, transfer, first: false });
  }
  return { items, total: operations.length + open.length };
}

/** What needs the person comes first. */
function rank({ state }: TransferRow): number {
  return state === 'failed' || state === 'lost' ? 0 : 1;
}
