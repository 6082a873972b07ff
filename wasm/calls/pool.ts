// Holds two assets and exchanges one for the other. Opcode 0, a(2), b(2): the assets, once; whoever calls is its
// factory. Opcode 1: keeps what comes in and mints its own asset, one for each unit of a. Opcode 2: what comes in is a
// or b; gives the other for it, less the factory's fee in thousandths, which it asks the factory for. Opcode 3: both
// balances.
import { cellpackBegin, noCheckpoint, noParcel, returnedBytes, returnedData, staticContract } from '../sdk/calls';
import { callerId, contextBegin, incoming, incomingCount, input, opcode, sameId, selfId } from '../sdk/context';
import { hostBalance, require, revert } from '../sdk/env';
import { mulDiv } from '../sdk/intrinsics';
import { allocateBuffer, appendBytes, bufferLength, closeBuffer } from '../sdk/memory';
import { finish, finishEmpty, put, responseBegin, transfer, transferOwn } from '../sdk/response';
import { get, key } from '../sdk/storage';
import * as u128 from '../sdk/u128';

/** Assets a and b, then the factory. */
const CONFIG_BYTES: u32 = 96;
const FEE_OF_FACTORY: u64 = 3;
const NUMBER: usize = memory.data(16, 8);
const IN: usize = memory.data(16, 8);
const OUT: usize = memory.data(16, 8);
const SUM: usize = memory.data(16, 8);
const RESERVES: usize = memory.data(32, 8);

function buffer(bytes: usize, length: u32): usize {
  const copy = allocateBuffer(length);
  memory.copy(copy, bytes, length);
  return copy;
}

/** The balance of the asset, which has what came in already, to `out`. */
function balanceOf(asset: usize, out: usize): void {
  const who = buffer(selfId(), 32);
  const what = buffer(asset, 32);
  const found = allocateBuffer(16);
  hostBalance(who, what, found);
  if (bufferLength(found) == 16) u128.copy(out, found);
  else u128.set(out, 0, 0);
}

function initialise(): usize {
  const name = key('config');
  require(bufferLength(get(name)) == 0);
  const config = allocateBuffer(0);
  for (let i: u32 = 1; i <= 4; i++) appendBytes(input(i), 16);
  appendBytes(callerId(), 32);
  closeBuffer(config);
  responseBegin();
  put(name, config, CONFIG_BYTES);
  return finishEmpty();
}

/** The fee of the factory in thousandths. */
function askFee(factory: usize): u32 {
  const parcel = noParcel();
  const checkpoint = noCheckpoint();
  u128.set(NUMBER, FEE_OF_FACTORY, 0);
  const cellpack = cellpackBegin(factory);
  appendBytes(NUMBER, 16);
  closeBuffer(cellpack);
  const answer = staticContract(cellpack, parcel, checkpoint);
  require(returnedBytes(answer) == 16);
  const fee = load<u32>(returnedData(answer));
  require(fee <= 1_000);
  return fee;
}

function addLiquidity(config: usize): usize {
  require(incomingCount() == 2 && sameId(incoming(0), config) && sameId(incoming(1), config + 32));
  responseBegin();
  transferOwn(incoming(0) + 32);
  return finishEmpty();
}

function swap(config: usize): usize {
  require(incomingCount() == 1);
  const isA = sameId(incoming(0), config);
  require(isA || sameId(incoming(0), config + 32));
  const other = isA ? config + 32 : config;
  u128.set(NUMBER, <u64>(1_000 - askFee(config + 64)), 0);
  u128.set(SUM, 1_000, 0);
  require(mulDiv(IN, incoming(0) + 32, NUMBER, SUM));
  // out = reserve of the other * in / (reserve before + in).
  balanceOf(incoming(0), SUM);
  u128.subtract(SUM, SUM, incoming(0) + 32);
  require(!u128.add(SUM, SUM, IN));
  balanceOf(other, OUT);
  require(mulDiv(OUT, OUT, IN, SUM));
  responseBegin();
  transfer(other, OUT);
  return finish(OUT, 16);
}

function reserves(config: usize): usize {
  balanceOf(config, RESERVES);
  balanceOf(config + 32, RESERVES + 16);
  responseBegin();
  return finish(RESERVES, 32);
}

export function __execute(): usize {
  contextBegin();
  if (opcode() == 0) return initialise();
  const config = get(key('config'));
  require(bufferLength(config) == CONFIG_BYTES);
  if (opcode() == 1) return addLiquidity(config);
  if (opcode() == 2) return swap(config);
  if (opcode() == 3) return reserves(config);
  revert();
  return 0;
}
