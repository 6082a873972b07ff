import { OP } from '../../program/opcodes.js';
import { end, i32, op, open } from './build.js';
import type { Code } from './scope.js';

/**
 * Code that mixes the words of the address ranges into one word, and returns a buffer at `out` with that word and
 * memory.size. Needs `local` and the local after it, both i32. The buffer has 16 bytes: too few for a storage map, so
 * the kernel returns it as it is.
 */
export function digestCode(ranges: readonly (readonly [number, number])[], out: number, local: number): Code {
  const [at, hash] = [local, local + 1];
  const code: Code = [op(OP.memorySize, 0), op(OP.localSet, hash)];
  for (const [from, to] of ranges) {
    code.push(
      i32(from),
      op(OP.localSet, at),
      open(OP.loop),
      op(OP.localGet, hash),
      op(OP.localGet, at),
      op(OP.i32Load, 0, 0),
      op(0x73),
      i32(0x9e3779b1),
      op(OP.i32Mul),
      i32(15),
      op(0x77),
      op(OP.localSet, hash),
      op(OP.localGet, at),
      i32(4),
      op(OP.i32Add),
      op(OP.localTee, at),
      i32(to),
      op(OP.i32LtU),
      op(OP.brIf, 0),
      end,
    );
  }
  code.push(i32(out - 4), i32(16), op(OP.i32Store, 0, 0), i32(out), op(OP.localGet, hash), op(OP.i32Store, 0, 0));
  // The rest of the buffer still holds locals, which help to find a difference.
  return [...code, i32(out)];
}
