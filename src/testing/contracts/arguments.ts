/** Inputs of a plausible kind for the parameters that a contract's `__meta` names. */
import { readU128 } from '../../util/bytes.js';

export interface MetaParameter {
  readonly name: string;
  readonly type: string;
}

export interface MetaMethod {
  readonly name: string;
  readonly opcode: bigint;
  readonly parameters: readonly MetaParameter[];
}

const U128_BYTES = 16;
/** Ids that exist where the check calls: the contract itself, another one, and an asset of neither. */
const IDS: readonly (readonly [bigint, bigint])[] = [
  [2n, 1n],
  [2n, 2n],
  [4n, 77n],
];
const MOST_DEPTH = 4;

/** The methods of parsed `__meta` JSON; undefined if it is not of that form. Opcodes are numbers or decimal strings. */
export function methodsOf(meta: unknown): MetaMethod[] | undefined {
  if (!isRecord(meta) || !Array.isArray(meta.methods)) return undefined;
  const methods: MetaMethod[] = [];
  for (const method of meta.methods as unknown[]) {
    if (!isRecord(method) || !/^\d+$/.test(String(method.opcode))) return undefined;
    const parameters = Array.isArray(method.params) ? (method.params as unknown[]) : [];
    methods.push({
      name: String(method.name),
      opcode: BigInt(String(method.opcode)),
      parameters: parameters.map(parameterOf),
    });
  }
  return methods;
}

/** Old builds list the types alone. */
function parameterOf(value: unknown): MetaParameter {
  if (typeof value === 'string') return { name: '', type: value };
  return isRecord(value)
    ? { name: String(value.name ?? ''), type: String(value.type ?? 'u128') }
    : { name: '', type: 'u128' };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Inputs for `method`, the opcode first. Texts are bytes in u128 numbers, little-endian, ended by a zero; ids are two
 * numbers; a list is its length and its items.
 */
export function inputsFor(method: MetaMethod): bigint[] {
  const state = { ids: 0, numbers: 0 };
  return [method.opcode, ...method.parameters.flatMap(({ type, name }) => inputsOf(type, name, state, 0))];
}

function inputsOf(type: string, name: string, state: { ids: number; numbers: number }, depth: number): bigint[] {
  const item = /^Vec<(.*)>$/.exec(type)?.[1];
  if (item !== undefined && depth < MOST_DEPTH) {
    return [2n, ...inputsOf(item, name, state, depth + 1), ...inputsOf(item, name, state, depth + 1)];
  }
  if (type === 'String') return textInputs(name === '' ? 'text' : name);
  if (type === 'AlkaneId') return [...IDS[state.ids++ % IDS.length]];
  if (/height|deadline|expir/i.test(name)) return [1_000_000n];
  return [1_000n + BigInt(state.numbers++)];
}

/** The u128 numbers of a text. */
export function textInputs(text: string): bigint[] {
  const bytes = Buffer.from(text);
  const padded = new Uint8Array((Math.floor(bytes.length / U128_BYTES) + 1) * U128_BYTES);
  padded.set(bytes);
  return Array.from({ length: padded.length / U128_BYTES }, (_, i) => readU128(padded, i * U128_BYTES));
}
