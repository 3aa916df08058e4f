import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

const ROOT = process.cwd();
/** Folders that hold nothing anybody wrote. */
const LEFT_OUT = new Set(['node_modules', '.git', '.next', '.data', 'build', 'coverage', 'server/generated', 'public/workers']);

/** One file of the project; `path` from its root, with slashes. */
export interface SourceFile {
  readonly path: string;
  readonly lines: readonly string[];
}

/** One import or re-export; `target` as a path from the root without ending, or the package's name. */
export interface ImportLine {
  readonly line: number;
  readonly target: string;
  readonly kind: 'file' | 'package';
  readonly typeOnly: boolean;
}

function walk(folder: string, found: string[]): string[] {
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    const path = posix.join(folder, entry.name);
    if (LEFT_OUT.has(path) || entry.name === 'node_modules') continue;
    if (entry.isDirectory()) walk(path, found);
    else if (entry.isFile()) found.push(path);
  }
  return found;
}

/** All files whose path matches, in a fixed order. */
export function sourceFiles(pattern: RegExp): SourceFile[] {
  return walk('', [])
    .filter((path) => pattern.test(path))
    .sort()
    .map((path) => ({ path, lines: readFileSync(join(ROOT, path), 'utf8').split('\n') }));
}

/** True for a test, or for a file that only tests use. */
export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path) || path.startsWith('tests/') || path.startsWith('bench/');
}

/** The file's text with comments emptied and line numbers kept. Strings stay: imports and directives live in them. */
export function withoutComments(file: SourceFile): string[] {
  const text = file.lines.join('\n');
  // Strings are matched first, so that `//` inside an address does not count as a comment.
  const token = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(token, (match) => (match.startsWith('/') ? match.replace(/[^\n]/g, ' ') : match)).split('\n');
}

const STATEMENT =
  /(?:^|[\n;])\s*(?:import|export)\b([^'"`;]*?)\bfrom\s*['"]([^'"]+)['"]|(?:^|[\n;])\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;

/** Everything a file imports, however it is written: import, export from, import(), import for its effects. */
export function importsOf(file: SourceFile): ImportLine[] {
  const text = withoutComments(file).join('\n');
  const found: ImportLine[] = [];
  for (const match of text.matchAll(STATEMENT)) {
    const [whole, clause = '', from, bare, dynamic] = match;
    const specifier = from ?? bare ?? dynamic ?? '';
    const at = (match.index ?? 0) + whole.length;
    found.push({ line: text.slice(0, at).split('\n').length, typeOnly: /^\s*type\b/.test(clause), ...resolveTarget(file.path, specifier) });
  }
  return found;
}

function resolveTarget(from: string, specifier: string): { target: string; kind: 'file' | 'package' } {
  if (specifier.startsWith('@/')) return { target: posix.normalize(specifier.slice(2)), kind: 'file' };
  if (specifier.startsWith('.')) return { target: posix.join(posix.dirname(from), specifier), kind: 'file' };
  const parts = specifier.split('/');
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : specifier.startsWith('node:') ? specifier : (parts[0] as string);
  return { target: name, kind: 'package' };
}
