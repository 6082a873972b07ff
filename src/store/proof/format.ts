/**
 * Proofs as bytes (docs/state-root.md). There is one encoding of each proof: whatever else is given is refused. Numbers
 * are little-endian.
 *
 * "WSPF", version u8, namespace u8 ('S' or 'P'), height u32, standard root 32, lane root 32, key length u32, key, what
 * stands at the end of the way u8 (with PRESENT: value length u32, value; with OTHER: path 31, hash of the value 32),
 * depth u8, map of depth bits (the first is the top one; set: the sibling is not empty), the siblings that are not
 * empty, 32 each, BLAKE2s-256 of everything before.
 */
import { InputError } from '../../errors/errors.js';
import { bytesEqual, concatBytes, readU32, u32Bytes } from '../../util/bytes.js';
import { EMPTY_HASH, HASH_BYTES, PATH_BITS, PATH_BYTES, pathOf, valueHashOf } from '../tree/tree-hash.js';
import type { StateProof } from '../tree/verify-proof.js';
import type { KeyProof } from './key-proof.js';

const MAGIC = new TextEncoder().encode('WSPF');
/** That of the tree. */
const VERSION = 2;
/** Ends of the way: nothing, the leaf of the key, the leaf of another key. */
const NOTHING = 0;
const PRESENT = 1;
const OTHER = 2;

/** The bytes of a proof. */
export function encodeProof({ namespace, height, standardRoot, laneRoot, key, value, proof }: KeyProof): Uint8Array {
  const { siblings, leaf } = proof;
  const map = new Uint8Array((siblings.length + 7) >> 3);
  const full = siblings.filter((hash, depth) => {
    const isFull = !bytesEqual(hash, EMPTY_HASH);
    if (isFull) map[depth >> 3] |= 0x80 >> (depth & 7);
    return isFull;
  });
  const end =
    value !== undefined
      ? [Uint8Array.of(PRESENT), u32Bytes(value.length), value]
      : leaf === undefined
        ? [Uint8Array.of(NOTHING)]
        : [Uint8Array.of(OTHER), leaf.path, leaf.valueHash];
  const body = concatBytes(
    MAGIC,
    Uint8Array.of(VERSION, namespace.charCodeAt(0)),
    u32Bytes(height),
    standardRoot,
    laneRoot,
    u32Bytes(key.length),
    key,
    ...end,
    Uint8Array.of(siblings.length),
    map,
    ...full,
  );
  return concatBytes(body, valueHashOf(body));
}

/** Whether the bytes begin as an encoded proof of any version does. */
export function looksLikeProof(bytes: Uint8Array): boolean {
  return bytesEqual(bytes.subarray(0, MAGIC.length), MAGIC);
}

/**
 * Reads a proof; verifies nothing but its form. Throws InputError PROOF_MALFORMED, PROOF_VERSION, PROOF_TRUNCATED,
 * PROOF_TRAILING_BYTES or PROOF_CHECKSUM.
 */
export function decodeProof(bytes: Uint8Array): KeyProof {
  const from = new Cursor(bytes);
  if (!bytesEqual(from.take(MAGIC.length), MAGIC)) throw malformed('it does not begin as a proof does', 0);
  const [version] = from.take(1);
  if (version !== VERSION) {
    throw new InputError('PROOF_VERSION', 'the proof is of another version', {
      facts: { version, known: VERSION },
      hint: 'Ask for it again, from a server of this version.',
    });
  }
  const [code] = from.take(1);
  if (code !== 0x53 && code !== 0x50) throw malformed('the namespace is neither S nor P', from.at - 1);
  const height = readU32(from.take(4), 0);
  const standardRoot = from.take(HASH_BYTES);
  const laneRoot = from.take(HASH_BYTES);
  const key = from.take(readU32(from.take(4), 0));
  const { value, leaf } = readEnd(from, key);
  const siblings = readSiblings(from);
  const checked = from.at;
  const checksum = from.take(HASH_BYTES);
  if (from.at !== bytes.length) {
    throw new InputError('PROOF_TRAILING_BYTES', 'bytes follow the proof', { facts: { at: from.at } });
  }
  if (!bytesEqual(checksum, valueHashOf(bytes.subarray(0, checked)))) {
    throw new InputError('PROOF_CHECKSUM', 'the proof was damaged: it does not have its checksum', {
      hint: 'Ask for it again.',
    });
  }
  return {
    namespace: code === 0x53 ? 'S' : 'P',
    height,
    standardRoot,
    laneRoot,
    key,
    value,
    proof: { siblings, leaf },
  };
}

function readEnd(from: Cursor, key: Uint8Array): { value: Uint8Array | undefined; leaf: StateProof['leaf'] } {
  const [end] = from.take(1);
  switch (end) {
    case NOTHING:
      return { value: undefined, leaf: undefined };
    case PRESENT: {
      const value = from.take(readU32(from.take(4), 0));
      return { value, leaf: { path: pathOf(key), valueHash: valueHashOf(value) } };
    }
    case OTHER: {
      const leaf = { path: from.take(PATH_BYTES), valueHash: from.take(HASH_BYTES) };
      return { value: undefined, leaf };
    }
    default:
      throw malformed('what stands at the end of the way is of no known kind', from.at - 1);
  }
}

function readSiblings(from: Cursor): Uint8Array[] {
  const [depth] = from.take(1);
  if (depth > PATH_BITS) throw malformed('the way is longer than a path', from.at - 1);
  const map = from.take((depth + 7) >> 3);
  const unused = map.length * 8 - depth;
  if (unused > 0 && (map[map.length - 1] & ((1 << unused) - 1)) !== 0) {
    throw malformed('the map of siblings has bits beyond the way', from.at - 1);
  }
  return Array.from({ length: depth }, (_, at) => {
    if ((map[at >> 3] & (0x80 >> (at & 7))) === 0) return EMPTY_HASH;
    const hash = from.take(HASH_BYTES);
    if (bytesEqual(hash, EMPTY_HASH)) throw malformed('an empty sibling is marked as not empty', from.at - HASH_BYTES);
    return hash;
  });
}

/** Copies what it takes: a proof does not keep the file that it was read from. */
class Cursor {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(length: number): Uint8Array {
    const end = this.at + length;
    if (end > this.#bytes.length) {
      throw new InputError('PROOF_TRUNCATED', 'the bytes end before the proof does', {
        facts: { length: this.#bytes.length, wanted: end },
      });
    }
    const taken = new Uint8Array(this.#bytes.subarray(this.at, end));
    this.at = end;
    return taken;
  }
}

function malformed(what: string, at: number): InputError {
  return new InputError('PROOF_MALFORMED', `not a proof: ${what}`, { facts: { at } });
}
