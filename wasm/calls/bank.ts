// Keeps what depositors bring and pays it back by calling them: one half of a re-entrant pair. Opcode 1: what comes in
// of one asset is added to the deposit of the caller. Opcode 2, asset(2), safe: pays the caller's deposit in that asset
// to the caller, by a call with opcode 7; with `safe` the deposit is gone before that call (a checkpoint), without only
// at the end. Opcode 3, who(2): the deposit.
import { callContract, cellpackBegin, checkpointBegin, checkpointPut, parcelAdd, parcelBegin } from '../sdk/calls';
import { callerId, contextBegin, incoming, incomingCount, input, opcode } from '../sdk/context';
import { require, revert } from '../sdk/env';
import { appendBytes, bufferLength, closeBuffer } from '../sdk/memory';
import { finish, finishEmpty, put, responseBegin } from '../sdk/response';
import { get, keyOfTwo } from '../sdk/storage';
import * as u128 from '../sdk/u128';

const PAID: u64 = 7;
const NUMBER: usize = memory.data(16, 8);
const ASSET: usize = memory.data(32, 8);
const DEPOSIT: usize = memory.data(16, 8);

function depositOf(name: usize): void {
  const stored = get(name);
  if (bufferLength(stored) == 16) u128.copy(DEPOSIT, stored);
  else u128.set(DEPOSIT, 0, 0);
}

function deposit(name: usize): usize {
  require(incomingCount() == 1);
  depositOf(name);
  require(!u128.add(DEPOSIT, DEPOSIT, incoming(0) + 32));
  responseBegin();
  put(name, DEPOSIT, 16);
  return finishEmpty();
}

function payBack(name: usize): usize {
  depositOf(name);
  require(!u128.isZero(DEPOSIT));
  memory.copy(ASSET, input(1), 16);
  memory.copy(ASSET + 16, input(2), 16);
  const checkpoint = checkpointBegin();
  if (!u128.isZero(input(3))) checkpointPut(checkpoint, name, 0, 0);
  closeBuffer(checkpoint);
  const parcel = parcelBegin();
  parcelAdd(parcel, ASSET, DEPOSIT);
  closeBuffer(parcel);
  u128.set(NUMBER, PAID, 0);
  const cellpack = cellpackBegin(callerId());
  appendBytes(NUMBER, 16);
  closeBuffer(cellpack);
  callContract(cellpack, parcel, checkpoint);
  responseBegin();
  put(name, 0, 0);
  return finishEmpty();
}

export function __execute(): usize {
  contextBegin();
  if (opcode() == 0) {
    responseBegin();
    return finishEmpty();
  }
  const name = opcode() == 3 ? keyOfTwo('of/', input(1), input(2)) : keyOfTwo('of/', callerId(), callerId() + 16);
  if (opcode() == 1) return deposit(name);
  if (opcode() == 2) return payBack(name);
  if (opcode() != 3) revert();
  depositOf(name);
  responseBegin();
  return finish(DEPOSIT, 16);
}
