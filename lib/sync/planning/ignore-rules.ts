import ignore, { type Ignore } from 'ignore';
import { TEMPORARY_PREFIX } from '../model/disk';

/** Rules of a folder stand in a file of this name in it, in the syntax of gitignore. */
export const IGNORE_FILE = '.satchelignore';
/** Larger rule files are not read: nobody writes them by hand. */
export const IGNORE_FILE_BYTES_MAX = 256 * 1024;

/** What operating systems, editors and tools leave behind; a rule like `!node_modules/` in an own file brings it back. */
export const DEFAULT_IGNORES: readonly string[] = [
  '.DS_Store',
  '._*',
  '.Spotlight-V100/',
  '.Trashes/',
  '.fseventsd/',
  '.Trash-*/',
  'Thumbs.db',
  'ehthumbs.db',
  'desktop.ini',
  '$RECYCLE.BIN/',
  '~$*',
  '*.crswap',
  '*.crdownload',
  '.~lock.*#',
  '*.swp',
  '.git/',
  '.svn/',
  '.hg/',
  'node_modules/',
  '__pycache__/',
];

/**
 * Which paths are left alone. The nearest folder's rules count first, then those above it, then the defaults; as in git, nothing in an
 * ignored folder can be brought back, because nobody looks into it.
 */
export class IgnoreRules {
  readonly #defaults = ignore({ ignorecase: true }).add([...DEFAULT_IGNORES]);
  readonly #files = new Map<string, { readonly text: string; readonly rules: Ignore }>();

  /** Tells the rules of a folder's file; null: it has none (any more). Returns whether anything changed. */
  setFile(folder: string, text: string | null): boolean {
    if (this.#files.get(folder)?.text === (text ?? undefined)) return false;
    if (text === null) this.#files.delete(folder);
    else this.#files.set(folder, { text, rules: ignore({ ignorecase: false }).add(text) });
    return true;
  }

  /** Whether this very path is ruled out, its folders aside. */
  ignores(path: string, isFolder: boolean): boolean {
    const full = isFolder ? `${path}/` : path;
    if (path.slice(path.lastIndexOf('/') + 1).startsWith(TEMPORARY_PREFIX)) return true;
    for (let slash = path.lastIndexOf('/'); ; slash = path.lastIndexOf('/', slash - 1)) {
      const folder = slash <= 0 ? '' : path.slice(0, slash);
      const file = this.#files.get(folder);
      if (file !== undefined) {
        const { ignored, unignored } = file.rules.test(folder === '' ? full : full.slice(folder.length + 1));
        if (ignored) return true;
        if (unignored) return false;
      }
      if (folder === '') return this.#defaults.ignores(full);
    }
  }
}
