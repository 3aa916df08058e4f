import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MERGE_BYTES_MAX } from '../model/limits';
import { mergeText } from './text-merge';

const bytes = (text: string) => new TextEncoder().encode(text);

function merge(base: string, local: string, remote: string): string {
  const result = mergeText({ base: bytes(base), local: bytes(local), remote: bytes(remote) });
  return result.outcome === 'merged' ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(result.bytes) : `! ${result.outcome}`;
}

describe('text merge', () => {
  test('changes that do not touch are both kept', () => {
    expect(merge('a\nb\nc\nd\ne\n', 'A\nb\nc\nd\ne\n', 'a\nb\nc\nd\nE\n')).toBe('A\nb\nc\nd\nE\n');
    expect(merge('a\nb\nc\n', '0\na\nb\nc\n', 'a\nb\nc\n4\n')).toBe('0\na\nb\nc\n4\n');
    expect(merge('a\nb\nc\nd\n', 'b\nc\nd\n', 'a\nb\nc\nD\n')).toBe('b\nc\nD\n');
  });

  test('changes of the same or neighbouring lines are a conflict, the same change is none', () => {
    expect(merge('a\nb\nc\n', 'a\nX\nc\n', 'a\nY\nc\n')).toBe('! conflict');
    expect(merge('a\nb\nc\nd\n', 'a\nX\nc\nd\n', 'a\nb\nY\nd\n')).toBe('! conflict');
    expect(merge('a\nb\nc\n', 'a\nc\n', 'a\nY\nc\n')).toBe('! conflict');
    expect(merge('', 'one', 'two')).toBe('! conflict');
    expect(merge('a\nb\nc\n', 'a\nX\nc\n', 'a\nX\nc\n')).toBe('a\nX\nc\n');
  });

  test('line endings, byte order mark and the end of the file stay', () => {
    expect(merge('a\r\nb\r\nc\r\nd', 'A\r\nb\r\nc\r\nd', 'a\r\nb\r\nc\r\nd\r\n')).toBe('A\r\nb\r\nc\r\nd\r\n');
    expect(merge('\ufeffa\nb\nc', '\ufeffa\nb\nC', '\ufeffA\nb\nc')).toBe('\ufeffA\nb\nC');
    expect(merge('a\nb\nc', 'a\nb\nc', 'A\nb\nc')).toBe('A\nb\nc');
  });

  test('what is no text is left alone', () => {
    const bad = new Uint8Array([0x61, 0xff, 0x0a]);
    expect(mergeText({ base: bytes('a'), local: bad, remote: bytes('b') })).toEqual({ outcome: 'not_text' });
    expect(merge('a', 'a\0', 'b')).toBe('! not_text');
    const large = new Uint8Array(MERGE_BYTES_MAX + 1).fill(0x61);
    expect(mergeText({ base: large, local: large, remote: large })).toEqual({ outcome: 'not_text' });
  });

  test('files of millions of equal lines are refused at once instead of being compared for hours', () => {
    const lines = (n: number, mark: string) => `${mark}\n${'\n'.repeat(n)}${mark}\n`;
    expect(merge(lines(1_000_000, 'a'), lines(1_000_001, 'b'), lines(1_000_002, 'c'))).toBe('! conflict');
  });

  test('whatever the texts: one side unchanged gives the other, sides can be swapped, no line is invented', () => {
    const text = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n', '\n', 'd\r\n'), { maxLength: 8 }).map((lines) => lines.join(''));
    fc.assert(
      fc.property(text, text, text, (base, local, remote) => {
        expect(merge(base, base, remote)).toBe(remote);
        expect(merge(base, local, base)).toBe(local);
        const merged = merge(base, local, remote);
        expect(merge(base, remote, local)).toBe(merged);
        if (merged.startsWith('!')) return;
        const known = new Set(`${base}${local}${remote}`.split('\n'));
        for (const line of merged.split('\n')) expect(known.has(line)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });
});
