// Capped free mint: one hot counter. docs/programs.md, "mint".
import { contextBegin, input, opcode } from '../sdk/context';
import { require, revert } from '../sdk/env';
import { bufferLength, textBuffer } from '../sdk/memory';
import { finish, finishEmpty, put, responseBegin, returnIncoming, transferOwn } from '../sdk/response';
import { get, key } from '../sdk/storage';
import * as u128 from '../sdk/u128';

/** The value of `config`: cap, value per mint. */
const CONFIG: usize = memory.data(32, 8);
const NUMBER: usize = memory.data(16, 8);

function initialise(): usize {
  const config = key('config');
  require(bufferLength(get(config)) == 0);
  const minted = key('minted');
  u128.copy(CONFIG, input(1));
  u128.copy(CONFIG + 16, input(2));
  require(u128.multiply(NUMBER, CONFIG, CONFIG + 16));
  u128.set(NUMBER, 0, 0);
  responseBegin();
  returnIncoming();
  put(config, CONFIG, 32);
  put(minted, NUMBER, 16);
  return finishEmpty();
}

/** Loads the configuration (zeros if there is none). True if it is there. */
function loadConfig(): bool {
  const value = get(key('config'));
  if (bufferLength(value) != 32) return false;
  memory.copy(CONFIG, value, 32);
  return true;
}

/** The value of `minted` into NUMBER. */
function loadMinted(name: usize): void {
  const value = get(name);
  if (bufferLength(value) == 16) u128.copy(NUMBER, value);
}

function mint(): usize {
  require(loadConfig());
  const minted = key('minted');
  loadMinted(minted);
  require(u128.less(NUMBER, CONFIG));
  // Cannot overflow: minted < cap.
  u128.add(NUMBER, NUMBER, u128.one());
  responseBegin();
  returnIncoming();
  transferOwn(CONFIG + 16);
  put(minted, NUMBER, 16);
  return finishEmpty();
}

function answer(data: usize, length: u32): usize {
  responseBegin();
  returnIncoming();
  return finish(data, length);
}

function answerText(text: string): usize {
  const data = textBuffer(text);
  return answer(data, bufferLength(data));
}

function answerNumber(code: u32): usize {
  loadConfig();
  if (code == 102) return answer(CONFIG, 16);
  if (code == 104) return answer(CONFIG + 16, 16);
  loadMinted(key('minted'));
  if (code == 101) u128.multiply(NUMBER, NUMBER, CONFIG + 16);
  return answer(NUMBER, 16);
}

export function __execute(): usize {
  contextBegin();
  const code = opcode();
  if (code == 77) return mint();
  if (code == 0) return initialise();
  if (code == 99) return answerText('mint');
  if (code == 100) return answerText('MINT');
  if (code >= 101 && code <= 104) return answerNumber(code);
  revert();
  return 0;
}
