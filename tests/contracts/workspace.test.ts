import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryWorkspace } from '@/lib/sync/adapters/memory/memory-workspace';
import { NodeWorkspace } from '@/lib/sync/adapters/node/node-workspace';
import { workspaceContract } from './workspace-contract';

workspaceContract('memory', async () => {
  const workspace = new MemoryWorkspace();
  return {
    workspace,
    put: async (path, text) => workspace.put(path, text),
    text: async (path) => workspace.contents()[path] ?? null,
    close: async () => undefined,
  };
});

workspaceContract('a folder of Node', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'satchel-workspace-'));
  return {
    workspace: new NodeWorkspace(directory),
    put: (path, text) => writeFile(join(directory, path), text),
    text: (path) => readFile(join(directory, path), 'utf8').catch(() => null),
    close: () => rm(directory, { recursive: true }),
  };
});
