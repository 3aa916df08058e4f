import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Entry } from '@/lib/sync/model/entry';
import type { ChunkId, Digest, EntryId, NamespaceId, UserId } from '@/lib/sync/model/ids';
import { isUuid } from '@/lib/sync/model/ids';
import type { Manifest } from '@/lib/sync/model/manifest';
import { encodeManifest, manifestBytes } from '@/lib/sync/model/manifest';
import { ERRORS } from '@/lib/sync/protocol/error-codes';
import { encodePackHeader } from '@/lib/sync/protocol/pack-format';
import { ROUTES } from '@/lib/sync/protocol/routes';
import type { Identity } from '@/server/accounts/identity';
import type { ChunkIndex, ChunkPlace } from '@/server/block-server/chunk-index';
import { FsChunkStore } from '@/server/block-server/drivers/fs-chunk-store';
import { ApiError } from '@/server/http/api-error';
import { blockRoutes } from '@/server/http/block-routes';
import { openPackUploads } from '@/server/http/pack-uploads';
import type { RequestContext, Route } from '@/server/http/route';
import type { FileRevision, MetadataStore, Role } from '@/server/metadata-server/metadata-store';

/** Roles, revisions and trees as a test sets them: the block server asks for nothing else. */
export class FakeMetadata implements Pick<MetadataStore, 'roleOf' | 'revisions' | 'walk'> {
  readonly roles = new Map<string, Role>();
  readonly files: FileRevision[] = [];
  entries: { entry: Entry; path: string }[] = [];

  async roleOf(userId: UserId, namespaceId: NamespaceId): Promise<Role | null> {
    return this.roles.get(`${userId} ${namespaceId}`) ?? null;
  }

  async revisions(_: NamespaceId, files: readonly { entryId: EntryId; contentRevision: number }[]): Promise<readonly FileRevision[]> {
    return this.files.filter((file) =>
      files.some((asked) => asked.entryId === file.entry.id && asked.contentRevision === file.contentRevision),
    );
  }

  async *walk(): AsyncIterable<readonly { readonly entry: Entry; readonly path: string }[]> {
    for (let at = 0; at < this.entries.length; at += 500) yield this.entries.slice(at, at + 500);
  }

  /** Adds a file with this content, and its entry to the walk. */
  addFile(name: string, manifest: Manifest, place: { mtime?: number; path?: string; parentId?: string } = {}): FileRevision {
    const { mtime = Date.UTC(2024, 0, 2, 3, 4, 6), path = name, parentId = randomUUID() } = place;
    const digest = createHash('sha256').update(encodeManifest(manifest)).digest('hex') as Digest;
    const size = manifestBytes(manifest);
    const entry = entryOf({ name, kind: 'file', size, digest, mtime, parentId: parentId as EntryId });
    const revision: FileRevision = { entry, contentRevision: 1, size, digest, mtime, manifest };
    this.files.push(revision);
    this.entries.push({ entry, path });
    return revision;
  }
}

export function entryOf(entry: Partial<Entry> & Pick<Entry, 'name' | 'kind'>): Entry {
  const blank = {
    parentId: randomUUID() as EntryId,
    revision: 1,
    contentRevision: 1,
    placeRevision: 1,
    size: 0,
    digest: null,
    mtime: 0,
    deletedAt: null,
  };
  return { id: randomUUID() as EntryId, ...blank, ...entry };
}

/** Chunk records in memory; `failing` makes every call reject as a lost database does. */
export class FakeIndex implements ChunkIndex {
  readonly places = new Map<ChunkId, ChunkPlace>();
  readonly grants = new Set<string>();
  failing: 'nothing' | 'everything' | 'record' = 'nothing';
  /** Runs inside `known`, after every check of the bytes and before anything is stored. */
  onKnown: () => Promise<void> = async () => undefined;

  async known(ids: readonly ChunkId[]): Promise<ReadonlySet<ChunkId>> {
    await this.onKnown();
    if (this.failing === 'everything') throw new Error('connection refused');
    return new Set(ids.filter((id) => this.places.has(id)));
  }

  async record({ places, namespaceId, granted }: Parameters<ChunkIndex['record']>[0]): Promise<void> {
    if (this.failing !== 'nothing') throw new Error('connection lost');
    for (const place of places) if (!this.places.has(place.id)) this.places.set(place.id, place);
    for (const id of granted) this.grants.add(`${namespaceId} ${id}`);
  }

  async unreachable(_: UserId, ids: readonly ChunkId[]): Promise<readonly ChunkId[]> {
    return ids.filter((id) => ![...this.grants].some((grant) => grant.endsWith(id)));
  }

  async locate(ids: readonly ChunkId[]): Promise<readonly ChunkPlace[]> {
    return ids.flatMap((id) => this.places.get(id) ?? []);
  }
}

export interface BlockServerUnderTest {
  readonly origin: string;
  readonly metadata: FakeMetadata;
  readonly index: FakeIndex;
  readonly store: FsChunkStore;
  readonly logged: { event: string; detail: unknown }[];
  readonly server: Server;
  close(): Promise<void>;
}

/** The block server's routes on a real socket with real files. Who asks is told by the header `x-who: <user>/<device>`. */
export async function startBlockServer(dataDir: string, port: number, { reserveBytes = 0 } = {}): Promise<BlockServerUnderTest> {
  const metadata = new FakeMetadata();
  const index = new FakeIndex();
  const store = new FsChunkStore(join(dataDir, 'packs'));
  const logged: { event: string; detail: unknown }[] = [];
  const note = (event: string, detail?: unknown) => void logged.push({ event, detail });
  const log = { warn: note, error: note };
  const uploads = await openPackUploads({ dataDir, metadata, index, store, log, reserveBytes });
  const routes = blockRoutes({ metadata, index, store, uploads, log });
  const server = createServer((request, response) => void answer(routes, request, response));
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await uploads.close();
    await store.close();
  };
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, metadata, index, store, logged, server, close };
}

async function answer(routes: readonly Route[], request: IncomingMessage, response: RequestContext['response']): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const found = routes.flatMap((route) => {
      const params = matched(route.path, url.pathname);
      return params !== null && (route.method === 'ANY' || route.method === request.method) ? [{ route, params }] : [];
    })[0];
    const identity = identityOf(request);
    if (found === undefined) throw new ApiError('not_found');
    if (identity === null) throw new ApiError('not_signed_in');
    const body = await bodyOf(found.route, request);
    const reply = await found.route.handle({ request, response, url, params: found.params, identity }, body);
    if (reply !== undefined) response.setHeader('content-type', 'application/json').end(JSON.stringify(reply));
  } catch (error) {
    const code = error instanceof ApiError ? error.code : 'internal';
    if (!(error instanceof ApiError)) console.error(error);
    response.statusCode = ERRORS[code].status;
    response.end(JSON.stringify({ error: { code, message: ERRORS[code].sentence } }));
  }
}

function matched(path: string, asked: string): Record<string, string> | null {
  const [wanted, given] = [path.split('/'), asked.split('/')];
  if (wanted.length !== given.length || wanted.some((part, at) => !part.startsWith(':') && part !== given[at])) return null;
  return Object.fromEntries(
    wanted.flatMap((part, at) => (part.startsWith(':') ? [[part.slice(1), decodeURIComponent(given[at] as string)]] : [])),
  );
}

function identityOf(request: IncomingMessage): Identity | null {
  const [userId = '', deviceId = ''] = String(request.headers['x-who']).split('/');
  return isUuid(userId) && isUuid(deviceId) ? ({ userId, deviceId, isAdmin: false, rootNamespaceId: userId } as unknown as Identity) : null;
}

async function bodyOf(route: Route, request: IncomingMessage): Promise<unknown> {
  if (route.body === 'raw' || route.body === 'none') return undefined;
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  if (route.body === 'json') return JSON.parse(text);
  const form = new URLSearchParams(text);
  return Object.fromEntries([...form.keys()].map((key) => [key, form.getAll(key)]));
}

export function sha256(bytes: Uint8Array): ChunkId {
  return createHash('sha256').update(bytes).digest('hex') as ChunkId;
}

/** A well-formed pack of these chunks. */
export function packOf(chunks: readonly Uint8Array[]): Buffer {
  return Buffer.concat([encodePackHeader(chunks.map((bytes) => ({ id: sha256(bytes), size: bytes.length }))), ...chunks]);
}

export function randomChunks(count: number, bytes: number): Buffer[] {
  return Array.from({ length: count }, () => randomBytes(bytes));
}

export interface TusAnswer {
  readonly status: number;
  readonly offset: number | null;
  readonly code: string | null;
  readonly detail: unknown;
  readonly headers: Headers;
}

/** The few requests of tus, one at a time, so that a test can stop at any of them. */
export class TusClient {
  constructor(
    readonly origin: string,
    readonly who: string,
    readonly namespaceId: string,
  ) {}

  async create(bytes: number, headers: Record<string, string> = {}, body?: Uint8Array): Promise<TusAnswer & { address: string }> {
    const metadata = `namespaceId ${Buffer.from(this.namespaceId).toString('base64')}`;
    const asked = {
      'upload-length': String(bytes),
      'upload-metadata': metadata,
      ...(body && { 'content-type': 'application/offset+octet-stream' }),
      ...headers,
    };
    const answer = await this.ask('POST', ROUTES.packs, asked, body);
    return { ...answer, address: answer.headers.get('location') ?? '' };
  }

  patch(address: string, offset: number, body: Uint8Array, headers: Record<string, string> = {}): Promise<TusAnswer> {
    return this.ask(
      'PATCH',
      address,
      { 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream', ...headers },
      body,
    );
  }

  head(address: string): Promise<TusAnswer> {
    return this.ask('HEAD', address);
  }

  async put(pack: Uint8Array): Promise<TusAnswer & { address: string }> {
    const { address } = await this.create(pack.length);
    return { ...(await this.patch(address, 0, pack)), address };
  }

  async ask(method: string, address: string, headers: Record<string, string> = {}, body?: Uint8Array): Promise<TusAnswer> {
    const response = await fetch(this.origin + address, {
      method,
      headers: { 'tus-resumable': '1.0.0', 'x-who': this.who, ...headers },
      ...(body && { body: body as Uint8Array<ArrayBuffer> }),
    });
    const text = await response.text();
    const error = text.startsWith('{') ? (JSON.parse(text) as { error: { code: string; detail?: unknown } }).error : null;
    const offset = response.headers.get('upload-offset');
    return {
      status: response.status,
      offset: offset === null ? null : Number(offset),
      code: error?.code ?? null,
      detail: error?.detail,
      headers: response.headers,
    };
  }
}

/** All of a stored chunk's bytes. */
export async function storedChunk({ index, store }: BlockServerUnderTest, id: ChunkId): Promise<Uint8Array | null> {
  const place = index.places.get(id);
  return place === undefined ? null : store.read(place.packId, place.offset, place.stored);
}

/** Where a pack lies, for tests that damage it. */
export function packPath(dataDir: string, packId: string): string {
  return join(dataDir, 'packs', packId.slice(0, 2), packId);
}
