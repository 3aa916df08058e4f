import { describe, expect, test, vi } from 'vitest';
import { browserClock } from '@/lib/sync/adapters/browser/browser-clock';
import { MemoryLocalStore } from '@/lib/sync/adapters/memory/memory-local-store';
import { Engine } from '@/lib/sync/engine/engine';
import { createFolder, type IntentContext } from '@/lib/sync/engine/intents';
import type { DeviceId } from '@/lib/sync/model/ids';
import type { ResponseQueue, SyncService } from '@/lib/sync/ports/sync-service';
import { log, NamespaceServer, random } from './engine-harness';

type Handlers = Parameters<ResponseQueue['open']>[0];

/** A whole engine over a server in memory; the test plays the socket. */
function running(server: NamespaceServer, change: (service: SyncService) => SyncService = (service) => service) {
  const store = new MemoryLocalStore();
  let socket: Handlers | null = null;
  const stop = new AbortController();
  const engine = new Engine({
    store,
    service: change(server.service(random.uuid() as DeviceId)),
    notices: {
      open(handlers) {
        socket = handlers;
      },
      close() {
        socket = null;
      },
    },
    clock: browserClock,
    random,
    log,
    deviceName: 'x',
    onTransfers: () => undefined,
    onChanged: () => undefined,
    onOnline: () => undefined,
  });
  const context: IntentContext = { store, random, clock: browserClock, rootNamespaceId: server.id, onTransfers: () => undefined };
  const ended = engine.run(stop.signal);
  const state = async () => (await store.read((reading) => reading.connection()))?.state;
  const names = async () => (await store.read((reading) => reading.children(server.root))).map(({ name }) => name).sort();
  return { engine, context, stop, ended, state, names, store, socket: () => socket as Handlers };
}

describe('engine', () => {
  test('two devices follow each other: a wish is sent when rung, a notice brings it over', async () => {
    const server = new NamespaceServer();
    const one = running(server);
    const two = running(server);
    await vi.waitFor(async () => expect([await one.state(), await two.state()]).toEqual(['online', 'online']));
    await createFolder(one.context, server.root, 'a');
    one.engine.wakeRequests();
    await vi.waitFor(() => expect(server.named('a')).toHaveLength(1));
    expect(await two.names()).toEqual([]);
    two.socket().onNotice({ namespaceId: server.id, cursor: '' as never });
    await vi.waitFor(async () => expect(await two.names()).toEqual(['a']));
    const connection = await two.store.read((reading) => reading.connection());
    expect(connection).toMatchObject({ state: 'online', firstSync: false });
    one.stop.abort();
    two.stop.abort();
    await Promise.all([one.ended, two.ended]);
    expect(one.socket()).toBeNull();
  });

  test('the server is away and comes back: offline, then everything waiting goes out at once', async () => {
    const server = new NamespaceServer();
    let away = true;
    const lost = { ok: false, code: 'offline', message: '' } as const;
    const one = running(server, (service) => ({
      ...service,
      namespaces: async () => (away ? lost : service.namespaces()),
      commit: async (request) => (away ? lost : service.commit(request)),
    }));
    await vi.waitFor(async () => expect(await one.state()).toBe('offline'));
    await createFolder(one.context, server.root, 'a');
    one.engine.wakeRequests();
    await new Promise((resolve) => setTimeout(resolve, 50));
    away = false;
    one.socket().onConnected();
    await vi.waitFor(() => expect(server.named('a')).toHaveLength(1));
    await vi.waitFor(async () => expect(await one.state()).toBe('online'));
    one.stop.abort();
    await one.ended;
  });

  test('back online, the journals are read before anything is sent', async () => {
    const server = new NamespaceServer();
    const calls: string[] = [];
    let away = true;
    const lost = { ok: false, code: 'offline', message: '' } as const;
    const one = running(server, (service) => ({
      ...service,
      namespaces: async () => (away ? lost : service.namespaces()),
      journalSince: (id, cursor) => {
        calls.push('journal');
        return service.journalSince(id, cursor);
      },
      commit: (request) => {
        calls.push('commit');
        return service.commit(request);
      },
    }));
    await vi.waitFor(async () => expect(await one.state()).toBe('offline'));
    await createFolder(one.context, server.root, 'a');
    one.engine.wakeRequests();
    expect(calls).toEqual([]);
    away = false;
    one.socket().onConnected();
    await vi.waitFor(() => expect(server.named('a')).toHaveLength(1));
    expect(calls.indexOf('commit')).toBeGreaterThan(calls.indexOf('journal'));
    expect(calls[0]).toBe('journal');
    one.stop.abort();
    await one.ended;
  });

  test('revoked: the engine ends, what waits stays on the device', async () => {
    const server = new NamespaceServer();
    const one = running(server);
    await vi.waitFor(async () => expect(await one.state()).toBe('online'));
    one.socket().onSignedOut();
    await one.ended;
    expect(await one.state()).toBe('signed_out');
    await createFolder(one.context, server.root, 'kept');
    expect(await one.store.read((reading) => reading.requests())).toHaveLength(1);
    const refused = running(server, (service) => ({
      ...service,
      namespaces: async () => ({ ok: false, code: 'device_revoked', message: '' }),
    }));
    await refused.ended;
    expect(await refused.state()).toBe('signed_out');
  });
});
