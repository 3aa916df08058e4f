/** Larger files are shown, not edited: every save keeps the whole text. */
export const EDIT_BYTES_MAX = 5 * 1024 * 1024;

/** A text as the editor holds it, and what is needed to write the same bytes again. */
export interface Text {
  readonly text: string;
  /** What lines end with. Anything else that looks like an end of line stays a character of the text. */
  readonly lineEnd: '\n' | '\r\n';
}

/** Strict UTF-8; null for bytes that are none. A byte order mark stays the first character, so that encoding gives the same bytes. */
export function decodeText(bytes: Uint8Array): Text | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    // Files with null characters are something else than text, whatever their name says.
    if (text.includes('\0')) return null;
    return { text, lineEnd: text.includes('\r\n') && !/(?<!\r)\n|\r(?!\n)/.test(text) ? '\r\n' : '\n' };
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** Words as a person counts them: runs of letters, digits, apostrophes and hyphens; each character of scripts without spaces. */
export function countWords(text: string): number {
  return (
    text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu)?.length ?? 0
  );
}

/** The smallest single change that turns `before` into `after`, so that the cursor and the undo history survive a reload. */
export function changeBetween(before: string, after: string): { readonly from: number; readonly to: number; readonly insert: string } {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  let end = 0;
  while (end < most - start && before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)) end++;
  return { from: start, to: before.length - end, insert: after.slice(start, after.length - end) };
}
