/** Private keys as wallets write them: Base58Check with a byte for the network (WIF). */
import { sha256d } from '../bitcoin/hash.js';
import { bytesEqual } from '../util/bytes.js';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const MAINNET = 0x80;
const TEST = 0xef;
const SECRET = 32;
/** Version, secret, mark of a compressed public key, checksum. */
const LENGTH = 1 + SECRET + 1 + 4;

export interface WrittenKey {
  readonly secret: Uint8Array;
  readonly mainnet: boolean;
}

/** The key that `text` writes, one with a compressed public key; undefined if it is none. */
export function readWif(text: string): WrittenKey | undefined {
  const bytes = text.length > 60 ? undefined : fromBase58(text);
  if (bytes?.length !== LENGTH || !bytesEqual(sha256d(bytes.slice(0, -4)).slice(0, 4), bytes.slice(-4))) {
    return undefined;
  }
  const [version] = bytes;
  if ((version !== MAINNET && version !== TEST) || bytes[1 + SECRET] !== 1) return undefined;
  return { secret: bytes.slice(1, 1 + SECRET), mainnet: version === MAINNET };
}

/** `secret` (32 bytes) for a network that is not the main one. */
export function testWif(secret: Uint8Array): string {
  const body = Uint8Array.of(TEST, ...secret, 1);
  let rest = BigInt(`0x${Buffer.from([...body, ...sha256d(body).slice(0, 4)]).toString('hex')}`);
  let text = '';
  for (; rest > 0n; rest /= 58n) text = ALPHABET[Number(rest % 58n)] + text;
  return text;
}

/** The bytes of a text that begins with another digit than 1, which none of our keys does. */
function fromBase58(text: string): Uint8Array | undefined {
  let value = 0n;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) return undefined;
    value = value * 58n + BigInt(digit);
  }
  const hex = value.toString(16);
  return new Uint8Array(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'));
}
