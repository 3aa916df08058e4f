import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ContentBase, EditResult } from '@/lib/sync/adapters/browser/engine-client-types';
import type { Digest, EntryId } from '@/lib/sync/model/ids';
import { DocumentSession, type SaveState } from './document-session';

const digestOf = (text: string): Digest => `digest of ${text}` as Digest;

/** A session over a text in memory; writes are answered when the test says so. */
function open() {
  const file = {
    text: 'a',
    drafts: [] as (string | null)[],
    writes: [] as { text: string; base: ContentBase; answer(result?: Partial<EditResult>): void }[],
    states: [] as SaveState['kind'][],
    copied: 0,
  };
  const session = new DocumentSession(
    {
      read: () => file.text,
      write: (text, base) =>
        new Promise<EditResult>((resolve) => {
          const done = { ok: true, entryId: 'e' as EntryId, copied: false, digest: digestOf(text), safe: true } as const;
          file.writes.push({ text, base, answer: (result = {}) => resolve({ ...done, ...result } as EditResult) });
        }),
      putDraft: async ({ text }) => void file.drafts.push(text),
      dropDraft: async () => void file.drafts.push(null),
      onState: ({ kind }) => void file.states.push(kind),
      onCopied: () => void file.copied++,
    },
    { contentRevision: 3, digest: digestOf('a') },
  );
  const type = (text: string): void => {
    file.text = text;
    session.changed();
  };
  return { session, file, type };
}

describe('a text on its way to safety', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('a draft within half a second, one revision when typing pauses', async () => {
    const { file, type } = open();
    for (const text of ['ab', 'abc', 'abcd']) {
      type(text);
      await vi.advanceTimersByTimeAsync(300);
    }
    expect(file.drafts).toEqual(['abc']);
    expect(file.writes).toEqual([]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(file.writes.map(({ text, base }) => ({ text, base }))).toEqual([
      { text: 'abcd', base: { contentRevision: 3, digest: digestOf('a') } },
    ]);
    file.writes[0]?.answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(file.drafts.at(-1)).toBeNull();
    expect(file.states.at(-1)).toBe('clean');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(file.writes).toHaveLength(1);
  });

  test('somebody who never pauses gets a revision every half minute', async () => {
    const { file, type } = open();
    for (let second = 0; second < 65; second++) {
      type(`typed ${second}`);
      await vi.advanceTimersByTimeAsync(1000);
      file.writes.at(-1)?.answer();
    }
    expect(file.writes).toHaveLength(2);
  });

  test('typed while saving: the draft stays, the next revision is based on the one before', async () => {
    const { session, file, type } = open();
    type('ab');
    const flushed = session.flush();
    await vi.advanceTimersByTimeAsync(0);
    type('abc');
    await vi.advanceTimersByTimeAsync(600);
    file.writes[0]?.answer();
    await flushed;
    expect(session.busy).toBe(true);
    expect(file.drafts).toEqual(['abc']);
    await vi.advanceTimersByTimeAsync(2000);
    expect(file.writes[1]).toMatchObject({ text: 'abc', base: { contentRevision: 3, digest: digestOf('ab') } });
    file.writes[1]?.answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(session.busy).toBe(false);
    expect(file.drafts.at(-1)).toBeNull();
  });

  test('what could not be saved stays a draft and is tried again', async () => {
    const { session, file, type } = open();
    type('ab');
    await vi.advanceTimersByTimeAsync(2000);
    file.writes[0]?.answer({ ok: false, sentence: 'full' });
    await vi.advanceTimersByTimeAsync(0);
    expect(file.states.at(-1)).toBe('failed');
    expect(file.drafts).toEqual(['ab']);
    expect(session.busy).toBe(true);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(file.writes).toHaveLength(2);
  });

  test('bytes that are only in memory keep their draft', async () => {
    const { file, type } = open();
    type('ab');
    await vi.advanceTimersByTimeAsync(2000);
    file.writes[0]?.answer({ safe: false });
    await vi.advanceTimersByTimeAsync(0);
    expect(file.drafts).toEqual(['ab']);
  });

  test('closed while a save fails: the draft stays, and nothing is tried behind the back of the next editor', async () => {
    const { session, file, type } = open();
    type('ab');
    const closed = session.close();
    await vi.advanceTimersByTimeAsync(0);
    file.writes[0]?.answer({ ok: false, sentence: 'full' });
    await closed;
    expect(file.drafts).toEqual(['ab']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(file.writes).toHaveLength(1);
  });

  test('a conflict copy is told', async () => {
    const { file, type } = open();
    type('ab');
    await vi.advanceTimersByTimeAsync(2000);
    file.writes[0]?.answer({ copied: true });
    await vi.advanceTimersByTimeAsync(0);
    expect(file.copied).toBe(1);
  });
});
