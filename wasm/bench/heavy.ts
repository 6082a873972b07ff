// A contract for the benchmarks: heavy calls that all change one counter, or each one of its own.
import { contextBegin, input, opcode } from '../sdk/context';
import { revert } from '../sdk/env';
import { bufferLength } from '../sdk/memory';
import { finish, put, responseBegin } from '../sdk/response';
import { get, keyOf } from '../sdk/storage';
import * as u128 from '../sdk/u128';

const NUMBER: usize = memory.data(16, 8);
const BURNT: usize = memory.data(16, 8);

/** Loops `input 2` times, then adds 1 to counter `input 1`; data: what the loop made. */
function burnAndCount(): usize {
  let state: u64 = 0x9e3779b97f4a7c15;
  for (let i = load<u32>(input(2)); i != 0; i--) state = rotl(state, 7) * 0x2545f4914f6cdd1d + <u64>i;
  u128.set(BURNT, state, 0);
  const name = keyOf('ctr/', input(1));
  const value = get(name);
  if (bufferLength(value) == 16) u128.copy(NUMBER, value);
  else u128.set(NUMBER, 0, 0);
  u128.add(NUMBER, NUMBER, u128.one());
  responseBegin();
  put(name, NUMBER, 16);
  return finish(BURNT, 16);
}

export function __execute(): usize {
  contextBegin();
  if (opcode() == 4) return burnAndCount();
  revert();
  return 0;
}
