import type { DeviceId, NamespaceId, UserId } from '@/lib/sync/model/ids';
import type { Identity } from './identity';

/** A person's account as the room knows it. Times are milliseconds since 1970 UTC. */
export interface Account {
  readonly userId: UserId;
  /** Lower case. */
  readonly email: string;
  readonly name: string;
  readonly passwordHash: string;
  readonly isAdmin: boolean;
  readonly rootNamespaceId: NamespaceId;
  /** True: may not sign in, and its sessions count for nothing. */
  readonly disabled: boolean;
}

/** A sign-in of one device, by the SHA-256 of its token: the token itself is never stored. */
export interface NewSession {
  readonly tokenHash: Uint8Array<ArrayBuffer>;
  readonly deviceId: DeviceId;
  readonly deviceName: string;
  readonly at: number;
  readonly expiresAt: number;
}

/** What the guard reads of a session, in one look. */
export interface FoundSession {
  readonly identity: Identity;
  readonly deviceRevoked: boolean;
  readonly disabled: boolean;
  readonly lastSeenAt: number;
  readonly expiresAt: number;
}

export interface DeviceRecord {
  readonly id: DeviceId;
  readonly name: string;
  readonly createdAt: number;
  readonly lastSeenAt: number;
}

export type CreatedAccount =
  | { readonly ok: true; readonly isAdmin: boolean }
  | { readonly ok: false; readonly reason: 'email_taken' | 'sign_up_closed' };

/** Records of accounts, devices and sessions. */
export interface AccountStore {
  anyAccount(): Promise<boolean>;
  accountByEmail(email: string): Promise<Account | null>;
  accountById(userId: UserId): Promise<Account | null>;
  /** Account, device and session in one transaction. The very first account becomes administrator, and is let in even when `signUp` is closed; of two at once, one is first. */
  createAccount(account: Omit<Account, 'isAdmin' | 'disabled'>, session: NewSession, signUp: 'open' | 'closed'): Promise<CreatedAccount>;
  /** Registers the device (again, when it was revoked) under its present name and replaces every earlier session of it. One transaction. */
  openSession(userId: UserId, session: NewSession): Promise<void>;
  session(tokenHash: Uint8Array<ArrayBuffer>): Promise<FoundSession | null>;
  /** The session was used at `at`: moves its end, and the device's last use. */
  touchSession(tokenHash: Uint8Array<ArrayBuffer>, at: number, expiresAt: number): Promise<void>;
  deleteSession(tokenHash: Uint8Array<ArrayBuffer>): Promise<void>;
  /** New password, and the end of every session except the ones of `keep`. Answers the devices that lost theirs. One transaction. */
  changePassword(userId: UserId, passwordHash: string, keep: DeviceId): Promise<readonly DeviceId[]>;
  /** Devices that are not revoked, most recently used first. */
  devices(userId: UserId): Promise<readonly DeviceRecord[]>;
  /** False when the person has no such device. */
  renameDevice(userId: UserId, deviceId: DeviceId, name: string): Promise<boolean>;
  /** From now on no session of the device counts. False when the person has no such device. */
  revokeDevice(userId: UserId, deviceId: DeviceId, at: number): Promise<boolean>;
  /** Removes sessions that ended before `before`. */
  deleteExpiredSessions(before: number): Promise<void>;
}
