/** Keys of the lane, decoded (docs/lane-rules.md, section 7). */

export type LaneKey =
  | { readonly kind: 'storage'; readonly contract: string; readonly own: string; readonly text: string | undefined }
  | { readonly kind: 'balance'; readonly asset: string; readonly holder: string }
  | { readonly kind: 'sheet'; readonly outpoint: string }
  | { readonly kind: 'code'; readonly contract: string }
  | { readonly kind: 'sequence' }
  | { readonly kind: 'other'; readonly hex: string };

/** Hex digits of an id, of an outpoint, and of what stands in front of the slash. */
const ID = 64;
const OUTPOINT = 72;
const SLASH = '2f';
const PREFIXES = { store: '73746f7265', balance: '62616c616e6365', sheet: '7368656574', code: '636f6465' } as const;
/** Shorter runs of printable bytes are more likely chance than text. */
const LEAST_TEXT = 3;
const SEQUENCE = '73657175656e6365';

/** A key in hex, without prefix. */
export function decodeKey(hex: string): LaneKey {
  if (hex === SEQUENCE) return { kind: 'sequence' };
  const after = (name: keyof typeof PREFIXES): string | undefined => {
    const start = PREFIXES[name] + SLASH;
    return hex.startsWith(start) ? hex.slice(start.length) : undefined;
  };
  const sheet = after('sheet');
  if (sheet?.length === OUTPOINT) return { kind: 'sheet', outpoint: outpointOf(sheet) };
  const code = after('code');
  if (code?.length === ID) return { kind: 'code', contract: idOf(code) };
  const balance = after('balance');
  if (balance?.length === 2 * ID) {
    return { kind: 'balance', asset: idOf(balance.slice(0, ID)), holder: idOf(balance.slice(ID)) };
  }
  const store = after('store');
  if (store !== undefined && store.length > ID) {
    const own = store.slice(ID + SLASH.length);
    return { kind: 'storage', contract: idOf(store.slice(0, ID)), own, text: textOf(own) };
  }
  return { kind: 'other', hex };
}

/** The contract or asset that the key belongs to; undefined if there is none. */
export function ownerOf(key: LaneKey): string | undefined {
  if (key.kind === 'storage' || key.kind === 'code') return key.contract;
  return key.kind === 'balance' ? key.holder : undefined;
}

/** The key of a contract's own storage key, in hex. */
export function storageKeyHex(id: string, own: string): string {
  const parts = id.split(':').map((part) => reversed(BigInt(part).toString(16).padStart(32, '0')));
  return `${PREFIXES.store}${SLASH}${parts.join('')}${SLASH}${own}`;
}

/** One line for pictures and tooltips. */
export function keyLine(hex: string): string {
  const key = decodeKey(hex);
  switch (key.kind) {
    case 'storage':
      return `storage of ${key.contract}: ${cut(ownText(key.own))}`;
    case 'balance':
      return `balance of ${key.holder} in ${key.asset}`;
    case 'sheet':
      return `assets of output ${cut(key.outpoint)}`;
    case 'code':
      return `code of ${key.contract}`;
    case 'sequence':
      return 'next sequence number';
    case 'other':
      return cut(`0x${key.hex}`);
  }
}

/** A contract's own key: the text that it begins with, if it is one, and the rest in hex. */
export function ownText(own: string): string {
  const printable = /^(?:[2-6][0-9a-f]|7[0-9a-e])*/.exec(own)?.[0] ?? '';
  const text = textOf(printable);
  if (text === undefined || text.length < LEAST_TEXT) return `0x${own}`;
  return printable.length === own.length ? `"${text}"` : `"${text}" 0x${own.slice(printable.length)}`;
}

function cut(text: string): string {
  return text.length <= 48 ? text : `${text.slice(0, 30)}…${text.slice(-12)}`;
}

/** Printable ASCII, or undefined. */
export function textOf(hex: string): string | undefined {
  const codes = (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
  const isText = codes.length > 0 && codes.every((code) => code >= 0x20 && code < 0x7f);
  return isText ? String.fromCharCode(...codes) : undefined;
}

/** A little-endian integer of 1 to 16 bytes; undefined for other lengths. */
export function numberOf(hex: string): string | undefined {
  return hex.length < 2 || hex.length > 32 ? undefined : BigInt(`0x${reversed(hex)}`).toString();
}

function reversed(hex: string): string {
  return (hex.match(/../g) ?? []).reverse().join('');
}

function idOf(hex: string): string {
  return [hex.slice(0, 32), hex.slice(32, ID)].map((half) => BigInt(`0x${reversed(half)}`).toString()).join(':');
}

function outpointOf(hex: string): string {
  return `${reversed(hex.slice(0, 64))}:${BigInt(`0x${reversed(hex.slice(64))}`)}`;
}
