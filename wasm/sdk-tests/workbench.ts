// Every way to misuse the SDK that was found, and its newer functions, one an opcode.
import {
  addData, addNumber, addU64, allocate, allocateBuffer, appendText, balanceOf, blockHeader, blockTime,
  bufferLength, bytesBuffer, closeBuffer, event, finish, finishEmpty, fuelLeft, get, getU64, getU128, has,
  height, incoming, incomingCount, incomingOf, input, inputBuffer, inputU64, isDryRun, key, log, merkleProves,
  opcode, put, putU64, putU128, recordPut, remove, require, responseBegin, returnIncoming, selfId, sequence,
  textBuffer, transaction, transfer, transferOwn, u128, u256,
} from 'warpshrew/sdk';

const A: usize = memory.data(32, 8);
const B: usize = memory.data(32, 8);
const C: usize = memory.data(32, 8);
const D: usize = memory.data(32, 8);
const NUMBER: usize = memory.data(16, 8);

class Point {
  constructor(
    public x: i32,
    public y: i32,
  ) {}
}

function u256Of(out: usize, first: u32): void {
  memory.copy(out, input(first), 16);
  memory.copy(out + 16, input(first + 1), 16);
}

function objects(): usize {
  const seen = new Map<u32, u64>();
  const before = textBuffer('before');
  const points: Point[] = [];
  for (let i: u32 = 0; i < 64; i++) {
    seen.set(i, i);
    points.push(new Point(i, 2 * i));
    key('between');
  }
  let sum: u64 = 0;
  for (let i: u32 = 0; i < 64; i++) sum += seen.get(i) + <u64>points[i].y;
  require(load<u8>(before) == 0x62 && bufferLength(before) == 6, 'a buffer was written over');
  // The context still is what it was.
  addNumber(input(1));
  addU64(sum);
  return finishEmpty();
}

function anyOrder(): usize {
  putU64(key('first'), 1);
  transferOwn(input(1));
  put(key('second'), textBuffer('two'), 3);
  returnIncoming();
  transfer(selfId(), input(2));
  event('done');
  addU64(7);
  remove(key('third'));
  return finishEmpty();
}

function arithmetic(): usize {
  u256Of(A, 2);
  u256Of(B, 4);
  const operation = inputU64(1);
  let flag: bool = false;
  if (operation == 0) flag = u256.add(C, A, B);
  if (operation == 1) flag = u256.subtract(C, A, B);
  if (operation == 2) flag = u256.multiply(C, A, B);
  if (operation == 3) flag = u256.divide(C, D, A, B);
  if (operation == 4) flag = u256.less(A, B);
  addU64(u64(flag));
  addData(C, 32);
  addData(D, 32);
  return finishEmpty();
}

function surroundings(): usize {
  log('hello');
  addU64(height());
  addU64(u64(fuelLeft() > 1000));
  balanceOf(selfId(), selfId(), NUMBER);
  addNumber(NUMBER);
  sequence(NUMBER);
  addNumber(NUMBER);
  addData(blockHeader(), 80);
  addU64(blockTime());
  addU64(bufferLength(transaction()));
  return finishEmpty();
}

export function __execute(): usize {
  const code = opcode();
  if (code == 1) return objects();
  if (code == 2) return anyOrder();
  if (code == 3) {
    const buffer = allocateBuffer(0);
    appendText('open');
    key('in the middle');
    return closeBuffer(buffer);
  }
  if (code == 4) {
    const one = allocateBuffer(0);
    key('another');
    return closeBuffer(one);
  }
  if (code == 5) {
    allocate(8);
    appendText('to nothing');
  }
  if (code == 6) addNumber(incoming(0));
  if (code == 7) while (true) allocateBuffer(1000);
  if (code == 8) {
    const all: Uint8Array[] = [];
    while (true) all.push(new Uint8Array(1000));
  }
  if (code == 9) {
    put(key('odd'), textBuffer('odd'), 3);
    return finishEmpty();
  }
  if (code == 10) addU64(getU64(key('odd')));
  if (code == 11) {
    transferOwn(u128.one());
    responseBegin();
  }
  if (code == 12) throw new Error('thrown by hand');
  if (code == 13) return arithmetic();
  if (code == 14) return surroundings();
  if (code == 15) {
    addU64(u64(merkleProves(inputBuffer(4, 1), inputU64(1), 2, 5, bytesBuffer(inputBuffer(2, 2), 32))));
    return finishEmpty();
  }
  if (code == 16) {
    incomingOf(selfId(), NUMBER);
    addNumber(NUMBER);
    addU64(incomingCount());
    addU64(u64(has(key('odd'))));
    getU128(key('nothing'), NUMBER);
    addNumber(NUMBER);
    if (isDryRun()) recordPut(key('kept'));
    putU128(key('kept'), input(1));
    returnIncoming();
    return finish(get(key('odd')), bufferLength(get(key('odd'))));
  }
  require(code == 0);
  return finishEmpty();
}
