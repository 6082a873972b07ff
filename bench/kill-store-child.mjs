// What bench/kill-store.mjs kills: commits blocks and rolls them back at random until it is killed; with `finish` it
// goes straight to the last height and ends. Arguments: database folder, `small`, `wide` or `fixture`, `none` or
// `addresses`, seed, [finish]. The code of an error that ends it is its last line. A dead branch is a few synthetic
// blocks on the tip that change and add keys of both lanes; whatever stands above the fork point at the start is taken
// for one, as after a crash in the middle of a reorg.
import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SimRandom } from '../dist/testing/sim/random.js';

const [dir, mode, index, seed, finish] = process.argv.slice(2);
const addresses = index === 'addresses';
const wide = mode === 'wide';
const KEEP_UNDO = 20;
const SMALL_HEIGHT = wide ? 30 : 60;
/** Most small blocks are written in some pieces. */
const PIECE_BYTES = wide ? 50_000 : addresses ? 3_000 : 500;
/** Others are written in parts, by several threads. */
const partKeys = Number(seed) % 3 === 0 ? undefined : wide ? 200 : 8;
/** How many threads there are follows from it. */
const CORES = 16;
/** Hash of what the live chain does not have: no block has it. */
const NONE = new Uint8Array(0);
const random = randomOf(seed);
/** Errors of a full disk, which the parent expects. */
const FULL = ['STORE_WRITE_FAILED', 'STORE_OPEN_FAILED'];

process.on('uncaughtException', (error) => {
  process.stderr.write(FULL.includes(error.code) ? '' : `${error.stack}\n`);
  writeSync(1, `failed ${error.code}\n`);
  process.exit(1);
});
if (wide) {
  os.availableParallelism = () => CORES;
  syncBuiltinESMExports();
}
// Its constants go by the number of cores.
const { Store } = await import('../dist/store/store.js');
const { store, live, last, close } = mode === 'fixture' ? await openFixture() : await openSmall();
const forked = () => {
  const tip = store.tip();
  return tip !== undefined && Buffer.compare(tip.hash, live.hash(tip.height)) !== 0;
};
const height = () => store.tip()?.height ?? -1;
const rollback = (to) => store.rollback(Math.max(to, store.lowestRollback()));

// Ends with the process that would kill it.
process.stdin.resume().once('end', () => process.exit(1));
process.stdin.unref();
process.stdout.write('ready\n');
while (forked()) rollback(height() - 1);
while (finish === undefined || height() < last) {
  if (finish === undefined && height() >= 0 && (height() === last || random(12) === 0)) {
    const fork = height();
    for (let dead = random(5); dead > 0; dead--)
      store.commitBlock(syntheticBlock(height() + 1, `dead ${random(1e9)}`, store.tip().hash));
    rollback(fork - random(8));
    while (forked()) rollback(height() - 1);
  } else await live.commit(height() + 1);
  await turn();
}
await close();

/** Blocks of some keys each, through the store alone. */
async function openSmall() {
  const store = await Store.open(dir, {
    network: 'regtest',
    moduleHash: '00'.repeat(32),
    keepUndo: KEEP_UNDO,
    pieceBytes: PIECE_BYTES,
    partKeys,
    addresses,
  });
  const blocks = [];
  for (let at = 0; at <= SMALL_HEIGHT; at++)
    blocks.push(syntheticBlock(at, 'live', blocks.at(-1)?.hash ?? new Uint8Array(32)));
  const commit = async (at) => {
    // Unsynced and final now and then, as while an index catches up. Whatever has undo data at the end has it always:
    // the last of it, of the block KEEP_UNDO below the tip, is dropped with the next block.
    const final = at < SMALL_HEIGHT - KEEP_UNDO && random(3) === 0;
    store.commitBlock(blocks[at], { moreFollow: random(2) === 0, final });
  };
  const live = { hash: (at) => blocks[at]?.hash ?? NONE, commit };
  return { store, live, last: SMALL_HEIGHT, close: () => store.close() };
}

/** The bundled chain through both lanes; what that needs is loaded here, so that small runs start faster. */
async function openFixture() {
  const { openSource } = await import('../dist/bitcoin/sources.js');
  const { LaneEngine } = await import('../dist/execute/engine.js');
  const { BlockIndexer } = await import('../dist/pipeline/block-indexer.js');
  const { StandardIndexer } = await import('../dist/standard/standard-indexer.js');
  const { StandardModule } = await import('../dist/standard/module.js');
  const { defaultIndexer } = await import('../dist/util/built-wasm.js');
  const source = openSource(fileURLToPath(new URL('../fixtures/regtest', import.meta.url)));
  const moduleBytes = defaultIndexer();
  const moduleHash = StandardModule.load(moduleBytes).hash;
  const store = await Store.open(dir, {
    network: source.network,
    moduleHash,
    keepUndo: KEEP_UNDO,
    partKeys,
    addresses,
  });
  const engine = new LaneEngine({ policy: 'sequential', workers: 0, laneStartHeight: 0, dependent: 'demote' });
  const standard = new StandardIndexer({ moduleBytes, storeHandle: store.handle });
  const indexer = new BlockIndexer(store, engine, standard);
  const raws = [...source.blocks(source.firstHeight, source.lastHeight)].map(({ raw }) => raw);
  const hashes = raws.map((raw) => sha256(sha256(raw.subarray(0, 80))));
  const live = { hash: (at) => hashes[at] ?? NONE, commit: (at) => indexer.index({ raw: raws[at], height: at }) };
  const close = async () => {
    await engine.close();
    await standard.close();
    await store.close();
  };
  return { store, live, last: source.lastHeight, close };
}

/** Depends on height, branch and the block before alone. */
function syntheticBlock(height, branch, previous) {
  const pick = randomOf(`${branch} ${height}`);
  const header = new Uint8Array(80);
  header.set(sha256(`${branch} ${height}`), 36);
  header.set(previous, 4);
  const value = () => new Uint8Array(sha256(`${branch} ${height} ${pick(1e9)}`)).subarray(0, 1 + pick(32));
  const key = (i) => `key ${pick(3) === 0 ? `${branch} ${i}` : pick(40)}`;
  // Some have enough for the threads that write keys and receipts.
  const count = wide ? pick(3_000) : pick(8) === 0 ? 200 : 2 + pick(20);
  const standardWrites = new Map(Array.from({ length: count }, (_, i) => [key(i), value()]));
  const laneWrites = new Map(Array.from({ length: count }, (_, i) => [key(i), pick(4) === 0 ? undefined : value()]));
  const manyReceipts = wide ? 400 + pick(6_000) : pick(12) === 0 ? 600 : pick(4);
  const receipts = Array.from({ length: manyReceipts }, (_, index) => ({
    height,
    index,
    txid: sha256(`${branch} ${height} ${index}`).toString('hex'),
    messages: wide ? [syntheticMessage(pick(20))] : [],
    fuel: 0,
    reads: [],
    writes: [],
    colour: 0,
    executor: 'sequential',
    repaired: false,
  }));
  const plan = { height, laneTxs: 0, demoted: 0, edges: 0, colours: 0, widths: [], longestChain: 0 };
  const outputs = addresses ? syntheticOutputs(height, branch, pick) : undefined;
  return { height, hash: sha256(sha256(header)), header, standardWrites, laneWrites, receipts, plan, outputs };
}

/** A message to one of some contracts. */
function syntheticMessage(number) {
  const nothing = { calls: [], callTotal: 0, abort: undefined, logs: [], logTotal: 0, error: undefined };
  const call = {
    protostone: 0,
    shadowVout: 3,
    status: 'OK',
    target: `2:${number}`,
    fuelUsed: 1,
    data: '',
    dataBytes: 0,
  };
  return { ...call, ...nothing };
}

/**
 * Some transactions that spend outputs of this branch and of the live chain; each has two outputs of 9 + 1 bytes, and
 * two inputs. What is spent need not be there.
 */
function syntheticOutputs(height, branch, pick) {
  const count = 1 + pick(6);
  const txid = (of, at, tx) => sha256(`tx ${at === 0 || tx > 0 ? of : 'coinbase'} ${at - (at % 3)} ${tx}`);
  const txids = Array.from({ length: count }, (_, tx) => txid(branch, height, tx));
  const raw = Buffer.alloc(count * 92);
  const columns = { raw, count, txids: Buffer.concat(txids) };
  const [firstInput, firstOutput, inputs, scripts] = [[], [], [], []];
  for (let tx = 0; tx < count; tx++) {
    firstInput.push(inputs.length);
    firstOutput.push(scripts.length / 2);
    for (let i = 0; i < 2; i++) {
      const at = tx * 92 + i * 36;
      const from = Math.max(0, height - pick(5));
      txid(pick(2) === 0 ? 'live' : branch, from, pick(6)).copy(raw, at);
      raw.writeUInt32LE(pick(2), at + 32);
      inputs.push(at);
      const end = tx * 92 + 72 + (i + 1) * 10;
      raw.writeUInt32LE(pick(1e6), end - 10);
      raw[end - 2] = 1;
      raw[end - 1] = 0x51 + pick(4);
      scripts.push(end - 1, end);
    }
  }
  firstInput.push(inputs.length);
  firstOutput.push(scripts.length / 2);
  const lists = { firstInput, firstOutput, inputs, scripts };
  return { ...columns, ...Object.fromEntries(Object.entries(lists).map(([name, of]) => [name, Uint32Array.from(of)])) };
}

function sha256(data) {
  return createHash('sha256').update(data).digest();
}

/** Integers below `n`. */
function randomOf(text) {
  const random = new SimRandom(text);
  return (n) => random.below(n);
}
