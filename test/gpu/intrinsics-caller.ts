import { ENV_IMPORTS } from '../../src/program/env.js';
import { prepareProgram } from '../../src/program/prepare.js';
import type { Program } from '../../src/program/types.js';
import { concatBytes, u32Bytes } from '../../src/util/bytes.js';
import { call, i32, load, OP, op, store, WasmBuilder } from '../helpers/wasm-builder.js';

/** Where the context lies: the arguments of the call in its first words, followed by the buffers. */
export const CONTEXT = 1_004;
/** What the program returns: 64 bytes. The first word is the result of the call; bytes that it did not write are ee. */
const RESULT = 600;
/** Its length word is the result's second word. */
export const OUT = RESULT + 8;

/** A program that calls the import `name` with the numbers in the context. */
export function intrinsicCaller(name: string): Program {
  const b = new WasmBuilder();
  const loadContext = b.import('__load_context');
  const target = b.import(name);
  const [parameters = '', results = ''] = (ENV_IMPORTS[name] ?? '').split('->');
  const args = parameters.split(',').flatMap((_, i) => [i32(CONTEXT), load(4 * i)]);
  b.data(RESULT - 4, concatBytes(u32Bytes(64), new Uint8Array(64).fill(0xee)));
  const returns = results === 'i32';
  b.execute([
    i32(CONTEXT),
    call(loadContext),
    op(OP.drop),
    ...(returns ? [i32(RESULT), ...args, call(target), store()] : [...args, call(target)]),
    i32(RESULT),
  ]);
  return prepareProgram(b.bytes());
}

/**
 * The context for a call with pointers to `inputs`, then `out`. The inputs are adjacent from `CONTEXT + 16 + gap` on,
 * each after its length word, so that their addresses have any alignment.
 */
export function intrinsicContext(inputs: readonly Uint8Array[], out: readonly number[] = [], gap = 0): Uint8Array {
  let at = CONTEXT + 16 + gap;
  const pointers = inputs.map(({ length }) => {
    at += 4 + length;
    return at - length;
  });
  const words = [...pointers, ...out, 0, 0, 0, 0].slice(0, 4).map(u32Bytes);
  const buffers = inputs.flatMap((input) => [u32Bytes(input.length), input]);
  return concatBytes(...words, new Uint8Array(gap), ...buffers);
}
