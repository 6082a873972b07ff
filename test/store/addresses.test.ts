import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PAGE_TXIDS } from '../../src/store/address-rows.js';
import { checkStore } from '../../src/store/check/check.js';
import { copyEarlier } from '../../src/store/earlier-copy.js';
import { Rocks } from '../../src/store/rocks.js';
import { createSnapshot } from '../../src/store/snapshot/create.js';
import { restoreSnapshot } from '../../src/store/snapshot/restore.js';
import { Store } from '../../src/store/store.js';
import type { PlainTx } from '../../src/testing/chains/address-search.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { toHex } from '../../src/util/bytes.js';
import { block, generator, OPTIONS, temporaryFolder } from './helpers.js';
import { outputsOf, txidOf } from './outputs.js';

const INDEXED = { ...OPTIONS, addresses: true };
const SCRIPTS = [Uint8Array.of(), Uint8Array.of(0x51), Uint8Array.of(0x6a), new Uint8Array(9_000).fill(1)];

/** Blocks by height whose transactions spend outputs of the last few, and of their own block. */
function chain(length: number, seed = 1): PlainTx[][] {
  const random = generator(seed);
  const known: Uint8Array[] = [];
  return Array.from({ length }, (_, height) =>
    Array.from({ length: 1 + random(5) }, (_, index) => {
      const txid = txidOf(`${seed}/${height}/${index}`);
      const inputs = Array.from({ length: random(4) }, () => ({
        txid: known[Math.max(0, known.length - 1 - random(9))] ?? txid,
        vout: random(3),
      }));
      const outputs = Array.from({ length: random(4) }, () => ({
        script: SCRIPTS[random(SCRIPTS.length)],
        amount: BigInt(random(9_999)),
      }));
      known.push(txid);
      return { txid, inputs, outputs };
    }),
  );
}

const commitOf = (blocks: readonly PlainTx[][], height: number) => ({
  ...block(height, { tip: `${height}` }),
  receipts: [],
  outputs: outputsOf(blocks[height]),
});

const rowsOf = (store: Store): Map<string, string> =>
  new Map([...store.rowsOf('addresses')].map(([key, value]) => [toHex(key), toHex(value)]));

const violationsOf = async (dir: string): Promise<string[]> => {
  const found: string[] = [];
  await checkStore(dir, { violation: ({ code, detail }) => void found.push(`${code}: ${detail}`) });
  return found;
};

async function filled(dir: string, blocks: readonly PlainTx[][]): Promise<Store> {
  const store = await Store.open(dir, INDEXED);
  for (const height of blocks.keys()) store.commitBlock(commitOf(blocks, height));
  return store;
}

it('blocks that are stored together, or without undo data, have the rows of blocks stored alone', async () => {
  const blocks = chain(12);
  const open = (pieceBytes?: number) =>
    Store.over(new MemoryDatabase(new Disk()), { ...INDEXED, ...(pieceBytes && { pieceBytes }) }, 'memory');
  const alone = open();
  for (const height of blocks.keys()) alone.commitBlock(commitOf(blocks, height));
  const commits = blocks.map((_, height) => commitOf(blocks, height));
  for (const final of [false, true]) {
    const together = open();
    together.commitBlocks(commits.slice(0, 7), { final });
    together.commitBlocks(commits.slice(7));
    expect(rowsOf(together)).toEqual(rowsOf(alone));
    const inPieces = open(200);
    for (const commit of commits) inPieces.commitBlock(commit, { final });
    expect(rowsOf(inPieces)).toEqual(rowsOf(alone));
    if (!final) for (const store of [together, inPieces, alone]) store.rollback(4);
    if (!final) for (const store of [together, inPieces]) expect(rowsOf(store)).toEqual(rowsOf(alone));
    for (const height of [5, 6, 7, 8, 9, 10, 11]) if (!final) alone.commitBlock(commits[height]);
  }
});

it('undo data of the index is dropped with that of the state', () => {
  const blocks = chain(9);
  const store = Store.over(new MemoryDatabase(new Disk()), { ...INDEXED, keepUndo: 2 }, 'memory');
  for (const height of blocks.keys()) store.commitBlock(commitOf(blocks, height));
  const heights = [...store.rowsOf('undo')].map(([key]) => key[3]);
  expect(Math.min(...heights)).toBe(7);
});

it('the txid of each transaction is found by its place, whatever page of them was read before', () => {
  const count = 2 * PAGE_TXIDS + 1;
  const txids = Array.from({ length: count }, (_, index) => txidOf(`${index}`));
  const store = Store.over(new MemoryDatabase(new Disk()), INDEXED, 'memory');
  store.commitBlock(commitOf([txids.map((txid) => ({ txid, inputs: [], outputs: [] }))], 0));
  const { addresses } = store.lists;
  for (const index of [0, PAGE_TXIDS, PAGE_TXIDS - 1, count - 1, PAGE_TXIDS + 1, 1]) {
    expect(addresses.txidAt(0, index), `${index}`).toEqual(txids[index]);
  }
  expect(addresses.txidAt(0, count)).toBeUndefined();
  expect(addresses.txidAt(1, 0)).toBeUndefined();
});

it('a block that does not tell its outputs is refused, and leaves nothing', () => {
  const store = Store.over(new MemoryDatabase(new Disk()), INDEXED, 'memory');
  const { outputs: _, ...commit } = commitOf(chain(1), 0);
  expect(() => store.commitBlock(commit)).toThrow(/does not tell its outputs/);
  expect(store.tip()).toBeUndefined();
});

it('the index is fixed with the first block: a start with the other value is refused, and says how', async () => {
  const [withIndex, without] = [join(temporaryFolder(), 'with'), join(temporaryFolder(), 'without')];
  await (await filled(withIndex, chain(2))).close();
  const plain = await Store.open(without, OPTIONS);
  plain.commitBlock(commitOf(chain(1), 0));
  expect([...plain.rowsOf('addresses')]).toEqual([]);
  expect(plain.keepsAddresses).toBe(false);
  await plain.close();
  for (const [dir, options, recorded, wanted] of [
    [withIndex, OPTIONS, 'addresses', 'none'],
    [without, INDEXED, 'none', 'addresses'],
  ] as const) {
    await expect(Store.open(dir, options)).rejects.toMatchObject({
      ...{ code: 'STORE_INDEX_MISMATCH', facts: { path: dir, recorded, wanted } },
      hint: expect.stringContaining('index the chain into a new folder'),
    });
  }
  const again = await Store.openRecorded(withIndex);
  expect(again.keepsAddresses).toBe(true);
  await again.close();
});

it('snapshots carry the index, and an earlier copy has that of its height', async () => {
  const folder = temporaryFolder();
  const blocks = chain(15);
  const store = await filled(join(folder, 'store'), blocks);
  const rows = rowsOf(store);
  await copyEarlier(store, join(folder, 'earlier'), 8, store.identity(), () => undefined);
  await store.close();
  await createSnapshot(join(folder, 'store'), join(folder, 'snapshot'));
  await restoreSnapshot(join(folder, 'snapshot'), join(folder, 'restored'));
  const restored = await Store.open(join(folder, 'restored'), INDEXED);
  expect(rowsOf(restored)).toEqual(rows);
  await restored.close();
  const fresh = await filled(join(folder, 'fresh'), blocks.slice(0, 9));
  const earlier = await Store.openRecorded(join(folder, 'earlier'));
  expect(rowsOf(earlier)).toEqual(rowsOf(fresh));
  earlier.rollback(2);
  fresh.rollback(2);
  expect(rowsOf(earlier)).toEqual(rowsOf(fresh));
  for (const of of [fresh, earlier]) await of.close();
  for (const name of ['store', 'restored', 'fresh', 'earlier']) {
    expect(await violationsOf(join(folder, name))).toEqual([]);
  }
}, 60_000);

it('db check finds any row of the index that is gone, changed or too many', async () => {
  const dir = join(temporaryFolder(), 'store');
  await (await filled(dir, chain(5))).close();
  const rocks = await Rocks.open(dir, false);
  const rows = [...rocks.scan('addresses')].map(
    ([key, value]) => [new Uint8Array(key), new Uint8Array(value)] as const,
  );
  const undo = [...rocks.scan('undo')].filter(([key]) => key.length === 8).map(([key, value]) => [key, value] as const);
  await rocks.close();
  expect(undo.length).toBeGreaterThan(3);
  const write = async (column: 'addresses' | 'undo', key: Uint8Array, value: Uint8Array | undefined): Promise<void> => {
    const open = await Rocks.open(dir, false);
    const batch = open.batch();
    if (value === undefined) batch.del(column, key);
    else batch.put(column, key, value);
    batch.write();
    await open.close();
  };
  const random = generator(3);
  const some = rows.filter((_, i) => i === 0 || random(4) === 0).slice(0, 14);
  for (const [column, key, value] of [
    ...some.map((row) => ['addresses', ...row] as const),
    ...undo.slice(0, 2).map((row) => ['undo', ...row] as const),
  ]) {
    const changed = new Uint8Array(value);
    changed[random(changed.length)] ^= 1;
    for (const damage of [undefined, changed]) {
      await write(column, key, damage);
      const found = await violationsOf(dir);
      // A txid is no one's but its own: nothing else tells that another one stands in its place.
      if (damage === undefined || key[0] !== 0x78) expect(found.join(), toHex(key)).toContain('CHECK_ADDRESS_INDEX');
      await write(column, key, value);
    }
  }
  await write('addresses', Uint8Array.of(0x70), Uint8Array.of(1));
  expect((await violationsOf(dir)).join()).toContain('no known kind');
  await write('addresses', Uint8Array.of(0x70), undefined);
  expect(await violationsOf(dir)).toEqual([]);
}, 120_000);
