import { formatId, ID_LENGTH, idFromBytes } from '../protocol/alkane-id.js';
import { fromHex, readU32, toDisplayHash, toHex } from '../util/bytes.js';

const TXID_LENGTH = 32;
const OUTPOINT_LENGTH = TXID_LENGTH + 4;

/** A key of the lane, given in hex, for people (docs/lane-rules.md, section 7). */
export function keyText(hex: string): string {
  const bytes = fromHex(hex);
  const slash = bytes.indexOf(0x2f);
  const kind = Buffer.from(slash < 0 ? bytes : bytes.subarray(0, slash)).toString('latin1');
  const rest = bytes.subarray(kind.length + 1);
  if (kind === 'sequence' && slash < 0) return 'sequence';
  if (kind === 'sheet' && rest.length === OUTPOINT_LENGTH) {
    return `sheet ${toDisplayHash(rest.subarray(0, TXID_LENGTH))}:${readU32(rest, TXID_LENGTH)}`;
  }
  if (kind === 'code' && rest.length === ID_LENGTH) return `code ${formatId(idFromBytes(rest))}`;
  if (kind === 'balance' && rest.length === 2 * ID_LENGTH) {
    return `balance of ${formatId(idFromBytes(rest, ID_LENGTH))} in ${formatId(idFromBytes(rest))}`;
  }
  if (kind === 'store' && rest.length > ID_LENGTH) {
    return `storage of ${formatId(idFromBytes(rest))}: ${bytesText(rest.subarray(ID_LENGTH + 1))}`;
  }
  return `0x${hex}`;
}

/** Hex behind `0x`, and its text where it is printable ASCII. */
function bytesText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  return /^[ -~]+$/.test(text) ? `0x${toHex(bytes)} "${text}"` : `0x${toHex(bytes)}`;
}
