// Reads a serialised transaction, legacy or segwit. Anything that does not parse ends the run: a host provides valid
// blocks.
import { sha256, sha256Begin, sha256Finish, sha256Update } from '../sdk/sha256';

let at: usize = 0;
let end: usize = 0;

/** Where the inputs and outputs of the transaction read last begin (at their counts). */
export let inputsAt: usize = 0;
export let outputsAt: usize = 0;
/** Txid of the transaction read last, wire order. */
export const TXID: usize = memory.data(32, 4);

/** Begins to read at `from`, up to `to`. */
export function openReader(from: usize, to: usize): void {
  at = from;
  end = to;
}

/** Skips `size` bytes and returns where they begin. */
export function take(size: u64): usize {
  if (size > <u64>(end - at)) unreachable();
  const from = at;
  at += <usize>size;
  return from;
}

/** Continues at an earlier position. */
export function seek(to: usize): void {
  at = to;
}

export function position(): usize {
  return at;
}

/** A CompactSize number. */
export function takeCount(): u64 {
  const first = load<u8>(take(1));
  if (first < 0xfd) return <u64>first;
  if (first == 0xfd) return <u64>load<u16>(take(2));
  if (first == 0xfe) return <u64>load<u32>(take(4));
  return load<u64>(take(8));
}

function skipInputs(): void {
  const count = takeCount();
  for (let i: u64 = 0; i < count; i++) {
    take(36);
    take(takeCount());
    take(4);
  }
}

function skipOutputs(): void {
  const count = takeCount();
  for (let i: u64 = 0; i < count; i++) {
    take(8);
    take(takeCount());
  }
}

function skipWitnesses(inputs: u64): void {
  for (let i: u64 = 0; i < inputs; i++) {
    const items = takeCount();
    for (let k: u64 = 0; k < items; k++) take(takeCount());
  }
}

/** Reads the transaction here and moves past it: sets TXID, `inputsAt`, `outputsAt`. */
export function takeTransaction(): void {
  const version = take(4);
  // A segwit transaction has a zero where a legacy one has its number of inputs, then a flag.
  const marker = take(2);
  const segwit = load<u8>(marker) == 0 && load<u8>(marker, 1) != 0;
  if (!segwit) seek(marker);
  inputsAt = at;
  skipInputs();
  outputsAt = at;
  skipOutputs();
  const outputsEnd = at;
  if (segwit) {
    seek(inputsAt);
    const inputs = takeCount();
    seek(outputsEnd);
    skipWitnesses(inputs);
  }
  const lockTime = take(4);
  // The txid leaves out marker, flag and witnesses.
  sha256Begin();
  sha256Update(version, 4);
  sha256Update(inputsAt, <u32>(outputsEnd - inputsAt));
  sha256Update(lockTime, 4);
  sha256Finish(TXID);
  sha256(TXID, 32, TXID);
}
