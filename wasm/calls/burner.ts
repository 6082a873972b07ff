// Burns fuel. Opcode 1, n: n turns of a loop. Opcode 2: until there is none. Opcode 3, n: n turns, then the rest by a
// call of itself. Opcode 4, n: calls itself n times, which does nothing.
import { callContract, cellpackBegin, noCheckpoint, noParcel } from '../sdk/calls';
import { contextBegin, input, opcode, selfId } from '../sdk/context';
import { require } from '../sdk/env';
import { appendBytes, closeBuffer } from '../sdk/memory';
import { finishEmpty, responseBegin, returnIncoming } from '../sdk/response';
import * as u128 from '../sdk/u128';

const NUMBER: usize = memory.data(16, 8);

function burn(turns: u32): void {
  for (let i = turns; i != 0; i--) store<u32>(NUMBER, load<u32>(NUMBER) + i);
}

function endless(): void {
  while (true) store<u32>(NUMBER, load<u32>(NUMBER) + 1);
}

function callSelf(what: u32): void {
  const parcel = noParcel();
  const checkpoint = noCheckpoint();
  u128.set(NUMBER, <u64>what, 0);
  const cellpack = cellpackBegin(selfId());
  appendBytes(NUMBER, 16);
  closeBuffer(cellpack);
  callContract(cellpack, parcel, checkpoint);
}

export function __execute(): usize {
  contextBegin();
  const what = opcode();
  require(what <= 4);
  if (what == 1 || what == 3) burn(load<u32>(input(1)));
  if (what == 2) endless();
  if (what == 3) callSelf(2);
  if (what == 4) for (let i = load<u32>(input(1)); i != 0; i--) callSelf(0);
  responseBegin();
  returnIncoming();
  return finishEmpty();
}
