/** Resolving the target of a cellpack: calls, creations and clones (docs/lane-rules.md, section 3). */
import type { Transaction } from '../bitcoin/types.js';
import { InternalError } from '../errors/errors.js';
import type { Program } from '../program/types.js';
import { idBytes, idFromBytes } from '../protocol/alkane-id.js';
import type { AlkaneId } from '../protocol/types.js';
import { concatBytes, readU128, U128_MAX, u128Bytes } from '../util/bytes.js';
import type { Allowance } from './allowance.js';
import { envelopeCodes } from './envelope-code.js';
import { codeKey, SEQUENCE_KEY } from './keys.js';
import type { TransactionView } from './overlay.js';
import { programs } from './programs.js';
import type { StateReader } from './types.js';

const CODE_WASM = 0;
const CODE_CLONE = 1;

/** The contract that a message runs, or why there is none. */
export type Resolution =
  | { readonly ok: true; readonly id: AlkaneId; readonly program: Program }
  | { readonly ok: false; readonly id: AlkaneId | undefined; readonly error: string };

/**
 * Whether a call of `target` creates: these cost fuel however they end. 1:x with x > 0 does not create: it has no code.
 */
export function isCreation({ block, tx }: AlkaneId): boolean {
  return (block === 1n && tx === 0n) || block === 3n || block === 5n || block === 6n;
}

/**
 * Finds or makes the contract that `target` names. Creations are written into `view` (the running message): a created
 * id has its code from here on, and a message that fails later leaves none of them. An attempt to create from the
 * envelope marks it as used in `allowance`, whatever follows. The caller has already charged the fuel of a creation.
 */
export function resolveTarget(
  target: AlkaneId,
  tx: Transaction,
  view: TransactionView,
  allowance: Allowance,
): Resolution {
  switch (target.block) {
    case 1n:
      return target.tx === 0n ? createNext(tx, view, allowance) : noCode(target);
    case 3n:
      return createReserved({ block: 4n, tx: target.tx }, tx, view, allowance);
    case 5n:
      return clone({ block: 2n, tx: target.tx }, view);
    case 6n:
      return clone({ block: 4n, tx: target.tx }, view);
    case 2n:
    case 4n: {
      const code = finalCode(target, view);
      return code === undefined ? noCode(target) : { ok: true, id: target, program: code.program };
    }
    default:
      return noCode(target);
  }
}

function noCode(id: AlkaneId): Resolution {
  return { ok: false, id, error: 'no code at the target' };
}

/** Next sequence number: absent means 1. */
export function readSequence(view: TransactionView): bigint {
  const value = view.get(SEQUENCE_KEY);
  return value === undefined ? 1n : readU128(value, 0);
}

/** Takes the next number for an id 2:next, or undefined if there is none left. */
function takeSequence(view: TransactionView): AlkaneId | undefined {
  const next = readSequence(view);
  if (next === U128_MAX) return undefined;
  view.set(SEQUENCE_KEY, u128Bytes(next + 1n));
  return { block: 2n, tx: next };
}

const ENVELOPE_USED = 'the envelope is used';

function createNext(tx: Transaction, view: TransactionView, allowance: Allowance): Resolution {
  if (!allowance.useEnvelope()) return { ok: false, id: undefined, error: ENVELOPE_USED };
  const code = envelopeCodes.of(tx);
  if (!code.ok) return { ok: false, id: undefined, error: code.error };
  const id = takeSequence(view);
  if (id === undefined) return { ok: false, id: undefined, error: 'no sequence number left' };
  view.set(codeKey(id), concatBytes(Uint8Array.of(CODE_WASM), code.program.source));
  return { ok: true, id, program: code.program };
}

function createReserved(id: AlkaneId, tx: Transaction, view: TransactionView, allowance: Allowance): Resolution {
  if (!allowance.useEnvelope()) return { ok: false, id, error: ENVELOPE_USED };
  if (view.get(codeKey(id)) !== undefined) return { ok: false, id, error: 'the reserved id has code already' };
  const code = envelopeCodes.of(tx);
  if (!code.ok) return { ok: false, id, error: code.error };
  view.set(codeKey(id), concatBytes(Uint8Array.of(CODE_WASM), code.program.source));
  return { ok: true, id, program: code.program };
}

/** A clone points at the final original, never at another clone; the original is looked up before a number is taken. */
function clone(original: AlkaneId, view: TransactionView): Resolution {
  const code = finalCode(original, view);
  if (code === undefined) return { ok: false, id: undefined, error: 'no code to clone' };
  const id = takeSequence(view);
  if (id === undefined) return { ok: false, id: undefined, error: 'no sequence number left' };
  view.set(codeKey(id), concatBytes(Uint8Array.of(CODE_CLONE), idBytes(code.id)));
  return { ok: true, id, program: code.program };
}

/**
 * Code of `id`, one clone step followed; undefined: none. Stored code passed every check when it was created. Among
 * guesses a clone may be there before what it points at. Throws InternalError where that is so in a state.
 */
export function finalCode(id: AlkaneId, state: StateReader): { id: AlkaneId; program: Program } | undefined {
  const key = codeKey(id);
  const known = state.programAt?.(key);
  if (known !== undefined) return { id, program: known };
  const value = state.get(key);
  if (value === undefined) return undefined;
  if (value[0] === CODE_WASM) return { id, program: programs.ofStored(value, key, state) };
  const original = idFromBytes(value, 1);
  const originalKey = codeKey(original);
  const program = state.programAt?.(originalKey);
  if (program !== undefined) return { id: original, program };
  const wasm = state.get(originalKey);
  if (wasm === undefined || wasm[0] !== CODE_WASM) {
    if (state.isGuess === true) return undefined;
    throw new InternalError('a clone points at an id without code', { facts: { block: id.block, tx: id.tx } });
  }
  return { id: original, program: programs.ofStored(wasm, originalKey, state) };
}
