import { diff3Merge } from 'node-diff3';
import { MERGE_BYTES_MAX, MERGE_COMPARISONS_MAX } from '../model/limits';

/** What became of three texts. `conflict`: both changed the same or neighbouring lines, or comparing them would take too long. */
export type TextMerge =
  | { readonly outcome: 'merged'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'not_text' };

interface Sides<T> {
  readonly base: T;
  readonly local: T;
  readonly remote: T;
}

/** Strict UTF-8 without NUL characters; null for everything else. A byte order mark is part of the text. */
function textOf(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes('\0') ? null : text;
  } catch {
    return null; // The decoder's way to say that these bytes are no UTF-8.
  }
}

/** Lines with their endings, so that endings and a missing last one are compared and kept like any other character. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function commonStart({ base, local, remote }: Sides<readonly string[]>): number {
  let at = 0;
  while (at < base.length && base[at] === local[at] && base[at] === remote[at]) at++;
  return at;
}

function commonEnd({ base, local, remote }: Sides<readonly string[]>, start: number): number {
  const most = Math.min(base.length, local.length, remote.length) - start;
  let at = 0;
  while (at < most && base.at(-1 - at) === local.at(-1 - at) && base.at(-1 - at) === remote.at(-1 - at)) at++;
  return at;
}

/** Pairs of equal lines between base and a side: what the comparison has to look at. */
function comparisons(base: readonly string[], side: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const line of base) counts.set(line, (counts.get(line) ?? 0) + 1);
  return side.reduce((sum, line) => sum + (counts.get(line) ?? 0), 0);
}

function mergedLines(lines: Sides<readonly string[]>): readonly string[] | null {
  const start = commonStart(lines);
  const end = commonEnd(lines, start);
  const middle = (side: readonly string[]) => side.slice(start, side.length - end);
  const [base, local, remote] = [middle(lines.base), middle(lines.local), middle(lines.remote)];
  if (comparisons(base, local) + comparisons(base, remote) > MERGE_COMPARISONS_MAX) return null;
  const result: string[] = lines.base.slice(0, start);
  for (const region of diff3Merge([...local], [...base], [...remote], { excludeFalseConflicts: true })) {
    if (region.ok === undefined) return null;
    for (const line of region.ok) result.push(line);
  }
  for (const line of lines.base.slice(lines.base.length - end)) result.push(line);
  return result;
}

/**
 * Merges two changes of one text line by line (diff3: Khanna, Kunal, Pierce, “A Formal Investigation of Diff3”, 2007). Changes that
 * touch, that is, concern the same or neighbouring lines and are not the same, are a conflict. Line endings and the end of the file
 * stay as they are. `not_text`: one of the three is no UTF-8, holds NUL characters, or is larger than MERGE_BYTES_MAX.
 * The order of local and remote makes no difference to merged bytes, so that two devices that merge the same come to the same.
 */
export function mergeText(sides: Sides<Uint8Array>): TextMerge {
  const all = [sides.base, sides.local, sides.remote];
  if (all.some(({ length }) => length > MERGE_BYTES_MAX)) return { outcome: 'not_text' };
  const [base, local, remote] = all.map(textOf);
  if (base == null || local == null || remote == null) return { outcome: 'not_text' };
  const lines = mergedLines({ base: linesOf(base), local: linesOf(local), remote: linesOf(remote) });
  if (lines === null) return { outcome: 'conflict' };
  return { outcome: 'merged', bytes: new TextEncoder().encode(lines.join('')) };
}
