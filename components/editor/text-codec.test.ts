import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changeBetween, countWords, decodeText } from './text-codec';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('text of a file', () => {
  test('decoding and encoding give the same bytes, whatever the text', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'é', '\n', '\r\n', '\r', '\ufeff', '字')), (parts) => {
        const bytes = bytesOf(parts.join(''));
        expect(bytesOf(decodeText(bytes)?.text ?? 'none')).toEqual(bytes);
      }),
    );
  });

  test.each([[[0xff, 0xfe, 0x61, 0x00]], [[0xc3]], [[0x61, 0x00, 0x62]]])('%j is not text', (bytes) => {
    expect(decodeText(Uint8Array.from(bytes))).toBeNull();
  });

  test.each([
    ['a\r\nb\r\n', '\r\n'],
    ['a\nb', '\n'],
    ['a\r\nb\n', '\n'],
    ['a\rb\r\n', '\n'],
  ])('%j ends its lines with %j', (text, lineEnd) => {
    expect(decodeText(bytesOf(text))?.lineEnd).toBe(lineEnd);
  });

  test('words', () => {
    expect(countWords('It’s well-known: 3 words.')).toBe(4);
    expect(countWords('漢字')).toBe(2);
    expect(countWords(' \n')).toBe(0);
  });

  test('a change leads from one text to the other', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const { from, to, insert } = changeBetween(before, after);
        expect(before.slice(0, from) + insert + before.slice(to)).toBe(after);
      }),
    );
  });
});
