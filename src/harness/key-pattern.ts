import type { LaneKey } from '../lane/types.js';
import { formatId, ID_LENGTH, idFromBytes } from '../protocol/alkane-id.js';
import { fromBinaryString } from '../util/bytes.js';

/** Storage keys are a text and then numbers, as the SDK makes them: the text stays, up to this length. */
const MOST_TEXT = 64;
/** A text before bytes ends with one of these, by custom. */
const ENDS = /^[ -~]*?[/:]/;

/** A key of the lane without what makes it one of many: `storage of 2:1: claimed/ and 16 bytes`. */
export function patternOf(key: LaneKey): string {
  const slash = key.indexOf('/');
  const kind = slash < 0 ? key : key.slice(0, slash);
  const rest = key.slice(slash + 1);
  if (slash < 0) return kind;
  if (kind === 'store' && rest.length > ID_LENGTH) {
    return `storage of ${idAt(rest, 0)}: ${ownPattern(rest.slice(ID_LENGTH + 1))}`;
  }
  if (kind === 'balance' && rest.length === 2 * ID_LENGTH) {
    return `balance of ${idAt(rest, ID_LENGTH)} in ${idAt(rest, 0)}`;
  }
  if (kind === 'code' && rest.length === ID_LENGTH) return `code ${idAt(rest, 0)}`;
  return kind;
}

function idAt(text: string, at: number): string {
  return formatId(idFromBytes(fromBinaryString(text.slice(at, at + ID_LENGTH))));
}

function ownPattern(own: string): string {
  if (own.length <= MOST_TEXT && /^[ -~]*$/.test(own)) return own === '' ? 'the empty key' : own;
  const [text = ''] = ENDS.exec(own.slice(0, MOST_TEXT)) ?? [];
  const bytes = own.length - text.length;
  return text === '' ? `${bytes} bytes` : `${text} and ${bytes} bytes`;
}
