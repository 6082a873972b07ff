// One behaviour per opcode, for tests and fixtures. docs/programs.md, "probe".
import { contextBegin, input, opcode, selfId } from '../sdk/context';
import { abortAndReturn, hostBalance, hostSequence, isDryRun, recordGet, recordPut, require, revert } from '../sdk/env';
import { allocateBuffer, appendBytes, bufferLength, closeBuffer, textBuffer } from '../sdk/memory';
import { finish, finishEmpty, put, reserve, responseBegin, returnIncoming, transfer } from '../sdk/response';
import { get, key, keyOf } from '../sdk/storage';
import * as u128 from '../sdk/u128';

const NUMBER: usize = memory.data(16, 8);
const OTHER: usize = memory.data(16, 8);
const RESULT: usize = memory.data(32, 8);

@inline
function small(index: u32): u32 {
  return load<u32>(input(index));
}

/** A u128 value into `out`; an absent one is 0. */
function loadNumber(name: usize, out: usize): void {
  const value = get(name);
  if (bufferLength(value) == 16) u128.copy(out, value);
  else u128.set(out, 0, 0);
}

function nothing(): usize {
  responseBegin();
  return finishEmpty();
}

function write(name: usize, value: usize, length: u32): usize {
  responseBegin();
  put(name, value, length);
  return finishEmpty();
}

function answerNumber(value: u64): usize {
  u128.set(NUMBER, value, 0);
  responseBegin();
  return finish(NUMBER, 16);
}

function increment(): usize {
  const name = keyOf('ctr/', input(1));
  loadNumber(name, NUMBER);
  u128.add(NUMBER, NUMBER, u128.one());
  responseBegin();
  put(name, NUMBER, 16);
  return finish(NUMBER, 16);
}

function follow(): usize {
  loadNumber(keyOf('ptr/', input(1)), RESULT);
  const name = keyOf('ctr/', RESULT);
  loadNumber(name, RESULT + 16);
  u128.add(RESULT + 16, RESULT + 16, u128.one());
  responseBegin();
  put(name, RESULT + 16, 16);
  return finish(RESULT, 32);
}

function large(): usize {
  const length = small(1);
  require(length <= 100000 && u128.high(input(1)) == 0 && u128.low(input(1)) >> 32 == 0);
  const name = keyOf('big/', input(2));
  // Straight into the result, so that memory holds the value once.
  responseBegin();
  const value = reserve(name, length);
  for (let i: u32 = 0; i < length; i++) store<u8>(value + i, <u8>i);
  return finishEmpty();
}

function send(): usize {
  responseBegin();
  u128.copy(RESULT, input(1));
  u128.copy(RESULT + 16, input(2));
  transfer(RESULT, input(3));
  return finishEmpty();
}

function burn(): usize {
  let state: u64 = 0x9e3779b97f4a7c15;
  for (let i = small(1); i != 0; i--) state = rotl(state, 7) * 0x2545f4914f6cdd1d + <u64>i;
  return answerNumber(state);
}

function readMany(): usize {
  const count = small(1);
  u128.set(RESULT, 0, 0);
  for (let i: u32 = 0; i < count; i++) {
    u128.set(OTHER, <u64>i, 0);
    loadNumber(keyOf('ctr/', OTHER), NUMBER);
    u128.add(RESULT, RESULT, NUMBER);
  }
  responseBegin();
  return finish(RESULT, 16);
}

function ask(): usize {
  const who = allocateBuffer(0);
  appendBytes(selfId(), 32);
  closeBuffer(who);
  const what = allocateBuffer(0);
  appendBytes(input(1), 16);
  appendBytes(input(2), 16);
  closeBuffer(what);
  const balance = allocateBuffer(16);
  const sequence = allocateBuffer(16);
  hostSequence(sequence);
  hostBalance(who, what, balance);
  const first = key('bal');
  const second = key('seq');
  responseBegin();
  put(first, balance, bufferLength(balance));
  put(second, sequence, bufferLength(sequence));
  return finishEmpty();
}

function writeAndDelete(): usize {
  const deleted = keyOf('ctr/', input(2));
  const kept = keyOf('slot/', input(1));
  responseBegin();
  put(deleted, 0, 0);
  put(kept, u128.one(), 16);
  return finishEmpty();
}

function declareOnly(): usize {
  if (!isDryRun()) return increment();
  const first = keyOf('ctr/', input(1));
  const second = keyOf('ctr/', input(2));
  recordGet(first);
  recordPut(first);
  recordGet(second);
  recordPut(second);
  return nothing();
}

function notAnError(): usize {
  const text = textBuffer('????not an error');
  store<u32>(text, 0xa079c308);
  responseBegin();
  return finish(text, bufferLength(text));
}

function endless(): usize {
  let turns: u32 = 1;
  // Stored, so that the loop is not optimised away.
  while (true) store<u32>(NUMBER, turns++);
}

export function __execute(): usize {
  contextBegin();
  switch (opcode()) {
    case 0:
    case 15:
      return nothing();
    case 1:
      revert();
      break;
    case 2:
      unreachable();
      break;
    case 3:
      return endless();
    case 4:
      return increment();
    case 5:
      return write(keyOf('ptr/', input(1)), input(2), 16);
    case 6:
      return follow();
    case 7:
      return <usize>small(1);
    case 8:
      return large();
    case 9:
      return send();
    case 10:
      return burn();
    case 11:
      responseBegin();
      returnIncoming();
      return finishEmpty();
    case 12:
      return answerNumber(1000000 / u128.low(input(1)));
    case 13:
      return answerNumber(<u64>load<u32>(0xffff0000 + <usize>(small(1) & 0xffff)));
    case 14:
      return readMany();
    case 16:
      return ask();
    case 17:
      return writeAndDelete();
    case 18:
      return declareOnly();
    case 19:
      return notAnError();
    case 20:
      abortAndReturn();
      return endless();
    case 21:
      return write(keyOf('ctr/', input(1)), input(2), 16);
    default:
      break;
  }
  revert();
  return 0;
}
