/**
 * The index by address: what its rows say of each other, and that undo data names what its block did. That they are
 * those of the blocks cannot be told, as these are not stored.
 */
import { bytesEqual, readU32, toBinaryString } from '../../util/bytes.js';
import { newBytes } from '../../util/row-bytes.js';
import { AddressLists } from '../address-lists.js';
import {
  ADDRESS_TAGS,
  type AddressOutput,
  HASH_BYTES,
  historyRowKey,
  moveRow,
  NO_INPUT,
  OUTPOINT_BYTES,
  OUTPUT_KEY_BYTES,
  outputKey,
  outputRow,
  PAGE_TXIDS,
  placeOfTransaction,
  SCRIPT_HEAD_BYTES,
  transactionKey,
  txidsKey,
  UNSPENT_KEY_BYTES,
  type UnspentRow,
  unspentKey,
  unspentRow,
  unspentValue,
} from '../address-rows.js';
import { AddressTxids } from '../address-txids.js';
import { addressUndoRows, decodeAddressUndo, isAddressUndoKey } from '../address-undo.js';
import type { Range, Row } from '../database.js';
import { readBeU32 } from '../keys.js';
import { type CheckRun, gaps } from './run.js';

/** Transactions of a script whose sums are held against its outputs one by one: of more, only all together. */
const MOST_MOVES = 100_000;

const range = (tag: number): Range => ({ gte: Uint8Array.of(tag), lt: Uint8Array.of(tag + 1) });

/** What the outputs say of each height. */
class Counts {
  readonly created: Uint32Array;
  readonly spent: Uint32Array;
  unspent = 0;

  constructor(
    readonly first: number,
    last: number,
  ) {
    this.created = new Uint32Array(Math.max(0, last - first + 1));
    this.spent = new Uint32Array(this.created.length);
  }
}

/** `kept`: whether the database says that it has the index. */
export function checkAddresses(run: CheckRun, kept: boolean): void {
  if (!kept) {
    for (const [key] of run.rocks.scan('addresses')) report(run, 'a row of an index that the database has not', key);
    for (const [key] of run.rocks.scan('undo')) {
      if (isAddressUndoKey(key)) report(run, 'undo data of an index that the database has not', key);
    }
    return;
  }
  const transactions = checkTxids(run);
  const counts = checkOutputs(run);
  checkTransactions(run, transactions, counts);
  checkUnspent(run, counts.unspent);
  checkUndo(run, counts);
  for (const range of gaps(Object.values(ADDRESS_TAGS))) {
    for (const [key] of run.rocks.scan('addresses', range)) report(run, 'a row of no known kind', key);
  }
}

function report(run: CheckRun, what: string, key: Uint8Array, height?: number): void {
  run.report('CHECK_ADDRESS_INDEX', what, { key, ...(height !== undefined && { height }) });
}

/** Every block has pages of txids, all full but the last. Returns how many there are. */
function checkTxids(run: CheckRun): number {
  let height = run.first;
  let page = 0;
  let isLast = false;
  let transactions = 0;
  for (const [key, value] of run.rocks.scan('addresses', range(ADDRESS_TAGS.txids))) {
    run.saw('addresses');
    if (!bytesEqual(key, txidsKey(height, page)) && page > 0) [height, page, isLast] = [height + 1, 0, false];
    const count = value.length / HASH_BYTES;
    const isFull = count === PAGE_TXIDS;
    const fits = bytesEqual(key, txidsKey(height, page)) && !isLast && run.covers(height);
    if (!fits || !Number.isInteger(count) || count < 1 || count > PAGE_TXIDS) {
      report(run, 'a page of txids that does not follow from the one before', new Uint8Array(key), height);
      if (key.length === 9) height = readBeU32(key, 1);
    }
    isLast = !isFull;
    page++;
    transactions += count;
  }
  const last = page === 0 ? height - 1 : height;
  if (last !== run.last) report(run, 'the pages of txids end', txidsKey(last, 0), last);
  return transactions;
}

/** Every transaction and every output is found by its txid, so equal numbers leave no other. */
function checkTransactions(run: CheckRun, expected: number, { created }: Counts): void {
  const txids = new AddressTxids(run.rocks);
  const lists = new AddressLists(run.rocks);
  let transactions = 0;
  let outputs = 0;
  for (const [row, heads] of run.rocks.scan('addresses', range(ADDRESS_TAGS.transaction))) {
    run.saw('addresses');
    const key = new Uint8Array(row);
    const place = attempt(() => placeOfTransaction(key));
    const txid = place && txids.at(place.height, place.index);
    if (place === undefined || txid === undefined) {
      report(run, 'a transaction that is not there is found by its txid', key);
      continue;
    }
    if (bytesEqual(key, transactionKey(txid, 0, place.height, place.index))) transactions++;
    for (let at = 0; at < heads.length; at += SCRIPT_HEAD_BYTES) {
      const head = heads.slice(at, at + SCRIPT_HEAD_BYTES);
      const isThere = attempt(() => lists.outputAt(place, at / SCRIPT_HEAD_BYTES, head)) !== undefined;
      if (isThere) outputs++;
      else if (head.some((byte) => byte !== 0)) report(run, 'an output that is not there is found by its txid', key);
    }
  }
  const first = Uint8Array.of(ADDRESS_TAGS.transaction);
  if (transactions !== expected) report(run, 'not every transaction is found by its txid', first);
  if (outputs !== created.reduce((sum, count) => sum + count, 0)) {
    report(run, 'not every output is found by its txid', first);
  }
}

/** Outputs and the transactions of their scripts, script by script. */
function checkOutputs(run: CheckRun): Counts {
  const counts = new Counts(run.first, run.last);
  const moves = new ScriptMoves(run);
  const txids = new AddressTxids(run.rocks);
  let script: Uint8Array | undefined;
  for (const row of run.rocks.scan('addresses', range(ADDRESS_TAGS.output))) {
    run.saw('addresses');
    const key = new Uint8Array(row[0]);
    const output = attempt(() => outputRow(row));
    if (output === undefined) {
      report(run, 'an output that cannot be read', key);
      continue;
    }
    const of = key.slice(1, 1 + HASH_BYTES);
    if (!bytesEqual(of, script)) {
      if (script !== undefined) moves.end(script);
      script = of;
    }
    checkOutput(run, counts, txids, key, output);
    moves.add(output);
  }
  if (script !== undefined) moves.end(script);
  moves.endAll();
  return counts;
}

function checkOutput(run: CheckRun, counts: Counts, txids: AddressTxids, key: Uint8Array, output: AddressOutput): void {
  const { height, index, vout, spender } = output;
  const txid = run.covers(height) ? txids.at(height, index) : undefined;
  if (txid === undefined) {
    report(run, 'an output of a transaction that is not there', key, height);
    return;
  }
  counts.created[height - counts.first]++;
  if (spender === undefined) {
    counts.unspent++;
    const outpoint = new Uint8Array(OUTPOINT_BYTES);
    outpoint.set(txid);
    new DataView(outpoint.buffer).setUint32(HASH_BYTES, vout, true);
    const wanted = unspentValue({ ...output, script: key.subarray(1, 1 + HASH_BYTES) }, newBytes);
    if (bytesEqual(run.rocks.get('addresses', unspentKey(outpoint, 0)), wanted)) return;
    report(run, 'an unspent output is not found by its outpoint', key, height);
    return;
  }
  const { height: at, index: by, vin } = spender;
  const follows = at > height || (at === height && (by > index || (by === index && vin === NO_INPUT)));
  if (follows && run.covers(at) && txids.at(at, by) !== undefined) counts.spent[at - counts.first]++;
  else report(run, 'an output that was spent where no transaction could spend it', key, height);
}

interface Sums {
  received: bigint;
  spent: bigint;
}

/** Holds the rows of the transactions of a script against its outputs. */
class ScriptMoves {
  #sums = new Map<string, Sums>();
  #total: Sums = { received: 0n, spent: 0n };
  #isLarge = false;
  readonly #run: CheckRun;
  readonly #rows: Generator<Row, void, void>;
  #row: IteratorResult<Row, void>;

  constructor(run: CheckRun) {
    this.#run = run;
    this.#rows = run.rocks.scan('addresses', range(ADDRESS_TAGS.history));
    this.#row = this.#rows.next();
  }

  add({ height, index, amount, spender }: AddressOutput): void {
    this.#total.received += amount;
    this.#of(height, index).received += amount;
    if (spender === undefined) return;
    this.#total.spent += amount;
    this.#of(spender.height, spender.index).spent += amount;
  }

  /** All outputs of a script were added. */
  end(script: Uint8Array): void {
    const left = this.#total;
    for (; !this.#row.done; this.#row = this.#rows.next()) {
      const key = new Uint8Array(this.#row.value[0]);
      const order = Buffer.compare(key.subarray(1, 1 + HASH_BYTES), script);
      if (order > 0) break;
      this.#run.saw('addresses');
      const move = attempt(() => moveRow([key, this.#row.value?.[1] ?? key]));
      if (order < 0 || move === undefined) {
        report(this.#run, 'a transaction of a script without outputs, or one that cannot be read', key);
        continue;
      }
      left.received -= move.received;
      left.spent -= move.spent;
      if (this.#isLarge) continue;
      const name = nameOf(move.height, move.index);
      const sums = this.#sums.get(name);
      this.#sums.delete(name);
      if (sums?.received !== move.received || sums.spent !== move.spent) {
        report(this.#run, 'a transaction does not move what the outputs of the script say', key, move.height);
      }
    }
    const isWrong = left.received !== 0n || left.spent !== 0n || (!this.#isLarge && this.#sums.size > 0);
    if (isWrong)
      report(this.#run, 'the transactions of a script are not those of its outputs', historyRowKey(script, 0, 0));
    this.#sums = new Map();
    this.#total = { received: 0n, spent: 0n };
    this.#isLarge = false;
  }

  /** No script comes any more. */
  endAll(): void {
    for (; !this.#row.done; this.#row = this.#rows.next()) {
      this.#run.saw('addresses');
      report(this.#run, 'a transaction of a script without outputs', new Uint8Array(this.#row.value[0]));
    }
  }

  #of(height: number, index: number): Sums {
    if (this.#sums.size > MOST_MOVES) {
      this.#isLarge = true;
      this.#sums = new Map();
    }
    const name = this.#isLarge ? '' : nameOf(height, index);
    let sums = this.#sums.get(name);
    if (sums === undefined) {
      sums = { received: 0n, spent: 0n };
      this.#sums.set(name, sums);
    }
    return sums;
  }
}

const nameOf = (height: number, index: number): string => `${height}/${index}`;

/** Every unspent output has its row, so equal numbers leave no other. */
function checkUnspent(run: CheckRun, expected: number): void {
  let count = 0;
  for (const _ of run.rocks.scan('addresses', range(ADDRESS_TAGS.unspent))) {
    run.saw('addresses');
    count++;
  }
  if (count === expected) return;
  for (const [key, value] of run.rocks.scan('addresses', range(ADDRESS_TAGS.unspent))) {
    const coin = attempt(() => unspentRow(value));
    const isThere = coin !== undefined && key.length === UNSPENT_KEY_BYTES && isUnspent(run, key, coin);
    if (!isThere) report(run, 'an outpoint of an output that is spent, or is not there', new Uint8Array(key));
  }
}

function isUnspent(run: CheckRun, key: Uint8Array, { script, height, index, amount }: UnspentRow): boolean {
  const row = outputKey(script, height, index, readU32(key, 1 + HASH_BYTES));
  const value = run.rocks.get('addresses', row);
  const output = value && attempt(() => outputRow([row, value]));
  return output !== undefined && output.spender === undefined && output.amount === amount;
}

/** Undo data of a block names the outputs that it created and spent; `counts`: how many there are. */
function checkUndo(run: CheckRun, counts: Counts): void {
  const txids = new AddressTxids(run.rocks);
  for (let height = run.first; height <= run.last; height++) {
    const key = txidsKey(height, 0);
    if (run.rocks.get('undo', key.subarray(1, 5)) === undefined) continue;
    run.saw('addresses');
    const named = { created: new Set<string>(), spent: new Set<string>() };
    const isRead = attempt(() => {
      for (const row of addressUndoRows(run.rocks, height)) {
        const { created, spent } = decodeAddressUndo(height, row);
        for (const { script, index, vout, spentBy } of created) {
          const at = outputKey(script, height, index, vout);
          const output = outputAt(run, at);
          const own = output?.spender?.height === height ? output.spender.index : undefined;
          if (output !== undefined && own === spentBy) named.created.add(toBinaryString(at));
        }
        for (const { script, height: made, index, outpoint, spentBy, amount } of spent) {
          const at = outputKey(script, made, index, readU32(outpoint, HASH_BYTES));
          const output = outputAt(run, at);
          const isSame = output?.spender?.height === height && output.spender.index === spentBy;
          const txid = txids.at(made, index);
          const isNamed = bytesEqual(txid, outpoint.subarray(0, HASH_BYTES));
          if (isSame && isNamed && output.amount === amount && made < height) named.spent.add(toBinaryString(at));
        }
      }
      return true;
    });
    const at = height - counts.first;
    const ownSpends = [...named.created].filter(
      (name) => outputAt(run, Buffer.from(name, 'latin1'))?.spender?.height === height,
    );
    const isWhole =
      named.created.size === counts.created[at] && named.spent.size + ownSpends.length === counts.spent[at];
    if (isRead !== true || !isWhole) report(run, 'undo data does not name what its block did', key, height);
  }
}

function outputAt(run: CheckRun, key: Uint8Array): AddressOutput | undefined {
  const value = key.length === OUTPUT_KEY_BYTES ? run.rocks.get('addresses', key) : undefined;
  return value && attempt(() => outputRow([key, value]));
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
