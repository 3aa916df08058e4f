import { nameKey } from '@/lib/sync/model/names';

/** Letters typed within this many milliseconds of each other make one word. */
const PAUSE_MILLISECONDS = 900;

export interface TypeAhead {
  readonly text: string;
  readonly at: number;
}

export const NOTHING_TYPED: TypeAhead = { text: '', at: 0 };

/** Adds a key to the word being typed, or begins a new one after a pause. */
export function typed(state: TypeAhead, key: string, at: number): TypeAhead {
  return { text: at - state.at > PAUSE_MILLISECONDS ? key : state.text + key, at };
}

/** What to look for, as a name key: “aaa” means the third “a…”, so a repeated letter is one letter. */
export function wanted(state: TypeAhead): { readonly prefix: string; readonly next: boolean } {
  const prefix = nameKey(state.text);
  const first = prefix[0];
  const repeated = prefix.length > 1 && first !== undefined && [...prefix].every((letter) => letter === first);
  return { prefix: repeated && first !== undefined ? first : prefix, next: repeated || prefix.length === 1 };
}
