// Proofs of random states: how long they take, how long they are, and that none shows what is not so.
//   npm run build && node bench/proofs.mjs [--keys 1000000] [--proofs 100000] [--changed 1000] [--json]
// `--proofs`: of present and of absent keys, in states of 1, 10, 100, … up to `--keys` pairs, each verified by the
// small verifier, as what it is and as the opposite. `--changed`: proofs of which each single bit is changed. Exit
// status 1 if a proof was refused, or a changed one was not.
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { decodeProof, encodeProof } from '../dist/store/proof/format.js';
import { refutationOf } from '../dist/store/proof/key-proof.js';
import { StateTree } from '../dist/store/tree/state-tree.js';
import { TreeMemory } from '../dist/store/tree/tree-memory.js';
import { verifyProof } from '../dist/store/tree/verify-proof.js';

const { values: args } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    proofs: { type: 'string', default: '100000' },
    changed: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false },
  },
});
const most = Number(args.keys);
const PORTION = 100_000;
const text = (word) => new TextEncoder().encode(word);
const valueAt = (i) => text(`value ${i}`);
const EMPTY = new Uint8Array(32);

/** A tree of the keys `key 0` to `key <count - 1>`. */
function treeOf(count) {
  const tree = new StateTree(new TreeMemory(), { getMany: (keys) => keys.map(() => undefined) }, 0x53, undefined);
  for (let from = 0; from < count; from += PORTION) {
    const length = Math.min(PORTION, count - from);
    tree.update(new Map(Array.from({ length }, (_, i) => [`key ${from + i}`, valueAt(from + i)])));
  }
  return tree;
}

const sizes = [];
for (let count = 1; count <= most; count *= 10) sizes.push(count);
const wrong = [];
const rows = [];
const each = Math.ceil(Number(args.proofs) / sizes.length / 2);
let changedProofs = 0;
let changedBits = 0;
for (const count of sizes) {
  const tree = treeOf(count);
  const root = tree.root();
  for (const present of [true, false]) {
    const row = { keys: count, present, proofs: each, proveUs: 0, verifyUs: 0, mean: 0, most: 0 };
    for (let i = 0; i < each; i++) {
      const which = Math.floor(Math.random() * count);
      const key = text(present ? `key ${which}` : `absent ${Math.random()}`);
      const value = present ? valueAt(which) : undefined;
      const before = performance.now();
      const proof = tree.prove(key);
      const proved = performance.now();
      const holds = verifyProof(root, key, value, proof);
      row.verifyUs += (performance.now() - proved) * 1_000;
      row.proveUs += (proved - before) * 1_000;
      const opposite = verifyProof(root, key, present ? undefined : text('1'), proof);
      const about = { namespace: 'S', height: 1, standardRoot: root, laneRoot: EMPTY, key, value, proof };
      const encoded = encodeProof(about);
      const length = encoded.length - key.length - (value?.length ?? 0);
      row.mean += length;
      row.most = Math.max(row.most, length);
      if (!holds || opposite || refutationOf(decodeProof(encoded)) !== undefined) wrong.push({ count, key, value });
      if (i < Number(args.changed) / sizes.length / 2) {
        changedProofs++;
        changedBits += changeEachBit(about, encoded);
      }
    }
    for (const name of ['proveUs', 'verifyUs', 'mean']) row[name] = Math.round((row[name] / each) * 10) / 10;
    rows.push(row);
  }
}

/** Changes each bit of a proof, with and without a checksum made for it. */
function changeEachBit(about, encoded) {
  const trusted = { root: about.standardRoot, height: about.height, key: about.key, namespace: about.namespace };
  const body = encoded.length - 32;
  for (let bit = 0; bit < encoded.length * 8; bit++) {
    const changed = encoded.slice();
    changed[bit >> 3] ^= 1 << (bit & 7);
    if (isAccepted(changed, {})) wrong.push({ bit, proof: Buffer.from(encoded).toString('hex') });
    if (bit >> 3 >= body) continue;
    changed.set(createHash('blake2s256').update(changed.subarray(0, body)).digest(), body);
    // The other root is no part of what is proved under the root of a namespace.
    const isOtherRoot = bit >> 3 >= 42 && bit >> 3 < 74;
    if (isAccepted(changed, trusted) !== isOtherRoot) wrong.push({ bit, proof: Buffer.from(encoded).toString('hex') });
  }
  return encoded.length * 8;
}

function isAccepted(bytes, trusted) {
  let proof;
  try {
    proof = decodeProof(bytes);
  } catch (error) {
    if (String(error.code).startsWith('PROOF_')) return false;
    throw error;
  }
  return refutationOf(proof, trusted) === undefined;
}

const summary = { rows, changedProofs, changedBits, wrong: wrong.length };
if (args.json) console.log(JSON.stringify(summary));
else {
  console.log('| keys | proofs of | number | us to prove | us to verify | bytes beside key and value: mean | most |');
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
  for (const { keys, present, proofs, proveUs, verifyUs, mean, most: longest } of rows) {
    const cells = [keys, present ? 'presence' : 'absence', proofs, proveUs, verifyUs, mean, longest];
    console.log(`| ${cells.join(' | ')} |`);
  }
  console.log(`${changedProofs} proofs with each of ${changedBits} bits changed; wrong: ${wrong.length}`);
  for (const of of wrong.slice(0, 5)) console.log(JSON.stringify(of));
}
process.exitCode = wrong.length === 0 ? 0 : 1;
