/** Types of functions and blocks as type bytes, which a validator compares fast. */
import { typeByte } from './decode-code.js';
import type { FunctionType, ValueType } from './module.js';
import { FUNCREF } from './opcodes.js';
import { I32, I64 } from './operand-types.js';

export interface Signature {
  readonly params: Uint8Array;
  readonly results: Uint8Array;
}

export const NO_TYPES = new Uint8Array(0);
export const NO_VALUES: Signature = { params: NO_TYPES, results: NO_TYPES };
export const ONE_VALUE: Readonly<Record<ValueType, Signature>> = {
  i32: { params: NO_TYPES, results: Uint8Array.of(I32) },
  i64: { params: NO_TYPES, results: Uint8Array.of(I64) },
  funcref: { params: NO_TYPES, results: Uint8Array.of(FUNCREF) },
};

export function signature({ params, results }: FunctionType): Signature {
  return { params: Uint8Array.from(params, typeByte), results: Uint8Array.from(results, typeByte) };
}

export function sameTypes(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.length === b.length && a.every((type, i) => type === b[i]));
}
