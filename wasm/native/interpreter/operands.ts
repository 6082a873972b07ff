// The operand stack of the function that runs: eight bytes for each operand.
import { BRANCH_VALUES, CALLER_FUNCTION, CALLER_LOCALS, CALLER_SIDE } from './layout';

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

/** Locals that are cleared one by one: a call of the engine's own function takes longer. */
const FEW_BYTES: usize = 128;

/** Sets the locals that begin at `top` to 0, which take `cleared` bytes. */
@inline
export function clear(top: usize, cleared: usize): void {
  if (cleared > FEW_BYTES) memory.fill(top, 0, cleared);
  else for (let local: usize = 0; local < cleared; local += 8) store<u64>(top + local, 0);
}

/** Says at `caller` where a function goes on that calls another. */
@inline
export function keepCaller(caller: usize, at: usize, side: usize, locals: usize, fn: usize): void {
  store<u32>(caller, <u32>at);
  store<u32>(caller, <u32>side, CALLER_SIDE);
  store<u32>(caller, <u32>locals, CALLER_LOCALS);
  store<u32>(caller, <u32>fn, CALLER_FUNCTION);
}
