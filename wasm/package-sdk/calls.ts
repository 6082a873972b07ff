// Calls of other contracts (docs/lane-rules.md, "Inner calls"). A call takes three buffers, built one after the other:
// what is allocated between a begin and its closeBuffer reverts. A call that fails ends the message: it never returns.
import { ASSET_BYTES } from './context';
import { hostCall, hostDelegateCall, hostReturnData, hostStaticCall } from './env';
import { allocateBuffer, appendBytes, bufferLength, closeBuffer, extend } from './memory';

const COUNT_BYTES: u32 = 16;

/** A cellpack for the contract with the 32-byte id `target`: append inputs of 16 bytes each, then closeBuffer. */
export function cellpackBegin(target: usize): usize {
  const buffer = allocateBuffer(0);
  appendBytes(target, 32);
  return buffer;
}

/** A parcel: add assets, then closeBuffer. */
export function parcelBegin(): usize {
  const buffer = allocateBuffer(COUNT_BYTES);
  store<u64>(buffer, 0);
  store<u64>(buffer, 0, 8);
  return buffer;
}

/** Adds `amount` (address of a u128) of the asset with the 32-byte `id`. */
export function parcelAdd(parcel: usize, id: usize, amount: usize): void {
  appendBytes(id, 32);
  appendBytes(amount, 16);
  store<u64>(parcel, load<u64>(parcel) + 1);
}

/** Nothing moves to the target. */
export function noParcel(): usize {
  return parcelBegin();
}

/** What is written to the own storage before the call, so that a contract that calls back finds it. */
export function checkpointBegin(): usize {
  const buffer = allocateBuffer(4);
  store<u32>(buffer, 0);
  return buffer;
}

/** Adds an entry; a value of 0 bytes deletes the key. */
export function checkpointPut(checkpoint: usize, key: usize, value: usize, length: u32): void {
  appendBytes(key - 4, bufferLength(key) + 4);
  store<u32>(extend(4), length);
  appendBytes(value, length);
  store<u32>(checkpoint, load<u32>(checkpoint) + 1);
}

/** Nothing is written before the call. */
export function noCheckpoint(): usize {
  return checkpointBegin();
}

function returned(length: u32): usize {
  const buffer = allocateBuffer(length);
  hostReturnData(buffer);
  return buffer;
}

/** Calls a contract, which gets the parcel. Gives a buffer with the return data: its transfers, then its data. */
export function callContract(cellpack: usize, parcel: usize, checkpoint: usize): usize {
  return returned(hostCall(cellpack, parcel, checkpoint, 0));
}

/** Runs the code of a contract on the own storage, balances and id. */
export function delegateContract(cellpack: usize, parcel: usize, checkpoint: usize): usize {
  return returned(hostDelegateCall(cellpack, parcel, checkpoint, 0));
}

/** As callContract; all that it changed is taken back. */
export function staticContract(cellpack: usize, parcel: usize, checkpoint: usize): usize {
  return returned(hostStaticCall(cellpack, parcel, checkpoint, 0));
}

/** How many assets the contract that was called has sent. */
@inline
export function returnedTransfers(returned: usize): u32 {
  return load<u32>(returned);
}

/** Block, tx and amount of one of them. */
@inline
export function returnedTransfer(returned: usize, index: u32): usize {
  return returned + COUNT_BYTES + index * ASSET_BYTES;
}

/** Where its data begin. */
@inline
export function returnedData(returned: usize): usize {
  return returnedTransfer(returned, returnedTransfers(returned));
}

/** How many bytes its data have. */
@inline
export function returnedBytes(returned: usize): u32 {
  return bufferLength(returned) - <u32>(returnedData(returned) - returned);
}
