import { concatBytes, u32Bytes } from '../../src/util/bytes.js';
import { i32, WasmBuilder } from '../helpers/wasm-builder.js';
import { bytes } from '../store/helpers.js';

const RESULT = 16;
const META = 256;
const WORD = 4;

const sized = (part: Uint8Array): Uint8Array => concatBytes(u32Bytes(part.length), part);
const LIFTED = concatBytes(
  ...[new Uint8Array(16), u32Bytes(1), sized(bytes('cap')), sized(Uint8Array.of(3, 0)), bytes('lifted')],
);

/**
 * A contract that sets its key `cap` to 0300 and returns the text `lifted`, whatever it is asked; `meta` is what it
 * says of itself, undefined if it exports no `__meta`.
 */
export function exampleContract(meta: string | undefined): Uint8Array {
  const wasm = new WasmBuilder().data(RESULT, sized(LIFTED)).execute([i32(RESULT + WORD)]);
  if (meta === undefined) return wasm.bytes();
  return wasm
    .data(META, sized(bytes(meta)))
    .export('__meta', wasm.function('()->i32', [i32(META + WORD)]))
    .bytes();
}

export const EXAMPLE_META = '{"contract":"Cap","methods":[{"name":"lift","opcode":1,"params":[],"returns":"String"}]}';
