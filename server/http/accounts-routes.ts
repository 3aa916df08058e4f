import type { DeviceId } from '@/lib/sync/model/ids';
import { isUuid } from '@/lib/sync/model/ids';
import { deviceRenameSchema, passwordChangeSchema, signInSchema, signUpSchema } from '@/lib/sync/protocol/accounts';
import { ROUTES } from '@/lib/sync/protocol/routes';
import type { Accounts, Caller } from '../accounts/accounts';
import { type CookieScheme, readSessionCookie, writeSessionCookie } from '../accounts/session-cookie';
import { ApiError } from './api-error';
import { clientAddressOf, type OriginRules, publicOriginOf } from './origin';
import type { RequestContext, Route } from './route';

export interface AccountsRoutesDeps {
  readonly accounts: Accounts;
  readonly rules: OriginRules;
  readonly cookieScheme: CookieScheme;
}

type Refusal = {
  readonly reason: 'too_many_requests' | 'email_taken' | 'sign_up_closed' | 'wrong_credentials' | 'account_disabled';
  readonly retryAfterSeconds?: number;
};

function refusalError({ reason, retryAfterSeconds }: Refusal): ApiError {
  if (reason === 'account_disabled') return new ApiError('not_allowed', 'This account was switched off by the administrator.');
  return new ApiError(reason, undefined, retryAfterSeconds === undefined ? undefined : { retryAfterSeconds });
}

function deviceIdOf(params: Readonly<Record<string, string>>): DeviceId {
  const id = params.id ?? '';
  if (!isUuid(id)) throw new ApiError('not_found');
  return id as DeviceId;
}

/** Accounts, sign-ins and devices over HTTP. */
export function accountsRoutes({ accounts, rules, cookieScheme }: AccountsRoutesDeps): readonly Route[] {
  const tokenOf = ({ request }: RequestContext) => readSessionCookie(request.headers.cookie, cookieScheme);
  const callerOf = (context: RequestContext): Caller => ({
    address: clientAddressOf(context.request, rules.trustProxy),
    formerToken: tokenOf(context),
  });
  const setCookie = ({ request, response }: RequestContext, token: string | null) => {
    const https = publicOriginOf(request, rules)?.startsWith('https:') ?? false;
    response.setHeader('set-cookie', writeSessionCookie(token, https));
  };
  return [
    ...signInRoutes({ accounts, callerOf, tokenOf, setCookie }),
    {
      method: 'POST',
      path: ROUTES.password,
      guard: 'signed_in',
      body: 'json',
      handle: async ({ identity }, body) => {
        const outcome = await accounts.changePassword(identity, passwordChangeSchema.parse(body));
        if (!outcome.ok) throw refusalError(outcome);
        return {};
      },
    },
    { method: 'GET', path: ROUTES.devices, guard: 'signed_in', body: 'none', handle: ({ identity }) => accounts.devices(identity) },
    {
      method: 'PATCH',
      path: `${ROUTES.devices}/:id`,
      guard: 'signed_in',
      body: 'json',
      handle: async ({ identity, params }, body) => {
        if (!(await accounts.renameDevice(identity, deviceIdOf(params), deviceRenameSchema.parse(body).name)))
          throw new ApiError('not_found');
        return {};
      },
    },
    {
      method: 'DELETE',
      path: `${ROUTES.devices}/:id`,
      guard: 'signed_in',
      body: 'none',
      handle: async ({ identity, params }) => {
        if (!(await accounts.revokeDevice(identity, deviceIdOf(params)))) throw new ApiError('not_found');
        return {};
      },
    },
  ];
}

function signInRoutes(deps: {
  accounts: Accounts;
  callerOf: (context: RequestContext) => Caller;
  tokenOf: (context: RequestContext) => string | null;
  setCookie: (context: RequestContext, token: string | null) => void;
}): readonly Route[] {
  const { accounts, callerOf, tokenOf, setCookie } = deps;
  return [
    {
      method: 'POST',
      path: ROUTES.signUp,
      guard: 'anyone',
      body: 'json',
      handle: async (context, body) => {
        const outcome = await accounts.signUp(signUpSchema.parse(body), callerOf(context));
        if (!outcome.ok) throw refusalError(outcome);
        setCookie(context, outcome.token);
        return outcome.me;
      },
    },
    {
      method: 'POST',
      path: ROUTES.signIn,
      guard: 'anyone',
      body: 'json',
      handle: async (context, body) => {
        const outcome = await accounts.signIn(signInSchema.parse(body), callerOf(context));
        if (!outcome.ok) throw refusalError(outcome);
        setCookie(context, outcome.token);
        return outcome.me;
      },
    },
    {
      // For anyone: who is signed out already, or revoked, still wants the cookie gone.
      method: 'POST',
      path: ROUTES.signOut,
      guard: 'anyone',
      // Whatever is sent along is not looked at.
      body: 'raw',
      handle: async (context) => {
        await accounts.signOut(tokenOf(context), context.identity);
        setCookie(context, null);
        return {};
      },
    },
    {
      method: 'GET',
      path: ROUTES.me,
      guard: 'signed_in',
      body: 'none',
      handle: async (context) => {
        const me = await accounts.me(context.identity);
        if (me === null) throw new ApiError('not_signed_in');
        // Moves the cookie's end along, which browsers set to 400 days at most.
        setCookie(context, tokenOf(context));
        return me;
      },
    },
  ];
}
