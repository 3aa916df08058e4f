import type { DeviceId, NamespaceId, UserId } from '@/lib/sync/model/ids';
import type { DeviceView, Me, PasswordChange, SignIn, SignUp } from '@/lib/sync/protocol/accounts';
import type { MetadataStore } from '../metadata-server/metadata-store';
import type { Notifier } from '../sync-service/notifier';
import type { AttemptLimiter, Clock, PasswordHasher, TokenMaker } from './account-drivers';
import type { Account, AccountStore, NewSession } from './account-store';
import type { Identity } from './identity';

/**
 * The room of people and their devices: who has an account, which devices are signed in, and how they stop being so.
 * Passwords and tokens come in here and leave only as hashes.
 */
export interface AccountsDrivers {
  readonly store: AccountStore;
  readonly metadata: Pick<MetadataStore, 'createNamespace'>;
  readonly notifier: Pick<Notifier, 'disconnect'>;
  readonly passwords: PasswordHasher;
  readonly tokens: TokenMaker;
  readonly clock: Clock;
  /** Failed sign-ins: by network address, by e-mail address; and accounts made, by network address. */
  readonly limits: { readonly address: AttemptLimiter; readonly email: AttemptLimiter; readonly signUp: AttemptLimiter };
  readonly signUp: 'open' | 'closed';
  readonly sessionDays: number;
}

export type TooMany = { readonly ok: false; readonly reason: 'too_many_requests'; readonly retryAfterSeconds: number };
export type SignedIn = { readonly ok: true; readonly me: Me; readonly token: string };
export type SignUpOutcome = SignedIn | TooMany | { readonly ok: false; readonly reason: 'email_taken' | 'sign_up_closed' };
export type SignInOutcome = SignedIn | TooMany | { readonly ok: false; readonly reason: 'wrong_credentials' | 'account_disabled' };
export type PasswordOutcome = { readonly ok: true } | TooMany | { readonly ok: false; readonly reason: 'wrong_credentials' };

/** Where a sign-in or sign-up comes from: what the limits count, and the session it replaces in this browser. */
export interface Caller {
  readonly address: string;
  readonly formerToken: string | null;
}

const DAY_MS = 24 * 60 * 60 * 1000;

export class Accounts {
  #drivers: AccountsDrivers;
  #hasAccounts = false;

  constructor(drivers: AccountsDrivers) {
    this.#drivers = drivers;
  }

  /** True until the first account exists. Accounts are never all removed, so “no” is remembered. */
  async firstAccount(): Promise<boolean> {
    this.#hasAccounts ||= await this.#drivers.store.anyAccount();
    return !this.#hasAccounts;
  }

  /** Makes an account with its root namespace, and signs the device in. */
  async signUp(request: SignUp, caller: Caller): Promise<SignUpOutcome> {
    const { store, metadata, passwords, tokens, limits, signUp } = this.#drivers;
    const turn = await limits.signUp.take(caller.address);
    if (!turn.ok) return { ok: false, reason: 'too_many_requests', retryAfterSeconds: turn.retryAfterSeconds };
    if (signUp === 'closed' && !(await this.firstAccount())) return { ok: false, reason: 'sign_up_closed' };
    if (await store.accountByEmail(request.email)) return { ok: false, reason: 'email_taken' };

    const { token, session } = this.#newSession(request.deviceId, request.deviceName);
    const userId = tokens.uuid() as UserId;
    const rootNamespaceId = tokens.uuid() as NamespaceId;
    const account = {
      userId,
      email: request.email,
      name: request.name,
      passwordHash: await passwords.hash(request.password),
      rootNamespaceId,
    };
    // The namespace first: an account must never point at one that is not there. Left alone by a lost race, an empty one harms nobody.
    await metadata.createNamespace({ id: rootNamespaceId, kind: 'root', owner: userId });
    const created = await store.createAccount(account, session, signUp);
    if (!created.ok) return created;
    if (caller.formerToken !== null) await store.deleteSession(tokens.hash(caller.formerToken));
    return { ok: true, token, me: meOf({ ...account, isAdmin: created.isAdmin }, request.deviceId) };
  }

  /** Signs a device in. An unknown address and a wrong password look and last the same. A revoked device is registered anew. */
  async signIn(request: SignIn, caller: Caller): Promise<SignInOutcome> {
    const { store, passwords, tokens, limits } = this.#drivers;
    const byAddress = await limits.address.take(caller.address);
    const byEmail = await limits.email.take(request.email);
    for (const turn of [byAddress, byEmail])
      if (!turn.ok) return { ok: false, reason: 'too_many_requests', retryAfterSeconds: turn.retryAfterSeconds };

    const account = await store.accountByEmail(request.email);
    const matches = await passwords.matches(account?.passwordHash ?? null, request.password);
    if (account === null || !matches) return { ok: false, reason: 'wrong_credentials' };
    await Promise.all([limits.address.giveBack(caller.address), limits.email.giveBack(request.email)]);
    if (account.disabled) return { ok: false, reason: 'account_disabled' };

    const { token, session } = this.#newSession(request.deviceId, request.deviceName);
    if (caller.formerToken !== null) await store.deleteSession(tokens.hash(caller.formerToken));
    await store.openSession(account.userId, session);
    return { ok: true, token, me: meOf(account, request.deviceId) };
  }

  /** Ends the session of this token, and its device's connections when it had one. */
  async signOut(token: string | null, identity: Identity | null): Promise<void> {
    if (token !== null) await this.#drivers.store.deleteSession(this.#drivers.tokens.hash(token));
    if (identity !== null) this.#drivers.notifier.disconnect(identity.userId, identity.deviceId);
  }

  /** The signed-in person; null when the account was removed a moment ago. */
  async me(identity: Identity): Promise<Me | null> {
    const account = await this.#drivers.store.accountById(identity.userId);
    return account && meOf(account, identity.deviceId);
  }

  /** Every other device of the person is signed out. */
  async changePassword(identity: Identity, change: PasswordChange): Promise<PasswordOutcome> {
    const { store, passwords, notifier, limits } = this.#drivers;
    // A stolen session must not become a way to try passwords.
    const turn = await limits.email.take(identity.userId);
    if (!turn.ok) return { ok: false, reason: 'too_many_requests', retryAfterSeconds: turn.retryAfterSeconds };
    const account = await store.accountById(identity.userId);
    const matches = await passwords.matches(account?.passwordHash ?? null, change.oldPassword);
    if (!matches) return { ok: false, reason: 'wrong_credentials' };
    await limits.email.giveBack(identity.userId);
    const signedOut = await store.changePassword(identity.userId, await passwords.hash(change.newPassword), identity.deviceId);
    for (const deviceId of signedOut) notifier.disconnect(identity.userId, deviceId);
    return { ok: true };
  }

  async devices(identity: Identity): Promise<readonly DeviceView[]> {
    const devices = await this.#drivers.store.devices(identity.userId);
    return devices.map((device) => ({ ...device, current: device.id === identity.deviceId }));
  }

  /** False when the person has no such device. */
  async renameDevice(identity: Identity, deviceId: DeviceId, name: string): Promise<boolean> {
    return this.#drivers.store.renameDevice(identity.userId, deviceId, name);
  }

  /** Out at once: no session of the device counts any more, and its connections are closed. False when the person has no such device. */
  async revokeDevice(identity: Identity, deviceId: DeviceId): Promise<boolean> {
    const { store, clock, notifier } = this.#drivers;
    if (!(await store.revokeDevice(identity.userId, deviceId, clock.now()))) return false;
    notifier.disconnect(identity.userId, deviceId);
    return true;
  }

  /** Removes sessions that have ended by themselves; for a timer. */
  async sweep(): Promise<void> {
    await this.#drivers.store.deleteExpiredSessions(this.#drivers.clock.now());
  }

  #newSession(deviceId: DeviceId, deviceName: string): { token: string; session: NewSession } {
    const { tokens, clock, sessionDays } = this.#drivers;
    const token = tokens.make();
    const at = clock.now();
    return { token, session: { tokenHash: tokens.hash(token), deviceId, deviceName, at, expiresAt: at + sessionDays * DAY_MS } };
  }
}

function meOf(account: Pick<Account, 'userId' | 'email' | 'name' | 'isAdmin' | 'rootNamespaceId'>, deviceId: DeviceId): Me {
  const { userId, email, name, isAdmin, rootNamespaceId } = account;
  return { userId, email, name, isAdmin, deviceId, rootNamespaceId };
}
