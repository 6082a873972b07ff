// Makes pools and trades over them. Opcode 0, code, fee: the number of the pools' code (2:code) and the fee in
// thousandths, once. Opcode 1, a(2), b(2): a new pool of two assets; its data is the pool's number. Opcode 2, n, n
// pools(2): sends what comes in through the pools one after the other. Opcode 3: the fee.
import {
  callContract,
  cellpackBegin,
  noCheckpoint,
  noParcel,
  parcelAdd,
  parcelBegin,
  returnedTransfer,
  returnedTransfers,
} from '../sdk/calls';
import { appendInputs, contextBegin, incoming, incomingCount, input, opcode } from '../sdk/context';
import { hostSequence, require, revert } from '../sdk/env';
import { allocateBuffer, appendBytes, bufferLength, closeBuffer } from '../sdk/memory';
import { finish, finishEmpty, put, responseBegin, returnIncoming, transfer } from '../sdk/response';
import { get, key } from '../sdk/storage';
import * as u128 from '../sdk/u128';

const CLONE: u64 = 5;
const SWAP: u64 = 2;
const NUMBER: usize = memory.data(16, 8);
const TARGET: usize = memory.data(32, 8);
const ASSET: usize = memory.data(48, 8);

function initialise(): usize {
  const name = key('config');
  require(bufferLength(get(name)) == 0);
  const config = allocateBuffer(0);
  appendInputs(1, 2);
  closeBuffer(config);
  responseBegin();
  put(name, config, 32);
  return finishEmpty();
}

function createPool(config: usize): usize {
  const number = allocateBuffer(16);
  hostSequence(number);
  const parcel = noParcel();
  const checkpoint = noCheckpoint();
  u128.set(TARGET, CLONE, 0);
  u128.copy(TARGET + 16, config);
  const cellpack = cellpackBegin(TARGET);
  appendBytes(u128.zero(), 16);
  appendInputs(1, 4);
  closeBuffer(cellpack);
  callContract(cellpack, parcel, checkpoint);
  responseBegin();
  returnIncoming();
  return finish(number, 16);
}

/** Sends ASSET through a pool; ASSET is what came back. */
function hop(pool: u32): void {
  memory.copy(TARGET, input(pool), 16);
  memory.copy(TARGET + 16, input(pool + 1), 16);
  const parcel = parcelBegin();
  parcelAdd(parcel, ASSET, ASSET + 32);
  closeBuffer(parcel);
  const checkpoint = noCheckpoint();
  u128.set(NUMBER, SWAP, 0);
  const cellpack = cellpackBegin(TARGET);
  appendBytes(NUMBER, 16);
  closeBuffer(cellpack);
  const answer = callContract(cellpack, parcel, checkpoint);
  require(returnedTransfers(answer) == 1);
  memory.copy(ASSET, returnedTransfer(answer, 0), 48);
}

function trade(): usize {
  require(incomingCount() == 1);
  memory.copy(ASSET, incoming(0), 48);
  const count = load<u32>(input(1));
  for (let i: u32 = 0; i < count; i++) hop(2 + 2 * i);
  responseBegin();
  transfer(ASSET, ASSET + 32);
  return finish(ASSET + 32, 16);
}

export function __execute(): usize {
  contextBegin();
  if (opcode() == 0) return initialise();
  const config = get(key('config'));
  require(bufferLength(config) == 32);
  if (opcode() == 1) return createPool(config);
  if (opcode() == 2) return trade();
  if (opcode() != 3) revert();
  responseBegin();
  return finish(config + 16, 16);
}
