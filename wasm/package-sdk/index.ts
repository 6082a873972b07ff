// What contracts import from "warpshrew/sdk" (docs/sdk.md). Names that are not here may change at any time.
import * as u128 from './u128';
import * as u256 from './u256';

export { callContract, cellpackBegin, delegateContract, staticContract } from './calls';
export { checkpointBegin, checkpointPut, noCheckpoint, noParcel, parcelAdd, parcelBegin } from './calls';
export { returnedBytes, returnedData, returnedTransfer, returnedTransfers } from './calls';
export { balanceOf, blockHeader, blockTime, fuelLeft, height, log, logBuffer, sequence, transaction } from './chain';
export { callerId, contextBegin, incoming, incomingCount, incomingOf, opcode, sameId, selfId } from './context';
export { appendInputs, input, inputBuffer, inputCount, inputU64, shadowOutput } from './context';
export { isDryRun, recordGet, recordPut, revert } from './env';
export { mulDiv, schnorrVerify, sha256, sha256d } from './intrinsics';
export { allocate, allocateBuffer, appendBytes, appendText, bufferLength, bytesBuffer } from './memory';
export { closeBuffer, textBuffer } from './memory';
export { merkleProves } from './merkle';
export { addData, addNumber, addU64, event, finish, finishEmpty, put, reserve } from './response';
export { responseBegin, returnIncoming, transfer, transferOwn } from './response';
export { signedBegin, signedBy } from './signed';
export { require, revertWith } from './stop';
export { get, key, keyOf, keyOfTwo } from './storage';
export { getU64, getU128, has, putU64, putU128, remove } from './values';
export { u128, u256 };
