/** Values of host calls as people read them, cut to a length. */
import { countOfTransfers, endOfMap, mapAt, transfersAt } from '../program/result.js';
import { formatId, ID_LENGTH, idFromBytes } from '../protocol/alkane-id.js';
import { fromBinaryString, readU128, toHex } from '../util/bytes.js';

/** Bytes that are shown of a buffer, and characters of anything else. */
const SHOWN_BYTES = 128;
const SHOWN_CHARACTERS = 400;
/** Entries that are shown of a list. */
const SHOWN_ENTRIES = 8;
const U128_BYTES = 16;

/** What a buffer holds. */
export type BufferKind = 'bytes' | 'number' | 'id' | 'cellpack' | 'parcel' | 'map' | 'text';

/** The buffer as text; as bytes where it is not what it should be. */
export function shownBuffer(bytes: Uint8Array, kind: BufferKind): string {
  const text = textOf(bytes, kind) ?? shownBytes(bytes);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

/** Hex behind `0x`; of more than 128 bytes the first ones, and how many there are. */
function shownBytes(bytes: Uint8Array): string {
  const hex = `0x${toHex(bytes.subarray(0, SHOWN_BYTES))}`;
  return bytes.length <= SHOWN_BYTES ? hex : `${hex}… (${bytes.length} bytes)`;
}

function textOf(bytes: Uint8Array, kind: BufferKind): string | undefined {
  switch (kind) {
    case 'bytes':
      return undefined;
    case 'number':
      return bytes.length === U128_BYTES ? readU128(bytes, 0).toString() : undefined;
    case 'id':
      return bytes.length >= ID_LENGTH ? formatId(idFromBytes(bytes)) : undefined;
    case 'cellpack':
      return cellpackText(bytes);
    case 'parcel':
      return parcelText(bytes);
    case 'map':
      return mapText(bytes);
    case 'text':
      return JSON.stringify(new TextDecoder().decode(bytes.subarray(0, SHOWN_CHARACTERS), { stream: true }));
  }
}

function cellpackText(bytes: Uint8Array): string | undefined {
  if (bytes.length < ID_LENGTH) return undefined;
  const inputs: string[] = [];
  const count = Math.floor((bytes.length - ID_LENGTH) / U128_BYTES);
  for (let n = 0; n < Math.min(count, SHOWN_ENTRIES); n++) {
    inputs.push(readU128(bytes, ID_LENGTH + n * U128_BYTES).toString());
  }
  if (count > SHOWN_ENTRIES) inputs.push(`… (${count})`);
  return `${formatId(idFromBytes(bytes))} [${inputs.join(', ')}]`;
}

function parcelText(bytes: Uint8Array): string | undefined {
  const count = countOfTransfers(bytes, 0, bytes.length);
  if (count < 0) return undefined;
  const assets = transfersAt(bytes, 0, Math.min(count, SHOWN_ENTRIES)).map(
    ({ id, amount }) => `${amount} of ${formatId(id)}`,
  );
  if (count > SHOWN_ENTRIES) assets.push(`… (${count})`);
  return count === 0 ? 'nothing' : assets.join(', ');
}

function mapText(bytes: Uint8Array): string | undefined {
  if (endOfMap(bytes, 0, bytes.length) < 0) return undefined;
  const map = mapAt(bytes, 0);
  const entries: string[] = [];
  for (const [key, value] of map) {
    if (entries.length === SHOWN_ENTRIES) break;
    entries.push(`${shownBytes(fromBinaryString(key))} = ${shownBytes(value)}`);
  }
  if (map.size > SHOWN_ENTRIES) entries.push(`… (${map.size})`);
  return map.size === 0 ? 'nothing' : entries.join(', ');
}
