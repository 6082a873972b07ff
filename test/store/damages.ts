/** Damages of a store, and what `db check` must say of each: for check.test.ts, which makes the store. */
import type { Violation } from '../../src/store/check/run.js';
import { beU32, blockKey, historyKey, latestKey, planKey, receiptKey, txKey } from '../../src/store/keys.js';
import { encodeJson } from '../../src/store/records.js';
import type { Rocks, WriteBatch } from '../../src/store/rocks.js';
import { latestRow } from '../../src/store/rows.js';
import { decodeTouched, encodeTouched, type Touched, type TouchedKey } from '../../src/store/touched.js';
import { leafKeyKey } from '../../src/store/tree/tree-page.js';
import type { Namespace } from '../../src/store/types.js';
import { fromDisplayHash, toBinaryString, toHex } from '../../src/util/bytes.js';
import { sha256 } from '../../src/util/sha256.js';
import { bytes, receipt } from './helpers.js';

/** As binary strings, by namespace: what {@link encodeTouched} takes. */
export function collectTouched(keys: Iterable<TouchedKey>): Record<Namespace, Touched> {
  const names: Record<Namespace, string[]> = { S: [], P: [] };
  const present: Record<Namespace, number[]> = { S: [], P: [] };
  for (const { ns, key, present: had } of keys) {
    names[ns].push(toBinaryString(key));
    present[ns].push(had ? 1 : 0);
  }
  return {
    S: { names: names.S, present: Uint8Array.from(present.S) },
    P: { names: names.P, present: Uint8Array.from(present.P) },
  };
}

/** First height of the store that is damaged, and its tip. */
export const FIRST = 3;
export const TIP = 12;
const A = bytes('a');
const EMPTY = new Uint8Array(0);
const S = 0x53;

/** The undo row of height 10, of other keys. */
function changedUndo(rocks: Rocks, change: (keys: readonly TouchedKey[]) => readonly TouchedKey[]): Uint8Array {
  const row = rocks.get('undo', beU32(10));
  if (row === undefined) throw new Error('the row to damage is not there');
  return encodeTouched(collectTouched(change([...decodeTouched(10, row)])));
}

function last(keys: readonly TouchedKey[]): TouchedKey {
  const key = keys.at(-1);
  if (key === undefined) throw new Error('the row to damage names nothing');
  return key;
}

/** The row's bytes with one of them changed. */
function flipped(rocks: Rocks, column: 'blocks' | 'tree', key: Uint8Array, at: number): Uint8Array {
  const row = rocks.get(column, key);
  if (row === undefined) throw new Error('the row to damage is not there');
  row[at] ^= 1;
  return row;
}

type Damage = (batch: WriteBatch, rocks: Rocks) => void;
type Case = readonly [what: string, damage: Damage, expected: readonly Partial<Violation>[]];

const txid = (height: number, index: number): Uint8Array => fromDisplayHash(receipt(height, index).txid);

export const CASES: readonly Case[] = [
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
    (b) => b.del('blocks', receiptKey(6, 7)),
    [
      { code: 'CHECK_RECEIPT', height: 6 },
      { code: 'CHECK_TX_INDEX', height: 6 },
    ],
  ],
  [
    'a receipt of a dead branch with its index row',
    (b) => {
      b.put('blocks', receiptKey(6, 9), encodeJson(receipt(6, 9)));
      b.put('blocks', txKey(txid(6, 9), 6, 9), EMPTY);
    },
    [{ code: 'CHECK_RECEIPT', height: 6 }],
  ],
  [
    'a receipt in the place of another',
    (b) => b.put('blocks', receiptKey(6, 7), encodeJson(receipt(6, 8))),
    [{ code: 'CHECK_RECEIPT', height: 6 }, { code: 'CHECK_RECEIPT' }],
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
    [
      { code: 'CHECK_LATEST', key: '61' },
      { code: 'CHECK_LEAF', key: '61' },
      { code: 'CHECK_ROOT' },
      { code: 'CHECK_PAGE' },
    ],
  ],
  [
    'a current value that no block wrote, in a lane',
    (b) => b.put('latest', latestKey('P', bytes('zz')), latestRow(10, A)),
    [
      { code: 'CHECK_UNDO', height: 10, key: '7a7a' },
      { code: 'CHECK_LEAF', key: '7a7a' },
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
    (b, rocks) =>
      b.put(
        'undo',
        beU32(10),
        changedUndo(rocks, (keys) => [...keys, { ...last(keys), key: bytes('~~') }]),
      ),
    [{ code: 'CHECK_UNDO', height: 10, namespace: 'P', key: toHex(bytes('~~')) }],
  ],
  [
    'undo data that says of a key that it had a value, where it had none, and the other way round',
    (b, rocks) =>
      b.put(
        'undo',
        beU32(10),
        changedUndo(rocks, (keys) => keys.map((of) => ({ ...of, present: !of.present }))),
      ),
    [
      { code: 'CHECK_UNDO', height: 10, namespace: 'S', key: '61' },
      { code: 'CHECK_UNDO', height: 10, namespace: 'P', key: '61' },
    ],
  ],
  [
    'undo data that names a key twice',
    (b, rocks) =>
      b.put(
        'undo',
        beU32(10),
        changedUndo(rocks, (keys) => [...keys, last(keys)]),
      ),
    [{ code: 'CHECK_UNDO', height: 10 }],
  ],
  [
    'a leaf row that is gone',
    (b) => b.del('tree', leafKeyKey(S, sha256(A))),
    [{ code: 'CHECK_LEAF', key: '61' }, { code: 'CHECK_ROOT' }, { code: 'CHECK_PAGE' }],
  ],
  [
    'a leaf row of a key without a value',
    (b) => b.put('tree', leafKeyKey(S, sha256(bytes('none'))), bytes('none')),
    [{ code: 'CHECK_LEAF', key: toHex(bytes('none')) }],
  ],
  [
    'a leaf row with the wrong key',
    (b) => b.put('tree', leafKeyKey(S, sha256(A)), bytes('b')),
    [{ code: 'CHECK_LEAF', key: '62' }, { code: 'CHECK_ROOT' }, { code: 'CHECK_PAGE' }],
  ],
  [
    'a changed page',
    (b, rocks) => b.put('tree', Uint8Array.of(S, 0), flipped(rocks, 'tree', Uint8Array.of(S, 0), 40)),
    [{ code: 'CHECK_PAGE', namespace: 'S', key: '5300' }],
  ],
  [
    'a page that is gone',
    (b) => b.del('tree', Uint8Array.of(S, 0)),
    [{ code: 'CHECK_PAGE', namespace: 'S', key: '5300' }],
  ],
  [
    'a page too many',
    (b) => b.put('tree', Uint8Array.of(S, 9, 1, 2, 3, 4, 0x50), EMPTY),
    [{ code: 'CHECK_PAGE', namespace: 'S' }],
  ],
  ['a row of no namespace in the tree', (b) => b.put('tree', bytes('x'), EMPTY), [{ code: 'CHECK_PAGE', key: '78' }]],
];
