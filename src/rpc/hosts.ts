import { isIP } from 'node:net';

/** Which values of the header `Host` are accepted; undefined: the request has none. */
export type HostRule = (host: string | undefined) => boolean;

/**
 * A page of any origin can be made to query this server as if it were its own (DNS rebinding): the browser then sends
 * the name of that origin as `Host`. Accepted are the loopback names of this machine, the address or name that the
 * server listens on, IP addresses (they cannot be rebound) and `allowed` (comma-separated names, any port; `*`: every
 * name).
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

/** The name in `name`, `name:port` or `[address]:port`; undefined for any other form. */
function nameOf(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(host);
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '');
}
