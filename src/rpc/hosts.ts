import { isIP } from 'node:net';

/** Which values of the header `Host` are answered; undefined stands for a request without one. */
export type HostRule = (host: string | undefined) => boolean;

/**
 * A page of any origin can be made to ask this server as if it were the page's own (DNS rebinding): its browser then
 * sends the name of that origin as `Host`. Answered are names of this machine's loopback, the address or name that the
 * server listens on, addresses (nobody can rebind one) and `allowed` (names with commas, any port; `*`: every one).
 */
export function hostRule(allowed: string | undefined, bound: string): HostRule {
  const names = (allowed ?? '').split(',').map((name) => name.trim().toLowerCase());
  if (names.includes('*')) return () => true;
  const known = new Set(['localhost', bound.toLowerCase(), ...names.filter((name) => name !== '')]);
  return (host) => {
    // Browsers always send one.
    if (host === undefined) return true;
    const name = nameOf(host);
    return name !== undefined && (isIP(name) !== 0 || known.has(name));
  };
}

/** The name of `name`, `name:port`, `[address]:port`; undefined if it is none of these. */
function nameOf(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(host);
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '');
}
