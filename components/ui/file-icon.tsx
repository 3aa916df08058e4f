import { clsx } from 'clsx';
import {
  FileArchive,
  FileAudio,
  FileCode2,
  File as FileGeneric,
  FileImage,
  FileSpreadsheet,
  FileText,
  FileType2,
  FileVideo,
  type LucideIcon,
  Presentation,
} from 'lucide-react';
import { type FileKind, fileKind } from '../pure/file-kind';

const ICONS: Readonly<Record<FileKind, LucideIcon>> = {
  image: FileImage,
  video: FileVideo,
  audio: FileAudio,
  pdf: FileType2,
  text: FileText,
  code: FileCode2,
  archive: FileArchive,
  document: FileText,
  sheet: FileSpreadsheet,
  slides: Presentation,
  other: FileGeneric,
};

/** The icon of a file or folder, going by its name. */
export function FileIcon({
  entry,
  className,
}: {
  readonly entry: { readonly kind: 'file' | 'folder'; readonly name: string };
  readonly className?: string;
}) {
  if (entry.kind === 'folder') return <FolderShape className={className} />;
  const Icon = ICONS[fileKind(entry.name)];
  return <Icon aria-hidden strokeWidth={1.6} className={clsx('shrink-0 text-ink-3', className)} />;
}

function FolderShape({ className }: { readonly className?: string | undefined }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" className={clsx('shrink-0', className)}>
      <path
        d="M2.5 6.2A2.2 2.2 0 0 1 4.7 4h4.1c.6 0 1.1.2 1.5.6l1.5 1.5h7.5a2.2 2.2 0 0 1 2.2 2.2V9H2.5Z"
        fill="var(--color-folder-deep)"
      />
      <rect x="2.5" y="7.8" width="19" height="12.2" rx="2.2" fill="var(--color-folder)" />
    </svg>
  );
}
