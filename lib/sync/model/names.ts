import { NAME_BYTES_MAX } from './limits';

/** Why a name is refused. */
export type NameProblem = 'empty' | 'dots' | 'slash' | 'control' | 'too_long' | 'surrogate' | 'bidi';

/** A sentence a person understands, for each problem. */
export const NAME_SENTENCES: Readonly<Record<NameProblem, string>> = {
  empty: 'A name needs at least one character.',
  dots: 'A name cannot be “.” or “..”.',
  slash: 'A name cannot contain “/” or “\\”.',
  control: 'A name cannot contain control characters such as line breaks.',
  too_long: `A name can be at most ${NAME_BYTES_MAX} bytes long.`,
  surrogate: 'A name contains broken characters.',
  bidi: 'A name cannot contain invisible characters that reverse the text.',
};

export type NameCheck = { readonly ok: true; readonly name: string } | { readonly ok: false; readonly problem: NameProblem };

function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

function hasControl(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code === 0x2028 || code === 0x2029) return true;
  }
  return false;
}

/**
 * Brings a name to NFC and says whether it can be used. Leading and trailing white space is kept: it is the user's.
 * Names that only some disks refuse (`CON`, `a:b`) are allowed here; the workspace that cannot hold them says so.
 */
export function checkName(raw: string): NameCheck {
  if (!raw.isWellFormed()) return { ok: false, problem: 'surrogate' };
  const name = raw.normalize('NFC');
  if (name.trim() === '') return { ok: false, problem: 'empty' };
  if (name === '.' || name === '..') return { ok: false, problem: 'dots' };
  if (/[/\\]/.test(name)) return { ok: false, problem: 'slash' };
  if (hasControl(name)) return { ok: false, problem: 'control' };
  if (/[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/.test(name)) return { ok: false, problem: 'bidi' };
  if (utf8Bytes(name) > NAME_BYTES_MAX) return { ok: false, problem: 'too_long' };
  return { ok: true, name };
}

/**
 * What makes two names equal: NFC, then case folding (upper, then lower, so that “ß” meets “SS”), then NFC again
 * (Unicode 16, 3.13.5 “Default Caseless Matching”, approximated with the language-independent mappings of ECMAScript).
 */
export function nameKey(name: string): string {
  return name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

/** Splits `photo.tar.gz` into `photo.tar` and `.gz`; a leading dot is part of the stem. */
export function splitExtension(name: string): { readonly stem: string; readonly extension: string } {
  const dot = name.lastIndexOf('.');
  if (dot <= 0 || dot === name.length - 1) return { stem: name, extension: '' };
  return { stem: name.slice(0, dot), extension: name.slice(dot) };
}

function shortened(stem: string, bytes: number): string {
  let kept = stem;
  while (utf8Bytes(kept) > bytes) kept = Array.from(kept).slice(0, -1).join('');
  return kept;
}

/** `report.txt` → `report (2).txt`, counting on until `isTaken` (asked with a name key) says no. Never longer than NAME_BYTES_MAX. */
export function freeName(name: string, isTaken: (key: string) => boolean): string {
  if (!isTaken(nameKey(name))) return name;
  const { stem, extension } = splitExtension(name);
  for (let n = 2; ; n++) {
    const suffix = ` (${n})${extension}`;
    const candidate = shortened(stem, NAME_BYTES_MAX - utf8Bytes(suffix)) + suffix;
    if (!isTaken(nameKey(candidate))) return candidate;
  }
}
