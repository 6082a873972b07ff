import { expect, test } from 'vitest';
import { openSource } from '../../src/bitcoin/sources.js';
import { LaneEngine } from '../../src/execute/engine.js';
import { BlockIndexer } from '../../src/pipeline/block-indexer.js';
import type { RawBlock } from '../../src/pipeline/blocks-ahead.js';
import { lookAhead } from '../../src/pipeline/look-ahead.js';
import { FlushedPairs } from '../../src/standard/flushed-pairs.js';
import { RowsRead } from '../../src/standard/rows-read.js';
import { StandardIndexer } from '../../src/standard/standard-indexer.js';
import { Store } from '../../src/store/store.js';
import type { BlockCommit } from '../../src/store/types.js';
import { bulkIndexer, bulkState } from '../../src/testing/chains/bulk-state.js';
import { genesisBlock, makeBlock, type SyntheticBlock, Template } from '../../src/testing/chains/synthetic-chain.js';
import { defaultIndexer } from '../../src/util/built-wasm.js';
import { toHex } from '../../src/util/bytes.js';
import { PackedWrites } from '../../src/util/packed-writes.js';
import { CHAIN, temporaryFolder } from '../helpers/cli.js';
import { ascii, list } from './guest-builder.js';

/** The row that is known of each entry, hex; undefined where none is. */
function knownRows(writes: ReadonlyMap<string, unknown>): (string | undefined)[] {
  if (!(writes instanceof PackedWrites)) throw new Error('writes of the module lie packed');
  const before = writes.rowsBefore();
  return Array.from(writes.addresses(), (_, place) => {
    const [start, end] = [before?.places[2 * place] ?? 0, before?.places[2 * place + 1] ?? 0];
    return end === 0 ? undefined : toHex(before?.bytes.subarray(start, end) ?? ascii(''));
  });
}

test('the last read of a key counts, keys that were not flushed are left out, and long rows are taken whole', () => {
  const long = new Uint8Array(200_000).fill(7);
  const rows = new RowsRead();
  rows.add(ascii('a'), 5, ascii('xvalue'), 1);
  rows.add(ascii('other'), 6, ascii('nobody flushes it'), 0);
  rows.add(ascii('long'), 0x01020304, long, 0);
  rows.add(ascii('a'), 7, ascii('new'), 0);
  for (let i = 0; i < 3_000; i++) rows.add(ascii(`n${i}`), i, ascii(`${i}`), 0);
  const pairs = FlushedPairs.of([list('b', '', 'a', '1', 'long', '2', 'n2999', '3')], 4);
  const known = FlushedPairs.at([], pairs.places(), undefined, rows.ofPairs(pairs));
  expect(knownRows(known)).toEqual([
    undefined,
    `00000007${toHex(ascii('new'))}`,
    `01020304${toHex(long)}`,
    `00000bb7${toHex(ascii('2999'))}`,
  ]);
});

test('what takes more than 32 MiB is not kept', () => {
  const rows = new RowsRead();
  const value = new Uint8Array((32 << 20) - 4);
  rows.add(ascii('a'), 1, value, 0);
  rows.add(ascii('a'), 1, value, 1);
  rows.add(ascii('b'), 2, ascii(''), 0);
  const pairs = FlushedPairs.of([list('a', '', 'b', '')], 2);
  const { places } = rows.ofPairs(pairs);
  expect(Array.from(places)).toEqual([0, (32 << 20) - 1, 0, 0]);
});

test('what a block reads and does not change is not handed over, nor is a row twice', () => {
  const rows = new RowsRead();
  rows.add(ascii('read'), 1, new Uint8Array(1 << 20), 0);
  rows.add(ascii('changed'), 2, ascii('one'), 0);
  rows.add(ascii('also read'), 3, new Uint8Array(1 << 20), 0);
  rows.add(ascii('changed'), 2, ascii('one'), 0);
  rows.add(ascii('changed, too'), 3, ascii('three'), 0);
  const pairs = FlushedPairs.of([list('changed, too', '1', 'new', '2', 'changed', '3')], 3);
  const { bytes, places } = rows.ofPairs(pairs);
  expect(toHex(bytes)).toBe(`00000003${toHex(ascii('three'))}00000002${toHex(ascii('one'))}`);
  expect(Array.from(places)).toEqual([0, 9, 0, 0, 9, 16]);
});

interface Counts {
  known: number;
  changed: number;
  readonly writtenJustBefore: number[];
}

/** Holds what is known of the rows that a block replaces against the store that it is about to be put into. */
function checkRows(store: Store, { height, standardWrites }: BlockCommit, counts: Counts): void {
  if (!(standardWrites instanceof PackedWrites)) throw new Error('writes of the module lie packed');
  const known = knownRows(standardWrites);
  for (const [place, address] of standardWrites.addresses().entries()) {
    const { bytes, keyStart, keyEnd } = standardWrites.read(address);
    const row = store.rowAt('S', bytes.slice(keyStart, keyEnd), height - 1);
    if (row === undefined) {
      expect(known[place]).toBeUndefined();
      continue;
    }
    counts.changed++;
    if (known[place] === undefined) continue;
    counts.known++;
    expect(known[place]).toBe(toHex(row));
    if (Number.parseInt(known[place].slice(0, 8), 16) === height - 1) counts.writtenJustBefore.push(height);
  }
}

async function indexed(
  moduleBytes: Uint8Array,
  blocksOf: (store: Store) => readonly RawBlock[],
  before?: (store: Store) => void,
): Promise<Counts> {
  const counts: Counts = { known: 0, changed: 0, writtenJustBefore: [] };
  const moduleHash = StandardIndexer.hashOf(moduleBytes);
  const store = await Store.open(`${temporaryFolder()}/db`, { network: 'regtest', moduleHash });
  const engine = new LaneEngine({ policy: 'sequential', workers: 0, laneStartHeight: 0, dependent: 'demote' });
  const standard = new StandardIndexer({ moduleBytes, storeHandle: store.handle });
  before?.(store);
  const commit = store.commitBlock.bind(store);
  store.commitBlock = (block, options) => {
    checkRows(store, block, counts);
    return commit(block, options);
  };
  try {
    const indexer = new BlockIndexer(store, engine, standard);
    for await (const { item, following } of lookAhead(blocksOf(store))) await indexer.index(item, { following });
  } finally {
    await standard.close();
    await engine.close();
    await store.close();
  }
  return counts;
}

test('the rows that a module has read are those that its block replaces, stored or not yet', async () => {
  const counts = await indexed(defaultIndexer(), () => [...openSource(CHAIN).blocks(0, 112)]);
  // It changes some keys that it has not read.
  expect(counts.known).toBeLessThan(counts.changed);
  expect(counts.known).toBeGreaterThan(0.8 * counts.changed);
  expect(counts.writtenJustBefore.length).toBeGreaterThan(50);
});

test('a module that reads one key after the other leaves nothing to be read again', async () => {
  const counts = await indexed(
    bulkIndexer(),
    (store) => blocksAfter(store, 3),
    (store) => {
      for (const commit of bulkState(50_000)) store.commitBlock(commit);
    },
  );
  expect(counts.changed).toBeGreaterThan(30_000);
  expect(counts.known).toBe(counts.changed);
  expect(counts.writtenJustBefore.length).toBeGreaterThan(1_000);
});

/** Blocks upon one of `height` with `hash`; those of two branches differ. */
function branch(
  height: number,
  hash: Uint8Array,
  count: number,
  template: Template,
  locktime: number,
): SyntheticBlock[] {
  const blocks: SyntheticBlock[] = [];
  for (let i = 0, before = hash; i < count; i++) {
    const block = makeBlock(height + 1 + i, before, template.transactions(locktime + i));
    blocks.push(block);
    before = block.hash;
  }
  return blocks;
}

test('rows are right after reorgs, too, and where blocks are stored together', async () => {
  const counts: Counts = { known: 0, changed: 0, writtenJustBefore: [] };
  const moduleBytes = defaultIndexer();
  const moduleHash = StandardIndexer.hashOf(moduleBytes);
  const store = await Store.open(`${temporaryFolder()}/db`, { network: 'regtest', moduleHash });
  const engine = new LaneEngine({ policy: 'sequential', workers: 0, laneStartHeight: 0, dependent: 'demote' });
  const standard = new StandardIndexer({ moduleBytes, storeHandle: store.handle });
  const [commit, commitGroup] = [store.commitBlock.bind(store), store.commitBlocks.bind(store)];
  const groups: number[] = [];
  store.commitBlock = (block, options) => {
    checkRows(store, block, counts);
    return commit(block, options);
  };
  store.commitBlocks = (blocks, options) => {
    groups.push(blocks.length);
    checkRows(store, blocks[0], counts);
    return commitGroup(blocks, options);
  };
  try {
    const indexer = new BlockIndexer(store, engine, standard);
    const template = new Template([...openSource(CHAIN).blocks(105, 105)][0].raw);
    const genesis = genesisBlock();
    let chain: SyntheticBlock[] = [genesis];
    for (let round = 0; round < 8; round++) {
      const fork = Math.max(0, chain.length - 1 - (round % 4));
      if (round > 0) store.rollback(fork);
      const more = branch(fork, chain[fork].hash, 5, template, 1 + 100 * round);
      chain = [...chain.slice(0, fork + 1), ...more];
      const added = round === 0 ? chain : more;
      let left = 0;
      for await (const { item, following } of lookAhead(added)) {
        await indexer.index(item, { following, together: 1 + (round % 3) });
        // Left while the module has begun the next block.
        if (++left === 4 && round % 2 === 1) break;
      }
      indexer.settle();
      chain = chain.slice(0, (store.tip()?.height ?? 0) + 1);
    }
  } finally {
    await standard.close();
    await engine.close();
    await store.close();
  }
  expect(counts.known).toBeGreaterThan(50);
  expect(groups).toContain(3);
});

function blocksAfter(store: Store, count: number): RawBlock[] {
  const blocks: RawBlock[] = [];
  let { height, hash } = store.tip() ?? { height: -1, hash: new Uint8Array(32) };
  for (let i = 0; i < count; i++) {
    const block = makeBlock(++height, hash, []);
    blocks.push(block);
    hash = block.hash;
  }
  return blocks;
}
