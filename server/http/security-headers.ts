import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type OriginRules, publicOriginOf } from './origin';

const INLINE_SCRIPT = /<script\b([^>]*)>([\s\S]*?)<\/script\s*>/gi;

/** CSP sources (`'sha256-…'`) for the inline scripts of one HTML page. */
export function inlineScriptHashes(html: string): readonly string[] {
  const hashes = new Set<string>();
  for (const [, attributes = '', code = ''] of html.matchAll(INLINE_SCRIPT)) {
    if (/\bsrc\s*=/i.test(attributes) || code === '') continue;
    hashes.add(`'sha256-${createHash('sha256').update(code, 'utf8').digest('base64')}'`);
  }
  return [...hashes];
}

/** Hashes of the inline scripts of every page that the build has rendered into `folder`; empty when there is no build. */
export async function inlineScriptsOfBuild(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  const pages = files.filter((file) => file.endsWith('.html'));
  const hashes = await Promise.all(pages.map(async (file) => inlineScriptHashes(await readFile(join(folder, file), 'utf8'))));
  return [...new Set(hashes.flat())].sort();
}

export interface PagePolicy {
  readonly scriptHashes: readonly string[];
  readonly rules: OriginRules;
  /** Next's development server puts scripts into the page and evaluates code. */
  readonly dev: boolean;
}

function contentSecurityPolicy({ scriptHashes, dev }: PagePolicy, origin: string | null): string {
  // Older Safari does not count sockets to the own origin as 'self'.
  const sockets = origin === null ? '' : ` ${origin.replace(/^http/, 'ws')}`;
  const scripts = dev ? "'unsafe-inline' 'unsafe-eval'" : scriptHashes.join(' ');
  return [
    "default-src 'self'",
    `script-src 'self' ${scripts}`.trim(),
    // Components position menus and list rows through style attributes.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' blob: data:",
    "media-src 'self' blob:",
    "font-src 'self'",
    `connect-src 'self'${sockets}`,
    `worker-src 'self'${dev ? ' blob:' : ''}`,
    "frame-src 'self'",
    "manifest-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

const PERMISSIONS = ['camera', 'geolocation', 'microphone', 'payment', 'usb', 'serial', 'display-capture']
  .map((feature) => `${feature}=()`)
  .join(', ');

/** Headers of every answer, API and pages alike. Sets nothing that says what a page may load: `setPageHeaders` does. */
export function setCommonHeaders(request: IncomingMessage, response: ServerResponse, rules: OriginRules): void {
  response.setHeader('x-content-type-options', 'nosniff');
  // Not `no-referrer`: with it browsers send `Origin: null` with our own forms.
  response.setHeader('referrer-policy', 'same-origin');
  response.setHeader('cross-origin-resource-policy', 'same-origin');
  if (publicOriginOf(request, rules)?.startsWith('https:')) response.setHeader('strict-transport-security', 'max-age=31536000');
}

/** Headers of pages, their scripts and workers. */
export function setPageHeaders(request: IncomingMessage, response: ServerResponse, policy: PagePolicy): void {
  response.setHeader('content-security-policy', contentSecurityPolicy(policy, publicOriginOf(request, policy.rules)));
  response.setHeader('permissions-policy', PERMISSIONS);
  response.setHeader('cross-origin-opener-policy', 'same-origin');
}
