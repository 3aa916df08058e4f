import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTusBlockServer } from '@/lib/sync/adapters/browser/tus-block-server';
import type { NamespaceId } from '@/lib/sync/model/ids';
import { type BlockServerUnderTest, startBlockServer } from '../integration/blocks-harness';
import { blockServerContract } from './block-server-contract';

const USER = '00000000-0000-4000-8000-00000000000a';
const NAMESPACE = '00000000-0000-4000-8000-00000000000b' as NamespaceId;
const headers = { 'x-who': `${USER}/00000000-0000-4000-8000-00000000000c` };
let under: BlockServerUnderTest;
let line: Server;
let dataDir: string;
/** Bytes of upload requests, and one for each that began. */
let received = 0;
/** Bytes the line still lets through; null: any number. */
let left: number | null = null;

/** A line to the server that can be made to break after so many bytes, whatever the machine is busy with. */
function startLine(port: number): Promise<Server> {
  const server = createServer((client) => {
    const upstream = createConnection({ port, host: '127.0.0.1' });
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    client.on('data', (data: Buffer) => {
      if (left === null) {
        if (!upstream.write(data)) {
          client.pause();
          upstream.once('drain', () => client.resume());
        }
        return;
      }
      upstream.write(data.subarray(0, left));
      left -= Math.min(left, data.length);
      if (left > 0) return;
      left = null;
      client.pause();
      // What went through gets time to reach the disk.
      setTimeout(end, 300);
    });
    upstream.pipe(client);
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'satchel-contract-'));
  under = await startBlockServer(dataDir, 0);
  line = await startLine(Number(new URL(under.origin).port));
  under.metadata.roles.set(`${USER} ${NAMESPACE}`, 'owner');
  under.server.prependListener('request', (request) => {
    if (request.method !== 'PATCH') return;
    const before = request.socket.bytesRead;
    received++;
    request.on('close', () => {
      received += request.socket.bytesRead - before;
    });
  });
});

afterAll(async () => {
  line.close();
  await under.close();
  rmSync(dataDir, { recursive: true, force: true });
});

blockServerContract('tus over fetch', () => ({
  blocks: createTusBlockServer({ origin: `http://127.0.0.1:${(line.address() as AddressInfo).port}`, headers }),
  namespaceId: NAMESPACE,
  breakNext: (bytes) => {
    left = bytes;
  },
  received: () => received,
}));

test('a server that cannot be reached is offline, not an error', async () => {
  const blocks = createTusBlockServer({ origin: 'http://127.0.0.1:9', headers });
  expect(await blocks.missing(NAMESPACE, ['0'.repeat(64) as never])).toMatchObject({ ok: false, code: 'offline' });
});
