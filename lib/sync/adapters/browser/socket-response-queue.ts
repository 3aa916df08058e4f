import { io, type Socket } from 'socket.io-client';
import type { ResponseQueue } from '../../ports/sync-service';
import type { Notice } from '../../protocol/commit';
import { isErrorCode, SIGNED_OUT } from '../../protocol/error-codes';
import { ROUTES } from '../../protocol/routes';

export interface SocketOptions {
  /** Where the server is; pages leave it out. */
  readonly origin?: string;
  /** Node only: the cookie that browsers send by themselves. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** True when the server refused the connection because the session is over. */
function endsSession(error: Error & { data?: unknown }): boolean {
  const data = error.data;
  const code = typeof data === 'object' && data !== null && 'code' in data ? data.code : error.message;
  return isErrorCode(code) && SIGNED_OUT.has(code);
}

/** Notices over socket.io: WebSocket first, long polling where a proxy in between allows nothing else. Reconnects by itself with growing pauses. */
export function createSocketResponseQueue(options: SocketOptions = {}): ResponseQueue {
  let socket: Socket | null = null;
  return {
    open({ onNotice, onConnected, onDisconnected, onSignedOut }) {
      socket?.close();
      const settings = {
        path: ROUTES.notices,
        transports: ['websocket', 'polling'],
        tryAllTransports: true,
        withCredentials: true,
        reconnectionDelay: 1_000,
        reconnectionDelayMax: 30_000,
        randomizationFactor: 0.5,
        forceNew: true,
        ...(options.headers === undefined ? {} : { extraHeaders: { ...options.headers } }),
      };
      socket = options.origin === undefined ? io(settings) : io(options.origin, settings);
      const opened = socket;
      opened.on('connect', onConnected);
      opened.on('notice', (notice: Notice) => onNotice(notice));
      opened.on('revoked', () => {
        opened.close();
        onSignedOut();
      });
      opened.on('disconnect', (reason) => {
        onDisconnected();
        // The server closed it on purpose; socket.io would not come back by itself.
        if (reason === 'io server disconnect') opened.connect();
      });
      opened.on('connect_error', (error) => {
        if (!endsSession(error)) return;
        opened.close();
        onSignedOut();
      });
    },
    close() {
      socket?.close();
      socket = null;
    },
  };
}
