// What surrounds a message: fuel, height, transaction, block, balances, and texts for whoever looks.
import { staticContract } from './calls';
import { cellpackBegin, noCheckpoint, noParcel, returnedData } from './calls';
import { hostBalance, hostSequence, loadTransactionInto, requestTransaction } from './env';
import { allocateBuffer, bufferLength, closeBuffer, textBuffer } from './memory';
import * as u128 from './u128';

@external('env', '__fuel')
declare function hostFuel(out: usize): void;
@external('env', '__height')
declare function hostHeight(out: usize): void;
@external('env', '__log')
declare function hostLog(text: usize): void;

/** A buffer of 8 bytes with its length word before it. */
const WORD: usize = memory.data<u32>([8, 0, 0], 8) + 4;
/** The same of 16. */
const NUMBER: usize = memory.data<u32>([16, 0, 0, 0, 0], 8) + 4;
/** Two ids of 32 bytes, likewise. */
const WHO: usize = memory.data<u32>([32, 0, 0, 0, 0, 0, 0, 0, 0], 8) + 4;
const WHAT: usize = memory.data<u32>([32, 0, 0, 0, 0, 0, 0, 0, 0], 8) + 4;
/** The id of the built-in that gives the header of the block. */
const HEADER: usize = memory.data<u64>([800000000, 0, 0, 0], 8);
const HEADER_BYTES: u32 = 80;

/** Fuel that is left after this call. */
export function fuelLeft(): u64 {
  hostFuel(WORD);
  return load<u64>(WORD);
}

/** The height of the block. */
export function height(): u64 {
  hostHeight(WORD);
  return load<u64>(WORD);
}

/** The next number of a creation into the 16 bytes at `out`. */
export function sequence(out: usize): void {
  hostSequence(NUMBER);
  u128.copy(out, NUMBER);
}

/** What the contract with the 32-byte id `who` holds of the asset with the 32-byte id `what`, into `out`. */
export function balanceOf(who: usize, what: usize, out: usize): void {
  memory.copy(WHO, who, 32);
  memory.copy(WHAT, what, 32);
  hostBalance(WHO, WHAT, NUMBER);
  if (bufferLength(NUMBER) == 16) u128.copy(out, NUMBER);
  else u128.set(out, 0, 0);
}

/** A buffer with the transaction around the message, with witnesses: it may be larger than memory. */
export function transaction(): usize {
  const buffer = allocateBuffer(requestTransaction());
  loadTransactionInto(buffer);
  return buffer;
}

/**
 * The 80 bytes of the block's header. It is a call of a built-in: a contract that uses it runs on the CPU, never in the
 * kernel.
 */
export function blockHeader(): usize {
  const cellpack = closeBuffer(cellpackBegin(HEADER));
  return returnedData(staticContract(cellpack, noParcel(), noCheckpoint()));
}

/** Seconds in the header of the block. It runs on the CPU, as `blockHeader` does. */
export function blockTime(): u32 {
  return load<u32>(blockHeader(), HEADER_BYTES - 12);
}

/** Puts an ASCII literal into the receipt: it changes nothing. */
export function log(text: string): void {
  hostLog(textBuffer(text));
}

/** The same for a buffer. */
export function logBuffer(text: usize): void {
  hostLog(text);
}
