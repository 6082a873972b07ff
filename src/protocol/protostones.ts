/** The protocol field of a runestone (tag 16383) and its protostones (docs/wire.md, "Protostones"). */
import { U128_MAX, writeU128 } from '../util/bytes.js';
import type { AlkaneId, Protostone, ProtostoneEdict, ProtostonesResult } from './types.js';
import { decodeVarints } from './varint.js';

/** Protocol tag of Alkanes messages. */
export const PROTOCOL_TAG_ALKANES = 1n;

/** Keys of a protostone's fields. */
export const KEY = { edicts: 0n, message: 81n, burn: 83n, pointer: 91n, refund: 93n, from: 95n } as const;

/** Bytes carried by one u128: its sixteenth is dropped. */
export const CHUNK = 15;

/** The lowest 15 bytes, little-endian, of each value, joined. */
export function unpackChunks(values: readonly bigint[]): Uint8Array {
  const out = new Uint8Array(values.length * CHUNK);
  const chunk = new Uint8Array(CHUNK + 1);
  for (let i = 0; i < values.length; i++) {
    writeU128(chunk, 0, values[i]);
    for (let k = 0; k < CHUNK; k++) out[i * CHUNK + k] = chunk[k];
  }
  return out;
}

/**
 * Reads the protostones of the values of tag 16383; `outputCount` is the transaction's.
 * An error (integers that do not decode; a protostone longer than the data) undoes the whole transaction.
 */
export function decodeProtostones(protocol: readonly bigint[], outputCount: number): ProtostonesResult {
  const decoded = decodeVarints(unpackChunks(protocol));
  if (!decoded.ok) return decoded;
  const integers = decoded.values;
  const protostones: Protostone[] = [];
  let at = 0;
  while (at < integers.length) {
    const protocolTag = integers[at];
    // Tag 0 is where the padding of the last chunk begins; a tag without a length ends the list as well.
    if (protocolTag === 0n || at + 1 === integers.length) break;
    const length = integers[at + 1];
    const start = at + 2;
    if (length > BigInt(integers.length - start)) return { ok: false, error: 'less values than expected' };
    at = start + Number(length);
    const index = protostones.length;
    const shadowVout = outputCount + 1 + index;
    protostones.push({ index, shadowVout, protocolTag, length, ...readProtostone(integers.slice(start, at)) });
  }
  return { ok: true, protostones };
}

type Fields = Pick<Protostone, 'message' | 'burn' | 'pointer' | 'refund' | 'from' | 'edicts'>;

function readProtostone(integers: readonly bigint[]): Fields {
  const message: bigint[] = [];
  const first = new Map<bigint, bigint>();
  let edicts: readonly ProtostoneEdict[] = [];
  for (let i = 0; i < integers.length; i += 2) {
    const key = integers[i];
    if (key === KEY.edicts) {
      edicts = readEdicts(integers.slice(i + 1));
      break;
    }
    if (i + 1 === integers.length) break;
    const value = integers[i + 1];
    if (key === KEY.message) message.push(value);
    else if (!first.has(key)) first.set(key, value);
  }
  return {
    message: message.length === 0 ? undefined : unpackChunks(message),
    burn: first.get(KEY.burn),
    pointer: low32(first.get(KEY.pointer)),
    refund: low32(first.get(KEY.refund)),
    from: low32(first.get(KEY.from)),
    edicts,
  };
}

function low32(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value & 0xffffffffn);
}

/** Edicts in groups of four with running ids, or none at all if a group is short or an id passes u128. */
function readEdicts(integers: readonly bigint[]): readonly ProtostoneEdict[] {
  if (integers.length % 4 !== 0) return [];
  const edicts: ProtostoneEdict[] = [];
  let id: AlkaneId = { block: 0n, tx: 0n };
  for (let i = 0; i < integers.length; i += 4) {
    const blockDelta = integers[i];
    const block: bigint = id.block + blockDelta;
    const tx: bigint = blockDelta === 0n ? id.tx + integers[i + 1] : integers[i + 1];
    if (block > U128_MAX || tx > U128_MAX) return [];
    id = { block, tx };
    edicts.push({ id, amount: integers[i + 2], output: integers[i + 3] });
  }
  return edicts;
}
