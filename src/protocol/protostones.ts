/** The protocol field of a runestone (tag 16383) and its protostones (docs/wire.md, "Protostones"). */

import { U128_MAX, writeU128 } from '../util/bytes.js';
import type { Integers } from './integers.js';
import type { AlkaneId, Protostone, ProtostoneEdict, ProtostonesResult } from './types.js';
import { decodeIntegers } from './varint.js';

/** Protocol tag of Alkanes messages. */
export const PROTOCOL_TAG_ALKANES = 1n;

/** Keys of a protostone's fields. */
export const KEY = { edicts: 0, message: 81, burn: 83, pointer: 91, refund: 93, from: 95 } as const;

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
  const decoded = decodeIntegers(unpackChunks(protocol));
  if (!decoded.ok) return decoded;
  const { integers } = decoded;
  const protostones: Protostone[] = [];
  let at = 0;
  while (at < integers.length) {
    const protocolTag = integers.at(at);
    // Tag 0 is where the padding of the last chunk begins; a tag without length ends the list just as well.
    if (protocolTag === 0n || at + 1 === integers.length) break;
    const length = integers.at(at + 1);
    const start = at + 2;
    if (length > BigInt(integers.length - start)) return { ok: false, error: 'less values than expected' };
    at = start + Number(length);
    const index = protostones.length;
    const shadowVout = outputCount + 1 + index;
    protostones.push({ index, shadowVout, protocolTag, length, ...readProtostone(integers, start, at) });
  }
  return { ok: true, protostones };
}

type Fields = Pick<Protostone, 'message' | 'burn' | 'pointer' | 'refund' | 'from' | 'edicts'>;

/** The protostone whose integers lie from `start` to `end`. */
function readProtostone(integers: Integers, start: number, end: number): Fields {
  const message: number[] = [];
  /** Keys to where their first value stands. */
  const first = new Map<number, number>();
  let edicts: readonly ProtostoneEdict[] = [];
  for (let i = start; i < end; i += 2) {
    const key = integers.small(i);
    if (key === KEY.edicts) {
      edicts = readEdicts(integers, i + 1, end);
      break;
    }
    if (i + 1 === end) break;
    if (key === KEY.message) message.push(i + 1);
    else if (key !== undefined && !first.has(key)) first.set(key, i + 1);
  }
  const low32 = (key: number): number | undefined => {
    const at = first.get(key);
    return at === undefined ? undefined : integers.low32(at);
  };
  const burn = first.get(KEY.burn);
  return {
    message: message.length === 0 ? undefined : joinChunks(integers, message),
    burn: burn === undefined ? undefined : integers.at(burn),
    pointer: low32(KEY.pointer),
    refund: low32(KEY.refund),
    from: low32(KEY.from),
    edicts,
  };
}

/** As {@link unpackChunks}, of the integers at `places`. */
function joinChunks(integers: Integers, places: readonly number[]): Uint8Array {
  const out = new Uint8Array(places.length * CHUNK);
  for (let i = 0; i < places.length; i++) integers.writeChunk(places[i], out, i * CHUNK);
  return out;
}

/** Edicts in groups of four with running ids, or none at all if a group is short or an id passes u128. */
function readEdicts(integers: Integers, start: number, end: number): readonly ProtostoneEdict[] {
  if ((end - start) % 4 !== 0) return [];
  const edicts: ProtostoneEdict[] = [];
  let id: AlkaneId = { block: 0n, tx: 0n };
  for (let i = start; i < end; i += 4) {
    const blockDelta = integers.at(i);
    const txDelta = integers.at(i + 1);
    const block: bigint = id.block + blockDelta;
    const tx: bigint = blockDelta === 0n ? id.tx + txDelta : txDelta;
    if (block > U128_MAX || tx > U128_MAX) return [];
    id = { block, tx };
    edicts.push({ id, amount: integers.at(i + 2), output: integers.at(i + 3) });
  }
  return edicts;
}
