import type { IncomingMessage, ServerResponse } from 'node:http';

/** Pages served by this machine. */
const LOOPBACK = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** Which origins' pages may read answers in a browser. */
export type CorsRule = (origin: string) => string | undefined;

/** `*`: any origin; a comma-separated list: these origins; undefined: pages of this machine only. */
export function corsRule(setting: string | undefined): CorsRule {
  if (setting === '*') return () => '*';
  if (setting === undefined) return (origin) => (LOOPBACK.test(origin) ? origin : undefined);
  const allowed = new Set(setting.split(',').map((origin) => origin.trim().replace(/\/$/, '')));
  return (origin) => (allowed.has(origin) ? origin : undefined);
}

/**
 * Sets the CORS headers. A request from another origin is answered too, without them: the browser withholds the answer
 * from the page.
 */
export function setCorsHeaders(rule: CorsRule, request: IncomingMessage, response: ServerResponse): void {
  const { origin } = request.headers;
  if (origin === undefined) return;
  const allowed = rule(origin);
  if (allowed !== '*') response.setHeader('vary', 'origin');
  if (allowed === undefined) return;
  response.setHeader('access-control-allow-origin', allowed);
  if (request.method !== 'OPTIONS') return;
  response.setHeader('access-control-allow-methods', 'POST, GET, OPTIONS');
  response.setHeader(
    'access-control-allow-headers',
    request.headers['access-control-request-headers'] ?? 'content-type',
  );
  response.setHeader('access-control-max-age', '600');
}
