// Transactions of the attacks, as small as consensus allows. They have no signatures: the lane checks none.
import { gzipSync } from 'node:zlib';
import { sha256d } from '../../dist/bitcoin/hash.js';
import { encodeCellpack, encodeEnvelope, encodeRunestone } from '../../dist/protocol/encode.js';
import { seededBytes } from '../../dist/selftest/inputs/prng.js';
import { concatBytes, u32Bytes, u64Bytes } from '../../dist/util/bytes.js';

export const BLOCK_WEIGHT = 4_000_000;
/** Header, count, coinbase. */
const RESERVED_WEIGHT = 1_600;
const ORDINARY = Uint8Array.of(0x51);
const LANE = { block: 8n, tx: 8n };

function compactSize(value) {
  if (value < 0xfd) return Uint8Array.of(value);
  if (value <= 0xffff) return Uint8Array.of(0xfd, value & 0xff, value >> 8);
  return concatBytes(Uint8Array.of(0xfe), u32Bytes(value));
}

const sized = (bytes) => concatBytes(compactSize(bytes.length), bytes);
const joined = (parts) => Uint8Array.from(Buffer.concat(parts));
let coins = 0;
/** An outpoint that nothing else spends. */
const freshCoin = () => ({ txid: seededBytes('attacks', 'coin', coins++), vout: 0 });

/**
 * One transaction: `{ bytes, txid, weight }`. `coins`: what it spends (a fresh outpoint if absent), `witness`: items of
 * the first input, `outputs`: scripts before the runestone.
 */
export function transaction({ coins: spent = [freshCoin()], witness, outputs = [], runestone }) {
  const inputs = spent.map(({ txid, vout }) =>
    concatBytes(txid, u32Bytes(vout), Uint8Array.of(0), u32Bytes(0xffffffff)),
  );
  const scripts = runestone === undefined ? outputs : [...outputs, encodeRunestone(runestone)];
  const body = joined([
    ...[compactSize(inputs.length), ...inputs, compactSize(scripts.length)],
    ...scripts.flatMap((script) => [u64Bytes(0n), sized(script)]),
  ]);
  const [version, lock] = [u32Bytes(2), u32Bytes(0)];
  const bare = concatBytes(version, body, lock);
  const txid = sha256d(bare);
  if (witness === undefined) return { bytes: bare, txid, weight: 4 * bare.length };
  const items = spent.map((_, i) =>
    i === 0 ? joined([compactSize(witness.length), ...witness.map(sized)]) : Uint8Array.of(0),
  );
  const bytes = joined([version, Uint8Array.of(0, 1), body, ...items, lock]);
  return { bytes, txid, weight: 3 * bare.length + bytes.length };
}

const message = (block, tx, inputs) => encodeCellpack(LANE, [BigInt(block), BigInt(tx), ...inputs.map(BigInt)]);

/** Calls contract 2:`tx` with `inputs`, once for each list of inputs. Nothing comes in, and nothing is kept. */
export function callOf(tx, ...lists) {
  const protostones = lists.map((inputs) => ({ pointer: 0, refund: 0, message: message(2, tx, inputs) }));
  return transaction({ runestone: { protostones } });
}

/** One message for each of `targets`, `{ tx, inputs }`. */
export function callsOf(targets) {
  const protostones = targets.map(({ tx, inputs }) => ({ pointer: 0, refund: 0, message: message(2, tx, inputs) }));
  return transaction({ runestone: { protostones } });
}

/** Calls contract 2:`tx` in a transaction with `bytes` of witness: fuel comes with its size. */
export function paddedCallOf(tx, bytes, inputs) {
  const protostones = [{ pointer: 0, refund: 0, message: message(2, tx, inputs) }];
  return transaction({ witness: [new Uint8Array(bytes)], runestone: { protostones } });
}

/**
 * Creates 2:next of `wasm`, and runs it with `inputs`. The body is padded to an eighth of the module, as the rules ask.
 */
export function creationOf(wasm, inputs = [0], padding = 0) {
  const envelope = encodeEnvelope(packed(wasm, padding));
  const protostones = [{ pointer: 0, refund: 0, message: message(1, 0, inputs) }];
  return transaction({ witness: [envelope, Uint8Array.of(0)], runestone: { protostones } });
}

/** A gzip member of `wasm` and the padding after it, so that it inflates to at most 8 times as much and a KiB. */
function packed(wasm, padding) {
  const member = gzipSync(wasm, { level: 9 });
  const least = Math.ceil((wasm.length - 1_024) / 8) + 1;
  return concatBytes(member, new Uint8Array(Math.max(padding, least - member.length, 0)));
}

/** Clones of 2:`tx`, one for each list of inputs; what each gives goes to an output of its own kind. */
export function clonesOf(tx, lists) {
  const protostones = lists.map((inputs) => ({ pointer: 0, refund: 0, message: message(5, tx, inputs) }));
  return transaction({ outputs: [ORDINARY], runestone: { protostones } });
}

/** Spends `spent` and gives all to the first output; `outputs` of them, `edicts` before. */
export function moveOf(spent, { outputs = 1, edicts = [] } = {}) {
  const protostones = [{ pointer: 0, edicts }];
  return transaction({ coins: spent, outputs: new Array(outputs).fill(ORDINARY), runestone: { protostones } });
}

/** As many of `make(0)`, `make(1)` ... as fit into `scale` of a block. */
export function filled(scale, make) {
  const list = [];
  let left = Math.max(scale * BLOCK_WEIGHT, 1) - RESERVED_WEIGHT;
  for (let i = 0; ; i++) {
    const next = make(i);
    if (next === undefined || (next.weight > left && i > 0)) return list;
    left -= next.weight;
    list.push(next);
  }
}
