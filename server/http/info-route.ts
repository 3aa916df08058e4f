import type { ServerInfo } from '@/lib/sync/protocol/accounts';
import { ROUTES } from '@/lib/sync/protocol/routes';
import type { Accounts } from '../accounts/accounts';
import type { Route } from './route';

/** What anybody may know about this server; also how a client finds out that it is reachable. */
export function infoRoute(deps: { readonly accounts: Accounts; readonly version: string; readonly signUp: 'open' | 'closed' }): Route {
  const { accounts, version, signUp } = deps;
  return {
    method: 'GET',
    path: ROUTES.info,
    guard: 'anyone',
    body: 'none',
    handle: async () => ({ version, signUp, firstAccount: await accounts.firstAccount() }) satisfies ServerInfo,
  };
}
