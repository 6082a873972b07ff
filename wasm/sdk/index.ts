// What contracts import from "warpshrew/sdk" (docs/sdk.md). Names that are not here may change at any time.
import * as u128 from './u128';

export { callContract, cellpackBegin, delegateContract, staticContract } from './calls';
export { checkpointBegin, checkpointPut, noCheckpoint, noParcel, parcelAdd, parcelBegin } from './calls';
export { returnedBytes, returnedData, returnedTransfer, returnedTransfers } from './calls';
export { callerId, contextBegin, incoming, incomingCount, opcode, sameId, selfId } from './context';
export { appendInputs, input, inputBuffer, inputCount, inputU64 } from './context';
export { isDryRun, recordGet, recordPut, require, revert } from './env';
export { mulDiv, schnorrVerify, sha256, sha256d } from './intrinsics';
export { allocate, allocateBuffer, appendBytes, appendText, bufferLength, closeBuffer, textBuffer } from './memory';
export { finish, finishEmpty, put, reserve, responseBegin, returnIncoming, transfer, transferOwn } from './response';
export { signedBegin, signedBy } from './signed';
export { get, key, keyOf, keyOfTwo } from './storage';
export { u128 };
