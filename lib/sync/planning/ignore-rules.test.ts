import { describe, expect, test } from 'vitest';
import { TEMPORARY_PREFIX } from '../model/disk';
import { IgnoreRules } from './ignore-rules';

describe('ignore rules', () => {
  test('the defaults leave out what systems and tools leave behind, at any depth', () => {
    const rules = new IgnoreRules();
    for (const path of ['.DS_Store', 'a/b/Thumbs.db', 'x/~$report.docx', 'a.crswap', 'a/desktop.ini'])
      expect(rules.ignores(path, false), path).toBe(true);
    for (const path of ['.git', 'a/node_modules']) expect(rules.ignores(path, true), path).toBe(true);
    for (const path of ['.gitignore', 'node_modules', 'report.docx', '.hidden', '...'])
      expect(rules.ignores(path, false), path).toBe(false);
  });

  test('a folder’s own rules count for it and everything below, the nearest first', () => {
    const rules = new IgnoreRules();
    expect(rules.setFile('', '*.log\n/only-top\n# a comment\n')).toBe(true);
    expect(rules.setFile('keep', '!*.log\n!node_modules/\n')).toBe(true);
    expect(rules.ignores('a.log', false)).toBe(true);
    expect(rules.ignores('deep/er/a.log', false)).toBe(true);
    expect(rules.ignores('keep/a.log', false)).toBe(false);
    expect(rules.ignores('keep/node_modules', true)).toBe(false);
    expect(rules.ignores('only-top', false)).toBe(true);
    expect(rules.ignores('below/only-top', false)).toBe(false);
    expect(rules.setFile('', '*.log\n/only-top\n# a comment\n')).toBe(false);
    expect(rules.setFile('', null)).toBe(true);
    expect(rules.ignores('a.log', false)).toBe(false);
  });

  test('our own temporary files are never brought back', () => {
    const rules = new IgnoreRules();
    rules.setFile('', '!*\n');
    expect(rules.ignores(`a/${TEMPORARY_PREFIX}1`, false)).toBe(true);
    expect(rules.ignores('a/.DS_Store', false)).toBe(false);
  });
});
