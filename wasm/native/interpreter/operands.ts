// The operand stack of the function that runs: eight bytes for each operand.
import { BRANCH_VALUES } from './layout';

/** The operand below the top one, and the top one itself. */
@inline
export function left<T>(top: usize): T {
  return load<T>(top - 16);
}

@inline
export function right<T>(top: usize): T {
  return load<T>(top - 8);
}

/** What an instruction makes of these two. */
@inline
export function put<T>(top: usize, value: T): void {
  store<T>(top - 16, value);
}

/** Moves what a branch takes along to where it goes: `top` is behind it; gives the end of it there. */
@inline
export function moved(branch: usize, locals: usize, top: usize): usize {
  const values = load<u32>(branch, BRANCH_VALUES);
  const to = locals + (<usize>(values >> 16) << 3);
  const count = values & 0xffff;
  if (count === 0) return to;
  const bytes = <usize>count << 3;
  if (count === 1) store<u64>(to, load<u64>(top - 8));
  else memory.copy(to, top - bytes, bytes);
  return to + bytes;
}
