/** What a contract says of its methods, and what a call of one needs. */

export interface MethodParam {
  readonly name: string;
  readonly type: string;
}

export interface ContractMethod {
  readonly name: string;
  /** Decimal. */
  readonly opcode: string;
  readonly params: readonly MethodParam[];
  readonly returns: string;
}

export interface ContractMeta {
  readonly name: string;
  readonly methods: readonly ContractMethod[];
}

/** Of what a contract claims, at most so much is shown. */
const MOST_METHODS = 200;
const MOST_PARAMS = 32;
const MOST_TEXT = 80;
const U128_MAX = (1n << 128n) - 1n;
const WORD_BYTES = 16;

/** What `__meta` said, as far as it has the usual form; a contract may say anything. */
export function metaOf(json: unknown): ContractMeta {
  const { contract, methods } = fields(json);
  const list = Array.isArray(methods) ? methods.slice(0, MOST_METHODS) : [];
  return { name: text(contract), methods: list.map(methodOf).filter((method) => method !== undefined) };
}

function methodOf(json: unknown): ContractMethod | undefined {
  const { name, opcode, params, returns } = fields(json);
  const digits = typeof opcode === 'number' || typeof opcode === 'string' ? String(opcode) : '';
  if (!/^\d{1,39}$/.test(digits)) return undefined;
  const list = Array.isArray(params) ? params.slice(0, MOST_PARAMS) : [];
  return { name: text(name), opcode: digits, params: list.map(paramOf), returns: text(returns) };
}

/** Either a type, or an object with its name as well. */
function paramOf(json: unknown, at: number): MethodParam {
  if (typeof json === 'string') return { name: `input ${at + 1}`, type: text(json) };
  const { name, type } = fields(json);
  return { name: text(name) || `input ${at + 1}`, type: text(type) };
}

function fields(json: unknown): Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
}

const text = (value: unknown): string => (typeof value === 'string' ? value.slice(0, MOST_TEXT) : '');

/** What a field cannot be, in words for its reader. */
export class BadInput extends Error {}

/**
 * The inputs of calldata that a parameter becomes: a number one, an id two, a text as many words of 16 bytes as it
 * has with a zero behind it, anything else the numbers that are given. Throws {@link BadInput}.
 */
export function inputsOf({ name, type }: MethodParam, given: string): string[] {
  const value = given.trim();
  if (/^string$/i.test(type)) return textWords(given);
  if (/^alkane_?id$/i.test(type)) {
    const id = /^(\d+):(\d+)$/.exec(value);
    if (id === null) throw new BadInput(`${name} must be an id such as 2:1`);
    return [number(name, id[1]), number(name, id[2])];
  }
  if (/^[ui](8|16|32|64|128)$/i.test(type)) return [number(name, value)];
  return numbersOf(name, value);
}

/** Numbers with commas or spaces between them. */
export function numbersOf(name: string, given: string): string[] {
  return given
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => number(name, part));
}

function number(name: string, given: string): string {
  if (!/^(0x[0-9a-f]{1,32}|\d{1,39})$/i.test(given))
    throw new BadInput(`${name} must be a whole number, or 0x and hex`);
  const value = BigInt(given);
  if (value > U128_MAX) throw new BadInput(`${name} must be below 2^128`);
  return value.toString();
}

function textWords(given: string): string[] {
  const bytes = [...new TextEncoder().encode(given), 0];
  const words: string[] = [];
  for (let at = 0; at < bytes.length; at += WORD_BYTES) {
    const word = bytes.slice(at, at + WORD_BYTES).reverse();
    words.push(BigInt(`0x${word.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`).toString());
  }
  return words;
}
