import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Receipt } from '../../src/lane/types.js';
import { checkStore } from '../../src/store/check/check.js';
import type { Violation } from '../../src/store/check/run.js';
import { beU32, blockKey, historyKey, latestKey, planKey, receiptKey, txKey } from '../../src/store/keys.js';
import { receiptPages } from '../../src/store/receipt-pages.js';
import { Rocks, type WriteBatch } from '../../src/store/rocks.js';
import { latestRow } from '../../src/store/rows.js';
import { Store } from '../../src/store/store.js';
import { decodeTouched, type TouchedKey } from '../../src/store/touched.js';
import { decodeHeader, encodeHeader, headerKey, rowKey } from '../../src/store/tree/tree-rows.js';
import { fromDisplayHash, toHex } from '../../src/util/bytes.js';
import {
  block,
  bytes,
  collectTouched,
  encodeNames,
  flipped,
  generator,
  headerAt,
  OPTIONS,
  randomBlock,
  receipt,
  temporaryFolder,
} from './helpers.js';

const FIRST = 3;
const TIP = 12;
const sound = join(temporaryFolder(), 'db');

/** Heights 3 to 12 with undo data from 8 on; the key `a` of both lanes has versions at 3, 9 (P: deleted) and 10. */
beforeAll(async () => {
  const store = await Store.open(sound, { ...OPTIONS, keepUndo: 5, label: 'test' });
  store.recordGenesis(headerAt(0).hash);
  const random = generator(11);
  for (let height = FIRST; height <= TIP; height++) {
    const commit = randomBlock(height, random);
    const extra = { 3: ['1', '1'], 9: ['2', undefined], 10: ['3', '3'] }[height];
    const laneWrites = new Map(commit.laneWrites);
    const standardWrites = new Map(commit.standardWrites);
    if (extra?.[0] !== undefined) standardWrites.set('a', bytes(extra[0]));
    if (extra !== undefined) laneWrites.set('a', extra[1] === undefined ? undefined : bytes(extra[1]));
    store.commitBlock({ ...commit, laneWrites, standardWrites, receipts: [receipt(height, 0), receipt(height, 7)] });
  }
  await store.close();
});

/** The first page of a block's receipts. */
const pageOf = (height: number, ...receipts: Receipt[]): Uint8Array => [...receiptPages({ height, receipts })][0].bytes;
const page = (...receipts: Receipt[]): Uint8Array => pageOf(6, ...receipts);

async function violations(dir: string): Promise<Violation[]> {
  const found: Violation[] = [];
  const summary = await checkStore(dir, { violation: (violation) => found.push(violation) });
  expect(summary.violations).toBe(found.length);
  return found;
}

async function damaged(damage: (batch: WriteBatch, rocks: Rocks) => void): Promise<Violation[]> {
  const dir = join(temporaryFolder(), 'db');
  cpSync(sound, dir, { recursive: true });
  const rocks = await Rocks.open(dir, false);
  const batch = rocks.batch();
  damage(batch, rocks);
  batch.write();
  await rocks.close();
  return violations(dir);
}

const A = bytes('a');
const EMPTY = new Uint8Array(0);
const S = 0x53;
/** The row of the tree of namespace S. */
const ROW = rowKey(S, 0, 0);

/** Puts an undo row of height 10 that is of other keys. */
function changeUndo(b: WriteBatch, rocks: Rocks, change: (keys: TouchedKey[]) => readonly TouchedKey[]): void {
  const row = rocks.get('undo', beU32(10));
  if (row === undefined) throw new Error('the row to damage is not there');
  b.put('undo', beU32(10), encodeNames(collectTouched(change([...decodeTouched(10, row)]))));
}

function last(keys: readonly TouchedKey[]): TouchedKey {
  if (keys.length === 0) throw new Error('the row to damage names nothing');
  return keys[keys.length - 1];
}

type Damage = (batch: WriteBatch, rocks: Rocks) => void;
type Case = readonly [what: string, damage: Damage, expected: readonly Partial<Violation>[]];

const txid = (height: number, index: number): Uint8Array => fromDisplayHash(receipt(height, index).txid);

const PAGE = { code: 'CHECK_PAGE', namespace: 'S' } as const;
const TREE_ROW_DAMAGES: readonly (readonly [what: string, damage: Damage, key: Uint8Array])[] = [
  ['a changed row of the tree', (b, rocks) => b.put('tree', ROW, flipped(rocks, 'tree', ROW, 40)), ROW],
  [
    'leaves of the tree out of order',
    (b, rocks) => b.put('tree', ROW, flipped(rocks, 'tree', ROW, 0).fill(255, 0, 1)),
    ROW,
  ],
  ['a row of the tree cut off', (b, rocks) => b.put('tree', ROW, flipped(rocks, 'tree', ROW, 0).subarray(1)), ROW],
  ['a row of the tree that is gone', (b) => b.del('tree', ROW), ROW],
  ['a row of the tree where none should be', (b) => b.put('tree', rowKey(S, 9, 3), EMPTY), rowKey(S, 9, 3)],
];

const at6 = (...codes: Violation['code'][]) => codes.map((code) => ({ code, height: 6 }));

const CASES: readonly Case[] = [
  ['no identity', (b) => b.del('meta', bytes('identity')), [{ code: 'CHECK_META' }]],
  ['an identity that is not JSON', (b) => b.put('meta', bytes('identity'), bytes('{')), [{ code: 'CHECK_META' }]],
  ['a tip above the last block', (b) => b.put('meta', bytes('tip'), beU32(TIP + 1)), [{ code: 'CHECK_META' }]],
  ['no tip', (b) => b.del('meta', bytes('tip')), [{ code: 'CHECK_META' }]],
  ['a record of no known name', (b) => b.put('meta', bytes('x'), EMPTY), [{ code: 'CHECK_META', key: '78' }]],
  ['a short genesis hash', (b) => b.put('meta', bytes('genesis'), EMPTY), [{ code: 'CHECK_META' }]],
  ['a label that no store has', (b) => b.put('meta', bytes('label'), bytes('\n')), [{ code: 'CHECK_META' }]],
  [
    'a height without its record',
    (b) => b.del('blocks', blockKey(6)),
    [{ code: 'CHECK_HEIGHT', height: 6 }, { code: 'CHECK_PLAN' }, { code: 'CHECK_RECEIPT', height: 6 }],
  ],
  ['a block row with a long key', (b) => b.put('blocks', bytes('b12345'), EMPTY), [{ code: 'CHECK_HEIGHT' }]],
  [
    'a record cut off',
    (b) => b.put('blocks', blockKey(6), EMPTY),
    [{ code: 'CHECK_RECORD', height: 6 }, { code: 'CHECK_RECEIPT' }],
  ],
  ['a row of no known kind', (b) => b.put('blocks', bytes('x'), EMPTY), [{ code: 'CHECK_RECORD', key: '78' }]],
  [
    'a changed header',
    (b, rocks) => b.put('blocks', blockKey(6), flipped(rocks, 'blocks', blockKey(6), 32 + 79)),
    [{ code: 'CHECK_HEADER', height: 6 }],
  ],
  [
    'a changed hash',
    (b, rocks) => b.put('blocks', blockKey(6), flipped(rocks, 'blocks', blockKey(6), 0)),
    [
      { code: 'CHECK_HEADER', height: 6 },
      { code: 'CHECK_PREVIOUS', height: 7 },
    ],
  ],
  [
    'a changed root of the tip',
    (b, rocks) => b.put('blocks', blockKey(TIP), flipped(rocks, 'blocks', blockKey(TIP), 112)),
    [{ code: 'CHECK_ROOT', height: TIP, namespace: 'S' }],
  ],
  ['a plan that is gone', (b) => b.del('blocks', planKey(6)), [{ code: 'CHECK_PLAN', height: 6 }]],
  ['a plan that is not JSON', (b) => b.put('blocks', planKey(6), bytes('x')), [{ code: 'CHECK_PLAN', height: 6 }]],
  ['a plan above the tip', (b) => b.put('blocks', planKey(20), EMPTY), [{ code: 'CHECK_PLAN' }]],
  ['a plan below the first block', (b) => b.put('blocks', planKey(0), EMPTY), [{ code: 'CHECK_PLAN' }]],
  [
    'a receipt that is gone',
    (b) => b.put('blocks', receiptKey(6, 0), page(receipt(6, 0))),
    at6('CHECK_RECEIPT', 'CHECK_TX_INDEX', 'CHECK_CONTRACT_INDEX'),
  ],
  [
    'a page of receipts of a dead branch with its index row',
    (b) => {
      b.put('blocks', receiptKey(6, 9), page(receipt(6, 9)));
      b.put('blocks', txKey(txid(6, 9), 6, 9), EMPTY);
    },
    at6('CHECK_RECEIPT', 'CHECK_CONTRACT_INDEX'),
  ],
  [
    'a receipt in the place of another',
    (b) => b.put('blocks', receiptKey(6, 0), page(receipt(6, 0), receipt(6, 8))),
    at6('CHECK_TX_INDEX', 'CHECK_CONTRACT_INDEX'),
  ],
  [
    'an index row that is gone',
    (b) => b.del('blocks', txKey(txid(6, 7), 6, 7)),
    [{ code: 'CHECK_TX_INDEX', height: 6 }],
  ],
  [
    'an index row of a dead branch',
    (b) => b.put('blocks', txKey(txid(6, 9), 6, 9), EMPTY),
    [{ code: 'CHECK_TX_INDEX', height: 6 }],
  ],
  [
    'a value that ended above the tip',
    (b) => b.put('history', historyKey('S', A, TIP + 1), latestRow(10, bytes('x'))),
    [
      { code: 'CHECK_HISTORY', height: TIP + 1, key: '61' },
      { code: 'CHECK_LATEST', key: '61' },
    ],
  ],
  [
    'a value from below the first block',
    (b) => b.put('history', historyKey('S', A, 9), latestRow(FIRST - 1, bytes('1'))),
    [{ code: 'CHECK_HISTORY', height: FIRST - 1, key: '61' }],
  ],
  [
    'a value that ended before it was written',
    (b) => b.put('history', historyKey('S', A, 10), latestRow(10, bytes('2'))),
    [{ code: 'CHECK_HISTORY', height: 10, key: '61' }],
  ],
  [
    'a value from before the one before it ended',
    (b) => b.put('history', historyKey('P', A, 12), latestRow(8, bytes('2'))),
    [
      { code: 'CHECK_HISTORY', height: 8, namespace: 'P', key: '61' },
      { code: 'CHECK_LATEST', height: 10, namespace: 'P', key: '61' },
      { code: 'CHECK_UNDO', height: 8, namespace: 'P', key: '61' },
      { code: 'CHECK_UNDO', height: 12, namespace: 'P', key: '61' },
    ],
  ],
  ['a version that is not one', (b) => b.put('history', bytes('S'), EMPTY), [{ code: 'CHECK_HISTORY', key: '53' }]],
  [
    'a version without the height at which it was written',
    (b) => b.put('history', historyKey('S', A, 9), bytes('123')),
    [{ code: 'CHECK_HISTORY', key: toHex(historyKey('S', A, 9)) }],
  ],
  [
    'a missing value of namespace S',
    (b) => b.del('history', historyKey('S', A, 10)),
    [
      { code: 'CHECK_HISTORY', height: 9, namespace: 'S', key: '61' },
      { code: 'CHECK_UNDO', height: 10, namespace: 'S', key: '61' },
    ],
  ],
  [
    'a missing value of namespace P, below the undo data too',
    (b) => b.del('history', historyKey('P', A, 9)),
    [{ code: 'CHECK_UNDO', height: 9, namespace: 'P', key: '61' }],
  ],
  [
    'values that are said to be no longer kept',
    (b) => b.put('meta', bytes('history'), new Uint8Array([...beU32(7), 1])),
    [{ code: 'CHECK_HISTORY' }],
  ],
  [
    'a lowest state that undo data goes below',
    (b) => b.put('meta', bytes('history'), new Uint8Array([...beU32(9), 0])),
    [{ code: 'CHECK_META', height: 9 }],
  ],
  [
    'a lowest state that cannot be read',
    (b) => b.put('meta', bytes('history'), new Uint8Array([...beU32(7), 2])),
    [{ code: 'CHECK_META' }],
  ],
  [
    'a current value of another height',
    (b) => b.put('latest', latestKey('S', A), latestRow(9, bytes('3'))),
    [{ code: 'CHECK_LATEST', height: 9, key: '61' }],
  ],
  [
    'another current value',
    (b) => b.put('latest', latestKey('S', A), latestRow(10, bytes('4'))),
    [{ code: 'CHECK_ROOT' }, { code: 'CHECK_PAGE' }],
  ],
  [
    'a current value cut off',
    (b) => b.put('latest', latestKey('S', A), EMPTY),
    [{ code: 'CHECK_LATEST' }, { code: 'CHECK_ROOT' }, { code: 'CHECK_PAGE' }],
  ],
  [
    'a current value that is gone',
    (b) => b.del('latest', latestKey('S', A)),
    [{ code: 'CHECK_LATEST', key: '61' }, { code: 'CHECK_ROOT' }, { code: 'CHECK_PAGE' }],
  ],
  [
    'a current value that no block wrote, in a lane',
    (b) => b.put('latest', latestKey('P', bytes('zz')), latestRow(10, A)),
    [
      { code: 'CHECK_UNDO', height: 10, key: '7a7a' },
      { code: 'CHECK_ROOT', namespace: 'P' },
      { code: 'CHECK_PAGE', namespace: 'P' },
    ],
  ],
  [
    'a current value of no namespace',
    (b) => b.put('latest', bytes('Qx'), latestRow(10, A)),
    [{ code: 'CHECK_LATEST', key: '5178' }],
  ],
  ['an undo row that is gone', (b) => b.del('undo', beU32(10)), [{ code: 'CHECK_UNDO', height: 10 }]],
  ['no undo row of the tip', (b) => b.del('undo', beU32(TIP)), [{ code: 'CHECK_UNDO', height: TIP }]],
  ['an undo row above the tip', (b) => b.put('undo', beU32(TIP + 1), EMPTY), [{ code: 'CHECK_UNDO', height: TIP + 1 }]],
  ['an undo row with a long key', (b) => b.put('undo', bytes('12345'), EMPTY), [{ code: 'CHECK_UNDO' }]],
  [
    'an undo row that cannot be read',
    (b) => b.put('undo', beU32(10), bytes('x')),
    [{ code: 'CHECK_UNDO', height: 10 }],
  ],
  [
    'undo data that names nothing',
    (b) => b.put('undo', beU32(10), Uint8Array.of(0, 0)),
    [{ code: 'CHECK_UNDO', height: 10, namespace: 'S', key: '61' }],
  ],
  ['undo data of no bytes', (b) => b.put('undo', beU32(10), EMPTY), [{ code: 'CHECK_UNDO', height: 10 }]],
  [
    'undo data that names too much',
    (b, rocks) => changeUndo(b, rocks, (keys) => [...keys, { ...last(keys), key: bytes('~~') }]),
    [{ code: 'CHECK_UNDO', height: 10, namespace: 'P', key: toHex(bytes('~~')) }],
  ],
  [
    'undo data that says of a key that it had a value, where it had none, and the other way round',
    (b, rocks) => changeUndo(b, rocks, (keys) => keys.map((of) => ({ ...of, present: !of.present }))),
    [
      { code: 'CHECK_UNDO', height: 10, namespace: 'S', key: '61' },
      { code: 'CHECK_UNDO', height: 10, namespace: 'P', key: '61' },
    ],
  ],
  [
    'undo data that names a key twice',
    (b, rocks) => changeUndo(b, rocks, (keys) => [...keys, last(keys)]),
    [{ code: 'CHECK_UNDO', height: 10 }],
  ],
  ...TREE_ROW_DAMAGES.map(([what, damage, key]): Case => [what, damage, [{ ...PAGE, key: toHex(key) }]]),
  ['a header that is none', (b) => b.put('tree', headerKey(S), EMPTY), [PAGE]],
  ['a row of no namespace in the tree', (b) => b.put('tree', bytes('x'), EMPTY), [{ code: 'CHECK_PAGE', key: '78' }]],
];

describe('checking a store', () => {
  it('finds nothing in a sound one and says what it saw', async () => {
    const found: Violation[] = [];
    let last = 0;
    const summary = await checkStore(sound, {
      violation: (violation) => found.push(violation),
      progress: (_, rows) => {
        last = rows;
      },
    });
    expect(found).toEqual([]);
    expect(summary.heights).toEqual({ first: FIRST, tip: TIP });
    expect(summary.stateRoot).toMatch(/^[0-9a-f]{64}$/);
    expect(summary.rows).toBeGreaterThan(100);
    expect(last).toBeGreaterThan(10);
  });

  it('finds nothing in an empty one', async () => {
    const dir = temporaryFolder();
    await (await Store.open(dir, OPTIONS)).close();
    expect(await violations(dir)).toEqual([]);
  });

  it('finds nothing in one that was rolled back as deep as it can go', async () => {
    const dir = join(temporaryFolder(), 'db');
    cpSync(sound, dir, { recursive: true });
    const store = await Store.openRecorded(dir);
    store.rollback(store.lowestRollback());
    expect(store.lowestRollback()).toBe(store.tip()?.height);
    await store.close();
    expect(await violations(dir)).toEqual([]);
  });

  it('finds nothing in one with several thousand keys', async () => {
    const dir = temporaryFolder();
    const store = await Store.open(dir, OPTIONS);
    for (let height = 0; height < 3; height++) {
      const values = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`k${height % 2}${i}`, `${height}`]));
      store.commitBlock(block(height, values, values));
    }
    await store.close();
    expect(await violations(dir)).toEqual([]);
  });

  it('a tree without its header is made again when it is opened: nothing is wrong with the store', async () => {
    expect(await damaged((b) => b.del('tree', headerKey(S)))).toEqual([]);
  });

  it('accuses no rows of a tree that are further behind than the undo data: the state says what changed', async () => {
    const behind = damaged((b, rocks) => {
      const header = decodeHeader(rocks.get('tree', headerKey(S)) ?? EMPTY);
      if (header === undefined) throw new Error('there is no tree');
      b.put('tree', headerKey(S), encodeHeader({ ...header, cleanNext: FIRST }));
    });
    expect(await behind).toEqual([]);
  });

  it.each(CASES)('finds %s', async (_, damage, expected) => {
    const found = await damaged(damage);
    for (const violation of expected) expect(found).toContainEqual(expect.objectContaining(violation));
    // Nothing else is accused than what the damage touches.
    const codes = new Set(expected.map(({ code }) => code));
    expect(found.filter(({ code }) => !codes.has(code))).toEqual([]);
  });

  it('of another layout is refused', async () => {
    const identity = { ...(await Store.inspect(sound)), schema: 1 };
    const found = damaged((batch) => batch.put('meta', bytes('identity'), bytes(JSON.stringify(identity))));
    await expect(found).rejects.toMatchObject({ code: 'STORE_SCHEMA_MISMATCH' });
  });

  it('names files that RocksDB refuses to read', async () => {
    const dir = join(temporaryFolder(), 'db');
    cpSync(sound, dir, { recursive: true });
    // Opening turns the log into tables.
    await (await Rocks.open(dir, false)).close();
    const tables = readdirSync(dir).filter((file) => file.endsWith('.sst'));
    const sizes = tables.map((file) => statSync(join(dir, file)).size);
    const largest = join(dir, tables[sizes.indexOf(Math.max(...sizes))]);
    const content = readFileSync(largest);
    content.fill(0xff, 100, 200);
    writeFileSync(largest, content);
    const unreadable = { code: 'CHECK_UNREADABLE', detail: expect.stringContaining('.sst') };
    expect(await violations(dir)).toContainEqual(expect.objectContaining(unreadable));
  });
});
