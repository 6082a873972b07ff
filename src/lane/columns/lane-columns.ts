/** The lane transactions of a block as columns: nothing is made per transaction until somebody asks for it. */
import { HASH_LENGTH } from '../../bitcoin/block-hash.js';
import { type BlockColumns, BlockOffsets } from '../../bitcoin/block-offsets.js';
import type { Transaction } from '../../bitcoin/types.js';
import type { Protostone } from '../../protocol/types.js';
import { toDisplayHash } from '../../util/bytes.js';
import { type LaneTransaction, protostonesOf } from '../scan.js';

export interface LaneColumns {
  readonly block: BlockOffsets;
  /** How many lane transactions there are; every column below has a value for each, in block order. */
  readonly count: number;
  /** Position in the block. */
  readonly index: Uint32Array;
  /**
   * Where the context of its call lies in `contexts` (alkanes-wire.md section 8, for no assets); equal where the
   * transaction is not of the common kind. That kind has one protostone, which is a message to a contract 2:n or 4:n
   * behind 8:8, has no edicts, and names outputs of the transaction as pointer and refund.
   */
  readonly contextStart: Uint32Array;
  readonly contextEnd: Uint32Array;
  readonly contexts: Uint8Array;
  /** Of the common kind: output numbers, {@link LOST} for one that keeps no sheet. */
  readonly pointer: Uint32Array;
  readonly refund: Uint32Array;
  /** Positions of the lane transactions whose outputs it spends, ascending: `parents` from `firstParent` on. */
  readonly firstParent: Uint32Array;
  readonly parents: Uint32Array;
  /**
   * The protostones of transactions that are not of the common kind, by position in the block; undefined: they are
   * decoded when they are asked for.
   */
  readonly decoded: ReadonlyMap<number, readonly Protostone[]> | undefined;
}

/** The same without objects, for other threads: all of it lies in shared memory. */
export interface SharedColumns extends Omit<LaneColumns, 'block' | 'decoded'> {
  readonly block: BlockColumns;
}

/** Copies `columns` to shared memory once, however many threads are told. */
export function sharedColumns({ block, decoded: _, ...lane }: LaneColumns): SharedColumns {
  return { ...shared(lane), block: shared(block.columns) };
}

/** What {@link sharedColumns} was made of. */
export function columnsOf({ block, ...lane }: SharedColumns): LaneColumns {
  return { ...lane, block: new BlockOffsets(block), decoded: undefined };
}

/** `columns` with all its lists in shared memory. */
function shared<T extends object>(columns: T): T {
  const out: Record<string, unknown> = {};
  for (const [name, list] of Object.entries(columns)) {
    if (list instanceof Uint32Array) out[name] = inShared(list, Uint32Array);
    else out[name] = list instanceof Uint8Array ? inShared(list, Uint8Array) : list;
  }
  return out as T;
}

function inShared<T extends Uint8Array | Uint32Array>(list: T, make: new (bytes: SharedArrayBuffer) => T): T {
  if (list.buffer instanceof SharedArrayBuffer) return list;
  const copy = new make(new SharedArrayBuffer(list.byteLength));
  copy.set(list);
  return copy;
}

/** In the place of an output on which assets are lost. */
export const LOST = 0xffffffff;

/** True if the transaction at `row` is of the common kind. */
export function isCommon({ contextStart, contextEnd }: LaneColumns, row: number): boolean {
  return contextEnd[row] > contextStart[row];
}

const NO_PROTOSTONES: readonly Protostone[] = [];

/** The transaction at `row` as the generator wants it. */
export function transactionAt(columns: LaneColumns, row: number): LaneTransaction {
  return new Row(columns, row);
}

/** The txid of the transaction at `row`, in display order. */
export function txidAt({ block, index }: LaneColumns, row: number): string {
  return toDisplayHash(block.txids.subarray(index[row] * HASH_LENGTH, (index[row] + 1) * HASH_LENGTH));
}

/** All of them. */
export function transactionsOf(columns: LaneColumns): LaneTransaction[] {
  return Array.from({ length: columns.count }, (_, row) => transactionAt(columns, row));
}

/** Decodes what it is asked for. */
class Row implements LaneTransaction {
  readonly index: number;
  readonly #columns: LaneColumns;
  readonly #row: number;
  #protostones: readonly Protostone[] | undefined;

  constructor(columns: LaneColumns, row: number) {
    this.index = columns.index[row];
    this.#columns = columns;
    this.#row = row;
  }

  get tx(): Transaction {
    return this.#columns.block.transaction(this.index);
  }

  get protostones(): readonly Protostone[] {
    const { decoded } = this.#columns;
    this.#protostones ??=
      decoded === undefined || isCommon(this.#columns, this.#row)
        ? protostonesOf(this.tx)
        : (decoded.get(this.index) ?? NO_PROTOSTONES);
    return this.#protostones;
  }

  get parents(): readonly number[] {
    const { firstParent, parents } = this.#columns;
    return [...parents.subarray(firstParent[this.#row], firstParent[this.#row + 1])];
  }
}
