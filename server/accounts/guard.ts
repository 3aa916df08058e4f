import type { Clock, TokenMaker } from './account-drivers';
import type { AccountStore } from './account-store';
import type { Identity } from './identity';
import { type CookieScheme, readSessionCookie } from './session-cookie';

export type Identified =
  | { readonly ok: true; readonly identity: Identity }
  | { readonly ok: false; readonly problem: 'not_signed_in' | 'device_revoked' };

/** The one guard: HTTP, tus, sockets and downloads all ask it, and nothing else turns a cookie into a person. */
export interface Guard {
  /** Who sent this `Cookie` header. Throws only when the records cannot be read. */
  identify(cookieHeader: string | undefined): Promise<Identified>;
}

/** The last use is written down at most this often. */
const TOUCH_MS = 60_000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Looks every request up afresh, so that a revoked device is out at its next request. */
export function createGuard(drivers: {
  readonly store: Pick<AccountStore, 'session' | 'touchSession'>;
  readonly tokens: Pick<TokenMaker, 'hash'>;
  readonly clock: Clock;
  readonly cookieScheme: CookieScheme;
  readonly sessionDays: number;
}): Guard {
  const { store, tokens, clock, cookieScheme, sessionDays } = drivers;
  return {
    async identify(cookieHeader) {
      const token = readSessionCookie(cookieHeader, cookieScheme);
      if (token === null) return { ok: false, problem: 'not_signed_in' };
      const tokenHash = tokens.hash(token);
      const found = await store.session(tokenHash);
      const now = clock.now();
      if (found === null || found.disabled || found.expiresAt <= now) return { ok: false, problem: 'not_signed_in' };
      if (found.deviceRevoked) return { ok: false, problem: 'device_revoked' };
      if (now - found.lastSeenAt >= TOUCH_MS) await store.touchSession(tokenHash, now, now + sessionDays * DAY_MS);
      return { ok: true, identity: found.identity };
    },
  };
}
