/**
 * What undoing a block needs to know of the index of addresses, in the column `undo`: rows under the height and a
 * number with the highest bit set, each for some of the outputs that the block created and spent. Their order is that
 * in which they were written; whoever undoes takes all created outputs first.
 *
 * A row: numbers of created and spent outputs, u32 BE each; created ones: script 32, position of the transaction,
 * output number, position of the transaction of the block that spent it or ff ff ff ff; spent ones: outpoint 36, row of
 * the unspent output, position of the transaction that spent it.
 */
import { concatBytes } from '../util/bytes.js';
import { newBytes } from '../util/row-bytes.js';
import type { CreatedOutput, SpentOutput } from './address-block.js';
import { HASH_BYTES, OUTPOINT_BYTES, type UnspentRow, unspentRow, unspentValue } from './address-rows.js';
import type { Database, DatabaseBatch } from './database.js';
import { readBeU32, undoPartKey, writeBeU32 } from './keys.js';
import { corrupt } from './records.js';

/** Of the numbers of these rows. */
const FIRST_NUMBER = 0x80000000;
const HEAD = 8;
const CREATED_BYTES = HASH_BYTES + 12;
const COIN_BYTES = HASH_BYTES + 16;
const SPENT_BYTES = OUTPOINT_BYTES + COIN_BYTES + 4;
const NOT_SPENT = 0xffffffff;

export interface UndoneOutputs {
  readonly created: readonly {
    readonly script: Uint8Array;
    readonly index: number;
    readonly vout: number;
    /** Position of the transaction of the same block that spent it. */
    readonly spentBy: number | undefined;
  }[];
  readonly spent: readonly (UnspentRow & { readonly outpoint: Uint8Array; readonly spentBy: number })[];
}

export const addressUndoKey = (height: number, number: number): Uint8Array =>
  undoPartKey(height, (FIRST_NUMBER | number) >>> 0);

/** Whether a key of the column `undo` is of such a row. */
export function isAddressUndoKey(key: Uint8Array): boolean {
  return key.length === 8 && readBeU32(key, 4) >= FIRST_NUMBER;
}

export function encodeAddressUndo(created: readonly CreatedOutput[], spent: readonly SpentOutput[]): Uint8Array {
  const out = new Uint8Array(HEAD + CREATED_BYTES * created.length + SPENT_BYTES * spent.length);
  writeBeU32(out, 0, created.length);
  writeBeU32(out, 4, spent.length);
  let at = HEAD;
  for (const { script, index, vout, spender } of created) {
    out.set(script, at);
    writeBeU32(out, at + HASH_BYTES, index);
    writeBeU32(out, at + HASH_BYTES + 4, vout);
    writeBeU32(out, at + HASH_BYTES + 8, spender?.index ?? NOT_SPENT);
    at += CREATED_BYTES;
  }
  for (const coin of spent) {
    out.set(concatBytes(coin.outpoint, unspentValue(coin, newBytes)), at);
    writeBeU32(out, at + OUTPOINT_BYTES + COIN_BYTES, coin.spender.index);
    at += SPENT_BYTES;
  }
  return out;
}

/** Throws StoreError STORE_CORRUPT unless it is a row as it was written. */
export function decodeAddressUndo(height: number, row: Uint8Array): UndoneOutputs {
  const counts = row.length < HEAD ? undefined : [readBeU32(row, 0), readBeU32(row, 4)];
  if (counts === undefined || row.length !== HEAD + CREATED_BYTES * counts[0] + SPENT_BYTES * counts[1]) {
    throw corrupt('undo record of the index of addresses', height);
  }
  const [createdCount, spentCount] = counts;
  const spentFrom = HEAD + CREATED_BYTES * createdCount;
  return {
    created: Array.from({ length: createdCount }, (_, i) => {
      const at = HEAD + CREATED_BYTES * i + HASH_BYTES;
      const spentBy = readBeU32(row, at + 8);
      return {
        script: row.slice(at - HASH_BYTES, at),
        index: readBeU32(row, at),
        vout: readBeU32(row, at + 4),
        spentBy: spentBy === NOT_SPENT ? undefined : spentBy,
      };
    }),
    spent: Array.from({ length: spentCount }, (_, i) => {
      const at = spentFrom + SPENT_BYTES * i;
      const coin = at + OUTPOINT_BYTES;
      return {
        ...unspentRow(row.subarray(coin, coin + COIN_BYTES)),
        outpoint: row.slice(at, coin),
        spentBy: readBeU32(row, coin + COIN_BYTES),
      };
    }),
  };
}

/** The rows of a block, in their order; none of one that had no outputs, or has no undo data. */
export function* addressUndoRows(database: Database, height: number): Generator<Uint8Array, void, void> {
  for (let number = 0; ; number++) {
    const row = database.get('undo', addressUndoKey(height, number));
    if (row === undefined) return;
    yield row;
  }
}

/** Deletes the rows of a block. */
export function delAddressUndo(database: Database, batch: Pick<DatabaseBatch, 'del'>, height: number): void {
  for (let number = 0; database.get('undo', addressUndoKey(height, number)) !== undefined; number++) {
    batch.del('undo', addressUndoKey(height, number));
  }
}
