/** A contract's `__meta`, checked: what a client can be generated from. */
import { InputError } from '../errors/errors.js';

export interface Field {
  readonly name: string;
  readonly type: string;
}

export interface MetaMethod {
  readonly name: string;
  readonly opcode: bigint;
  readonly params: readonly Field[];
  readonly returns: string;
}

/** A kind of keys in the storage: texts and fields one after the other, and what lies there. */
export interface MetaStorage {
  readonly name: string;
  readonly key: readonly (string | Field)[];
  readonly value: readonly Field[];
}

export interface ContractMeta {
  readonly contract: string;
  readonly methods: readonly MetaMethod[];
  readonly storage: readonly MetaStorage[];
}

const MOST = 256;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** Throws InputError CODEGEN_META, which names the place. */
export function readMeta(meta: unknown): ContractMeta {
  const { contract, name, methods, storage = [] } = record(meta, '$');
  const title = contract ?? name;
  if (typeof title !== 'string' || title.length > 200) throw bad('$.contract', 'it is no name');
  const read = list(methods, '$.methods').map((each, i) => readMethod(each, `$.methods[${i}]`));
  const names = read.map((method) => method.name);
  const twice = names.find((each, at) => names.indexOf(each) < at);
  if (twice !== undefined) throw bad('$.methods', `two methods are called ${twice}`);
  const kinds = list(storage, '$.storage').map((each, i) => readStorage(each, `$.storage[${i}]`));
  return { contract: title, methods: read, storage: kinds };
}

function readMethod(value: unknown, at: string): MetaMethod {
  const { name, opcode, params = [], returns = 'void' } = record(value, at);
  if (!/^\d{1,39}$/.test(String(opcode))) throw bad(`${at}.opcode`, 'it is no number');
  if (typeof returns !== 'string') throw bad(`${at}.returns`, 'it is no type');
  const fields = list(params, `${at}.params`).map((each, i) => readField(each, `${at}.params[${i}]`, `arg${i}`));
  return { name: identifier(name, `${at}.name`), opcode: BigInt(String(opcode)), params: fields, returns };
}

function readStorage(value: unknown, at: string): MetaStorage {
  const { name, key, value: fields } = record(value, at);
  const parts = list(key, `${at}.key`).map((part, i) =>
    typeof part === 'string' ? part : readField(part, `${at}.key[${i}]`, `key${i}`),
  );
  const read = list(fields, `${at}.value`).map((each, i) => readField(each, `${at}.value[${i}]`, `field${i}`));
  return { name: identifier(name, `${at}.name`), key: parts, value: read };
}

/** A type alone, or with a name. */
function readField(value: unknown, at: string, fallback: string): Field {
  if (typeof value === 'string') return { name: fallback, type: value };
  const { name, type } = record(value, at);
  if (typeof type !== 'string') throw bad(`${at}.type`, 'it is no type');
  return { name: name === undefined || name === '' ? fallback : identifier(name, `${at}.name`), type };
}

function identifier(value: unknown, at: string): string {
  if (typeof value === 'string' && NAME.test(value)) return value;
  throw bad(at, 'it is no name of letters, digits and underscores');
}

function list(value: unknown, at: string): unknown[] {
  if (Array.isArray(value) && value.length <= MOST) return value;
  throw bad(at, `it is no list of at most ${MOST}`);
}

function record(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw bad(at, 'it is no object');
}

export function bad(at: string, why: string): InputError {
  return new InputError('CODEGEN_META', `no client can be made of what the contract says of itself: ${why}`, {
    facts: { at },
    hint: 'Give --meta FILE.json with the methods (docs/contracts.md, "A typed client").',
  });
}
