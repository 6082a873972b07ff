import { UsageError } from '../../errors/errors.js';

/** Where a GPU server listens. */
export type ServerAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

const TCP = /^tcp:(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/;
/** What {@link readAddress} may take. */
export const GPU_SERVER = new RegExp(`^unix:.+$|${TCP.source}`);

/** Reads `unix:PATH` or `tcp:HOST:PORT` (an IPv6 host in brackets). Throws UsageError USAGE_GPU_SERVER. */
export function readAddress(text: string): ServerAddress {
  if (text.startsWith('unix:') && text.length > 'unix:'.length) return { kind: 'unix', path: text.slice(5) };
  const [, bracketed, plain, digits] = TCP.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || !(port <= 65_535)) {
    throw new UsageError('USAGE_GPU_SERVER', `${text} is no address of a GPU server`, {
      hint: 'unix:PATH or tcp:HOST:PORT',
    });
  }
  return { kind: 'tcp', host, port };
}

export function addressText(address: ServerAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `tcp:${host}:${address.port}`;
}
