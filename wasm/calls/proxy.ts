// Runs the code of another contract on its own storage. Opcode 0, id(2): sets the code, once. Opcode 36863, id(2): sets
// other code; only by the contract that was called as the first one set it. Any other: delegated, with what came in.
import {
  cellpackBegin,
  delegateContract,
  noCheckpoint,
  parcelAdd,
  parcelBegin,
  returnedBytes,
  returnedData,
  returnedTransfer,
  returnedTransfers,
} from '../sdk/calls';
import {
  appendInputs,
  callerId,
  contextBegin,
  incoming,
  incomingCount,
  input,
  inputCount,
  opcode,
  sameId,
} from '../sdk/context';
import { require } from '../sdk/env';
import { allocateBuffer, appendBytes, bufferLength, closeBuffer } from '../sdk/memory';
import { finish, finishEmpty, put, responseBegin, returnIncoming, transfer } from '../sdk/response';
import { get, key } from '../sdk/storage';

const UPGRADE: u32 = 36_863;

/** Code and owner, 32 bytes each. */
function setCode(owner: usize): usize {
  const value = allocateBuffer(0);
  appendBytes(input(1), 16);
  appendBytes(input(2), 16);
  appendBytes(owner, 32);
  closeBuffer(value);
  const name = key('/proxy');
  responseBegin();
  returnIncoming();
  put(name, value, 64);
  return finishEmpty();
}

function forward(code: usize): usize {
  const parcel = parcelBegin();
  for (let i: u32 = 0; i < incomingCount(); i++) parcelAdd(parcel, incoming(i), incoming(i) + 32);
  closeBuffer(parcel);
  const checkpoint = noCheckpoint();
  const cellpack = cellpackBegin(code);
  appendInputs(0, inputCount());
  closeBuffer(cellpack);
  const answer = delegateContract(cellpack, parcel, checkpoint);
  responseBegin();
  for (let i: u32 = 0; i < returnedTransfers(answer); i++) {
    transfer(returnedTransfer(answer, i), returnedTransfer(answer, i) + 32);
  }
  return finish(returnedData(answer), returnedBytes(answer));
}

export function __execute(): usize {
  contextBegin();
  const stored = get(key('/proxy'));
  if (opcode() == 0) {
    require(bufferLength(stored) == 0);
    return setCode(callerId());
  }
  require(bufferLength(stored) == 64);
  if (opcode() != UPGRADE) return forward(stored);
  require(sameId(callerId(), stored + 32));
  return setCode(stored + 32);
}
