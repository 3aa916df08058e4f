'use client';
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef } from 'react';
import { canPickFiles, itemsOfInput, pickFiles } from '@/lib/sync/adapters/browser/picked-items';
import type { EntryId } from '@/lib/sync/model/ids';
import { useCommands } from '../explorer/commands';

interface Pickers {
  pickFiles(parentId: EntryId): void;
  pickFolder(parentId: EntryId): void;
}

const PickersContext = createContext<Pickers | null>(null);

export function usePickers(): Pickers {
  const pickers = useContext(PickersContext);
  if (pickers === null) throw new Error('usePickers needs a PickersProvider above it');
  return pickers;
}

/** The two hidden inputs behind “Upload files” and “Upload folder”. */
export function PickersProvider({ children }: { readonly children: ReactNode }) {
  const commands = useCommands();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const parent = useRef<EntryId | null>(null);
  const pick = useCallback((input: HTMLInputElement | null, parentId: EntryId) => {
    parent.current = parentId;
    input?.click();
  }, []);
  const picked = (input: HTMLInputElement): void => {
    const items = itemsOfInput(input);
    // Emptied, so that the same file can be picked again.
    input.value = '';
    if (parent.current !== null && items.length > 0) commands.upload(parent.current, items);
  };
  const pickWithHandles = useCallback(
    (parentId: EntryId) => {
      pickFiles().then(
        (items) => items !== null && items.length > 0 && commands.upload(parentId, items),
        (error: unknown) => {
          console.error(error);
          // Forbidden here (a frame, a policy): the input asks for nothing.
          pick(files.current, parentId);
        },
      );
    },
    [commands, pick],
  );
  const pickers = useMemo(
    (): Pickers => ({
      // With handles an upload goes on by itself after a crash. A folder comes through its input: Chromium's picker refuses some.
      pickFiles: (parentId) => (canPickFiles() ? pickWithHandles(parentId) : pick(files.current, parentId)),
      pickFolder: (parentId) => pick(folder.current, parentId),
    }),
    [pick, pickWithHandles],
  );
  return (
    <PickersContext value={pickers}>
      {children}
      <input ref={files} type="file" multiple hidden aria-label="Files to upload" onChange={(event) => picked(event.currentTarget)} />
      <input
        ref={(input) => {
          folder.current = input;
          input?.setAttribute('webkitdirectory', '');
        }}
        type="file"
        hidden
        aria-label="Folder to upload"
        onChange={(event) => picked(event.currentTarget)}
      />
    </PickersContext>
  );
}
