/** Does work on the thread that calls. */
import { createHash } from 'node:crypto';
import { isPoint, verify as verifyEcdsa } from 'tiny-secp256k1';
import { HASH_LENGTH, hashMessages, merkleLevelOf } from '../../bitcoin/block-hash.js';
import { InternalError } from '../../errors/errors.js';
import { schnorrVerify } from '../../program/schnorr.js';
import { compareBytes, fromHex } from '../../util/bytes.js';
import {
  type ForestWork,
  type HashWork,
  type SignatureWork,
  unitsOf,
  type Work,
  type WorkAnswer,
} from '../work/work.js';

/** Messages from this length on are faster in Node's native code, which makes objects for each hash. */
const NATIVE_FROM = { once: 512, twice: 1_024 };
/** Bytes that the module for short messages takes at a time. */
const PIECE_BYTES = 1024 * 1024;
const PIECE_MESSAGES = 8_192;
/** Nodes of a level that it takes at a time: an even number, so that only the last piece can be odd. */
const PIECE_NODES = 32_768;

const HALF = 32;
const ORDER = fromHex('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141');
const ZERO = new Uint8Array(HALF);
const UNCOMPRESSED = 4;

/** Throws InternalError if a library fails. */
export function runWork(work: Work): WorkAnswer {
  switch (work.kind) {
    case 'sha256':
      return { bytes: digestsOf(work), levels: [], mutated: false };
    case 'forest':
      return forestOf(work);
    default:
      return { bytes: verdictsOf(work), levels: [], mutated: false };
  }
}

function digestsOf({ bytes, offsets, twice }: HashWork): Uint8Array {
  const count = offsets.length - 1;
  const out = new Uint8Array(count * HASH_LENGTH);
  const nativeFrom = twice ? NATIVE_FROM.twice : NATIVE_FROM.once;
  const isShort = (i: number): boolean => offsets[i + 1] - offsets[i] < nativeFrom;
  for (let i = 0; i < count; ) {
    let end = i;
    while (
      end < count &&
      isShort(end) &&
      end - i < PIECE_MESSAGES &&
      (end === i || offsets[end + 1] - offsets[i] <= PIECE_BYTES)
    ) {
      end++;
    }
    if (end > i) {
      out.set(hashMessages(bytes, offsets, i, end, twice), i * HASH_LENGTH);
    } else {
      const once = createHash('sha256')
        .update(bytes.subarray(offsets[i], offsets[i + 1]))
        .digest();
      out.set(twice ? createHash('sha256').update(once).digest() : once, i * HASH_LENGTH);
      end++;
    }
    i = end;
  }
  return out;
}

function forestOf({ leaves, height, wantsLevels }: ForestWork): WorkAnswer {
  const levels: Uint8Array[] = [];
  let nodes = leaves;
  let mutated = false;
  for (let level = 0; level < height; level++) {
    const above = levelAbove(nodes);
    mutated ||= above.mutated;
    nodes = above.parents;
    if (wantsLevels) levels.push(nodes);
  }
  return { bytes: nodes, levels, mutated };
}

/** The level above `nodes`, of at least one. */
export function levelAbove(nodes: Uint8Array): { readonly parents: Uint8Array; readonly mutated: boolean } {
  const piece = PIECE_NODES * HASH_LENGTH;
  if (nodes.length <= piece) return merkleLevelOf(nodes);
  const parents = new Uint8Array(Math.ceil(nodes.length / HASH_LENGTH / 2) * HASH_LENGTH);
  let mutated = false;
  for (let at = 0; at < nodes.length; at += piece) {
    const part = merkleLevelOf(nodes.subarray(at, at + piece));
    parents.set(part.parents, at / 2);
    mutated ||= part.mutated;
  }
  return { parents, mutated };
}

function verdictsOf(work: SignatureWork): Uint8Array {
  const verdicts = new Uint8Array(unitsOf(work));
  const [messages, keys, signatures, kinds] = work.columns;
  const row = (column: Uint8Array, i: number, width: number): Uint8Array => column.subarray(i * width, (i + 1) * width);
  for (let i = 0; i < verdicts.length; i++) {
    const message = row(messages, i, HALF);
    const signature = row(signatures, i, 2 * HALF);
    const valid =
      work.kind === 'schnorr'
        ? schnorrVerify(message, row(keys, i, HALF), signature)
        : ecdsaVerify(message, row(keys, i, 2 * HALF), kinds[i], signature);
    verdicts[i] = valid ? 1 : 0;
  }
  return verdicts;
}

/** Whether a compact signature of a digest is valid, with either s, under a key of a kind that `WIDTHS` explains. */
function ecdsaVerify(digest: Uint8Array, point: Uint8Array, kind: number, signature: Uint8Array): boolean {
  if (kind < 2 || kind > UNCOMPRESSED) return false;
  if (!isScalar(signature.subarray(0, HALF)) || !isScalar(signature.subarray(HALF))) return false;
  const key = new Uint8Array(kind === UNCOMPRESSED ? 2 * HALF + 1 : HALF + 1);
  key[0] = kind;
  key.set(point.subarray(0, key.length - 1), 1);
  try {
    // As in schnorrVerify: what is no point is not left to the library's verification.
    return isPoint(key) && verifyEcdsa(digest, key, signature);
  } catch (cause) {
    throw new InternalError('this machine could not verify a signature', { cause });
  }
}

/** Whether a big-endian number is at least 1 and below n. */
function isScalar(bytes: Uint8Array): boolean {
  return compareBytes(bytes, ORDER) < 0 && compareBytes(bytes, ZERO) !== 0;
}
