import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MemoryLocalStore } from '@/lib/sync/adapters/memory/memory-local-store';
import { MemoryDiskRecords, MemoryWorkspace } from '@/lib/sync/adapters/memory/memory-workspace';
import { nodeHasher } from '@/lib/sync/adapters/node/node-hasher';
import { NodeWorkspace } from '@/lib/sync/adapters/node/node-workspace';
import { Chunker } from '@/lib/sync/chunking/chunker';
import { applyStagedTransfers } from '@/lib/sync/engine/transfer-commits';
import { type WorkspaceAnswer, WorkspaceLoop, type WorkspaceStatus } from '@/lib/sync/engine/workspace-loop';
import type { ChunkId, Digest, EntryId } from '@/lib/sync/model/ids';
import { encodeManifest, type Manifest } from '@/lib/sync/model/manifest';
import type { LocalTransfer } from '@/lib/sync/ports/local-store';
import { ContentBroken, type ContentSource, type DiskUploads, type Workspace } from '@/lib/sync/ports/workspace';
import { clock, Device, log, type NamespaceServer, random } from './engine-harness';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Chunks and digest as intake finds them. */
export function manifestOf(bytes: Uint8Array): { readonly manifest: Manifest; readonly digest: Digest } {
  const chunker = new Chunker();
  const ends = chunker.push(bytes);
  if (chunker.finish()) ends.push(bytes.length);
  const manifest = ends.map((end, index) => {
    const chunk = bytes.subarray(ends[index - 1] ?? 0, end);
    return { id: sha256(chunk) as ChunkId, size: chunk.length };
  });
  return { manifest, digest: sha256(encodeManifest(manifest)) as Digest };
}

/** A folder on a disk and the hand of another program in it. */
export interface Disk {
  readonly workspace: Workspace;
  put(path: string, text: string | null): void;
  drop(path: string): void;
  shift(from: string, to: string): void;
  /** Every path with its text; folders end with “/”. */
  contents(): Record<string, string>;
  close(): void;
}

export function memoryDisk(): Disk & { readonly workspace: MemoryWorkspace } {
  const workspace = new MemoryWorkspace();
  return {
    workspace,
    put: (path, text) => workspace.put(path, text),
    drop: (path) => workspace.drop(path),
    shift: (from, to) => workspace.shift(from, to),
    contents: () => workspace.contents(),
    close: () => undefined,
  };
}

export function nodeDisk(): Disk & { readonly directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'satchel-disk-'));
  const contents = (folder = ''): Record<string, string> => {
    const all: Record<string, string> = {};
    const entries = readdirSync(join(directory, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) Object.assign(all, { [`${path}/`]: '' }, contents(path));
      else if (entry.isFile()) all[path] = readFileSync(join(directory, path), 'utf8');
    }
    return all;
  };
  return {
    directory,
    workspace: new NodeWorkspace(directory),
    put(path, text) {
      mkdirSync(join(directory, text === null ? path : dirname(path)), { recursive: true });
      if (text !== null) writeFileSync(join(directory, path), text);
    },
    drop: (path) => rmSync(join(directory, path), { recursive: true }),
    shift: (from, to) => renameSync(join(directory, from), join(directory, to)),
    contents: () => contents(),
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** What all devices and the server have of chunks: content by digest. */
export type Bytes = Map<Digest, Uint8Array>;

/** One device with a folder on a disk in step with its tree. Intake and block server are one step here: bytes are durable at once. */
export class DiskDevice {
  readonly device: Device;
  readonly store = new MemoryLocalStore();
  readonly records = new MemoryDiskRecords();
  readonly statuses: WorkspaceStatus[] = [];
  answer: WorkspaceAnswer | null = null;
  uploads = 0;
  downloads = 0;
  /** Intake holds the files but has not copied them yet, until `stage`. */
  holdUploads = false;
  readonly #staged: Bytes = new Map();
  readonly #edits: { transfer: LocalTransfer; manifest: Manifest }[] = [];
  readonly #held: { transfer: LocalTransfer; manifest: Manifest }[] = [];
  #loop: WorkspaceLoop;
  readonly #signal = new AbortController().signal;
  #now = clock.now();

  constructor(
    readonly name: string,
    readonly server: NamespaceServer,
    readonly disk: Disk,
    readonly bytes: Bytes,
    readonly folderId: EntryId = server.root,
  ) {
    this.device = new Device(name, server.id, server.service(randomUUID() as never), this.store);
    this.#loop = this.#newLoop();
  }

  #newLoop(): WorkspaceLoop {
    return new WorkspaceLoop({
      workspace: this.disk.workspace,
      watcher: null,
      diskRecords: this.records,
      uploads: this.#intake(),
      content: this.#content(),
      store: this.store,
      // Every look is a minute later than the one before, so that each looks at the whole disk.
      clock: { ...clock, now: () => this.#now },
      random,
      hasher: nodeHasher,
      log,
      deviceName: this.name,
      rootNamespaceId: this.server.id,
      folderId: this.folderId,
      onRequests: () => undefined,
      onTransfers: () => undefined,
      report: (status) => void this.statuses.push(status),
      answer: async () => this.answer,
      answered: async () => {
        this.answer = null;
      },
    });
  }

  #intake(): DiskUploads {
    return {
      add: async (uploads) => {
        for (const { transferId: id, path, stamp, entryId, parentId, namespaceId, name, baseRevision } of uploads) {
          const opened = await this.disk.workspace.read(path);
          if (!opened.ok) continue;
          const parts: Uint8Array[] = [];
          for await (const piece of opened.value) parts.push(piece.slice());
          const content = new Uint8Array(Buffer.concat(parts));
          const { manifest, digest } = manifestOf(content);
          this.bytes.set(digest, content);
          const { size, mtime } = stamp;
          const place = { id, namespaceId, parentId, entryId, baseRevision, name, size, mtime, paused: 0, sentBytes: size } as const;
          this.uploads += 1;
          const queued: LocalTransfer = { ...place, state: 'queued', stagedBytes: 0 };
          this.store.putTransfer(queued);
          this.#held.push({ transfer: { ...queued, state: 'durable', stagedBytes: size, digest }, manifest });
        }
        if (!this.holdUploads) await this.stage();
      },
    };
  }

  /** The person edits a file in Satchel: the bytes are staged on this device, and sent with the next `stage`. */
  async edit(entryId: EntryId, text: string): Promise<void> {
    const row = await this.device.row(entryId);
    if (row === undefined || row.deletedAt !== null || row.kind !== 'file') return;
    const content = new TextEncoder().encode(text);
    const { manifest, digest } = manifestOf(content);
    this.#staged.set(digest, content);
    const { namespaceId, parentId, name } = row;
    const size = content.length;
    const baseRevision = row.remote === null ? null : row.contentRevision;
    const place = {
      id: randomUUID(),
      namespaceId,
      parentId,
      entryId,
      baseRevision,
      name,
      size,
      mtime: 9,
      paused: 0,
      sentBytes: 0,
    } as const;
    const transfer: LocalTransfer = { ...place, state: 'staged', stagedBytes: size, digest };
    this.store.putTransfer(transfer, manifest);
    await applyStagedTransfers(this.store, [transfer.id]);
    this.#edits.push({ transfer, manifest });
  }

  /** What was edited in Satchel reaches the block server. */
  async send(): Promise<void> {
    for (const { transfer, manifest } of this.#edits.splice(0)) {
      const [now] = await this.store.read((reading) => reading.transfers([transfer.id]));
      if (now?.state !== 'staged') continue;
      const content = this.#staged.get(transfer.digest as Digest);
      if (content !== undefined) this.bytes.set(transfer.digest as Digest, content);
      this.store.putTransfer({ ...now, state: 'durable' }, manifest);
    }
  }

  /** Texts that only this device's staging has, and that still count: not edited over, cancelled or deleted by the person. */
  async staged(): Promise<string[]> {
    const texts: string[] = [];
    for (const { transfer } of this.#edits) {
      const [now] = await this.store.read((reading) => reading.transfers([transfer.id]));
      const row = now === undefined ? undefined : await this.device.row(now.entryId);
      if (now?.state !== 'staged' || row?.transferId !== transfer.id || row.deletedAt !== null) continue;
      texts.push(new TextDecoder().decode(this.#staged.get(transfer.digest as Digest)));
    }
    return texts;
  }

  /** Intake copies what it holds, and it reaches the block server. */
  async stage({ shown = true } = {}): Promise<void> {
    const held = shown ? this.#held.splice(0) : this.#held;
    for (const { transfer, manifest } of held) {
      const [now] = await this.store.read((reading) => reading.transfers([transfer.id]));
      if (now?.state === 'queued') this.store.putTransfer(transfer, manifest);
    }
    // The tree shows a file a little later than its bytes are safe.
    if (!shown) return;
    await applyStagedTransfers(
      this.store,
      held.map(({ transfer }) => transfer.id),
    );
  }

  #content(): ContentSource {
    return {
      open: async (rows) =>
        rows.map((row) => {
          const content = row.digest === null ? undefined : (this.bytes.get(row.digest) ?? this.#staged.get(row.digest));
          if (content === undefined || (this.device.weather.offline && row.transferId === undefined)) return 'unreachable';
          this.downloads += 1;
          return (async function* () {
            yield content;
            if (manifestOf(content).digest !== row.digest) throw new ContentBroken('wrong bytes');
          })();
        }),
    };
  }

  /** Satchel is closed and opened again: only what is durable is left. */
  restart(): void {
    this.#loop = this.#newLoop();
  }

  status(): WorkspaceStatus | undefined {
    return this.statuses.at(-1);
  }

  /** One look at disk and tree, nothing else. */
  async look(): Promise<WorkspaceStatus | undefined> {
    this.#now += 60_000;
    await this.#loop.turn(this.#signal);
    return this.status();
  }

  /** Looks, talks to the server, looks again, until nothing is left to do. */
  async sync(): Promise<void> {
    for (let times = 0; times < 4; times++) {
      await this.device.sync();
      await this.look();
      await this.device.sync();
    }
  }
}

/** The engine tells a device that its first pull is through. */
export async function connected(...devices: readonly DiskDevice[]): Promise<void> {
  for (const { store } of devices) {
    await store.write((writing) => writing.putConnection({ state: 'online', firstSync: false, pulledAt: 1 }));
  }
}
