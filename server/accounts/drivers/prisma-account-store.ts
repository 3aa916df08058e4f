import type { DeviceId, NamespaceId, UserId } from '@/lib/sync/model/ids';
import { Prisma, type PrismaClient, type User } from '../../generated/prisma/client';
import type { Account, AccountStore, FoundSession, NewSession } from '../account-store';

/** Any number that nothing else in this database uses: two first sign-ups at once take turns. */
const SIGN_UP_LOCK = 7_265_002;

/** Transactions wait for a connection rather than fail while many people sign in at once. */
const TRANSACTION = { maxWait: 10_000, timeout: 15_000 };

interface SessionRow {
  user_id: string;
  device_id: string;
  is_admin: boolean;
  root_namespace_id: string;
  disabled_at: Date | null;
  revoked_at: Date | null;
  last_seen_at: Date;
  expires_at: Date;
}

/** Accounts, devices and sessions in PostgreSQL. */
export function createPrismaAccountStore(prisma: PrismaClient): AccountStore {
  return {
    anyAccount: async () => (await prisma.user.findFirst({ select: { id: true } })) !== null,
    accountByEmail: async (email) => accountOf(await prisma.user.findUnique({ where: { email } })),
    accountById: async (userId) => accountOf(await prisma.user.findUnique({ where: { id: userId } })),

    async createAccount({ userId, ...account }, session, signUp) {
      try {
        return await prisma.$transaction(async (transaction) => {
          await transaction.$executeRaw`SELECT pg_advisory_xact_lock(${SIGN_UP_LOCK})`;
          const isAdmin = (await transaction.user.findFirst({ select: { id: true } })) === null;
          if (signUp === 'closed' && !isAdmin) return { ok: false, reason: 'sign_up_closed' } as const;
          await transaction.user.create({ data: { id: userId, ...account, isAdmin, createdAt: new Date(session.at) } });
          await writeSession(transaction, userId, session);
          return { ok: true, isAdmin } as const;
        }, TRANSACTION);
      } catch (error) {
        if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002') return { ok: false, reason: 'email_taken' };
        throw error;
      }
    },

    openSession: (userId, session) => prisma.$transaction((transaction) => writeSession(transaction, userId, session), TRANSACTION),

    async session(tokenHash) {
      const rows = await prisma.$queryRaw<SessionRow[]>`
        SELECT s.user_id, s.device_id, s.last_seen_at, s.expires_at, u.is_admin, u.root_namespace_id, u.disabled_at, d.revoked_at
        FROM session s JOIN "user" u ON u.id = s.user_id JOIN device d ON d.user_id = s.user_id AND d.id = s.device_id
        WHERE s.token_hash = ${tokenHash}`;
      return rows[0] ? foundSessionOf(rows[0]) : null;
    },

    async touchSession(tokenHash, at, expiresAt) {
      await prisma.$executeRaw`
        WITH used AS (
          UPDATE session SET last_seen_at = ${new Date(at)}, expires_at = ${new Date(expiresAt)} WHERE token_hash = ${tokenHash} RETURNING user_id, device_id
        )
        UPDATE device SET last_seen_at = ${new Date(at)} FROM used WHERE device.user_id = used.user_id AND device.id = used.device_id`;
    },

    async deleteSession(tokenHash) {
      await prisma.session.deleteMany({ where: { tokenHash } });
    },

    changePassword: (userId, passwordHash, keep) =>
      prisma.$transaction(async (transaction) => {
        await transaction.user.update({ where: { id: userId }, data: { passwordHash } });
        const others = { userId, deviceId: { not: keep } };
        const ended = await transaction.session.findMany({ where: others, select: { deviceId: true }, distinct: ['deviceId'] });
        await transaction.session.deleteMany({ where: others });
        return ended.map((session) => session.deviceId as DeviceId);
      }, TRANSACTION),

    async devices(userId) {
      const devices = await prisma.device.findMany({
        where: { userId, revokedAt: null },
        orderBy: [{ lastSeenAt: 'desc' }, { id: 'asc' }],
      });
      return devices.map(({ id, name, createdAt, lastSeenAt }) => ({
        id: id as DeviceId,
        name,
        createdAt: createdAt.getTime(),
        lastSeenAt: lastSeenAt.getTime(),
      }));
    },

    async renameDevice(userId, deviceId, name) {
      return (await prisma.device.updateMany({ where: { userId, id: deviceId, revokedAt: null }, data: { name } })).count > 0;
    },

    // The sessions stay until the device signs in again or they run out: the guard refuses them, and can say why.
    async revokeDevice(userId, deviceId, at) {
      return (
        (await prisma.device.updateMany({ where: { userId, id: deviceId, revokedAt: null }, data: { revokedAt: new Date(at) } })).count > 0
      );
    },

    async deleteExpiredSessions(before) {
      await prisma.session.deleteMany({ where: { expiresAt: { lt: new Date(before) } } });
    },
  };
}

async function writeSession(transaction: Prisma.TransactionClient, userId: UserId, session: NewSession): Promise<void> {
  const at = new Date(session.at);
  const known = { name: session.deviceName, lastSeenAt: at };
  const key = { userId_id: { userId, id: session.deviceId } };
  const device = await transaction.device.findUnique({ where: key });
  // A name the person gave in the list is kept; a device that comes back after having been revoked is a new registration.
  if (device && device.revokedAt === null) await transaction.device.update({ where: key, data: { lastSeenAt: at } });
  else
    await transaction.device.upsert({
      where: key,
      update: { ...known, createdAt: at, revokedAt: null },
      create: { userId, id: session.deviceId, createdAt: at, ...known },
    });
  await transaction.session.deleteMany({ where: { userId, deviceId: session.deviceId } });
  await transaction.session.create({
    data: {
      tokenHash: session.tokenHash,
      userId,
      deviceId: session.deviceId,
      createdAt: at,
      lastSeenAt: at,
      expiresAt: new Date(session.expiresAt),
    },
  });
}

function accountOf(user: User | null): Account | null {
  if (user === null) return null;
  const { id, email, name, passwordHash, isAdmin, rootNamespaceId, disabledAt } = user;
  return {
    userId: id as UserId,
    email,
    name,
    passwordHash,
    isAdmin,
    rootNamespaceId: rootNamespaceId as NamespaceId,
    disabled: disabledAt !== null,
  };
}

function foundSessionOf(row: SessionRow): FoundSession {
  return {
    identity: {
      userId: row.user_id as UserId,
      deviceId: row.device_id as DeviceId,
      isAdmin: row.is_admin,
      rootNamespaceId: row.root_namespace_id as NamespaceId,
    },
    deviceRevoked: row.revoked_at !== null,
    disabled: row.disabled_at !== null,
    lastSeenAt: row.last_seen_at.getTime(),
    expiresAt: row.expires_at.getTime(),
  };
}
