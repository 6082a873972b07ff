// Functions that are called first, and programs that are put away with all that was made for them.
import { behind } from './kinds';
import {
  FUNCTION_BYTES,
  FUNCTION_CODE,
  FUNCTION_HOST,
  FUNCTION_MADE,
  FUNCTION_SIDE,
  LAST_END,
  MOST_INSTRUCTION,
  PART_SHIFT,
  PROGRAM_FUNCTIONS,
} from './layout';
import { makeSideTable } from './side-table';

/** Makes what side tables `program` lacks: then its bytes are all that ever runs of it, and it can be put away. */
export function makeSideTables(program: usize, count: u32): void {
  let fn = program + <usize>load<u32>(program, PROGRAM_FUNCTIONS);
  for (let i: u32 = 0; i < count; i++, fn += FUNCTION_BYTES) {
    if (load<u16>(fn, FUNCTION_HOST) !== 0) continue;
    if (load<u32>(fn, FUNCTION_SIDE) === 0) makeSideTable(program, fn);
    store<u32>(fn, load<u32>(fn, FUNCTION_SIDE), FUNCTION_MADE);
    store<u32>(fn, 0, FUNCTION_SIDE);
  }
}

/** Makes `fn` ready to run. */
export function makeReady(program: usize, fn: usize): void {
  const made = load<u32>(fn, FUNCTION_MADE);
  if (made === 0) makeSideTable(program, fn);
  else store<u32>(fn, made, FUNCTION_SIDE);
}

/**
 * Says for each part of `program`, in the byte of it from `parts` on, where the first instruction begins in it that the
 * code before goes on with: 1 + its place; 0: there is none. All side tables are made.
 */
export function markStarts(program: usize, count: u32, parts: usize): void {
  let fn = program + <usize>load<u32>(program, PROGRAM_FUNCTIONS);
  for (let i: u32 = 0; i < count; i++, fn += FUNCTION_BYTES) {
    if (load<u16>(fn, FUNCTION_HOST) !== 0) continue;
    let at = program + <usize>load<u32>(fn, FUNCTION_CODE);
    while (true) {
      const place = (at - program) & ((1 << PART_SHIFT) - 1);
      if (place < MOST_INSTRUCTION) {
        const part = parts + ((at - program) >> PART_SHIFT);
        if (load<u8>(part) === 0) store<u8>(part, <u8>(1 + place));
      }
      const op: u32 = load<u8>(at);
      if (op === <u32>LAST_END) break;
      at = behind(op, at + 1);
    }
  }
}

const FACTOR: u64 = 0xff51afd7ed558ccd;

@inline
function mixed(sum: u64, word: u64): u64 {
  return rotl<u64>((sum ^ word) * FACTOR, 29);
}

/** A sum over `length` bytes at `at`, by which one tells whether they are what they were. */
export function sumOf(at: usize, length: usize): u32 {
  const end = at + length;
  let a: u64 = length;
  let b: u64 = 1;
  let c: u64 = 2;
  let d: u64 = 3;
  for (; at + 32 <= end; at += 32) {
    a = mixed(a, load<u64>(at));
    b = mixed(b, load<u64>(at, 8));
    c = mixed(c, load<u64>(at, 16));
    d = mixed(d, load<u64>(at, 24));
  }
  for (; at < end; at++) a = mixed(a, load<u8>(at));
  const sum = mixed(mixed(mixed(mixed(a, b), c), d), FACTOR);
  return <u32>(sum ^ (sum >> 32));
}
