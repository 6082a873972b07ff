// Where everything in a block lies, with the hash of every transaction and script: hashed together, four at a time.
import { reserve } from './arena';
import { addMessage, beginMessages, hashMessages } from './hashes';
import { openReader, position, remaining, seek, take, takeCount } from './reader';
import { hashDigests } from '../native/digests';

/** Fewest bytes of a transaction. */
const LEAST_TRANSACTION: u64 = 10;
/** OP_RETURN. */
const RETURN: u8 = 0x6a;

// A row of the table of transactions: addresses of its version, its inputs and outputs (at their counts), of what
// follows the outputs, and of its lock time.
const ROW: usize = 20;
const INPUTS: usize = 4;
const OUTPUTS: usize = 8;
const OUTPUTS_END: usize = 12;
const LOCK_TIME: usize = 16;

let rows: usize = 0;
let txids: usize = 0;
let scriptHashes: usize = 0;
let outputCount: u32 = 0;

/** Number of transactions. */
export let transactionCount: u32 = 0;

/** Begin of the inputs of transaction `index`, at their count. */
@inline
export function inputsOf(index: u32): usize {
  return load<u32>(rows + <usize>index * ROW, INPUTS);
}

/** Begin of the outputs of transaction `index`, at their count. */
@inline
export function outputsOf(index: u32): usize {
  return load<u32>(rows + <usize>index * ROW, OUTPUTS);
}

/** Txid of transaction `index`, wire order. */
@inline
export function txidOf(index: u32): usize {
  return txids + (<usize>index << 5);
}

/** SHA-256 of the script of the output with this place in the block; not there for what {@link isListed} excludes. */
@inline
export function scriptHashOf(output: u32): usize {
  return scriptHashes + (<usize>output << 5);
}

/** Whether an output with this script can ever be spent. */
@inline
export function isListed(script: usize, length: u32): bool {
  return length == 0 || load<u8>(script) != RETURN;
}

/** Reads the block from `from` (after its header) to `to`, and hashes what is asked for. */
export function readBlock(from: usize, to: usize): void {
  openReader(from, to);
  const count = takeCount();
  if (count > <u64>remaining() / LEAST_TRANSACTION) unreachable();
  transactionCount = <u32>count;
  rows = reserve(transactionCount * <u32>ROW);
  txids = reserve(transactionCount << 5);
  outputCount = 0;
  beginMessages();
  for (let i: u32 = 0; i < transactionCount; i++) {
    readTransaction(rows + <usize>i * ROW);
    addTransaction(i);
  }
  hashMessages();
  hashDigests(txids, transactionCount);
  hashScripts();
}

function skipInputs(): u64 {
  const count = takeCount();
  for (let i: u64 = 0; i < count; i++) {
    take(36);
    take(takeCount());
    take(4);
  }
  return count;
}

function skipOutputs(): void {
  const count = takeCount();
  for (let i: u64 = 0; i < count; i++) {
    take(8);
    take(takeCount());
  }
  // Each took nine bytes or more.
  outputCount += <u32>count;
}

/** Reads the transaction here, legacy or segwit, into its row, and moves past it. */
function readTransaction(row: usize): void {
  store<u32>(row, <u32>take(4));
  // A segwit transaction has a zero where a legacy one has its number of inputs, then a flag.
  const marker = take(2);
  const segwit = load<u8>(marker) == 0 && load<u8>(marker, 1) != 0;
  if (!segwit) seek(marker);
  store<u32>(row, <u32>position(), INPUTS);
  const inputs = skipInputs();
  store<u32>(row, <u32>position(), OUTPUTS);
  skipOutputs();
  store<u32>(row, <u32>position(), OUTPUTS_END);
  if (segwit) {
    for (let i: u64 = 0; i < inputs; i++) {
      const items = takeCount();
      for (let k: u64 = 0; k < items; k++) take(takeCount());
    }
  }
  store<u32>(row, <u32>take(4), LOCK_TIME);
}

/** The message of a txid leaves out marker, flag and witnesses. */
function addTransaction(index: u32): void {
  const row = rows + <usize>index * ROW;
  const inputs = <usize>load<u32>(row, INPUTS);
  const inner = load<u32>(row, OUTPUTS_END) - <u32>inputs;
  const message = addMessage(inner + 8, txidOf(index));
  store<u32>(message, load<u32>(load<u32>(row)));
  memory.copy(message + 4, inputs, inner);
  store<u32>(message + 4 + inner, load<u32>(load<u32>(row, LOCK_TIME)));
}

function hashScripts(): void {
  scriptHashes = reserve(outputCount << 5);
  let output: u32 = 0;
  beginMessages();
  for (let i: u32 = 0; i < transactionCount; i++) {
    seek(outputsOf(i));
    const count = <u32>takeCount();
    for (let k: u32 = 0; k < count; k++, output++) {
      take(8);
      const length = <u32>takeCount();
      const script = take(length);
      if (isListed(script, length)) memory.copy(addMessage(length, scriptHashOf(output)), script, length);
    }
  }
  hashMessages();
}
