/** What a block changes of the index of addresses: the outputs that it creates and spends, by their scripts. */
import { compactSizeLength } from '../bitcoin/compact-size.js';
import { InternalError } from '../errors/errors.js';
import { binarySlice, readU32, toBinaryString, u32Bytes } from '../util/bytes.js';
import { copyBytes } from '../util/copy-bytes.js';
import { slabAllocator } from '../util/row-bytes.js';
import { sha256 } from '../util/sha256.js';
import {
  HASH_BYTES,
  NO_INPUT,
  OUTPOINT_BYTES,
  readAmount,
  SCRIPT_HEAD_BYTES,
  type Spender,
  UNSPENT_KEY_BYTES,
  type UnspentRow,
  unspentKey,
  unspentRow,
} from './address-rows.js';
import type { Database } from './database.js';
import type { BlockOutputs } from './types.js';

/** Of what an input or an output changes. */
const ROW_BYTES = 200;
const OP_RETURN = 0x6a;
/** A longer script cannot be run. */
const MOST_SCRIPT_BYTES = 10_000;

/** Whether an output with the script in `bytes` from `start` to `end` can never be spent: such ones have no rows. */
export function isUnspendable(bytes: Uint8Array, start: number, end: number): boolean {
  return (end > start && bytes[start] === OP_RETURN) || end - start > MOST_SCRIPT_BYTES;
}

/** An output that the block creates. */
export interface CreatedOutput extends UnspentRow {
  readonly vout: number;
  /** Where the block itself spends it. */
  spender: Spender | undefined;
}

/** An output of an earlier block that the block spends, or loses. */
export interface SpentOutput extends UnspentRow {
  /** As an input names it: 36 bytes. */
  readonly outpoint: Uint8Array;
  readonly spender: Spender;
}

/** What a transaction moves of a script. */
interface Moved {
  readonly script: Uint8Array;
  readonly index: number;
  received: bigint;
  spent: bigint;
}

export interface AddressChanges {
  readonly height: number;
  readonly txids: Uint8Array;
  /** Numbers of the first output of each transaction, and behind the last one the number of all. */
  readonly firstOutput: Uint32Array;
  /** Of each output the first bytes of its script's name; zeros of those that can never be spent. */
  readonly scriptHeads: Uint8Array;
  readonly created: readonly CreatedOutput[];
  readonly spent: readonly SpentOutput[];
  readonly moved: readonly Moved[];
}

/** The part of a commit that the index needs. */
interface AddressedBlock {
  readonly height: number;
  readonly outputs?: BlockOutputs;
}

type Coin = UnspentRow & { readonly created?: CreatedOutput };

/** Finds what blocks change that follow each other and are not stored yet: one may spend what another has made. */
export class AddressIndex {
  /** By outpoint, as far as they have been looked up; undefined: there is no such output, or it is spent. */
  readonly #coins = new Map<string, Coin | undefined>();
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Throws StoreError STORE_CORRUPT if a row cannot be read, InternalError if the block does not tell its outputs. */
  changes({ height, outputs }: AddressedBlock): AddressChanges {
    if (outputs === undefined) throw new InternalError('a block for an index by address does not tell its outputs');
    this.#lookUp(outputs);
    return new BlockWalk(this.#coins, height, outputs).changes();
  }

  /**
   * The outputs that the block spends, and those of the outpoints that it creates: only transactions with the txid of
   * an earlier one find such.
   */
  #lookUp({ raw, firstInput, inputs, scripts, txids, count, firstOutput }: BlockOutputs): void {
    const coins = this.#coins;
    const names: string[] = [];
    const keys: Uint8Array[] = [];
    const allocate = slabAllocator(UNSPENT_KEY_BYTES * (inputs.length + scripts.length / 2));
    const add = (bytes: Uint8Array, at: number, name: string): void => {
      if (coins.has(name)) return;
      coins.set(name, undefined);
      names.push(name);
      keys.push(unspentKey(bytes, at, allocate));
    };
    // The coinbase spends nothing.
    for (let i = firstInput[1]; i < inputs.length; i++) {
      add(raw, inputs[i], binarySlice(raw, inputs[i], inputs[i] + OUTPOINT_BYTES));
    }
    const outpoint = new Uint8Array(OUTPOINT_BYTES);
    for (let tx = 0; tx < count; tx++) {
      outpoint.set(txids.subarray(tx * HASH_BYTES, (tx + 1) * HASH_BYTES));
      for (let i = firstOutput[tx]; i < firstOutput[tx + 1]; i++) {
        if (isUnspendable(raw, scripts[2 * i], scripts[2 * i + 1])) continue;
        outpoint.set(u32Bytes(i - firstOutput[tx]), HASH_BYTES);
        add(outpoint, 0, toBinaryString(outpoint));
      }
    }
    this.#database.getMany('addresses', keys).forEach((value, i) => {
      if (value !== undefined) coins.set(names[i], unspentRow(value));
    });
  }
}

/** Goes through one block. */
class BlockWalk {
  readonly #created: CreatedOutput[] = [];
  readonly #spent: SpentOutput[] = [];
  readonly #moved: Moved[] = [];
  readonly #scriptHeads: Uint8Array;
  /** Of the transaction under way, by script. */
  readonly #byScript = new Map<string, Moved>();
  readonly #coins: Map<string, Coin | undefined>;
  readonly #height: number;
  readonly #block: BlockOutputs;

  constructor(coins: Map<string, Coin | undefined>, height: number, block: BlockOutputs) {
    this.#coins = coins;
    this.#height = height;
    this.#block = block;
    this.#scriptHeads = new Uint8Array((block.scripts.length / 2) * SCRIPT_HEAD_BYTES);
  }

  changes(): AddressChanges {
    for (let tx = 0; tx < this.#block.count; tx++) {
      this.#byScript.clear();
      if (tx > 0) this.#inputsOf(tx);
      this.#outputsOf(tx);
    }
    const { txids, firstOutput } = this.#block;
    const [created, spent, moved, scriptHeads] = [this.#created, this.#spent, this.#moved, this.#scriptHeads];
    return { height: this.#height, txids, firstOutput, scriptHeads, created, spent, moved };
  }

  #inputsOf(tx: number): void {
    const { raw, inputs, firstInput } = this.#block;
    for (let i = firstInput[tx]; i < firstInput[tx + 1]; i++) {
      const at = inputs[i];
      this.#spend(binarySlice(raw, at, at + OUTPOINT_BYTES), raw, at, tx, i - firstInput[tx]);
    }
  }

  /** The output of the outpoint at `at` of `bytes`, if it is known. */
  #spend(name: string, bytes: Uint8Array, at: number, index: number, vin: number): void {
    const coin = this.#coins.get(name);
    if (coin === undefined) return;
    this.#coins.set(name, undefined);
    const spender = { height: this.#height, index, vin };
    this.#movedOf(coin.script, index).spent += coin.amount;
    if (coin.created !== undefined && coin.height === this.#height) coin.created.spender = spender;
    else {
      const { script, height, amount } = coin;
      const outpoint = bytes.slice(at, at + OUTPOINT_BYTES);
      this.#spent.push({ script, height, index: coin.index, amount, outpoint, spender });
    }
  }

  #outputsOf(index: number): void {
    const { raw, scripts, firstOutput, txids } = this.#block;
    const outpoint = new Uint8Array(OUTPOINT_BYTES);
    outpoint.set(txids.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES));
    for (let i = firstOutput[index]; i < firstOutput[index + 1]; i++) {
      const [start, end] = [scripts[2 * i], scripts[2 * i + 1]];
      if (isUnspendable(raw, start, end)) continue;
      const vout = i - firstOutput[index];
      outpoint.set(u32Bytes(vout), HASH_BYTES);
      const name = toBinaryString(outpoint);
      // An output of an earlier transaction with this txid is lost.
      this.#spend(name, outpoint, 0, index, NO_INPUT);
      const script = sha256(raw.subarray(start, end));
      copyBytes(script, 0, SCRIPT_HEAD_BYTES, this.#scriptHeads, i * SCRIPT_HEAD_BYTES);
      const amount = readAmount(raw, start - compactSizeLength(end - start) - 8);
      const created: CreatedOutput = { script, height: this.#height, index, vout, amount, spender: undefined };
      this.#created.push(created);
      this.#coins.set(name, { script, height: this.#height, index, amount, created });
      this.#movedOf(script, index).received += amount;
    }
  }

  #movedOf(script: Uint8Array, index: number): Moved {
    const name = toBinaryString(script);
    let moved = this.#byScript.get(name);
    if (moved === undefined) {
      moved = { script, index, received: 0n, spent: 0n };
      this.#byScript.set(name, moved);
      this.#moved.push(moved);
    }
    return moved;
  }
}

/** Bytes of rows that a block may have in the index, about: for what is kept of several. */
export function addressBytes({ raw, inputs, scripts }: BlockOutputs): number {
  return raw.length + ROW_BYTES * (inputs.length + scripts.length);
}

/** The number of an output, from its outpoint. */
export function voutOf(outpoint: Uint8Array): number {
  return readU32(outpoint, HASH_BYTES);
}
