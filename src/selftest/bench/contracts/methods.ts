/** What to call of a contract: the inputs given on the command line, or those that its `__meta` names. */
import { ENV_NAMES } from '../../../program/env.js';
import { readU32 } from '../../../util/bytes.js';

/** One call, or one message before the calls. */
export interface ContractCall {
  /** Which of the contracts, from 0. */
  readonly contract: number;
  /** From the opcode on. */
  readonly inputs: readonly bigint[];
  /** What it is called in the report. */
  readonly name: string;
}

/** Methods of a contract that are called, at most. */
const MOST_METHODS = 256;
/** Text of `__meta` that is read, at most. */
const MOST_META_BYTES = 1024 * 1024;

/** The calls of `contract` that its `__meta` names, each parameter with a small value; opcode 0 if it names none. */
export function methodsOf(wasm: Uint8Array, contract: number): ContractCall[] {
  const methods = readMethods(metaOf(wasm)).map(({ name, opcode, params }) => {
    return { contract, inputs: [opcode, ...params.flatMap(numbersFor)], name };
  });
  return methods.length > 0 ? methods : [{ contract, inputs: [0n], name: '0' }];
}

interface Method {
  readonly name: string;
  readonly opcode: bigint;
  /** Types of its parameters. */
  readonly params: readonly string[];
}

/** A value of a parameter as input numbers: the first contract for an id, the letter A for text, else 1. */
function numbersFor(type: string): bigint[] {
  if (type === 'AlkaneId') return [2n, 1n];
  if (type === 'String') return [0x41n];
  return [1n];
}

/** What `__meta` gives, as text; empty if there is none, or it fails. */
function metaOf(wasm: Uint8Array): string {
  try {
    const env = Object.fromEntries(ENV_NAMES.map((name) => [name, () => 0]));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(wasm)), { env });
    const { __meta: meta, memory } = exports;
    if (typeof meta !== 'function' || !(memory instanceof WebAssembly.Memory)) return '';
    const at = Number(meta()) >>> 0;
    const bytes = new Uint8Array(memory.buffer);
    const length = readU32(bytes, at - 4);
    return length > MOST_META_BYTES ? '' : new TextDecoder().decode(bytes.subarray(at, at + length));
  } catch {
    return '';
  }
}

function readMethods(text: string): Method[] {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return [];
  }
  const methods = fieldOf(found, 'methods');
  if (!Array.isArray(methods)) return [];
  return methods.slice(0, MOST_METHODS).flatMap((method: unknown): Method[] => {
    const opcode = fieldOf(method, 'opcode');
    if (typeof opcode !== 'number' || !Number.isSafeInteger(opcode) || opcode < 0) return [];
    const params = fieldOf(method, 'params');
    const types = Array.isArray(params) ? params.map((param: unknown) => String(fieldOf(param, 'type'))) : [];
    return [{ name: String(fieldOf(method, 'name')), opcode: BigInt(opcode), params: types }];
  });
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
