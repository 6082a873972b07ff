// Parts of a program that was put away: they come when they are needed.
import { BLOCK_WORDS, BRANCH_BYTES, PART_SHIFT, PROGRAM_PARTS, WORD } from './layout';

/** Brings what `program` has from `from` to `to` and is not there. */
@external('env', 'bring')
declare function bringParts(program: usize, from: u32, to: u32): void;

/** Kinds of programs for which functions are compiled apart: those that are whole, and those that come in parts. */
export type Whole = u8;
export type InParts = u16;

@inline
export function comesInParts<T>(): bool {
  return sizeof<T>() === sizeof<InParts>();
}

/** Sees to it that `program` has what lies from `from` to `to`, counted from its beginning. */
export function bring(program: usize, from: u32, to: u32): void {
  const place = load<u32>(program, PROGRAM_PARTS);
  if (place === 0 || from === to) return;
  const parts = program + <usize>place;
  const last = parts + (<usize>(to - 1) >> PART_SHIFT);
  for (let at = parts + (<usize>from >> PART_SHIFT); at <= last; at++) {
    if (load<u8>(at) !== 0) continue;
    bringParts(program, from, to);
    return;
  }
}

/** A run comes to a basic block, whose code begins at `at` and whose words begin at `side`. */
export function arrive(program: usize, at: usize, side: usize): void {
  const code = <u32>(at - program);
  bring(program, code, code + 1);
  const words = <u32>(side - program);
  bring(program, words, words + BLOCK_WORDS);
}

/** The words of the branch that a br_table, whose words begin at `side`, has for `label`. */
@inline
export function tableBranch<T>(program: usize, side: usize, label: u32): usize {
  const word = side + <usize>label * WORD;
  if (comesInParts<T>()) bring(program, <u32>(word - program), <u32>(word - program) + <u32>WORD);
  const branch = load<u32>(word);
  if (comesInParts<T>()) bring(program, branch, branch + <u32>BRANCH_BYTES);
  return program + <usize>branch;
}
