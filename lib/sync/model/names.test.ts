import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NAME_BYTES_MAX } from './limits';
import { checkName, freeName, nameKey, splitExtension } from './names';

describe('names', () => {
  test.each([
    ['', 'empty'],
    ['   ', 'empty'],
    ['.', 'dots'],
    ['..', 'dots'],
    ['a/b', 'slash'],
    ['a\\b', 'slash'],
    ['a\nb', 'control'],
    ['a\u0000', 'control'],
    ['a\u202Egpj.exe', 'bidi'],
    ['\ud800', 'surrogate'],
    ['é'.repeat(NAME_BYTES_MAX / 2 + 1), 'too_long'],
  ])('%j is refused as %s', (name, problem) => {
    expect(checkName(name)).toEqual({ ok: false, problem });
  });
  test('decomposed names are brought to NFC', () => {
    expect(checkName('e\u0301te\u0301.txt')).toEqual({ ok: true, name: 'été.txt' });
  });
  test.each([
    ['Straße', 'STRASSE'],
    ['CAFÉ', 'cafe\u0301'],
    ['ΣΊΣΥΦΟΣ', 'σίσυφος'.toUpperCase()],
    ['ǅ', 'ǆ'],
  ])('%s and %s are the same name', (a, b) => {
    expect(nameKey(a)).toBe(nameKey(b));
  });
  test('different names stay different', () => {
    expect(nameKey('a')).not.toBe(nameKey('á'));
    expect(nameKey('report 1')).not.toBe(nameKey('report 2'));
  });
  test('a name key is a fixed point, whatever the name', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (name) => nameKey(nameKey(name)) === nameKey(name)));
  });
  test('free names count on, keep the extension and never grow past the limit', () => {
    const taken = new Set(['a.txt', 'a (2).txt'].map(nameKey));
    expect(freeName('A.TXT', (key) => taken.has(key))).toBe('A (3).TXT');
    const long = `${'x'.repeat(NAME_BYTES_MAX - 4)}.txt`;
    const free = freeName(long, (key) => key === nameKey(long));
    expect(new TextEncoder().encode(free).length).toBeLessThanOrEqual(NAME_BYTES_MAX);
    expect(free.endsWith(' (2).txt')).toBe(true);
  });
  test('a leading dot is not an extension', () => {
    expect(splitExtension('.gitignore')).toEqual({ stem: '.gitignore', extension: '' });
    expect(splitExtension('a.tar.gz')).toEqual({ stem: 'a.tar', extension: '.gz' });
  });
});
