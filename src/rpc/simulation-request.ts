import { Sheet } from '../protocol/sheet.js';
import { MOST_INCOMING, MOST_PROTOSTONES, type SimulatedMessage, type SimulationRequest } from '../simulate/request.js';
import { U128_MAX } from '../util/bytes.js';
import { RpcError } from './errors.js';
import { Params } from './params.js';

const MEMBERS = ['target', 'inputs', 'incoming', 'height', 'transaction', 'block', 'protostone'] as const;
/** Longest part of what is wrong that an error repeats. */
const SHOWN = 60;

/** What `warpshrew_simulate` was asked, but for the height: `value` is its only parameter. Throws RpcError -32602. */
export function simulationRequest(
  value: Readonly<Record<string, unknown>>,
  usage: string,
): Omit<SimulationRequest, 'height'> {
  for (const name of Object.keys(value)) {
    if (MEMBERS.some((known) => known === name)) continue;
    throw bad(`unknown member ${name.slice(0, SHOWN)}`, `Its members are ${MEMBERS.join(', ')}.`);
  }
  const { target, inputs, incoming, transaction, block, protostone } = value;
  const members = new Params([target, transaction, block, incoming, inputs, protostone], usage);
  const given = members.has(1) ? members.hex(1, 'transaction') : undefined;
  if (!members.has(0) && given === undefined) {
    throw bad('neither a target nor a transaction', 'Give the target of a message, or a transaction to run all of it.');
  }
  if (!members.has(0) && (members.has(4) || members.has(5))) {
    throw bad('inputs without a target', 'A transaction without a target is run as it is, with its own messages.');
  }
  const message: SimulatedMessage | undefined = members.has(0)
    ? { target: members.id(0), inputs: numbersOf(inputs ?? []), protostone: placeOf(protostone ?? 0) }
    : undefined;
  return {
    message,
    incoming: members.has(3) ? incomingOf(members.object(3, 'incoming')) : undefined,
    transaction: given,
    block: members.has(2) ? members.hex(2, 'block') : undefined,
  };
}

function numbersOf(value: unknown): bigint[] {
  if (Array.isArray(value)) return value.map((number: unknown) => numberOf(number, 'input'));
  throw new RpcError('RPC_WRONG_TYPE', 'Invalid params: inputs is not an array', 'Give an array of numbers.');
}

/** A u128: a JSON integer that is exact, or decimal digits. */
function numberOf(value: unknown, what: string): bigint {
  const isNumber = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
  const isText = typeof value === 'string' && /^\d{1,39}$/.test(value);
  const number = isNumber || isText ? BigInt(value) : undefined;
  if (number !== undefined && number <= U128_MAX) return number;
  const shown = String(typeof value === 'object' ? typeof value : value).slice(0, SHOWN);
  const hint = 'Give a decimal string, or an integer below 2^53; at most 2^128 - 1.';
  throw new RpcError('RPC_BAD_AMOUNT', `Invalid params: not a number for ${what}: ${shown}`, hint);
}

function placeOf(value: unknown): number {
  const place = Number(numberOf(value, 'protostone'));
  if (place < MOST_PROTOSTONES) return place;
  throw bad('a message behind too many protostones', `Give a protostone below ${MOST_PROTOSTONES}.`);
}

function incomingOf(value: Readonly<Record<string, unknown>>): ReturnType<Sheet['entries']> {
  const named = Object.entries(value);
  if (named.length > MOST_INCOMING) {
    throw bad('too many incoming assets', `Give at most ${MOST_INCOMING}: no transaction can hold more.`);
  }
  const sheet = new Sheet();
  for (const [name, amount] of named) {
    const id = new Params([name], '').id(0);
    if (!sheet.add(id, numberOf(amount, 'incoming')))
      throw bad('a sum of incoming over 2^128 - 1', 'Name each id once.');
  }
  return sheet.entries();
}

function bad(what: string, hint: string): RpcError {
  return new RpcError('RPC_BAD_SIMULATION', `Invalid params: ${what}`, hint);
}
