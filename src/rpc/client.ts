import { isIPv6 } from 'node:net';

/** Groups of an IPv6 address that identify a client: the owner of one address of a /64 network has them all. */
const NETWORK_GROUPS = 4;

/** Name under which the usage of an address is counted: an IPv4 address, or the network of an IPv6 address. */
export function clientOf(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1];
  if (!isIPv6(address) || address === '::1') return address;
  const [head, tail] = address.split('%', 1)[0].split('::') as [string, string | undefined];
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  while (tail !== undefined && groups.length + after.length < 8) groups.push('0');
  return `${[...groups, ...after].slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

/** Of a request what tells whose it is. */
export interface Sent {
  readonly socket: { readonly remoteAddress?: string };
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * Returns a function that names the client of a request; a trusted proxy names its client in the last entry of
 * `X-Forwarded-For`.
 */
export function clientRule(trusted: string | undefined): (request: Sent) => string {
  const proxies = new Set((trusted ?? '').split(',').map((address) => clientOf(address.trim())));
  return (request) => {
    const peer = clientOf(request.socket.remoteAddress);
    if (!proxies.has(peer)) return peer;
    const named = String(request.headers['x-forwarded-for'] ?? '')
      .split(',')
      .at(-1)
      ?.trim();
    return named === undefined || named === '' ? peer : clientOf(named.slice(0, 64));
  };
}
