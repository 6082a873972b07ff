// A counter: the smallest contract that keeps something.
import { addNumber, finishEmpty, getU128, input, key, opcode, putU128, require, returnIncoming, revertWith, u128 } from 'warpshrew/sdk';

/** Where numbers lie while a message runs: 16 bytes each. */
const VALUE: usize = memory.data(16, 8);

/** Opcode 1: adds the first input. */
function add(): usize {
  const at = key('counter');
  getU128(at, VALUE);
  require(!u128.add(VALUE, VALUE, input(1)), 'the sum is over 128 bits');
  putU128(at, VALUE);
  returnIncoming();
  return finishEmpty();
}

/** Opcode 2: answers the counter. */
function value(): usize {
  getU128(key('counter'), VALUE);
  addNumber(VALUE);
  returnIncoming();
  return finishEmpty();
}

export function __execute(): usize {
  const code = opcode();
  // What a deployment calls if it is given no other inputs.
  if (code == 0) return finishEmpty();
  if (code == 1) return add();
  if (code == 2) return value();
  revertWith('no such opcode');
  return 0;
}
