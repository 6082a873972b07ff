import { InputError } from '../errors/errors.js';
import { readU32 } from '../util/bytes.js';
import { HASH_LENGTH, hashTransactions, hashWitnesses, merkleRootOf, type TransactionTable } from './block-hash.js';
import { coinbaseHeight } from './coinbase-height.js';
import { compactSizeLength } from './compact-size.js';
import { type MerkleRoot, sha256d } from './hash.js';
import { Cursor, type LayoutSink, malformed, TransactionLayout, walkTransaction } from './layout.js';
import { MAX_BLOCK_LENGTH, MIN_TRANSACTION } from './limits.js';
import type { Transaction, TxInput, TxOutput } from './types.js';
import type { Verifiable } from './verify-block.js';

const HEADER_LENGTH = 80;
const OUTPOINT = 36;
const NO_WITNESS: readonly Uint8Array[] = [];

/** Collects where inputs and outputs lie; one per thread, grown to the largest block seen. */
class Places implements LayoutSink {
  inputs = new Uint32Array(1 << 14);
  scripts = new Uint32Array(1 << 15);
  inputCount = 0;
  /** Two numbers per output. */
  scriptCount = 0;

  input(at: number): void {
    if (this.inputCount === this.inputs.length) this.inputs = doubled(this.inputs);
    this.inputs[this.inputCount++] = at;
  }

  output(start: number, end: number): void {
    if (this.scriptCount === this.scripts.length) this.scripts = doubled(this.scripts);
    this.scripts[this.scriptCount++] = start;
    this.scripts[this.scriptCount++] = end;
  }
}

const PLACES = new Places();

function doubled(list: Uint32Array): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(list.length * 2);
  longer.set(list);
  return longer;
}

/** Where the parts of a block lie: plain data, which goes to another thread without a copy. */
export interface BlockColumns extends TransactionTable {
  /** The whole block as serialised with witnesses, in shared memory. */
  readonly raw: Uint8Array;
  /** Number of the first input of each transaction among those of the block, with the end; `firstOutput` likewise. */
  readonly firstInput: Uint32Array;
  readonly firstOutput: Uint32Array;
  /** Where the outpoint of each input begins: txid, then output number u32. */
  readonly inputs: Uint32Array;
  /** Start and end of each output's script. */
  readonly scripts: Uint32Array;
  /** Txids one after the other, 32 bytes each, wire order. */
  readonly txids: Uint8Array;
}

/**
 * A block as offsets into its bytes, with the txids of all its transactions: nothing is made per input or output. A
 * transaction becomes an object on first use. Offsets count from the start of `raw`.
 */
export class BlockOffsets implements BlockColumns, Verifiable {
  /** 32 bytes, wire order. */
  readonly hash: Uint8Array;
  readonly previousHash: Uint8Array;
  /** The 80 header bytes. */
  readonly header: Uint8Array;
  readonly raw: Uint8Array;
  readonly count: number;
  readonly starts: Uint32Array;
  readonly witnesses: Uint32Array;
  readonly segwit: Uint8Array;
  readonly firstInput: Uint32Array;
  readonly firstOutput: Uint32Array;
  readonly inputs: Uint32Array;
  readonly scripts: Uint32Array;
  #txids: Uint8Array | undefined;
  readonly #transactions = new Map<number, Transaction>();

  /** `columns`: what {@link read} made of a block, in whichever thread; txids that are not given are hashed. */
  constructor(columns: Omit<BlockColumns, 'txids'> & { readonly txids: Uint8Array | undefined }) {
    const { raw } = columns;
    this.raw = raw;
    this.count = columns.count;
    this.starts = columns.starts;
    this.witnesses = columns.witnesses;
    this.segwit = columns.segwit;
    this.firstInput = columns.firstInput;
    this.firstOutput = columns.firstOutput;
    this.inputs = columns.inputs;
    this.scripts = columns.scripts;
    this.#txids = columns.txids;
    this.header = raw.subarray(0, HEADER_LENGTH);
    this.previousHash = raw.subarray(4, 36);
    this.hash = sha256d(this.header);
  }

  /** Hashed when they are first asked for, if nobody has hashed them before. */
  get txids(): Uint8Array {
    this.#txids ??= hashTransactions(this);
    return this.#txids;
  }

  /** Others have hashed the transactions. */
  learnTxids(txids: Uint8Array): void {
    this.#txids = txids;
  }

  /** What another thread makes the same block of. */
  get columns(): BlockColumns {
    const { raw, count, starts, witnesses, segwit, firstInput, firstOutput, inputs, scripts, txids } = this;
    return { raw, count, starts, witnesses, segwit, firstInput, firstOutput, inputs, scripts, txids };
  }

  /**
   * Reads a block as `parseBlock` does, with the same errors: InputError BLOCK_TOO_LARGE, BLOCK_TRUNCATED,
   * BLOCK_MALFORMED or BLOCK_TRAILING_BYTES. Keeps `raw` if it lies in shared memory, which goes to other threads as a
   * reference; copies it else. Only a benchmark gives another `limit`, in bytes.
   */
  static read(raw: Uint8Array, limit = MAX_BLOCK_LENGTH): BlockOffsets {
    if (raw.length > limit) {
      throw new InputError('BLOCK_TOO_LARGE', 'the block is longer than any valid one', {
        facts: { length: raw.length, limit },
        hint: 'Give one block per file: header, transaction count, transactions.',
      });
    }
    const bytes = inSharedMemory(raw);
    const cursor = new Cursor(bytes, 0, 'BLOCK');
    cursor.skip(HEADER_LENGTH);
    const count = cursor.count(MIN_TRANSACTION);
    if (count === 0) throw malformed('BLOCK', 'it has no transactions', HEADER_LENGTH);
    const starts = new Uint32Array(count + 1);
    const witnesses = new Uint32Array(count);
    const segwit = new Uint8Array(count);
    const firstInput = new Uint32Array(count + 1);
    const firstOutput = new Uint32Array(count + 1);
    PLACES.inputCount = 0;
    PLACES.scriptCount = 0;
    const layout = new TransactionLayout();
    for (let i = 0; i < count; i++) {
      starts[i] = cursor.at;
      firstInput[i] = PLACES.inputCount;
      firstOutput[i] = PLACES.scriptCount >> 1;
      walkTransaction(cursor, layout, PLACES);
      witnesses[i] = layout.witnessStart;
      segwit[i] = layout.segwit ? 1 : 0;
    }
    const { at } = cursor;
    starts[count] = at;
    firstInput[count] = PLACES.inputCount;
    firstOutput[count] = PLACES.scriptCount >> 1;
    if (at !== bytes.length) {
      throw new InputError('BLOCK_TRAILING_BYTES', 'bytes follow the last transaction of the block', {
        facts: { end: at, length: bytes.length },
      });
    }
    const inputs = PLACES.inputs.slice(0, PLACES.inputCount);
    const scripts = PLACES.scripts.slice(0, PLACES.scriptCount);
    const table = { raw: bytes, count, starts, witnesses, segwit };
    return new BlockOffsets({ ...table, firstInput, firstOutput, inputs, scripts, txids: undefined });
  }

  /** Height of the coinbase script (BIP34), or undefined where the script carries none. */
  get coinbaseHeight(): number | undefined {
    return coinbaseHeight(this.header, this.#inputScript(0));
  }

  /** The transaction at position `index`, as `parseBlock` gives it. Made once. */
  transaction(index: number): Transaction {
    let transaction = this.#transactions.get(index);
    if (transaction === undefined) {
      transaction = this.#make(index);
      this.#transactions.set(index, transaction);
    }
    return transaction;
  }

  txid(index: number): Uint8Array {
    return this.txids.subarray(index * HASH_LENGTH, (index + 1) * HASH_LENGTH);
  }

  get coinbase(): Transaction {
    return this.transaction(0);
  }

  get hasWitness(): boolean {
    return this.segwit.includes(1);
  }

  misplacedCoinbase(): number {
    for (let i = 0; i < this.count; i++) if (this.#isCoinbase(i) !== (i === 0)) return i;
    return -1;
  }

  merkleRoot(): MerkleRoot {
    return merkleRootOf(this.txids);
  }

  witnessRoot(): Uint8Array {
    return merkleRootOf(hashWitnesses(this, this.txids).fill(0, 0, HASH_LENGTH)).root;
  }

  #isCoinbase(index: number): boolean {
    const first = this.firstInput[index];
    if (this.firstInput[index + 1] - first !== 1) return false;
    const at = this.inputs[first];
    if (readU32(this.raw, at + HASH_LENGTH) !== 0xffffffff) return false;
    for (let i = at; i < at + HASH_LENGTH; i++) if (this.raw[i] !== 0) return false;
    return true;
  }

  #inputScript(input: number): Uint8Array {
    const cursor = new Cursor(this.raw, this.inputs[input] + OUTPOINT, 'BLOCK');
    const length = cursor.size();
    return this.raw.subarray(cursor.at, cursor.at + length);
  }

  #make(index: number): Transaction {
    const { raw, scripts, inputs: places } = this;
    const cursor = new Cursor(raw, this.witnesses[index], 'BLOCK');
    const inputs: TxInput[] = [];
    for (let i = this.firstInput[index]; i < this.firstInput[index + 1]; i++) {
      const at = places[i];
      inputs.push({
        prevTxid: raw.slice(at, at + HASH_LENGTH),
        prevVout: readU32(raw, at + HASH_LENGTH),
        witness: this.segwit[index] === 1 ? witnessOf(cursor) : NO_WITNESS,
      });
    }
    const outputs: TxOutput[] = [];
    for (let i = this.firstOutput[index]; i < this.firstOutput[index + 1]; i++) {
      const start = scripts[2 * i];
      const end = scripts[2 * i + 1];
      const at = start - compactSizeLength(end - start) - 8;
      const value = BigInt(readU32(raw, at)) + (BigInt(readU32(raw, at + 4)) << 32n);
      outputs.push({ value, script: raw.subarray(start, end) });
    }
    return { txid: this.txid(index), raw: raw.subarray(this.starts[index], this.starts[index + 1]), inputs, outputs };
  }
}

/** The witness items of one input, as the cursor comes to them. */
function witnessOf(cursor: Cursor): readonly Uint8Array[] {
  const count = cursor.size();
  if (count === 0) return NO_WITNESS;
  const items: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const length = cursor.size();
    cursor.skip(length);
    items.push(cursor.bytes.subarray(cursor.at - length, cursor.at));
  }
  return items;
}

/** The bytes in shared memory, which goes to other threads as a reference: themselves if they lie there, or a copy. */
export function inSharedMemory(raw: Uint8Array): Uint8Array {
  if (raw.buffer instanceof SharedArrayBuffer) return new Uint8Array(raw.buffer, raw.byteOffset, raw.length);
  const bytes = new Uint8Array(new SharedArrayBuffer(raw.length));
  bytes.set(raw);
  return bytes;
}
