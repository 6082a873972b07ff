/** `__meta` of a contract from a declaration beside its source: `NAME.json` says what `NAME.ts` is. */
import { InputError } from '../errors/errors.js';

const MOST_METHODS = 256;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const MOST_OPCODE = 2 ** 32 - 2;

/** The JSON that `__meta` gives, checked. Throws InputError CONTRACT_META with what is wrong, and where. */
export function metaJson(text: string, file: string): string {
  const wrong = (why: string): InputError =>
    new InputError('CONTRACT_META', `the declaration of the contract is wrong: ${why}`, {
      facts: { file },
      hint: '{ "contract": "Token", "methods": [{ "name": "mint", "opcode": 77, "params": ["u128"] }] }',
    });
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (cause) {
    throw wrong(cause instanceof Error ? cause.message : 'it is not JSON');
  }
  if (typeof read !== 'object' || read === null) throw wrong('it is no object');
  const { contract, methods, ...rest } = read as Record<string, unknown>;
  if (typeof contract !== 'string' || contract === '') throw wrong('"contract" is no name');
  if (!Array.isArray(methods) || methods.length > MOST_METHODS) throw wrong('"methods" is no list');
  const opcodes = new Set<number>();
  const checked = methods.map((method: unknown, at) => {
    if (typeof method !== 'object' || method === null) throw wrong(`method ${at} is no object`);
    const { name, opcode, params = [], returns = 'void', ...more } = method as Record<string, unknown>;
    if (typeof name !== 'string' || !IDENTIFIER.test(name)) throw wrong(`method ${at} has no name`);
    const isOpcode = typeof opcode === 'number' && Number.isInteger(opcode) && opcode >= 0 && opcode <= MOST_OPCODE;
    if (!isOpcode) throw wrong(`the opcode of ${name} is no number from 0 to ${MOST_OPCODE}`);
    if (opcodes.has(opcode)) throw wrong(`two methods have the opcode ${opcode}`);
    opcodes.add(opcode);
    const isList = Array.isArray(params) && params.every(isParameter);
    if (!isList) throw wrong(`"params" of ${name} is no list of types`);
    if (typeof returns !== 'string') throw wrong(`"returns" of ${name} is no type`);
    return { name, opcode, params, returns, ...more };
  });
  return JSON.stringify({ contract, methods: checked, ...rest });
}

/** A type, or a name and a type. */
function isParameter(each: unknown): boolean {
  if (typeof each === 'string') return true;
  if (typeof each !== 'object' || each === null || !('name' in each) || !('type' in each)) return false;
  return typeof each.name === 'string' && IDENTIFIER.test(each.name) && typeof each.type === 'string';
}

/** A module that exports what `source` (a path that an import takes) does, and `__meta`, which makes no objects. */
export function entryWithMeta(source: string, json: string): string {
  const bytes = Buffer.from(json, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  const all = [...length, ...bytes].join(', ');
  return [
    `export { __execute } from '${source}';`,
    `const META: usize = memory.data<u8>([${all}]) + 4;`,
    'export function __meta(): usize {\n  return META;\n}\n',
  ].join('\n');
}
