// The default standard module: blocks, transactions and spendable outputs. docs/programs.md says what it keeps.
import { sha256 } from '../sdk/sha256';
import { buffer, lengthOf } from './arena';
import { hostLength, loadInput } from './host';
import { inputsOf, isListed, outputsOf, readBlock, scriptHashOf, transactionCount, txidOf } from './block';
import { seek, take, takeCount } from './reader';
import {
  addOutput,
  ENTRY_BYTES,
  entryAt,
  listLength,
  selectScript,
  spendOutput,
  wantLastOf,
  wantLength,
  wantListOf,
  wantRecord,
} from './spendable';
import { flush, get, isKnown, listWanted, note, readListed, set } from './state';

/** `tip`; `b` height; `t` txid. */
const TIP_KEY: usize = memory.data<u8>([0x74, 0x69, 0x70]);
const BLOCK_KEY: usize = memory.data(8, 4);
const TX_KEY: usize = memory.data(36, 4);
const TX_KEY_BYTES: u32 = 33;
const BLOCK_BYTES: u32 = 112;
const BLOCK: usize = memory.data(112, 4);
const OUTPOINT: usize = memory.data(36, 4);
const NUMBER: usize = memory.data(4, 4);
const NOTHING: usize = memory.data<u32>([0, 0], 4);

/** The input, once it is loaded and read. */
let block: usize = 0;
/** Calls of {@link __read_ahead}. */
let rounds: u32 = 0;

/** Loads the input: u32 height, then the payload. */
function input(): usize {
  const at = buffer(hostLength());
  loadInput(at);
  return at;
}

@inline
function noBytes(): usize {
  return NOTHING + 4;
}

function blockKey(height: u32): usize {
  store<u8>(BLOCK_KEY, 0x62);
  store<u32>(BLOCK_KEY + 1, height);
  return BLOCK_KEY;
}

function txKey(txid: usize): usize {
  store<u8>(TX_KEY, 0x74);
  memory.copy(TX_KEY + 1, txid, 32);
  return TX_KEY;
}

function spendInputs(transaction: u32): void {
  seek(inputsOf(transaction));
  const count = takeCount();
  for (let i: u64 = 0; i < count; i++) {
    spendOutput(take(36));
    take(takeCount());
    take(4);
  }
}

/** `output`: place of the transaction's first output in the block. Returns that of the next transaction's. */
function listOutputs(transaction: u32, output: u32): u32 {
  seek(outputsOf(transaction));
  const count = <u32>takeCount();
  memory.copy(OUTPOINT, txidOf(transaction), 32);
  for (let i: u32 = 0; i < count; i++, output++) {
    const value = load<u64>(take(8));
    const length = <u32>takeCount();
    const script = take(length);
    store<u32>(OUTPOINT, i, 32);
    // Before BIP34 two coinbases could have the same txid; the later one counts.
    if (transaction == 0) spendOutput(OUTPOINT);
    if (isListed(script, length)) addOutput(OUTPOINT, scriptHashOf(output), value);
  }
  return output;
}

/** Loads and reads the block, once. */
function loadBlock(): void {
  if (block != 0) return;
  block = input();
  const end = block + lengthOf(block);
  const header = block + 4;
  if (end - header < 80) unreachable();
  readBlock(header + 80, end);
}

/**
 * What {@link _start} is going to read, for hosts that read many keys at once: a protobuf list of keys, with each call
 * those that the values of the list before lead to. Called in the same instance, until the list is empty.
 */
export function __read_ahead(): usize {
  loadBlock();
  readListed();
  if (rounds == 0) wantOwn();
  else if (rounds == 1) wantSpent(wantListOf);
  else if (rounds == 2) wantSpent(wantLastOf);
  rounds++;
  return listWanted();
}

/** Wants the lists of the block's outputs and the records of what it spends of earlier blocks. */
function wantOwn(): void {
  let output: u32 = 0;
  for (let i: u32 = 0; i < transactionCount; i++) {
    note(txKey(txidOf(i)), TX_KEY_BYTES);
    if (i != 0) wantSpentBy(i, wantRecord);
    seek(outputsOf(i));
    const count = <u32>takeCount();
    for (let k: u32 = 0; k < count; k++, output++) {
      take(8);
      const length = <u32>takeCount();
      if (isListed(take(length), length)) wantLength(scriptHashOf(output));
    }
  }
}

function wantSpent(wanted: (outpoint: usize) => void): void {
  for (let i: u32 = 1; i < transactionCount; i++) wantSpentBy(i, wanted);
}

function wantSpentBy(transaction: u32, wanted: (outpoint: usize) => void): void {
  seek(inputsOf(transaction));
  const count = takeCount();
  for (let i: u64 = 0; i < count; i++) {
    const outpoint = take(36);
    // What the block itself made is not stored yet.
    if (!isKnown(txKey(outpoint), TX_KEY_BYTES)) wanted(outpoint);
    take(takeCount());
    take(4);
  }
}

/** Indexes a block. */
export function _start(): void {
  loadBlock();
  const height = load<u32>(block);
  const header = block + 4;
  sha256(header, 80, BLOCK);
  sha256(BLOCK, 32, BLOCK);
  memory.copy(BLOCK + 32, header, 80);
  set(blockKey(height), 5, BLOCK, BLOCK_BYTES);
  store<u32>(NUMBER, height);
  set(TIP_KEY, 3, NUMBER, 4);

  let output: u32 = 0;
  for (let i: u32 = 0; i < transactionCount; i++) {
    set(txKey(txidOf(i)), TX_KEY_BYTES, NUMBER, 4);
    if (i != 0) spendInputs(i);
    // The coins of the genesis block do not exist.
    if (height != 0) output = listOutputs(i, output);
  }
  flush();
}

export function blockbyheight(): usize {
  const at = input();
  return lengthOf(at) == 8 ? get(blockKey(load<u32>(at, 4)), 5) : noBytes();
}

export function txheight(): usize {
  const at = input();
  return lengthOf(at) == 36 ? get(txKey(at + 4), TX_KEY_BYTES) : noBytes();
}

export function tipheight(): usize {
  return get(TIP_KEY, 3);
}

export function spendables(): usize {
  const at = input();
  selectScript(at + 4, lengthOf(at) - 4);
  const length = listLength();
  const out = buffer(length * ENTRY_BYTES);
  for (let i: u32 = 0; i < length; i++) {
    const entry = entryAt(i);
    if (lengthOf(entry) != ENTRY_BYTES) unreachable();
    memory.copy(out + i * ENTRY_BYTES, entry, ENTRY_BYTES);
  }
  return out;
}
