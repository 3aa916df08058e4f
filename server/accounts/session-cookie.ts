/** The cookie that carries the session token. Over HTTPS its name has the prefix that makes browsers hold it to this host, `Secure` and `Path=/`. */
const PLAIN = 'satchel_session';
const SECURE = '__Host-satchel_session';
/** The server decides when a session ends; this is only the ceiling browsers allow (400 days). */
const COOKIE_SECONDS_MAX = 400 * 24 * 60 * 60;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** Which of the two names count. `either` is for servers that were not told their public address. */
export type CookieScheme = 'https' | 'http' | 'either';

/** The token in a `Cookie` header, or null. Where several stand, the host-bound one wins. */
export function readSessionCookie(header: string | undefined, scheme: CookieScheme): string | null {
  if (!header) return null;
  const names = scheme === 'https' ? [SECURE] : scheme === 'http' ? [PLAIN] : [SECURE, PLAIN];
  const pairs = header.split(';').map((pair) => pair.trim());
  for (const name of names) {
    for (const pair of pairs) {
      if (!pair.startsWith(`${name}=`)) continue;
      const token = pair.slice(name.length + 1);
      if (TOKEN.test(token)) return token;
    }
  }
  return null;
}

/** `Set-Cookie` for a token; null takes the cookie away. */
export function writeSessionCookie(token: string | null, https: boolean): string {
  const pair = `${https ? SECURE : PLAIN}=${token ?? ''}`;
  return `${pair}; Path=/; HttpOnly; SameSite=Lax${https ? '; Secure' : ''}; Max-Age=${token === null ? 0 : COOKIE_SECONDS_MAX}`;
}
