/** Addresses of streams: `nats://[user:password@|token@]host[:port][/name]`, or `tls://…`. */
import { maskUserInfo } from '../../errors/mask.js';

export interface StreamAddress {
  /** `host:port`. */
  readonly server: string;
  readonly tls: boolean;
  readonly login: { readonly user: string; readonly pass: string } | { readonly token: string } | undefined;
  /** Name of the stream. */
  readonly name: string;
  /** For people: without user and password. */
  readonly shown: string;
}

const PORT = 4222;
const DEFAULT_NAME = 'warpshrew';
export const STREAM_ADDRESS =
  /^(?:nats|tls):\/\/(?:[^@/\s]+@)?(?:[^@/\s:[\]]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?(?:\/[\w-]{0,64})?$/;

/** Reads an address that is of the form {@link STREAM_ADDRESS}; undefined if it is none. */
export function parseStreamAddress(text: string): StreamAddress | undefined {
  if (!STREAM_ADDRESS.test(text) || !URL.canParse(text)) return undefined;
  const { protocol, hostname, port, username, password, pathname } = new URL(text);
  const [user, pass] = [decoded(username), decoded(password)];
  if (user === undefined || pass === undefined) return undefined;
  const name = pathname.replace('/', '') || DEFAULT_NAME;
  return {
    server: `${hostname}:${port === '' ? PORT : port}`,
    tls: protocol === 'tls:',
    login: user === '' ? undefined : pass === '' ? { token: user } : { user, pass },
    name,
    shown: maskUserInfo(text),
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
