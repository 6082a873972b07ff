// The other half of a re-entrant pair: when the bank pays it, it asks to be paid again. Opcode 0, bank(2), times: whom
// to rob, and how often, once. Opcode 1: deposits what comes in. Opcode 2, asset(2), safe: asks for its deposit. Opcode
// 7, by the bank: asks again, as often as it was told. Opcode 3, asset(2), amount: sends what it has.
import {
  callContract,
  cellpackBegin,
  checkpointBegin,
  checkpointPut,
  noCheckpoint,
  noParcel,
  parcelAdd,
  parcelBegin,
} from '../sdk/calls';
import { appendInputs, callerId, contextBegin, incoming, incomingCount, input, opcode, sameId } from '../sdk/context';
import { require, revert } from '../sdk/env';
import { allocateBuffer, appendBytes, bufferLength, closeBuffer } from '../sdk/memory';
import { finishEmpty, put, responseBegin, transfer } from '../sdk/response';
import { get, key } from '../sdk/storage';
import * as u128 from '../sdk/u128';

const NUMBER: usize = memory.data(16, 8);
const ASSET: usize = memory.data(32, 8);
/** Bank (2), turns left, then asset (2) and safe as they were asked for. */
const STATE_BYTES: u32 = 96;

function done(): usize {
  responseBegin();
  return finishEmpty();
}

function initialise(): usize {
  const name = key('state');
  require(bufferLength(get(name)) == 0);
  const state = allocateBuffer(0);
  appendInputs(1, 3);
  for (let i = 0; i < 3; i++) appendBytes(u128.zero(), 16);
  closeBuffer(state);
  responseBegin();
  put(name, state, STATE_BYTES);
  return finishEmpty();
}

function deposit(state: usize): usize {
  const parcel = parcelBegin();
  for (let i: u32 = 0; i < incomingCount(); i++) parcelAdd(parcel, incoming(i), incoming(i) + 32);
  closeBuffer(parcel);
  const checkpoint = noCheckpoint();
  const cellpack = cellpackBegin(state);
  appendBytes(u128.one(), 16);
  closeBuffer(cellpack);
  callContract(cellpack, parcel, checkpoint);
  return done();
}

/** Asks the bank for the deposit; what is asked for is remembered, with a turn less. */
function ask(state: usize): usize {
  u128.subtract(state + 32, state + 32, u128.one());
  const name = key('state');
  const checkpoint = checkpointBegin();
  checkpointPut(checkpoint, name, state, STATE_BYTES);
  closeBuffer(checkpoint);
  const parcel = noParcel();
  u128.set(NUMBER, 2, 0);
  const cellpack = cellpackBegin(state);
  appendBytes(NUMBER, 16);
  appendBytes(state + 48, 48);
  closeBuffer(cellpack);
  callContract(cellpack, parcel, checkpoint);
  return done();
}

export function __execute(): usize {
  contextBegin();
  if (opcode() == 0) return initialise();
  const state = get(key('state'));
  require(bufferLength(state) == STATE_BYTES);
  if (opcode() == 1) return deposit(state);
  if (opcode() == 2) {
    for (let i: u32 = 0; i < 3; i++) memory.copy(state + 48 + 16 * i, input(1 + i), 16);
    return ask(state);
  }
  if (opcode() == 7) {
    require(sameId(callerId(), state));
    return u128.isZero(state + 32) ? done() : ask(state);
  }
  if (opcode() != 3) revert();
  memory.copy(ASSET, input(1), 16);
  memory.copy(ASSET + 16, input(2), 16);
  responseBegin();
  transfer(ASSET, input(3));
  return finishEmpty();
}
