// A token that anyone mints, so much a call, up to a cap. Its asset has the id of the contract.
import { addData, addNumber, event, finishEmpty, getU128, has, input, key, opcode, putU128, require } from 'warpshrew/sdk';
import { returnIncoming, revertWith, textBuffer, bufferLength, transferOwn, u128 } from 'warpshrew/sdk';

const CAP: usize = memory.data(16, 8);
const EACH: usize = memory.data(16, 8);
const MINTED: usize = memory.data(16, 8);
const SUPPLY: usize = memory.data(16, 8);

/** Opcode 0, once: how often it can be minted, and how much a mint gives. */
function initialise(): usize {
  require(!has(key('cap')), 'it is initialised');
  u128.copy(CAP, input(1));
  u128.copy(EACH, input(2));
  require(u128.multiply(SUPPLY, CAP, EACH), 'the supply would be over 128 bits');
  putU128(key('cap'), CAP);
  putU128(key('each'), EACH);
  returnIncoming();
  return finishEmpty();
}

/** Opcode 77: a mint. Every mint reads and writes `minted`: they run one after the other. */
function mint(): usize {
  require(has(key('cap')), 'it is not initialised');
  const minted = key('minted');
  getU128(key('cap'), CAP);
  getU128(key('each'), EACH);
  getU128(minted, MINTED);
  require(u128.less(MINTED, CAP), 'all is minted');
  u128.add(MINTED, MINTED, u128.one());
  putU128(minted, MINTED);
  transferOwn(EACH);
  returnIncoming();
  event('mint');
  addNumber(MINTED);
  return finishEmpty();
}

/** Opcode 101: how much there is. */
function supply(): usize {
  getU128(key('minted'), MINTED);
  getU128(key('each'), EACH);
  u128.multiply(SUPPLY, MINTED, EACH);
  addNumber(SUPPLY);
  returnIncoming();
  return finishEmpty();
}

/** Opcode 99: its name. */
function name(): usize {
  const text = textBuffer('token');
  addData(text, bufferLength(text));
  returnIncoming();
  return finishEmpty();
}

export function __execute(): usize {
  const code = opcode();
  if (code == 0) return initialise();
  if (code == 77) return mint();
  if (code == 99) return name();
  if (code == 101) return supply();
  revertWith('no such opcode');
  return 0;
}
