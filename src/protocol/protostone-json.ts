/** Protostones out of the JSON that `decode --json` prints (describe.ts), to be encoded again. */
import { InputError, UsageError } from '../errors/errors.js';
import { fromHex, U128_MAX } from '../util/bytes.js';
import { parseId } from './alkane-id.js';
import { encodeCellpack, type ProtostoneInput } from './encode.js';
import type { ProtostoneEdict } from './types.js';

/** Of protostones, of edicts and of inputs; a transaction has no room for so many. */
const MOST = 100_000;

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads a list of protostones, or an object that has one as `protostones`. A message is the hex of its bytes, or a
 * `cellpack`. Throws InputError PROTOSTONES_BAD_JSON, which names the place.
 */
export function readProtostones(text: string): ProtostoneInput[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw bad('$', 'it is not JSON', cause);
  }
  const list = isObject(parsed) ? parsed.protostones : parsed;
  return listAt(list, 'protostones').map((stone, i) => readProtostone(stone, `protostones[${i}]`));
}

function readProtostone(stone: unknown, at: string): ProtostoneInput {
  if (!isObject(stone)) throw bad(at, 'it is not an object');
  const number = (name: string): bigint | undefined => numberAt(stone[name], `${at}.${name}`);
  const edicts = stone.edicts === undefined ? [] : listAt(stone.edicts, `${at}.edicts`);
  return {
    protocolTag: number('protocol_tag'),
    burn: number('burn'),
    pointer: number('pointer'),
    refund: number('refund'),
    from: number('from'),
    message: messageAt(stone, at),
    edicts: edicts.map((edict, i) => readEdict(edict, `${at}.edicts[${i}]`)),
  };
}

function messageAt({ message, cellpack }: JsonObject, at: string): Uint8Array | undefined {
  if (typeof message === 'string' && message !== '') {
    try {
      return fromHex(message);
    } catch (cause) {
      throw bad(`${at}.message`, 'it is not whole bytes of hex', cause);
    }
  }
  if (cellpack === undefined) return undefined;
  if (!isObject(cellpack)) throw bad(`${at}.cellpack`, 'it is not an object');
  const inputs = listAt(cellpack.inputs, `${at}.cellpack.inputs`);
  return encodeCellpack(
    idAt(cellpack.target, `${at}.cellpack.target`),
    inputs.map((input, i) => needed(input, `${at}.cellpack.inputs[${i}]`)),
  );
}

function readEdict(edict: unknown, at: string): ProtostoneEdict {
  if (!isObject(edict)) throw bad(at, 'it is not an object');
  return {
    id: idAt(edict.id, `${at}.id`),
    amount: needed(edict.amount, `${at}.amount`),
    output: needed(edict.output, `${at}.output`),
  };
}

function idAt(value: unknown, at: string): ReturnType<typeof parseId> {
  try {
    return parseId(typeof value === 'string' ? value : '');
  } catch (cause) {
    if (cause instanceof UsageError) throw bad(at, 'it is not an id, for example "2:1"', cause);
    throw cause;
  }
}

function listAt(value: unknown, at: string): unknown[] {
  if (!Array.isArray(value)) throw bad(at, 'it is not a list');
  if (value.length > MOST) throw bad(at, `it has more than ${MOST} entries`);
  return value;
}

function needed(value: unknown, at: string): bigint {
  const number = numberAt(value, at);
  if (number === undefined) throw bad(at, 'it is missing');
  return number;
}

/** A number, or the text of one; undefined for null and for what is absent. */
function numberAt(value: unknown, at: string): bigint | undefined {
  if (value === undefined || value === null) return undefined;
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  const number = /^\d{1,39}$/.test(text) ? BigInt(text) : undefined;
  if (number === undefined || number > U128_MAX) throw bad(at, 'it is not a whole number from 0 to 2^128 - 1');
  return number;
}

function bad(at: string, why: string, cause?: unknown): InputError {
  return new InputError('PROTOSTONES_BAD_JSON', `no protostones can be read of the JSON: ${why}`, {
    facts: { at },
    hint: 'Write them as `warpshrew decode --json` prints them.',
    cause,
  });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
