import type { EntryRow } from '@/lib/sync/adapters/browser/database';
import type { EntryId, NamespaceId } from '@/lib/sync/model/ids';
import { contentAddress, ROUTES } from '@/lib/sync/protocol/routes';

/**
 * The address of the bytes a row stands for. While they are not on the server they have the number of the revision they replace: the
 * digest tells the page's own caches that they are other bytes.
 */
export function contentOf(row: EntryRow): string {
  const address = contentAddress({ ...row, entryId: row.id });
  return row.remote === undefined ? address : `${address}?of=${row.digest?.slice(0, 16) ?? ''}`;
}

/** Lets the browser save one file under its own name. */
export function downloadFile(file: { readonly namespaceId: NamespaceId; readonly id: EntryId; readonly contentRevision: number }): void {
  const anchor = document.createElement('a');
  anchor.href = contentAddress({ ...file, entryId: file.id }, true);
  anchor.download = '';
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}

export interface ZipWish {
  readonly namespaceId: NamespaceId;
  readonly ids: readonly EntryId[];
  /** Name of the archive without its extension. */
  readonly name: string;
  /** Told when the server answered with something else than an archive. */
  readonly onRefused: () => void;
}

/** Lets the browser save folders or a selection as one ZIP. The form goes into a frame of its own, so that the page stays. */
export function downloadZip({ namespaceId, ids, name, onRefused }: ZipWish): void {
  const frame = document.createElement('iframe');
  frame.name = `zip-${Date.now()}`;
  frame.hidden = true;
  frame.title = 'Download';
  const form = document.createElement('form');
  form.method = 'post';
  form.action = ROUTES.zip;
  form.target = frame.name;
  form.hidden = true;
  const field = (key: string, value: string): void => {
    const input = document.createElement('input');
    input.type = 'hidden';
    input.name = key;
    input.value = value;
    form.append(input);
  };
  field('namespaceId', namespaceId);
  for (const id of ids) field('entryId', id);
  field('name', name);
  document.body.append(frame, form);
  // An attachment never loads into the frame; whatever does load is an error page.
  const asked = Date.now();
  frame.addEventListener('load', () => {
    if (Date.now() - asked > 50 && frame.contentWindow?.location.href !== 'about:blank') onRefused();
  });
  form.submit();
  form.remove();
  // A removed frame cancels its download in some browsers until the answer's headers are in.
  setTimeout(() => frame.remove(), 120_000);
}
