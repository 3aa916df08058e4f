import type { FolderHandle } from '@/lib/sync/adapters/browser/picked-folder-handles';
import { PickedFolderWorkspace } from '@/lib/sync/adapters/browser/picked-folder-workspace';
import type { DiskWrite, Workspace } from '@/lib/sync/ports/workspace';

/** What a test page offers to its driver: the workspace of the folder that was dropped on it. Pieces of content come from the driver, one by one. */
declare const window: {
  offeredFolder: FolderHandle;
  nextPiece(id: number): Promise<readonly number[] | string | null>;
  workspaceCall(method: keyof Workspace, ...args: readonly unknown[]): Promise<unknown>;
  workspaceRead(path: string): Promise<unknown>;
  workspaceWrite(path: string, id: number, how: DiskWrite): Promise<unknown>;
};

const workspace = () => new PickedFolderWorkspace(window.offeredFolder);

window.workspaceCall = async (method, ...args) => {
  const on = workspace();
  return (on[method] as (...given: readonly unknown[]) => unknown).apply(on, [...args]);
};

window.workspaceRead = async (path) => {
  const opened = await workspace().read(path);
  if (!opened.ok) return opened;
  const bytes: number[] = [];
  for await (const piece of opened.value) bytes.push(...piece);
  return { ok: true, value: bytes };
};

async function* pieces(id: number): AsyncGenerator<Uint8Array> {
  for (;;) {
    const piece = await window.nextPiece(id);
    if (piece === null) return;
    if (typeof piece === 'string') throw new Error(piece);
    yield new Uint8Array(piece);
  }
}

window.workspaceWrite = async (path, id, how) => {
  try {
    return await workspace().write(path, pieces(id), how);
  } catch (error) {
    return { thrown: (error as Error).message };
  }
};
