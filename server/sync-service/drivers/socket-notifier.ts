import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { Server, type Socket } from 'socket.io';
import type { DeviceId, NamespaceId, UserId } from '@/lib/sync/model/ids';
import type { Notice } from '@/lib/sync/protocol/commit';
import type { ErrorCode } from '@/lib/sync/protocol/error-codes';
import { ROUTES } from '@/lib/sync/protocol/routes';
import type { Guard, Identified } from '../../accounts/guard';
import type { MetadataStore } from '../../metadata-server/metadata-store';
import type { Notifier } from '../notifier';

interface ServerToClient {
  notice(notice: Notice): void;
  revoked(): void;
}
/** Clients only listen. */
type ClientToServer = Record<string, never>;
type NoticeSocket = Socket<ClientToServer, ServerToClient>;

export interface SocketNotifierOptions {
  readonly httpServer: HttpServer;
  readonly guard: Guard;
  readonly metadata: Pick<MetadataStore, 'namespacesOf'>;
  /** False for handshakes that a page of another site makes. */
  readonly mayOpen: (request: IncomingMessage) => boolean;
  readonly log: { warn(event: string, detail?: Readonly<Record<string, unknown>>): void };
  /** How often a long-lived connection's session is looked at again. */
  readonly recheckMs?: number;
}

/** Notices over socket.io. A client whose handshake is refused gets `connect_error` with an error code as its message. */
export interface SocketNotifier extends Notifier {
  /** Closes every connection and takes no more. Does not close the HTTP server. */
  close(): Promise<void>;
}

const RECHECK_MS = 60_000;
/** Clients send nothing but handshakes and pongs. */
const MESSAGE_BYTES_MAX = 4096;

const deviceRoom = (userId: UserId, deviceId: DeviceId) => `device:${userId}:${deviceId}`;
const namespaceRoom = (id: NamespaceId) => `namespace:${id}`;

/** Opens the endpoint at ROUTES.notices on `httpServer`. */
export function openSocketNotifier(options: SocketNotifierOptions): SocketNotifier {
  const { httpServer, guard, metadata, mayOpen, log } = options;
  const io = new Server<ClientToServer, ServerToClient>(httpServer, {
    path: ROUTES.notices,
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: MESSAGE_BYTES_MAX,
    allowRequest: (request, answer) => (mayOpen(request) ? answer(null, true) : answer('foreign_origin', false)),
  });
  const identify = (socket: NoticeSocket) => guard.identify(socket.request.headers.cookie);

  io.use((socket, next) => {
    identify(socket).then(
      (identified) => next(identified.ok ? undefined : refusal(identified.problem)),
      (error: unknown) => {
        log.warn('socket_refused', { error });
        next(refusal('unavailable'));
      },
    );
  });
  io.on('connection', (socket) => {
    settle(socket, { identify, metadata }).catch((error: unknown) => {
      log.warn('socket_dropped', { error });
      socket.disconnect(true);
    });
  });
  const timer = setInterval(() => {
    for (const socket of io.sockets.sockets.values()) {
      // A database that is away for a moment is no reason to drop connections.
      settle(socket, { identify, metadata }).catch((error: unknown) => log.warn('socket_recheck_failed', { error }));
    }
  }, options.recheckMs ?? RECHECK_MS);
  timer.unref();

  return {
    notify: (notice) => void io.to(namespaceRoom(notice.namespaceId)).emit('notice', notice),
    disconnect(userId, deviceId) {
      const room = deviceRoom(userId, deviceId);
      io.to(room).emit('revoked');
      io.in(room).disconnectSockets(true);
    },
    async close() {
      clearInterval(timer);
      // Not `io.close()`, which would close the HTTP server before the requests in flight are answered; and not `disconnectSockets`,
      // after which clients do not come back by themselves.
      io.engine.close();
    },
  };
}

function refusal(code: ErrorCode): Error {
  return new Error(code);
}

/**
 * Puts a connection into the rooms of its device and of every namespace the person may read now, or closes it.
 * The device's room comes first and the guard is asked after that: a device revoked in between is found by one or the other.
 */
async function settle(
  socket: NoticeSocket,
  { identify, metadata }: { identify: (socket: NoticeSocket) => Promise<Identified>; metadata: Pick<MetadataStore, 'namespacesOf'> },
): Promise<void> {
  const before = await identify(socket);
  if (before.ok) await socket.join(deviceRoom(before.identity.userId, before.identity.deviceId));
  const identified = before.ok ? await identify(socket) : before;
  if (!identified.ok) {
    socket.emit('revoked');
    socket.disconnect(true);
    return;
  }
  const wanted = new Set((await metadata.namespacesOf(identified.identity.userId)).map((namespace) => namespaceRoom(namespace.id)));
  for (const room of socket.rooms) if (room.startsWith('namespace:') && !wanted.has(room)) await socket.leave(room);
  await socket.join([...wanted]);
}
