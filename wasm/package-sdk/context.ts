// The context of a call: u128 numbers of 16 bytes: own id (2), caller (2), vout, number of incoming assets, three per
// asset, inputs. It is loaded when it is first asked for.
import { loadContextInto, requestContext } from './env';
import { allocateBuffer, appendBytes, closeBuffer } from './memory';
import { require } from './stop';
import * as u128 from './u128';

/** Bytes of an asset in the context: block, tx, amount. */
export const ASSET_BYTES: u32 = 48;

let base: usize = 0;
let end: usize = 0;
let inputs: usize = 0;

/** Loads the context, if it is not there yet. Whatever needs it does so itself. */
export function contextBegin(): void {
  if (base != 0) return;
  const length = requestContext();
  base = allocateBuffer(length);
  loadContextInto(base);
  end = base + length;
  // A host gives at least six numbers and all the assets it counts; anything else is not worth going on with.
  require(length >= 96);
  const room = (length - 96) / ASSET_BYTES;
  require(u128.high(base + 80) == 0 && u128.low(base + 80) <= <u64>room);
  inputs = base + 96 + load<u32>(base, 80) * ASSET_BYTES;
}

/** The 32 bytes of the program's own id. */
export function selfId(): usize {
  contextBegin();
  return base;
}

/** The 32 bytes of who called: 0:0 is the message itself. */
export function callerId(): usize {
  contextBegin();
  return base + 32;
}

/** The shadow output of the message. */
export function shadowOutput(): u32 {
  contextBegin();
  return load<u32>(base, 64);
}

/** Inputs that there are. */
export function inputCount(): u32 {
  contextBegin();
  return <u32>(end - inputs) >> 4;
}

/** Assets that came with the message. */
export function incomingCount(): u32 {
  contextBegin();
  return load<u32>(base, 80);
}

/** Block, tx and amount of incoming asset `index` (ids ascending): 48 bytes. Reverts if there are not so many. */
export function incoming(index: u32): usize {
  require(index < incomingCount(), 'there are fewer incoming assets');
  return base + 96 + index * ASSET_BYTES;
}

/** Amount of the incoming asset with the 32-byte `id` into `out`; 0 if none came. */
export function incomingOf(id: usize, out: usize): void {
  u128.set(out, 0, 0);
  const count = incomingCount();
  for (let i: u32 = 0; i < count; i++) {
    const asset = base + 96 + i * ASSET_BYTES;
    if (sameId(asset, id)) u128.copy(out, asset + 32);
  }
}

/** Address of input `index`; a missing input is 0. */
export function input(index: u32): usize {
  return index >= inputCount() ? u128.zero() : inputs + (index << 4);
}

/** A buffer with the bytes of `count` inputs from `first` on. */
export function inputBuffer(first: u32, count: u32): usize {
  contextBegin();
  const buffer = allocateBuffer(0);
  appendInputs(first, count);
  return closeBuffer(buffer);
}

/** Appends the bytes of `count` inputs from `first` on to the buffer that was allocated last. */
export function appendInputs(first: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) appendBytes(input(first + i), 16);
}

/** Input `index` as a number of 64 bits, or reverts. */
export function inputU64(index: u32): u64 {
  const at = input(index);
  require(u128.high(at) == 0, 'an input is over 64 bits');
  return u128.low(at);
}

/** The opcode, or 2^32 − 1 if input 0 does not fit into 32 bits. */
export function opcode(): u32 {
  const first = input(0);
  return u128.high(first) == 0 && u128.low(first) < 0xffffffff ? <u32>u128.low(first) : 0xffffffff;
}

/** Whether two 32-byte ids are equal. */
export function sameId(a: usize, b: usize): bool {
  return u128.equal(a, b) && u128.equal(a + 16, b + 16);
}
