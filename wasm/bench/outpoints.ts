// An indexer with as many tables as address indexers have, and without reads ahead: it flushes 40,000 to 58,000 pairs
// for a full block. For measurements: nothing reads what it writes.
//   t txid -> height, place      h height place -> txid
//   o txid vout -> value, script, then nothing once it is spent
//   x txid vout -> script hash, number      a hash -> count      a hash number -> outpoint      v hash -> balance
//   p outpoint -> txid, vin      i txid vin -> outpoint
import { inputsOf, isListed, outputsOf, readBlock, scriptHashOf, transactionCount, txidOf } from '../indexers/block';
import { buffer, lengthOf } from '../indexers/arena';
import { hostLength, loadInput } from '../indexers/host';
import { seek, take, takeCount } from '../indexers/reader';
import { flush, get, set } from '../indexers/state';

const KEY: usize = memory.data(48, 4);
const VALUE: usize = memory.data(48, 4);
const OUTPOINT: usize = memory.data(36, 4);
const SCRIPT_BYTES: u32 = 10_000;
const OUTPUT: usize = memory.data(10_008, 8);

/** The key of a table: its letter, then `length` bytes. */
function keyOf(letter: u8, bytes: usize, length: u32): usize {
  store<u8>(KEY, letter);
  memory.copy(KEY + 1, bytes, length);
  return KEY;
}

/** Adds to the balance of a script; it wraps below zero, where what came in was before the first block. */
function addToBalance(hash: usize, amount: u64): void {
  const key = keyOf(0x76, hash, 32);
  const known = get(key, 33);
  store<u64>(VALUE, amount + (lengthOf(known) == 8 ? load<u64>(known) : 0));
  set(key, 33, VALUE, 8);
}

/** Writes an output, and lists it under its script. `OUTPOINT` is its own. */
function addOutput(value: u64, script: usize, length: u32, hash: usize): void {
  const kept = min(length, SCRIPT_BYTES);
  store<u64>(OUTPUT, value);
  memory.copy(OUTPUT + 8, script, kept);
  set(keyOf(0x6f, OUTPOINT, 36), 37, OUTPUT, kept + 8);
  const known = get(keyOf(0x61, hash, 32), 33);
  const count: u32 = lengthOf(known) == 4 ? load<u32>(known) : 0;
  store<u32>(VALUE, count + 1);
  set(KEY, 33, VALUE, 4);
  store<u32>(KEY + 33, count);
  set(KEY, 37, OUTPOINT, 36);
  memory.copy(VALUE, hash, 32);
  store<u32>(VALUE, count, 32);
  set(keyOf(0x78, OUTPOINT, 36), 37, VALUE, 36);
  addToBalance(hash, value);
}

/** Marks an outpoint as spent by input `vin` of a transaction. */
function spend(outpoint: usize, txid: usize, vin: u32): void {
  memory.copy(VALUE, txid, 32);
  store<u32>(VALUE, vin, 32);
  set(keyOf(0x70, outpoint, 36), 37, VALUE, 36);
  set(keyOf(0x69, VALUE, 36), 37, outpoint, 36);
  const output = get(keyOf(0x6f, outpoint, 36), 37);
  if (lengthOf(output) < 8) return;
  const value = load<u64>(output);
  set(KEY, 37, 0, 0);
  const place = get(keyOf(0x78, outpoint, 36), 37);
  if (lengthOf(place) == 36) addToBalance(place, 0 - value);
}

function addTransaction(height: u32, index: u32): void {
  store<u32>(VALUE, height);
  store<u32>(VALUE, index, 4);
  set(keyOf(0x74, txidOf(index), 32), 33, VALUE, 8);
  set(keyOf(0x68, VALUE, 8), 9, txidOf(index), 32);
}

function spendInputs(index: u32): void {
  seek(inputsOf(index));
  const count = <u32>takeCount();
  for (let vin: u32 = 0; vin < count; vin++) {
    spend(take(36), txidOf(index), vin);
    take(takeCount());
    take(4);
  }
}

/** `output`: place of the transaction's first output in the block. Returns that of the next transaction's. */
function addOutputs(index: u32, output: u32): u32 {
  seek(outputsOf(index));
  const count = <u32>takeCount();
  memory.copy(OUTPOINT, txidOf(index), 32);
  for (let vout: u32 = 0; vout < count; vout++, output++) {
    const value = load<u64>(take(8));
    const length = <u32>takeCount();
    const script = take(length);
    store<u32>(OUTPOINT, vout, 32);
    if (isListed(script, length)) addOutput(value, script, length, scriptHashOf(output));
  }
  return output;
}

export function _start(): void {
  const block = buffer(hostLength());
  loadInput(block);
  readBlock(block + 84, block + lengthOf(block));
  let output: u32 = 0;
  for (let i: u32 = 0; i < transactionCount; i++) {
    addTransaction(load<u32>(block), i);
    if (i != 0) spendInputs(i);
    output = addOutputs(i, output);
  }
  flush();
}
