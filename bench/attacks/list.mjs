// The attacks: what is deployed before, and the worst block. `blocks(scale)` gives lists of transactions, one a block;
// the last is measured.
import * as contracts from './contracts.mjs';
import { callOf, callsOf, clonesOf, creationOf, filled, moveOf, paddedCallOf } from './transactions.mjs';

/** A block of calls of one contract; `lists(i)` are the inputs of each message of transaction i. */
const calls =
  (make, lists = () => [[1]]) =>
  (scale) => [[creationOf(make())], filled(scale, (i) => callOf(1, ...lists(i)))];

/** The second input is another one for every transaction, so that their keys are. */
const seeded = (i) => [[1, BigInt(i) << 20n]];

/** Blocks that deploy `modules`, as many as fit in each. */
function deployments(modules) {
  const blocks = [[]];
  let weight = 0;
  for (const creation of modules) {
    if (weight + creation.weight > 3_900_000) {
      blocks.push([]);
      weight = 0;
    }
    blocks[blocks.length - 1].push(creation);
    weight += creation.weight;
  }
  return blocks;
}

/** Of 1.9 MB each: some six blocks of them. */
const COLD_PROGRAMS = 80;
const ASSETS = 2_000;
/** Assets that one transaction can make: each clone costs 100,000 of its fuel, and its run some more. */
const CLONES = 30;

/** Blocks after which one output holds `assets` assets, and that output. */
function manyAssets(assets) {
  const mints = Array.from({ length: Math.ceil(assets / CLONES) }, () =>
    clonesOf(
      1,
      Array.from({ length: CLONES }, () => [1]),
    ),
  );
  const merged = moveOf(mints.map(({ txid }) => ({ txid, vout: 0 })));
  return { before: [[creationOf(contracts.minting())], mints, [merged]], coin: { txid: merged.txid, vout: 0 } };
}

/** Every transaction takes all that the one before it had. */
function sheetChain(scale) {
  const { before, coin } = manyAssets(ASSETS);
  let last = coin;
  const block = filled(scale, () => {
    const move = moveOf([last]);
    last = { txid: move.txid, vout: 0 };
    return move;
  });
  return [...before, block];
}

/** Every asset over all of `outputs`: more entries than a transaction may write. */
function sheetSplit(scale) {
  const { before, coin } = manyAssets(ASSETS);
  const outputs = Math.max(8, Math.floor(8_000 * Math.min(1, scale)));
  // Ids of the contracts that the clones are: from 2:2 on.
  const edicts = Array.from({ length: ASSETS }, (_, i) => ({
    id: { block: 2n, tx: BigInt(i + 2) },
    amount: 0n,
    output: BigInt(outputs + 1),
  }));
  return [...before, [moveOf([coin], { outputs, edicts })]];
}

/** One asset, and a block full of edicts that each go over a block full of outputs. */
function edicts(scale) {
  const { before, coin } = manyAssets(CLONES);
  const outputs = Math.max(8, Math.floor(45_000 * scale));
  const list = Array.from({ length: Math.max(8, Math.floor(60_000 * scale)) }, () => ({
    id: { block: 2n, tx: 2n },
    amount: 1n,
    output: BigInt(outputs + 1),
  }));
  return [...before, [moveOf([coin], { outputs, edicts: list })]];
}

/** More code than the caches of programs hold, and a block that calls one after the other. */
const coldPrograms = (make) => (scale) => {
  const creations = Array.from({ length: COLD_PROGRAMS }, (_, i) => creationOf(make(i + 1)));
  return [...deployments(creations), filled(scale, (i) => callOf(1 + (i % COLD_PROGRAMS), [1]))];
};

/** As many large programs, and a contract that calls one after the other. */
const coldInnerCalls = (make) => (scale) => {
  const programs = Array.from({ length: COLD_PROGRAMS }, (_, i) => creationOf(make(i + 1)));
  const blocks = deployments([...programs, creationOf(contracts.callingOthers(COLD_PROGRAMS))]);
  return [...blocks, filled(scale, () => callOf(COLD_PROGRAMS + 1, [1]))];
};

/** Messages of one transaction to as many large programs. */
const coldMessages = (make) => (scale) => {
  const programs = Array.from({ length: COLD_PROGRAMS }, (_, i) => creationOf(make(i + 1)));
  const lists = Array.from({ length: COLD_PROGRAMS }, (_, i) => ({ tx: i + 1, inputs: [1] }));
  return [...deployments(programs), filled(scale, () => callsOf(lists))];
};

const LARGE = 1_900_000;
const creations = (make) => (scale) => [[], filled(scale, (i) => creationOf(make(i + 1), [1]))];

export const BASELINE = 'plain loops';

export const ATTACKS = {
  [BASELINE]: calls(contracts.plainLoop),
  'table.fill': calls(() => contracts.tableOp('fill')),
  'table.copy': calls(() => contracts.tableOp('copy')),
  'table.fill with a function': calls(() => contracts.tableOp('fill with a function')),
  'table.init': calls(() => contracts.tableOp('init')),
  'table.copy of nothing': calls(() => contracts.tableOp('copy of nothing')),
  'table.get and table.set': calls(() => contracts.tableOp('get and set')),
  'table.copy and call_indirect': calls(() => contracts.tableOp('copy and call')),
  'call_indirect in a table that changes': calls(() => contracts.tableOp('call alone')),
  'references of 9,000 functions': calls(contracts.manyReferences, () => Array.from({ length: 45 }, () => [1])),
  'memory.fill': calls(() => contracts.memoryOp('fill')),
  'memory.copy': calls(() => contracts.memoryOp('copy')),
  'memory.grow of nothing': calls(() => contracts.memoryOp('grow')),
  __load_block: calls(() => contracts.hostCall('__load_block')),
  '__log of nothing': calls(() => contracts.hostCall('__log')),
  __returndatacopy: calls(() => contracts.hostCall('__returndatacopy')),
  __request_block: calls(() => contracts.hostCall('__request_block')),
  __load_context: calls(() => contracts.hostCall('__load_context')),
  __fuel: calls(() => contracts.hostCall('__fuel')),
  '__request_storage of one key': calls(() => contracts.hostCall('__request_storage')),
  __sha256: calls(() => contracts.hostCall('__sha256')),
  'pages at the entry': calls(() => contracts.pages(500)),
  'pages that grow': calls(contracts.growing),
  '99 messages of 7 pages': calls(
    () => contracts.pages(7),
    () => Array.from({ length: 99 }, () => [1]),
  ),
  clones: (scale) => [
    [creationOf(contracts.minting())],
    filled(scale, () =>
      clonesOf(
        1,
        Array.from({ length: CLONES }, () => [1]),
      ),
    ),
  ],
  'refused clones': (scale) => [[creationOf(contracts.plainLoop())], filled(scale, () => clonesOf(1, [[1]]))],
  'small programs': (scale) => [[], filled(scale, (i) => creationOf(contracts.small(i)))],
  'large programs': creations((seed) => contracts.large({ bytes: LARGE, seed })),
  'large programs, refused': creations((seed) => contracts.large({ bytes: LARGE, seed, refused: true })),
  'large programs, compiled': creations((seed) => contracts.large({ bytes: LARGE, seed, compiled: true })),
  'wide programs, compiled': creations((seed) =>
    // 20 a byte: one `if` of 1,000 slots for some 60 bytes or more.
    contracts.large({ bytes: 100_000, seed, compiled: true, width: 950, control: 24 }),
  ),
  'programs that no cache holds': coldPrograms((seed) => contracts.large({ bytes: LARGE, seed, compiled: true })),
  'programs that no cache holds, slow to compile': coldPrograms((seed) =>
    contracts.slowToCompile({ bytes: LARGE, seed }),
  ),
  'messages to programs that no cache holds': coldMessages((seed) => contracts.slowToCompile({ bytes: LARGE, seed })),
  'inner calls of programs that no cache holds': coldInnerCalls((seed) =>
    contracts.slowToCompile({ bytes: LARGE, seed }),
  ),
  'return data of nested calls': calls(() => contracts.returningMuch(1, 800_000)),
  'return data of nested calls, with much fuel': (scale) => [
    [creationOf(contracts.returningMuch(1, 30_000_000))],
    [paddedCallOf(1, Math.floor(scale * 3_900_000), [1])],
  ],
  'distinct reads': calls(() => contracts.distinctReads(16), seeded),
  'distinct reads of long keys': calls(() => contracts.distinctReads(1_024), seeded),
  'storage maps of many keys': calls(() => contracts.storageMap(500, 1), seeded),
  'storage maps of long values': calls(() => contracts.storageMap(1, 32_000), seeded),
  'a sheet of 2,000 assets moved': sheetChain,
  'a sheet split over 8,000 outputs': sheetSplit,
  'edicts over many outputs': edicts,
};
