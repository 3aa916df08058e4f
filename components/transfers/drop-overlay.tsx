'use client';
import { Upload } from 'lucide-react';
import { useEffect, useState } from 'react';
import { itemsOfTransfer } from '@/lib/sync/adapters/browser/picked-items';
import type { EntryId } from '@/lib/sync/model/ids';
import { readClipboard } from '../explorer/clipboard';
import { useCommands } from '../explorer/commands';
import { cargoOf, draggedEntries, endDrag, useDropHint } from '../explorer/drag';

/** Files from the disk may be dropped anywhere, or pasted; the overlay names the folder they will land in. */
export function DropOverlay({ folder }: { readonly folder: { readonly id: EntryId; readonly name: string } }) {
  const commands = useCommands();
  const hint = useDropHint();
  const [over, setOver] = useState(false);
  useEffect(() => {
    let hideTimer: ReturnType<typeof setTimeout> | null = null;
    const dragOver = (event: DragEvent): void => {
      const cargo = cargoOf(event.dataTransfer);
      if (cargo === null) return;
      if (cargo === 'files') {
        event.preventDefault();
        if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
        setOver(true);
        // `dragleave` is unreliable across nested elements: when no `dragover` comes for a while, the drag has left.
        if (hideTimer !== null) clearTimeout(hideTimer);
        hideTimer = setTimeout(() => setOver(false), 300);
      }
    };
    const drop = (event: DragEvent): void => {
      setOver(false);
      if (event.dataTransfer === null || cargoOf(event.dataTransfer) !== 'files' || draggedEntries().length > 0) return;
      event.preventDefault();
      endDrag();
      commands.upload(folder.id, itemsOfTransfer(event.dataTransfer));
    };
    const paste = (event: ClipboardEvent): void => {
      if (isTyping(event.target) || event.clipboardData === null) return;
      if (event.clipboardData.files.length > 0) {
        event.preventDefault();
        commands.upload(folder.id, itemsOfTransfer(event.clipboardData));
      } else if (readClipboard() !== null) {
        event.preventDefault();
        commands.paste(folder.id);
      }
    };
    window.addEventListener('dragover', dragOver);
    window.addEventListener('drop', drop);
    window.addEventListener('paste', paste);
    return () => {
      window.removeEventListener('dragover', dragOver);
      window.removeEventListener('drop', drop);
      window.removeEventListener('paste', paste);
      if (hideTimer !== null) clearTimeout(hideTimer);
    };
  }, [commands, folder.id]);
  if (!over) return null;
  return (
    <div className="pointer-events-none fixed inset-2 z-30 animate-fade rounded-xl border-2 border-accent border-dashed bg-accent/6">
      <p className="absolute bottom-10 left-1/2 flex -translate-x-1/2 items-center gap-2.5 whitespace-nowrap rounded-full bg-accent px-5 py-3 font-medium text-md text-on-accent shadow-3">
        <Upload aria-hidden className="size-5" />
        {hint?.kind === 'file' ? `Drop to replace “${hint.name}” or put it beside` : `Drop to upload to “${hint?.name ?? folder.name}”`}
      </p>
    </div>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input,textarea'));
}
