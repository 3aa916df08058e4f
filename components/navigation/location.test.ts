import { expect, test } from 'vitest';
import type { EntryId } from '@/lib/sync/model/ids';
import { addressOf, placeOf } from './location';

const id = '0198c3f0-0000-7000-8000-000000000001' as EntryId;

test('addresses and places are each other’s inverse', () => {
  for (const address of ['/files', `/files/${id}`, `/files/${id}?open=${id}`, '/search?q=a+b%26c', '/trash', '/offline', '/sign-up']) {
    expect(addressOf(placeOf(address))).toBe(address);
  }
});

test('what is not an address of ours leads to the files', () => {
  expect(placeOf('/')).toMatchObject({ view: 'files', entryId: null });
  expect(placeOf('/files/../../etc?open=javascript:1')).toMatchObject({ view: 'files', entryId: null, open: null });
});
