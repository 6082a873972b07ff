// Calls itself as deep as it is told. Opcode 1, n: counts in its storage, then calls itself with n - 1 unless n is 0;
// its data is the number of calls below it. Opcode 2, n: the same by static calls, which leave nothing.
import {
  callContract,
  cellpackBegin,
  checkpointBegin,
  checkpointPut,
  noParcel,
  returnedData,
  staticContract,
} from '../sdk/calls';
import { contextBegin, input, opcode, selfId } from '../sdk/context';
import { require } from '../sdk/env';
import { appendBytes, bufferLength, closeBuffer } from '../sdk/memory';
import { finish, finishEmpty, responseBegin, returnIncoming } from '../sdk/response';
import { get, key } from '../sdk/storage';
import * as u128 from '../sdk/u128';

const COUNT: usize = memory.data(16, 8);
const LEFT: usize = memory.data(16, 8);
const BELOW: usize = memory.data(16, 8);

function deeper(isStatic: bool): void {
  const name = key('calls');
  const stored = get(name);
  if (bufferLength(stored) == 16) u128.copy(COUNT, stored);
  u128.add(COUNT, COUNT, u128.one());
  // Nothing of the result is applied before the calls below have ended.
  const checkpoint = checkpointBegin();
  checkpointPut(checkpoint, name, COUNT, 16);
  closeBuffer(checkpoint);
  const parcel = noParcel();
  u128.subtract(LEFT, input(1), u128.one());
  const cellpack = cellpackBegin(selfId());
  appendBytes(input(0), 16);
  appendBytes(LEFT, 16);
  closeBuffer(cellpack);
  const returned = isStatic
    ? staticContract(cellpack, parcel, checkpoint)
    : callContract(cellpack, parcel, checkpoint);
  u128.add(BELOW, returnedData(returned), u128.one());
}

export function __execute(): usize {
  contextBegin();
  const what = opcode();
  require(what <= 2);
  if (what != 0 && !u128.isZero(input(1))) deeper(what == 2);
  responseBegin();
  returnIncoming();
  return what == 0 ? finishEmpty() : finish(BELOW, 16);
}
