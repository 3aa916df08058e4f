import { expect, test } from 'vitest';
import { fileKind, kindLabel, viewerKind } from './file-kind';

test('the name decides what a file is', () => {
  expect(fileKind('Holiday.JPG')).toBe('image');
  expect(fileKind('archive.tar.gz')).toBe('archive');
  expect(fileKind('.gitignore')).toBe('other');
  expect(viewerKind('scan.heic')).toBe('none');
  expect(viewerKind('main.rs')).toBe('text');
  expect(viewerKind('movie.mp4')).toBe('video');
  expect(kindLabel({ kind: 'file', name: 'a.png' })).toBe('PNG image');
  expect(kindLabel({ kind: 'file', name: 'README' })).toBe('File');
});
