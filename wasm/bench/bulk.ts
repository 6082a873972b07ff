// An indexer that does nothing but read and write: PAIRS keys a block, half of them new, half of them among all that there are.
// src/testing/chains/bulk-state.ts makes the same keys and values, to begin with a large state.
import { buffer } from '../indexers/arena';
import { hostLength, loadInput } from '../indexers/host';
import { flush, get, set } from '../indexers/state';
import { sha256 } from '../sdk/sha256';

const NEW: u64 = 15_000;
const CHANGED: u64 = 14_999;

/** `n`: how many keys there are. */
const COUNT_KEY: usize = memory.data<u8>([0x6e]);
const COUNT: usize = memory.data(8, 8);
const NUMBER: usize = memory.data(8, 8);
/** `o`, then the SHA-256 of the number. */
const KEY: usize = memory.data(33, 4);
const VALUE: usize = memory.data(40, 8);

function keyOf(number: u64): void {
  store<u64>(NUMBER, number);
  store<u8>(KEY, 0x6f);
  sha256(NUMBER, 8, KEY + 1);
}

export function _start(): void {
  const at = buffer(hostLength());
  loadInput(at);
  const height = <u64>load<u32>(at);
  const count = load<u64>(get(COUNT_KEY, 1));
  for (let i: u64 = 0; i < NEW; i++) {
    keyOf(count + i);
    memory.copy(VALUE, KEY + 1, 32);
    store<u64>(VALUE + 32, height);
    set(KEY, 33, VALUE, 40);
  }
  let random: u64 = height * 0x9e3779b97f4a7c15 + 1;
  for (let i: u64 = 0; i < CHANGED; i++) {
    random = random * 6364136223846793005 + 1442695040888963407;
    keyOf((random >> 16) % count);
    memory.copy(VALUE, get(KEY, 33), 40);
    store<u64>(VALUE + 32, height);
    set(KEY, 33, VALUE, 40);
  }
  store<u64>(COUNT, count + NEW);
  set(COUNT_KEY, 1, COUNT, 8);
  flush();
}
