import { INFLATED_EXTRA, INFLATED_TIMES } from '../../../program/inflate.js';
import { encodeEnvelope, encodeVarint, gzipStored } from '../../../protocol/encode.js';
import type { AlkaneId } from '../../../protocol/types.js';
import { concatBytes } from '../../../util/bytes.js';
import type { Coin, SignedTransaction } from '../../../wallet/coins.js';
import { gzipRuns } from '../gzip-runs.js';
import { call, edict, id, type Stone } from '../messages.js';
import { CREATE, PROBE, type World } from './world.js';

const COINS = 60;
/**
 * Iterations of the probe's loop for about 2.1 and 4.2 million fuel: over half of what a small transaction has, and
 * over all.
 */
const HALF = 150_000;
const OVER = 2 * HALF;
/** A creation that finds nothing to clone costs exactly its 100,000: 35 of them use all fuel. */
const NOTHING_TO_CLONE = call(id(5, 40_000), [0]);
const CREATIONS = 35;
/** 73 times 137 is 10,001: one sheet entry more than a transaction may write. */
const ASSETS = 73;
const OUTPUTS = 137;
const ASSETS_A_TRANSACTION = 10;

/** What the messages of a transaction share (fuel, one envelope), and what bounds a transaction as a whole. */
export function sharedStage(world: World): void {
  world.director.fund(COINS);
  world.director.seal();
  sharedFuel(world);
  usedEnvelopes(world);
  world.director.seal();
  inflated(world);
  const clones = mintedClones(world);
  world.director.seal();
  sheetEntries(world, clones);
}

function refusals(count: number): Stone[] {
  return Array.from({ length: count }, () => NOTHING_TO_CLONE);
}

function rejected(count: number): 'REJECTED'[] {
  return Array.from({ length: count }, () => 'REJECTED');
}

function sharedFuel({ director, programs }: World): void {
  const loop = (turns: number): Stone => call(PROBE, [10, turns]);
  director.send({ kind: 'fuel shared', stones: [loop(HALF), loop(HALF)], expect: ['OK', 'OUT_OF_FUEL'] });
  director.send({
    kind: 'fuel shared',
    stones: [call(PROBE, [1]), loop(HALF), call(PROBE, [2]), loop(HALF), call(PROBE, [4, 1])],
    expect: ['REVERT', 'OK', 'TRAP', 'OUT_OF_FUEL', 'OUT_OF_FUEL'],
  });
  director.send({
    kind: 'fuel not used before a run',
    stones: [call(id(2, 900), [0]), loop(HALF), call(id(1, 5), [0]), call(PROBE, [4, 1])],
    expect: ['REJECTED', 'OK', 'REJECTED', 'OK'],
  });
  director.send({ kind: 'fuel of a small transaction', stones: [loop(OVER)], expect: ['OUT_OF_FUEL'] });
  const large = director.commit(encodeEnvelope(gzipStored(new Uint8Array(110_000))));
  director.send({ kind: 'fuel of a large transaction', spend: [large], stones: [loop(OVER)], expect: ['OK'] });

  const reveal = () => [director.commit(encodeEnvelope(gzipStored(programs.probe)))];
  director.send({
    kind: 'creation out of fuel',
    spend: reveal(),
    stones: [call(PROBE, [3]), call(CREATE, [0])],
    expect: ['OUT_OF_FUEL', 'OUT_OF_FUEL'],
  });
  director.send({
    kind: 'creation out of fuel',
    spend: reveal(),
    stones: [...refusals(CREATIONS - 1), call(PROBE, [0]), call(CREATE, [0])],
    expect: [...rejected(CREATIONS - 1), 'OK', 'OUT_OF_FUEL'],
  });
  director.send({
    kind: 'creation paid, its run out of fuel',
    spend: reveal(),
    stones: [...refusals(CREATIONS - 1), call(CREATE, [0]), call(PROBE, [0])],
    expect: [...rejected(CREATIONS - 1), 'OUT_OF_FUEL', 'OUT_OF_FUEL'],
  });
}

function usedEnvelopes({ director, programs }: World): void {
  const reveal = () => [director.commit(encodeEnvelope(gzipStored(programs.probe)))];
  const used = (kind: string, first: Stone, status: 'REVERT' | 'REJECTED') =>
    director.send({ kind, spend: reveal(), stones: [first, call(CREATE, [0])], expect: [status, 'REJECTED'] });
  used('envelope used by a failed run', call(CREATE, [1]), 'REVERT');
  used('envelope used by a taken id', call(id(3, 7), [0]), 'REJECTED');
  director.send({
    kind: 'envelope used by none',
    stones: [call(CREATE, [0]), call(CREATE, [0])],
    expect: ['REJECTED', 'REJECTED'],
  });
  const next = director.nextSequence;
  director.send({
    kind: 'creation called in its own transaction',
    spend: reveal(),
    stones: [call(id(1, 3), [0]), call(id(5, 40_000), [0]), call(CREATE, [0]), call(id(2, next), [4, 1])],
    expect: ['REJECTED', 'REJECTED', 'OK', 'OK'],
  });
  director.nextSequence++;
}

/** A module that inflates to exactly 8 times its body and 1 KiB, and the same with a body one byte shorter. */
function inflated({ director, programs }: World): void {
  const length = INFLATED_EXTRA + INFLATED_TIMES * Math.ceil(programs.probe.length * 1.5);
  const packed = gzipRuns(withZeros(programs.probe, length));
  const fill = new Uint8Array((length - INFLATED_EXTRA) / INFLATED_TIMES - packed.length);
  const reveal = (body: Uint8Array) => [director.commit(encodeEnvelope(body))];
  director.create(CREATE, {
    kind: 'creation inflated 8 times',
    spend: reveal(concatBytes(packed, fill)),
    stones: [call(CREATE, [4, 1])],
  });
  director.send({
    kind: 'creation inflated more than 8 times',
    spend: reveal(concatBytes(packed, fill.slice(1))),
    stones: [call(CREATE, [4, 1])],
    expect: ['REJECTED'],
  });
}

/** `wasm` followed by a custom section of zeros, `length` bytes in all. */
function withZeros(wasm: Uint8Array, length: number): Uint8Array {
  for (let sizeBytes = 1; sizeBytes <= 5; sizeBytes++) {
    const size = length - wasm.length - 1 - sizeBytes;
    const head = concatBytes(Uint8Array.of(0), encodeVarint(size), Uint8Array.of(1, 'z'.charCodeAt(0)));
    const whole = concatBytes(wasm, head, new Uint8Array(length - wasm.length - head.length));
    if (head.length === 3 + sizeBytes) return whole;
  }
  throw new RangeError('no size fits');
}

interface Minted {
  readonly assets: readonly AlkaneId[];
  /** Each has some of the assets on its output 0. */
  readonly transactions: readonly SignedTransaction[];
}

/** Clones of the probe, each of which mints enough of itself for two splits; the last one has a unit less for each. */
function mintedClones({ director }: World): Minted {
  const assets: AlkaneId[] = [];
  const transactions: SignedTransaction[] = [];
  while (assets.length < ASSETS) {
    const count = Math.min(ASSETS_A_TRANSACTION, ASSETS - assets.length);
    const own = Array.from({ length: count }, () => id(2, director.nextSequence++));
    assets.push(...own);
    const each = (asset: AlkaneId): number => (asset === assets[ASSETS - 1] ? OUTPUTS - 1 : OUTPUTS);
    transactions.push(
      director.send({
        kind: 'clone 5:n that mints',
        stones: own.map((asset) => call(id(5, PROBE.tx), [9, asset.block, asset.tx, 2 * each(asset)])),
        expect: own.map(() => 'OK'),
      }),
    );
  }
  return { assets, transactions };
}

/** All assets on two coins; one is split into 10,000 sheet entries, the other into one more. */
function sheetEntries({ director }: World, { assets, transactions }: Minted): void {
  const over = (outputs: number): Stone => ({
    pointer: 0,
    edicts: assets.map((asset) => edict(asset, 0, outputs + 1)),
  });
  const gathered = director.send({
    kind: 'assets gathered',
    spend: transactions.map((tx) => coinOf(tx, 0)),
    outputs: 2,
    stones: [over(2)],
  });
  director.send({
    kind: '10,000 sheet entries',
    spend: [coinOf(gathered, 0)],
    outputs: OUTPUTS,
    stones: [over(OUTPUTS)],
  });
  // The unit that the last asset lacks is minted here: both go to the shadow output of the third protostone.
  const last = assets[ASSETS - 1];
  const pointer = OUTPUTS + 4;
  director.send({
    kind: '10,001 sheet entries',
    spend: [coinOf(gathered, 1)],
    outputs: OUTPUTS,
    stones: [{ pointer }, call(last, [9, last.block, last.tx, 1], { pointer }), over(OUTPUTS)],
    expect: [],
    undone: true,
  });
  director.seal();
}

function coinOf(tx: SignedTransaction, vout: number): Coin {
  const coin = tx.coins[vout];
  if (coin === undefined) throw new RangeError('the output cannot be spent');
  return coin;
}
