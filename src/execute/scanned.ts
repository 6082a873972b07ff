import { BlockOffsets } from '../bitcoin/block-offsets.js';
import type { Block } from '../bitcoin/types.js';
import { type LaneColumns, transactionsOf } from '../lane/columns/lane-columns.js';
import type { ScanAhead } from '../lane/columns/scan-ahead.js';
import { type KnownSheets, scanColumns } from '../lane/columns/scan-columns.js';
import { type LaneTransaction, type SheetLookup, scanBlock, sheetKeysOf } from '../lane/scan.js';
import type { LaneKey } from '../lane/types.js';
import { findDemoted } from '../plan/utxo-dependencies.js';
import { toDisplayHash } from '../util/bytes.js';

/** The lane transactions of a block in either form. One after the other, the generator runs all of a parsed block. */
export class Scanned {
  readonly columns: LaneColumns | undefined;
  readonly #block: Block | BlockOffsets;
  readonly #before: SheetLookup;
  #transactions: readonly LaneTransaction[] | undefined;

  /** `ahead` and `known`: what was found of the offsets of a block before its turn came. */
  constructor(block: Block | BlockOffsets, before: SheetLookup, ahead?: ScanAhead, known?: KnownSheets) {
    this.#block = block;
    this.#before = before;
    if ('transactions' in block) this.#transactions = scanBlock(block, before);
    else this.columns = scanColumns(block, before, ahead, known);
  }

  /** As batches want them; those of a parsed block are made here. */
  asColumns(): LaneColumns {
    const { raw } = this.#block;
    return this.columns ?? scanColumns(BlockOffsets.read(raw, raw.length), this.#before);
  }

  /** As the generator wants them; made when they are first asked for. */
  get transactions(): readonly LaneTransaction[] {
    this.#transactions ??= this.columns === undefined ? [] : transactionsOf(this.columns);
    return this.#transactions;
  }

  get count(): number {
    return this.columns?.count ?? this.transactions.length;
  }

  /** How many spend outputs of others. */
  get demoted(): number {
    if (this.columns === undefined) return findDemoted(this.transactions).reduce((sum, demoted) => sum + demoted, 0);
    const { count, firstParent } = this.columns;
    let demoted = 0;
    for (let row = 0; row < count; row++) if (firstParent[row + 1] > firstParent[row]) demoted++;
    return demoted;
  }

  /** Position in the block and txid, in display order, of those that do. */
  *demotedOnes(): Generator<{ readonly index: number; readonly txid: string }, void, void> {
    for (const transaction of this.transactions) {
      if (transaction.parents.length === 0) continue;
      yield { index: transaction.index, txid: toDisplayHash(transaction.tx.txid) };
    }
  }

  /** Keys of the sheets that the transactions of a parsed block spend. */
  sheetKeys(): LaneKey[] {
    return this.transactions.flatMap(({ tx }) => sheetKeysOf(tx));
  }
}
