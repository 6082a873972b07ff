/** Invariants of contracts: which keys each may write, and how they are created. */
import { codeKey, SEQUENCE_KEY, storagePrefix } from '../../lane/keys.js';
import type { LaneKey } from '../../lane/types.js';
import { MAX_KEY_BYTES } from '../../program/result.js';
import { formatId, ID_LENGTH, idBytes, idFromBytes, parseId } from '../../protocol/alkane-id.js';
import type { AlkaneId } from '../../protocol/types.js';
import { fromBinaryString, readU128, toBinaryString } from '../../util/bytes.js';
import { after, type Step } from './block-run.js';
import { heldCalls, heldMessages, isCreation } from './messages.js';
import { show } from './sheets.js';

const BALANCE = 'balance/';
const STORE = 'store/';
const CODE = 'code/';
const U128_LENGTH = 16;
const WASM = 0;
const CLONE = 1;

/**
 * Targets of the messages that held, and of the calls in them: no other contract may write (a failed message leaves
 * nothing). Undefined if a receipt does not list all calls.
 */
export function writersOf(step: Step): Set<string> | undefined {
  const calls = heldCalls(step);
  if (calls === undefined) return undefined;
  const called = calls.map(({ target }) => target);
  return new Set([...heldMessages(step).map(({ receipt }) => receipt.target as string), ...called]);
}

/** Storage and balances change only under the ids of contracts whose messages held, in their one form. */
export function onlyWritersWrite(step: Step): string | undefined {
  const writers = writersOf(step);
  if (writers === undefined) return undefined;
  for (const [key, value] of step.outcome.writes) {
    const wrong = wrongWrite(key, value, writers);
    if (wrong !== undefined) return `${show(key)}: ${wrong}`;
  }
  return undefined;
}

function wrongWrite(key: LaneKey, value: Uint8Array | undefined, writers: ReadonlySet<string>): string | undefined {
  if (key === SEQUENCE_KEY || key.startsWith('sheet/') || key.startsWith(CODE)) return undefined;
  const bytes = fromBinaryString(key);
  if (key.startsWith(STORE)) {
    const holder = idFromBytes(bytes, STORE.length);
    const own = key.length - storagePrefix(holder).length;
    if (own < 0 || own > MAX_KEY_BYTES || !key.startsWith(storagePrefix(holder))) return 'no key of a storage';
    if (value?.length === 0) return 'an empty value is stored';
    return writers.has(formatId(holder)) ? undefined : 'no message of that contract held';
  }
  if (!key.startsWith(BALANCE) || bytes.length !== BALANCE.length + 2 * ID_LENGTH) return 'no key of the lane';
  if (value !== undefined && (value.length !== U128_LENGTH || readU128(value, 0) === 0n)) return 'no balance';
  const holder = idFromBytes(bytes, BALANCE.length + ID_LENGTH);
  return writers.has(formatId(holder)) ? undefined : 'no message of that contract held';
}

/** `sequence` moves by the number of creations that took a number and held; their ids are the numbers it passes. */
export function sequenceMoves(step: Step): string | undefined {
  const { before, outcome } = step;
  const numbered = heldMessages(step).filter(({ asked }) => isCreation(asked) && asked?.block !== 3n);
  const first = sequenceOf(before.get(SEQUENCE_KEY));
  const next = sequenceOf(after(step, SEQUENCE_KEY));
  const calls = heldCalls(step);
  if (calls === undefined || calls.length > 0) return numbersTaken(step, first, next);
  if (next !== first + BigInt(numbered.length)) return `from ${first} to ${next} by ${numbered.length} creations`;
  if (outcome.writes.has(SEQUENCE_KEY) !== numbered.length > 0) return 'written without a creation';
  for (const [i, { receipt }] of numbered.entries()) {
    const id = `2:${first + BigInt(i)}`;
    if (receipt.target !== id) return `message ${receipt.protostone} made ${receipt.target}, not ${id}`;
  }
  return undefined;
}

/** The same where contracts have made contracts: as many numbers as there is new code under them. */
function numbersTaken({ outcome }: Step, first: bigint, next: bigint): string | undefined {
  for (let number = first; number < next; number++) {
    if (!outcome.writes.has(codeKey({ block: 2n, tx: number }))) return `2:${number} has no code`;
  }
  const made = [...outcome.writes.keys()].filter((key) => key.startsWith(CODE));
  const numbered = made.filter((key) => idFromBytes(fromBinaryString(key), CODE.length).block === 2n);
  if (next - first !== BigInt(numbered.length)) return `from ${first} to ${next} by ${numbered.length} codes`;
  return outcome.writes.has(SEQUENCE_KEY) === next > first ? undefined : 'written without a creation';
}

function sequenceOf(value: Uint8Array | undefined): bigint {
  return value === undefined ? 1n : readU128(value, 0);
}

/**
 * Code appears where a creation held and nowhere else, from the envelope once; it never changes, and a clone points at
 * code that is no clone.
 */
export function codeAppearsOnce(step: Step): string | undefined {
  const creations = heldMessages(step).filter(({ asked }) => isCreation(asked));
  const enveloped = creations.filter(({ asked }) => asked?.block === 1n || asked?.block === 3n);
  if (enveloped.length > 1) return `${enveloped.length} creations from one envelope`;
  const made = new Map(creations.map(({ receipt, asked }) => [codeKey(parseId(receipt.target as string)), asked]));
  for (const key of step.outcome.writes.keys()) {
    if (!key.startsWith(CODE) || made.has(key)) continue;
    const id = formatId(idFromBytes(fromBinaryString(key), CODE.length));
    const byCall = heldCalls(step)?.some(({ target }) => target === id) ?? true;
    if (!byCall) return `${show(key)} is written and was not created`;
    if (step.before.has(key)) return `${show(key)}: it had code before`;
  }
  for (const [key, asked] of made) {
    const wrong = wrongCode(step, key, asked as AlkaneId);
    if (wrong !== undefined) return `${show(key)}: ${wrong}`;
  }
  return undefined;
}

function wrongCode(step: Step, key: LaneKey, asked: AlkaneId): string | undefined {
  if (step.before.has(key)) return 'it had code before';
  const value = step.outcome.writes.get(key);
  if (value === undefined) return 'it has no code';
  const reserved = codeKey({ block: 4n, tx: asked.tx });
  if ((asked.block === 3n) !== (key === reserved)) return `${formatId(asked)} was requested`;
  if (asked.block === 1n || asked.block === 3n) return value[0] === WASM ? undefined : 'it is a clone';
  if (value[0] !== CLONE || value.length !== 1 + ID_LENGTH) return 'it is no clone';
  const named = after(step, codeKey({ block: asked.block === 5n ? 2n : 4n, tx: asked.tx }));
  const original = idFromBytes(value, 1);
  if (after(step, codeKey(original))?.[0] !== WASM) return 'it points at no code';
  // The named id is the original, or it is a clone that points at it.
  const direct = formatId(original) === formatId({ block: asked.block === 5n ? 2n : 4n, tx: asked.tx });
  const through = named?.[0] === CLONE && toBinaryString(named.subarray(1)) === toBinaryString(idBytes(original));
  return direct || through ? undefined : `it points at ${formatId(original)}`;
}
