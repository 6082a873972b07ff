/** Checking files of wire vectors: `{ format, vectors: [{ name, expect, tx_hex | script_hex + outputs | hex }] }`. */
import { parseTransaction } from '../bitcoin/parse-transaction.js';
import { InputError } from '../errors/errors.js';
import { fromHex } from '../util/bytes.js';
import {
  describeBalanceKey,
  describeCallCellpack,
  describeCallResponse,
  describeContext,
  describeExecuteResult,
  describeParcel,
  describeStorageKey,
} from './abi.js';
import { describeOutputs, describeTransaction } from './describe.js';

export interface VectorResult {
  readonly name: string;
  /** What differs, one line each; empty if the vector holds. */
  readonly differences: readonly string[];
}

type JsonObject = Readonly<Record<string, unknown>>;

const MAX_OUTPUTS = 1_000_000;

/**
 * Layouts of `hex` vectors, told apart by the fields they expect: the first whose `marks` are all expected. So
 * `alkanes` with `storage` is the result of `__execute`, without it a call's response.
 */
const LAYOUTS: readonly { readonly marks: readonly string[]; readonly describe: (bytes: Uint8Array) => object }[] = [
  { marks: ['myself'], describe: describeContext },
  { marks: ['alkanes', 'storage'], describe: describeExecuteResult },
  { marks: ['alkanes'], describe: describeCallResponse },
  { marks: ['target'], describe: describeCallCellpack },
  { marks: ['transfers'], describe: describeParcel },
  { marks: ['alkane'], describe: describeStorageKey },
  { marks: ['what'], describe: describeBalanceKey },
];

/** Objects whose keys are data: here an unexpected key is a difference. */
const MAPS: ReadonlySet<string> = new Set(['storage']);

/** Checks the text of a vectors file. Throws `InputError` FIXTURE_BAD_VECTORS if it is not of that format. */
export function checkVectors(text: string): VectorResult[] {
  return parseVectors(text).map((vector) => {
    const { name } = vector;
    try {
      const found = decodeVector(vector);
      return { name, differences: [...compare(vector.expect, found, 'expect')] };
    } catch (error) {
      return { name, differences: [error instanceof Error ? error.message : 'unknown error'] };
    }
  });
}

interface Vector {
  readonly name: string;
  readonly expect: JsonObject;
  readonly fields: JsonObject;
}

function parseVectors(text: string): Vector[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw badVectors('not JSON', cause);
  }
  const list = isObject(parsed) ? parsed.vectors : undefined;
  if (!Array.isArray(list) || list.length === 0) throw badVectors('no list "vectors"');
  return list.map((fields: unknown, index) => {
    if (!isObject(fields) || !isObject(fields.expect)) throw badVectors(`vector ${index} has no object "expect"`);
    return { name: typeof fields.name === 'string' ? fields.name : `#${index}`, expect: fields.expect, fields };
  });
}

function badVectors(why: string, cause?: unknown): InputError {
  return new InputError('FIXTURE_BAD_VECTORS', 'the file is not a file of wire vectors', { facts: { why }, cause });
}

function decodeVector({ fields, expect }: Vector): object {
  const { tx_hex, script_hex, hex, outputs } = fields;
  if (typeof tx_hex === 'string') return describeTransaction(parseTransaction(fromHex(tx_hex)));
  if (typeof script_hex === 'string') {
    const count = outputs ?? 1;
    if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > MAX_OUTPUTS) {
      throw new RangeError('"outputs" is not a number of outputs');
    }
    // The script is the last output, the others are ordinary ones.
    const ordinary = Array.from({ length: count - 1 }, () => ({ script: Uint8Array.of(0x51) }));
    return describeOutputs([...ordinary, { script: fromHex(script_hex) }]);
  }
  if (typeof hex !== 'string') throw new RangeError('no "tx_hex", "script_hex" or "hex"');
  const layout = LAYOUTS.find(({ marks }) => marks.every((mark) => mark in expect));
  if (layout === undefined) throw new RangeError('no known layout has the expected fields');
  return layout.describe(fromHex(hex));
}

/** Every expected field must be there and equal; `null` also stands for an absent field. */
function* compare(expected: unknown, found: unknown, path: string): Generator<string> {
  if (Array.isArray(expected) && Array.isArray(found) && expected.length === found.length) {
    for (const [index, item] of expected.entries()) yield* compare(item, found[index], `${path}[${index}]`);
  } else if (isObject(expected) && isObject(found)) {
    for (const [key, value] of Object.entries(expected)) yield* compare(value, found[key], `${path}.${key}`);
    if (!MAPS.has(path.slice(path.lastIndexOf('.') + 1))) return;
    for (const key of Object.keys(found)) if (!(key in expected)) yield `${path}.${key}: not expected`;
  } else if (JSON.stringify(expected) !== JSON.stringify(found ?? null)) {
    yield `${path}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found ?? null)}`;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
