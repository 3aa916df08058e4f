import { splitExtension } from '@/lib/sync/model/names';

export type FileKind = 'image' | 'video' | 'audio' | 'pdf' | 'text' | 'code' | 'archive' | 'document' | 'sheet' | 'slides' | 'other';

const KINDS: Readonly<Record<Exclude<FileKind, 'other'>, string>> = {
  image: 'jpg jpeg png gif webp avif bmp ico svg heic heif tif tiff',
  video: 'mp4 m4v webm mov mkv avi ogv',
  audio: 'mp3 m4a aac wav ogg oga opus flac',
  pdf: 'pdf',
  text: 'txt md markdown log csv tsv ini conf cfg srt vtt tex',
  code: 'js mjs cjs ts tsx jsx json json5 html htm css scss xml yaml yml toml sh bash py rb rs go java kt c h cpp hpp cs php sql lua swift vue svelte diff patch',
  archive: 'zip gz tgz tar 7z rar xz bz2 zst iso',
  document: 'doc docx odt rtf pages epub',
  sheet: 'xls xlsx ods numbers',
  slides: 'ppt pptx odp key',
};

const BY_EXTENSION = new Map<string, FileKind>(
  Object.entries(KINDS).flatMap(([kind, extensions]) => extensions.split(' ').map((extension) => [extension, kind as FileKind] as const)),
);

const SHOWN_AS_IMAGE = new Set('jpg jpeg png gif webp avif bmp ico svg'.split(' '));

function extensionOf(name: string): string {
  return splitExtension(name).extension.slice(1).toLowerCase();
}

/** What a file is, going by its name. */
export function fileKind(name: string): FileKind {
  return BY_EXTENSION.get(extensionOf(name)) ?? 'other';
}

/** What the viewer does with a file: images only of types that browsers draw. */
export function viewerKind(name: string): 'image' | 'video' | 'audio' | 'text' | 'none' {
  const kind = fileKind(name);
  if (kind === 'image') return SHOWN_AS_IMAGE.has(extensionOf(name)) ? 'image' : 'none';
  if (kind === 'text' || kind === 'code') return 'text';
  // PDFs come as attachments only: browsers give their PDF viewers no sandbox that would keep them from our origin.
  return kind === 'video' || kind === 'audio' ? kind : 'none';
}

/** True for files the text editor opens, going by the name. */
export function isText(name: string): boolean {
  return viewerKind(name) === 'text' || extensionOf(name) === '';
}

/** A word for the details panel: “Folder”, “JPG image”, “File”. */
export function kindLabel(entry: { readonly kind: 'file' | 'folder'; readonly name: string }): string {
  if (entry.kind === 'folder') return 'Folder';
  const extension = extensionOf(entry.name).toUpperCase();
  const kind = fileKind(entry.name);
  const words: Readonly<Partial<Record<FileKind, string>>> = {
    image: 'image',
    video: 'video',
    audio: 'audio',
    archive: 'archive',
    sheet: 'spreadsheet',
    slides: 'presentation',
  };
  return extension === '' ? 'File' : `${extension} ${words[kind] ?? (kind === 'other' ? 'file' : 'document')}`;
}
