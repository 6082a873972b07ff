// Constant-product pools, several in one contract. docs/programs.md, "amm". Every rounding favours the pool.
import { contextBegin, incoming, incomingCount, input, opcode, sameId } from '../sdk/context';
import { require, revert } from '../sdk/env';
import { bufferLength } from '../sdk/memory';
import { finish, finishEmpty, put, responseBegin, returnIncoming, transfer } from '../sdk/response';
import { get, keyOf, keyOfTwo } from '../sdk/storage';
import * as u128 from '../sdk/u128';

const POOL_BYTES: u32 = 128;
const POOL: usize = memory.data(128, 8);
const ID_A: usize = POOL;
const ID_B: usize = POOL + 32;
const RESERVE_A: usize = POOL + 64;
const RESERVE_B: usize = POOL + 80;
const SHARES: usize = POOL + 96;
const FEE: usize = POOL + 112;

const BASIS: usize = memory.data<u64>([10000, 0], 8);
const FIRST: usize = memory.data(16, 8);
const SECOND: usize = memory.data(16, 8);
const THIRD: usize = memory.data(16, 8);
const OWNED: usize = memory.data(16, 8);

/** Adds or reverts. */
function sum(out: usize, a: usize, b: usize): void {
  require(!u128.add(out, a, b));
}

/** Subtracts or reverts. */
function difference(out: usize, a: usize, b: usize): void {
  require(!u128.subtract(out, a, b));
}

/** out = a · b / c rounded down or up, or reverts. */
function ratio(out: usize, a: usize, b: usize, c: usize, up: bool): void {
  require(u128.multiplyDivide(out, a, b, c, up));
}

/** Loads the pool named by input 1 and gives its key; reverts if there is none. */
function loadPool(): usize {
  const name = keyOf('pool/', input(1));
  const value = get(name);
  require(bufferLength(value) == POOL_BYTES);
  memory.copy(POOL, value, POOL_BYTES);
  return name;
}

function createPool(): usize {
  const name = keyOf('pool/', input(1));
  require(bufferLength(get(name)) == 0);
  for (let i: u32 = 0; i < 4; i++) u128.copy(POOL + (i << 4), input(2 + i));
  u128.copy(FEE, input(6));
  require(!sameId(ID_A, ID_B) && u128.less(FEE, BASIS));
  responseBegin();
  returnIncoming();
  put(name, POOL, POOL_BYTES);
  return finishEmpty();
}

/** Shares for the amounts at `a` and `b` into FIRST; what the pool takes of each into SECOND and THIRD. */
function priceDeposit(a: usize, b: usize): void {
  if (u128.isZero(SHARES)) {
    u128.copy(FIRST, a);
    u128.copy(SECOND, a);
    u128.copy(THIRD, b);
    return;
  }
  // Two quotients, of which the smaller one counts. If one exceeds 128 bits, the other one is the smaller.
  const fitsA = u128.multiplyDivide(FIRST, a, SHARES, RESERVE_A, false);
  const fitsB = u128.multiplyDivide(SECOND, b, SHARES, RESERVE_B, false);
  require(fitsA || fitsB);
  if (!fitsA || (fitsB && u128.less(SECOND, FIRST))) u128.copy(FIRST, SECOND);
  ratio(SECOND, FIRST, RESERVE_A, SHARES, true);
  ratio(THIRD, FIRST, RESERVE_B, SHARES, true);
}

function addLiquidity(): usize {
  const name = loadPool();
  require(incomingCount() == 2);
  // Incoming assets come ordered by id, the pool's need not be.
  const flipped = !sameId(incoming(0), ID_A);
  const assetA = incoming(<u32>flipped);
  const assetB = incoming(1 - <u32>flipped);
  require(sameId(assetA, ID_A) && sameId(assetB, ID_B));
  const amountA = assetA + 32;
  const amountB = assetB + 32;
  priceDeposit(amountA, amountB);
  require(!u128.isZero(FIRST) && !u128.less(FIRST, input(3)));

  const share = keyOfTwo('share/', input(1), input(2));
  const owned = get(share);
  if (bufferLength(owned) == 16) u128.copy(OWNED, owned);
  sum(OWNED, OWNED, FIRST);
  sum(SHARES, SHARES, FIRST);
  sum(RESERVE_A, RESERVE_A, SECOND);
  sum(RESERVE_B, RESERVE_B, THIRD);
  difference(SECOND, amountA, SECOND);
  difference(THIRD, amountB, THIRD);
  responseBegin();
  if (!u128.isZero(SECOND)) transfer(ID_A, SECOND);
  if (!u128.isZero(THIRD)) transfer(ID_B, THIRD);
  put(name, POOL, POOL_BYTES);
  put(share, OWNED, 16);
  return finish(FIRST, 16);
}

function swap(): usize {
  const name = loadPool();
  require(incomingCount() == 1);
  const asset = incoming(0);
  const amount = asset + 32;
  const fromA = sameId(asset, ID_A);
  require(fromA || sameId(asset, ID_B));
  const reserveIn = fromA ? RESERVE_A : RESERVE_B;
  const reserveOut = fromA ? RESERVE_B : RESERVE_A;

  ratio(FIRST, amount, FEE, BASIS, true);
  difference(FIRST, amount, FIRST);
  sum(SECOND, reserveIn, FIRST);
  // An empty pool divides by the incoming amount alone and gives 0, which reverts below.
  ratio(THIRD, reserveOut, FIRST, SECOND, false);
  require(!u128.isZero(THIRD) && !u128.less(THIRD, input(2)));
  sum(reserveIn, reserveIn, amount);
  difference(reserveOut, reserveOut, THIRD);
  responseBegin();
  transfer(fromA ? ID_B : ID_A, THIRD);
  put(name, POOL, POOL_BYTES);
  return finish(THIRD, 16);
}

function answer(data: usize): usize {
  responseBegin();
  returnIncoming();
  return finish(data, bufferLength(data));
}

export function __execute(): usize {
  contextBegin();
  const code = opcode();
  if (code == 3) return swap();
  if (code == 2) return addLiquidity();
  if (code == 1) return createPool();
  if (code == 4) return answer(get(keyOf('pool/', input(1))));
  if (code == 5) return answer(get(keyOfTwo('share/', input(1), input(2))));
  if (code == 0) {
    responseBegin();
    returnIncoming();
    return finishEmpty();
  }
  revert();
  return 0;
}
