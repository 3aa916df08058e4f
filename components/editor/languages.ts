import type { Extension } from '@codemirror/state';
import { splitExtension } from '@/lib/sync/model/names';

type Load = () => Promise<Extension>;

/** A language of the older kind, wrapped. */
async function legacy(load: () => Promise<import('@codemirror/language').StreamParser<unknown>>): Promise<Extension> {
  const [{ StreamLanguage }, parser] = await Promise.all([import('@codemirror/language'), load()]);
  return StreamLanguage.define(parser);
}

const javascript = (options: { typescript?: boolean; jsx?: boolean }): Load => {
  return async () => (await import('@codemirror/lang-javascript')).javascript(options);
};
const css: Load = async () => (await import('@codemirror/lang-css')).css();
const html: Load = async () => (await import('@codemirror/lang-html')).html();
const cpp: Load = async () => (await import('@codemirror/lang-cpp')).cpp();
const shell: Load = () => legacy(async () => (await import('@codemirror/legacy-modes/mode/shell')).shell);
const properties: Load = () => legacy(async () => (await import('@codemirror/legacy-modes/mode/properties')).properties);
const cFamily =
  (which: 'csharp' | 'kotlin'): Load =>
  () =>
    legacy(async () => (await import('@codemirror/legacy-modes/mode/clike'))[which]);

const LANGUAGES: Readonly<Record<string, Load>> = {
  'md markdown': async () => {
    const { markdown, markdownLanguage } = await import('@codemirror/lang-markdown');
    return markdown({ base: markdownLanguage });
  },
  'js mjs cjs jsx': javascript({ jsx: true }),
  'ts mts cts': javascript({ typescript: true }),
  tsx: javascript({ typescript: true, jsx: true }),
  'json json5 webmanifest map': async () => (await import('@codemirror/lang-json')).json(),
  'html htm vue svelte': html,
  'css scss': css,
  'py pyw': async () => (await import('@codemirror/lang-python')).python(),
  'xml svg xsl rss plist': async () => (await import('@codemirror/lang-xml')).xml(),
  'yaml yml': async () => (await import('@codemirror/lang-yaml')).yaml(),
  sql: async () => (await import('@codemirror/lang-sql')).sql(),
  rs: async () => (await import('@codemirror/lang-rust')).rust(),
  'c h cpp hpp cc': cpp,
  java: async () => (await import('@codemirror/lang-java')).java(),
  php: async () => (await import('@codemirror/lang-php')).php(),
  go: async () => (await import('@codemirror/lang-go')).go(),
  'sh bash zsh': shell,
  'ini conf cfg properties env': properties,
  toml: () => legacy(async () => (await import('@codemirror/legacy-modes/mode/toml')).toml),
  rb: () => legacy(async () => (await import('@codemirror/legacy-modes/mode/ruby')).ruby),
  lua: () => legacy(async () => (await import('@codemirror/legacy-modes/mode/lua')).lua),
  swift: () => legacy(async () => (await import('@codemirror/legacy-modes/mode/swift')).swift),
  'diff patch': () => legacy(async () => (await import('@codemirror/legacy-modes/mode/diff')).diff),
  tex: () => legacy(async () => (await import('@codemirror/legacy-modes/mode/stex')).stex),
  cs: cFamily('csharp'),
  kt: cFamily('kotlin'),
};

const BY_EXTENSION = new Map(Object.entries(LANGUAGES).flatMap(([names, load]) => names.split(' ').map((name) => [name, load] as const)));

/** The language of a file, by its name; fetched when it is needed. null: plain text. */
export async function languageOf(name: string): Promise<Extension | null> {
  const load = BY_EXTENSION.get(splitExtension(name).extension.slice(1).toLowerCase());
  return load === undefined ? null : load();
}

/** True for files that have a Markdown view. */
export function isMarkdown(name: string): boolean {
  return /\.(md|markdown)$/i.test(name);
}
