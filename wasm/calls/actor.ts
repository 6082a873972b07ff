// Does what its inputs say, step by step, for tests: a step is an opcode and its numbers, one input each.
//
//  1 key value: writes, at the end (value 0 deletes)
//  2 key: logs the value
//  3 kind target(2) n n*(id(2) amount) m m*(key value) l l*input: calls (kind 0 call, 1 delegate, 2 static), with a
//    parcel of n assets, a checkpoint of m entries and l inputs; logs the bytes of data that came back, then these
//  4 id(2) amount: transfers
//  5: aborts
//  6: traps
//  7 n: burns fuel
//  8: logs the bytes of the last return data
//  9 who(2) what(2): logs a balance
// 10: logs the sequence number
//
// Anything else is the end. The log is its data.
import {
  callContract,
  cellpackBegin,
  checkpointBegin,
  checkpointPut,
  delegateContract,
  parcelAdd,
  parcelBegin,
  returnedBytes,
  returnedData,
  staticContract,
} from '../sdk/calls';
import { appendInputs, contextBegin, input } from '../sdk/context';
import { hostBalance, hostReturnData, hostSequence, require, revert } from '../sdk/env';
import { allocateBuffer, bufferLength, closeBuffer } from '../sdk/memory';
import { finish, put, responseBegin, transfer } from '../sdk/response';
import { get, keyOf } from '../sdk/storage';
import * as u128 from '../sdk/u128';

const LOG_BYTES: u32 = 24_576;
const LOG: usize = memory.data(24_576, 8);
const NUMBER: usize = memory.data(16, 8);
const ID: usize = memory.data(32, 8);

let logged: u32 = 0;
let returned: usize = 0;

function log(bytes: usize, length: u32): void {
  require(length <= LOG_BYTES - logged);
  memory.copy(LOG + logged, bytes, length);
  logged += length;
}

function logNumber(number: u64): void {
  u128.set(NUMBER, number, 0);
  log(NUMBER, 16);
}

/** A value of 16 bytes, or 0. */
function logValue(buffer: usize): void {
  if (bufferLength(buffer) == 16) log(buffer, 16);
  else logNumber(0);
}

@inline
function small(index: u32): u32 {
  return load<u32>(input(index));
}

/** The 32 bytes of the id in inputs `index` and the next; valid until the next id. */
function idAt(index: u32): usize {
  memory.copy(ID, input(index), 16);
  memory.copy(ID + 16, input(index + 1), 16);
  return ID;
}

function buffer(bytes: usize, length: u32): usize {
  const copy = allocateBuffer(length);
  memory.copy(copy, bytes, length);
  return copy;
}

function makeCall(at: u32): void {
  const triples = at + 5;
  const entries = triples + 3 * small(at + 4) + 1;
  const inputs = entries + 2 * small(entries - 1) + 1;
  const parcel = parcelBegin();
  for (let i = triples; i < entries - 1; i += 3) parcelAdd(parcel, idAt(i), input(i + 2));
  closeBuffer(parcel);
  // Keys are buffers, which are made before the checkpoint that they are copied to.
  const keys = keysOf(entries, inputs - 1);
  const checkpoint = checkpointBegin();
  for (let i = entries, key = keys; i < inputs - 1; i += 2, key += 24) {
    checkpointPut(checkpoint, key, input(i + 1), u128.isZero(input(i + 1)) ? 0 : 16);
  }
  closeBuffer(checkpoint);
  const cellpack = cellpackBegin(idAt(at + 2));
  appendInputs(inputs, small(inputs - 1));
  closeBuffer(cellpack);
  const kind = small(at + 1);
  if (kind == 0) returned = callContract(cellpack, parcel, checkpoint);
  else if (kind == 1) returned = delegateContract(cellpack, parcel, checkpoint);
  else returned = staticContract(cellpack, parcel, checkpoint);
  logNumber(<u64>returnedBytes(returned));
  log(returnedData(returned), returnedBytes(returned));
}

/** The keys of inputs `from` to `to`: buffers of 20 bytes one after the other, with 4 bytes of length in front. */
function keysOf(from: u32, to: u32): usize {
  let first: usize = 0;
  for (let i = from; i < to; i += 2) {
    const key = allocateBuffer(20);
    store<u32>(key - 4, 17);
    store<u8>(key, 0x6b);
    memory.copy(key + 1, input(i), 16);
    if (first == 0) first = key;
  }
  return first;
}

/** Where the step after that at `at` begins; 0 after the last one. */
function next(at: u32): u32 {
  switch (load<u32>(input(at))) {
    case 1:
      return at + 3;
    case 2:
    case 7:
      return at + 2;
    case 3: {
      const entries = at + 6 + 3 * small(at + 4);
      const inputs = entries + 2 * small(entries - 1);
      return inputs + 1 + small(inputs);
    }
    case 4:
      return at + 4;
    case 5:
    case 6:
    case 8:
    case 10:
      return at + 1;
    case 9:
      return at + 5;
    default:
      return 0;
  }
}

function burn(turns: u32): void {
  for (let i = turns; i != 0; i--) store<u32>(NUMBER, load<u32>(NUMBER) + i);
}

function ask(at: u32): void {
  const who = buffer(idAt(at), 32);
  const what = buffer(idAt(at + 2), 32);
  const balance = allocateBuffer(16);
  hostBalance(who, what, balance);
  logValue(balance);
}

function act(at: u32): void {
  switch (load<u32>(input(at))) {
    case 2:
      logValue(get(keyOf('k', input(at + 1))));
      break;
    case 3:
      makeCall(at);
      break;
    case 5:
      revert();
      break;
    case 6:
      unreachable();
      break;
    case 7:
      burn(small(at + 1));
      break;
    case 8: {
      const again = allocateBuffer(returned == 0 ? 0 : bufferLength(returned));
      hostReturnData(again);
      logNumber(<u64>bufferLength(again));
      break;
    }
    case 9:
      ask(at + 1);
      break;
    case 10: {
      const sequence = allocateBuffer(16);
      hostSequence(sequence);
      log(sequence, 16);
      break;
    }
  }
}

export function __execute(): usize {
  contextBegin();
  let last: u32 = 0;
  for (let at: u32 = 0; ; at = last) {
    last = next(at);
    if (last == 0) break;
    act(at);
  }
  const keys = allKeys();
  responseBegin();
  for (let at: u32 = 0; next(at) != 0; at = next(at)) {
    if (load<u32>(input(at)) == 4) transfer(idAt(at + 1), input(at + 3));
  }
  for (let at: u32 = 0, key = keys; next(at) != 0; at = next(at)) {
    if (load<u32>(input(at)) != 1) continue;
    put(key, input(at + 2), u128.isZero(input(at + 2)) ? 0 : 16);
    key += 24;
  }
  return finish(LOG, logged);
}

/** The keys of all writes, one after the other as in `keysOf`. */
function allKeys(): usize {
  let first: usize = 0;
  for (let at: u32 = 0; next(at) != 0; at = next(at)) {
    if (load<u32>(input(at)) != 1) continue;
    const key = keysOf(at + 1, at + 2);
    if (first == 0) first = key;
  }
  return first;
}
