/** What runs inside the pages of `bench/sync.ts`. Plain script: it is handed to the browser as text. */
export const SYNC_PAGE = `
(() => {
  const me = () => JSON.parse(localStorage.getItem('satchel-profile')).me;
  const database = () => new Promise((resolve, reject) => {
    const open = indexedDB.open('satchel-' + me().userId);
    open.onsuccess = () => resolve(open.result);
    open.onerror = () => reject(open.error);
  });
  const asked = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  let worker = null;
  let lastId = 0;
  const waiting = new Map();
  let held = null;
  const bench = {
    me,
    /** A second tab's worker, as any tab has one: wishes go through the product's own calls. */
    call(method, ...args) {
      if (worker === null) {
        worker = new Worker('/workers/sync.worker.js');
        worker.onmessage = ({ data }) => {
          const one = waiting.get(data.id);
          waiting.delete(data.id);
          if (data.kind === 'reply') one.resolve(data.value);
          else one.reject(new Error(data.message));
        };
        const { userId, rootNamespaceId } = me();
        worker.postMessage({ kind: 'start', userId, rootNamespaceId, deviceName: 'bench', origin: location.origin });
      }
      const id = ++lastId;
      worker.postMessage({ kind: 'call', id, method, args });
      return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
    },
    async rows() {
      held ??= await database();
      return asked(held.transaction('entries').objectStore('entries').getAll());
    },
    async count(table) {
      held ??= await database();
      return asked(held.transaction(table).objectStore(table).count());
    },
    async row(id) {
      held ??= await database();
      return asked(held.transaction('entries').objectStore('entries').get(id));
    },
    async find(name) {
      for (;;) {
        const row = (await bench.rows()).find((one) => one.name === name && one.live === 1 && one.state === 'synced');
        if (row) return row;
        await pause(20);
      }
    },
    /** Writes new bytes under the name; resolves with the times of the wish and of the server's word on this device. */
    async write(name, text, id, before) {
      const wished = Date.now();
      const pick = crypto.randomUUID();
      await bench.call('picked', pick, [{ kind: 'file', path: name, file: new File([text], name) }]);
      const result = await bench.call('upload', pick, me().rootNamespaceId, 'replace');
      if (!result.ok) throw new Error(result.sentence);
      for (;;) {
        const row = id === null ? await bench.find(name) : await bench.row(id);
        if (row.state === 'synced' && row.contentRevision !== before) return { wished, committed: Date.now(), row };
        await pause(4);
      }
    },
    /** Resolves with the time at which this device's own page can read exactly this text. */
    async read(id, before, text) {
      for (;;) {
        const row = await bench.row(id);
        if (row && row.contentRevision !== before) {
          const response = await fetch('/api/v1/files/' + row.namespaceId + '/' + id + '/' + row.contentRevision + '/content');
          if (response.ok && (await response.text()) === text) return Date.now();
        }
        await pause(4);
      }
    },
    async commit(operations) {
      const body = JSON.stringify({ requestId: crypto.randomUUID(), namespaceId: me().rootNamespaceId, operations });
      const headers = { 'content-type': 'application/json', 'x-satchel': '1' };
      const reply = await fetch('/api/v1/sync/commit', { method: 'POST', headers, body });
      const answer = await reply.json();
      if (!answer.ok) throw new Error(JSON.stringify(answer).slice(0, 300));
    },
    folder: (name, parentId) => ({ kind: 'create_folder', entryId: crypto.randomUUID(), parentId, name, mtime: Date.now() }),
    pause,
  };
  globalThis.bench = bench;
})();
`;

export interface SyncRow {
  readonly id: string;
  readonly contentRevision: number;
}

/** The shape of `globalThis.bench` in those pages. */
export interface SyncPage {
  me(): { readonly userId: string; readonly rootNamespaceId: string };
  call(method: string, ...args: readonly unknown[]): Promise<{ readonly ok: boolean; readonly sentence?: string }>;
  count(table: string): Promise<number>;
  find(name: string): Promise<SyncRow>;
  write(name: string, text: string, id: string | null, before: number): Promise<{ wished: number; committed: number; row: SyncRow }>;
  read(id: string, before: number, text: string): Promise<number>;
  commit(operations: readonly unknown[]): Promise<void>;
  folder(name: string, parentId: string): { readonly entryId: string };
  pause(milliseconds: number): Promise<void>;
}
