import wabt from 'wabt';

const { parseWat } = await wabt();

/**
 * The WASM of a module written in WebAssembly text. Names are for the reader: they are not kept in the result.
 * Throws what wabt says of a text that is not a valid module.
 *
 * @example
 * const wasm = wat('(module (memory (export "memory") 1) (func (export "__execute") (result i32) (i32.const 4)))');
 */
export function wat(text: string): Uint8Array {
  const module = parseWat('test.wat', text);
  try {
    return Uint8Array.from(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}
