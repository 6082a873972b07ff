// Writes fixtures/vectors/state-root.json from the definition alone (reference.mjs):
//   node scripts/state-root/vectors.mjs
// test/store/state-root.test.ts compares the file with what this makes, and the program with the file.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { H, leavesOf, proofOf, rootOf, stateRootOf } from './reference.mjs';

const text = (word) => Buffer.from(word);
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const u32 = (number) => Buffer.from(Uint32Array.of(number).buffer);
const byte = (number) => Buffer.of(number);

/** Sets of pairs by name. */
const SETS = {
  none: [],
  'a = 1': [['a', '1']],
  'an empty value': [['a', '']],
  'an empty key': [['', '1']],
  'a = 1, b = 2': [
    ['a', '1'],
    ['b', '2'],
  ],
  'a = 3, b = 2': [
    ['a', '3'],
    ['b', '2'],
  ],
  'ten pairs: key0 = value0 to key9 = value9': Array.from({ length: 10 }, (_, i) => [`key${i}`, `value${i}`]),
  'a hundred pairs: key0 = value0 to key99 = value99': Array.from({ length: 100 }, (_, i) => [`key${i}`, `value${i}`]),
  // Their paths share 22 bits: found by trying.
  'two keys of one way': [
    ['key 63', 'left'],
    ['key 2925', 'right'],
  ],
};

/** What is proved of which set. */
const PROVED = [
  ['none', 'a'],
  ['a = 1', 'a'],
  ['a = 1', 'b'],
  ['an empty value', 'a'],
  ['an empty key', ''],
  ['a = 1, b = 2', 'b'],
  ['ten pairs: key0 = value0 to key9 = value9', 'key7'],
  ['ten pairs: key0 = value0 to key9 = value9', 'absent 1'],
  ['ten pairs: key0 = value0 to key9 = value9', 'absent 5'],
  ['two keys of one way', 'key 63'],
  ['a hundred pairs: key0 = value0 to key99 = value99', 'key50'],
];

const HEIGHT = 840_000;

/** The binary form. */
function encoded({ namespace, standardRoot, laneRoot, key, value, siblings, leaf }) {
  const full = siblings.map((hash) => hash.some((octet) => octet !== 0));
  const bits = full.map((isFull) => (isFull ? '1' : '0')).join('');
  const map = bits.match(/.{1,8}/g)?.map((eight) => Number.parseInt(eight.padEnd(8, '0'), 2)) ?? [];
  const end =
    value !== undefined
      ? [byte(1), u32(value.length), value]
      : leaf === undefined
        ? [byte(0)]
        : [byte(2), leaf.path, leaf.valueHash];
  const body = Buffer.concat([
    text('WSPF'),
    byte(2),
    text(namespace),
    u32(HEIGHT),
    standardRoot,
    laneRoot,
    u32(key.length),
    key,
    ...end,
    byte(siblings.length),
    Buffer.from(map),
    ...siblings.filter((_, depth) => full[depth]),
  ]);
  return Buffer.concat([body, H(body)]);
}

function proofVector(set, word, i) {
  const pairs = SETS[set].map((pair) => pair.map(text));
  const leaves = leavesOf(pairs);
  const key = text(word);
  const { siblings, leaf } = proofOf(leaves, key);
  const value = pairs.find(([known]) => known.equals(key))?.[1];
  // The other namespace is empty: both ways round.
  const namespace = i % 2 === 0 ? 'S' : 'P';
  const [standardRoot, laneRoot] =
    namespace === 'S' ? [rootOf(leaves), Buffer.alloc(32)] : [Buffer.alloc(32), rootOf(leaves)];
  const other = value === undefined && leaf !== undefined;
  const zeroX = (bytes) => `0x${hex(bytes)}`;
  return {
    set,
    about: `${word === '' ? 'the empty key' : word} is ${value === undefined ? 'absent' : 'present'}`,
    json: {
      format: 'warpshrew-proof/2',
      namespace,
      height: HEIGHT,
      standardRoot: zeroX(standardRoot),
      laneRoot: zeroX(laneRoot),
      stateRoot: zeroX(stateRootOf(standardRoot, laneRoot)),
      root: zeroX(rootOf(leaves)),
      key: zeroX(key),
      value: value === undefined ? null : zeroX(value),
      siblings: siblings.map(zeroX),
      otherLeaf: other ? { path: zeroX(leaf.path), valueHash: zeroX(leaf.valueHash) } : null,
    },
    binary: hex(encoded({ namespace, standardRoot, laneRoot, key, value, siblings, leaf })),
  };
}

/** `bytes` with one bit changed, and the checksum made anew unless the bit lies in it. */
function changed(bytes, at, bit) {
  const out = Buffer.from(bytes);
  out[at] ^= 1 << bit;
  const body = out.length - 32;
  if (at < body) H(out.subarray(0, body)).copy(out, body);
  return hex(out);
}

/** The proof whose bits are changed: key7 = value7 of ten pairs. */
const CHANGED = 6;

/**
 * Single changed bits of one proof. `code`: why it is refused by who trusts nothing (null: it is not); `trusting`: by
 * who knows the height and the state root.
 */
function refusedVectors({ binary }) {
  const bytes = Buffer.from(binary, 'hex');
  return [
    ['the magic', 0, 0, 'PROOF_MALFORMED'],
    ['the version', 4, 0, 'PROOF_VERSION'],
    ['the namespace', 5, 2, 'PROOF_MALFORMED'],
    ['the height', 6, 0, null, 'PROOF_OTHER_HEIGHT'],
    ['the standard root', 10, 7, 'PROOF_WRONG', 'PROOF_OTHER_ROOT'],
    ['the lane root', 73, 0, null, 'PROOF_OTHER_ROOT'],
    ['the length of the key', 77, 7, 'PROOF_TRUNCATED'],
    ['the key', 81, 0, 'PROOF_WRONG'],
    ['what stands at the end', 82, 2, 'PROOF_MALFORMED'],
    ['the value', 92, 0, 'PROOF_WRONG'],
    ['the length of the way', 93, 7, 'PROOF_MALFORMED'],
    ['a sibling that is not empty', 94, 7, 'PROOF_TRAILING_BYTES'],
    ['the map beyond the way', 94, 0, 'PROOF_MALFORMED'],
    ['the top sibling', 95, 0, 'PROOF_WRONG'],
    ['the last sibling', bytes.length - 33, 7, 'PROOF_WRONG'],
    ['the checksum', bytes.length - 1, 0, 'PROOF_CHECKSUM'],
  ].map(([what, at, bit, code, trusting = code]) => ({
    what,
    at,
    bit,
    binary: changed(bytes, at, bit),
    code,
    trusting,
  }));
}

/** The whole content of the file. */
export function vectors() {
  const roots = Object.entries(SETS).map(([name, words]) => {
    const pairs = words.map((pair) => pair.map(text));
    return { name, pairs: pairs.map((pair) => pair.map(hex)), root: hex(rootOf(leavesOf(pairs))) };
  });
  const [standard, lane] = [roots[1].root, roots[4].root].map((root) => Buffer.from(root, 'hex'));
  const proofs = PROVED.map(([set, word], i) => proofVector(set, word, i));
  return {
    roots,
    state: { standard: hex(standard), lane: hex(lane), state: hex(stateRootOf(standard, lane)) },
    proofs,
    refused: refusedVectors(proofs[CHANGED]),
  };
}

const file = fileURLToPath(new URL('../../fixtures/vectors/state-root.json', import.meta.url));
if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(file, `${JSON.stringify(vectors(), undefined, 1)}\n`);
