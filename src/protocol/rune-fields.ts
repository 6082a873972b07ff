/** The (tag, value) fields and edicts of a runestone (docs/wire.md, "Runestones"). */
import { U128_MAX } from '../util/bytes.js';
import type { AlkaneId } from './types.js';

/** Why a runestone is a cenotaph; the first one found counts. */
export type Flaw =
  | 'Opcode'
  | 'InvalidScript'
  | 'Varint'
  | 'TruncatedField'
  | 'TrailingIntegers'
  | 'EdictRuneId'
  | 'EdictOutput'
  | 'UnrecognizedFlag'
  | 'UnrecognizedEvenTag'
  | 'SupplyOverflow';

/** Tags of runestone fields. Even tags that are left over make a cenotaph, odd ones do not. */
export const TAG = {
  body: 0n,
  divisibility: 1n,
  flags: 2n,
  spacers: 3n,
  rune: 4n,
  symbol: 5n,
  premine: 6n,
  cap: 8n,
  amount: 10n,
  heightStart: 12n,
  heightEnd: 14n,
  offsetStart: 16n,
  offsetEnd: 18n,
  mint: 20n,
  pointer: 22n,
  protocol: 16383n,
} as const;

const FLAG_ETCHING = 1n;
const FLAG_TERMS = 2n;
const FLAG_TURBO = 4n;

const U32_MAX = 0xffffffffn;
const U64_MAX = 0xffffffffffffffffn;
const MAX_DIVISIBILITY = 38n;
const MAX_SPACERS = 0x07ffffffn;

export interface RuneEdict {
  readonly id: AlkaneId;
  readonly amount: bigint;
  readonly output: number;
}

export interface RuneFields {
  /** The first flaw found, if any: then nothing else counts. */
  readonly flaw: Flaw | undefined;
  readonly edicts: readonly RuneEdict[];
  readonly mint: AlkaneId | undefined;
  readonly pointer: number | undefined;
  readonly etching: boolean;
  readonly protocol: readonly bigint[] | undefined;
}

/** Values by tag, each list in order; values are taken off the front. */
class FieldMap {
  readonly #values = new Map<bigint, bigint[]>();

  push(tag: bigint, value: bigint): void {
    const list = this.#values.get(tag);
    if (list) list.push(value);
    else this.#values.set(tag, [value]);
  }

  /** The first value of `tag` if `accept` allows it: then it is taken off, else it stays. */
  take(tag: bigint, accept: (value: bigint) => boolean): bigint | undefined {
    const first = this.#values.get(tag)?.[0];
    if (first === undefined || !accept(first)) return undefined;
    this.#drop(tag, 1);
    return first;
  }

  /** Like {@link take} for the first two values together. */
  takeTwo(tag: bigint, accept: (a: bigint, b: bigint) => boolean): readonly [bigint, bigint] | undefined {
    const list = this.#values.get(tag);
    if (list === undefined || list.length < 2 || !accept(list[0], list[1])) return undefined;
    const [a, b] = list;
    this.#drop(tag, 2);
    return [a, b];
  }

  takeAll(tag: bigint): readonly bigint[] | undefined {
    const list = this.#values.get(tag);
    this.#values.delete(tag);
    return list;
  }

  get hasEvenTag(): boolean {
    for (const tag of this.#values.keys()) if (tag % 2n === 0n) return true;
    return false;
  }

  #drop(tag: bigint, count: number): void {
    const list = this.#values.get(tag);
    if (list === undefined) return;
    list.splice(0, count);
    if (list.length === 0) this.#values.delete(tag);
  }
}

/** Reads the integers of a runestone's payload; `outputCount` is the transaction's. */
export function readFields(integers: readonly bigint[], outputCount: number): RuneFields {
  const { fields, edicts, flaw: parseFlaw } = readMessage(integers, outputCount);
  let flags = fields.take(TAG.flags, () => true) ?? 0n;
  const takeFlag = (bit: bigint): boolean => {
    const set = (flags & bit) !== 0n;
    if (set) flags ^= bit;
    return set;
  };

  const etching = takeFlag(FLAG_ETCHING);
  let supplyOverflow = false;
  if (etching) {
    fields.take(TAG.divisibility, (v) => v <= MAX_DIVISIBILITY);
    const premine = fields.take(TAG.premine, () => true) ?? 0n;
    fields.take(TAG.rune, () => true);
    fields.take(TAG.spacers, (v) => v <= MAX_SPACERS);
    fields.take(TAG.symbol, isUnicodeScalar);
    const minted = takeFlag(FLAG_TERMS) ? takeTerms(fields) : 0n;
    takeFlag(FLAG_TURBO);
    supplyOverflow = premine + minted > U128_MAX;
  }
  const mint = fields.takeTwo(TAG.mint, (block, tx) => isRuneId(block, tx));
  const pointer = fields.take(TAG.pointer, (v) => v < BigInt(outputCount));
  const protocol = fields.takeAll(TAG.protocol);

  let flaw = parseFlaw;
  if (supplyOverflow) flaw ??= 'SupplyOverflow';
  if (flags !== 0n) flaw ??= 'UnrecognizedFlag';
  if (fields.hasEvenTag) flaw ??= 'UnrecognizedEvenTag';
  return {
    flaw,
    edicts,
    mint: mint && { block: mint[0], tx: mint[1] },
    pointer: pointer === undefined ? undefined : Number(pointer),
    etching,
    protocol,
  };
}

/** Takes the fields of open minting off and returns how much can be minted: cap times amount, possibly over u128. */
function takeTerms(fields: FieldMap): bigint {
  const cap = fields.take(TAG.cap, () => true) ?? 0n;
  for (const tag of [TAG.heightStart, TAG.heightEnd, TAG.offsetStart, TAG.offsetEnd]) {
    fields.take(tag, (v) => v <= U64_MAX);
  }
  const amount = fields.take(TAG.amount, () => true) ?? 0n;
  return cap * amount;
}

function readMessage(
  integers: readonly bigint[],
  outputCount: number,
): { fields: FieldMap; edicts: RuneEdict[]; flaw: Flaw | undefined } {
  const fields = new FieldMap();
  const edicts: RuneEdict[] = [];
  let flaw: Flaw | undefined;
  for (let i = 0; i < integers.length; i += 2) {
    if (integers[i] === TAG.body) {
      flaw = readEdicts(integers, i + 1, outputCount, edicts);
      break;
    }
    if (i + 1 === integers.length) {
      flaw = 'TruncatedField';
      break;
    }
    fields.push(integers[i], integers[i + 1]);
  }
  return { fields, edicts, flaw };
}

/** Appends the edicts from `start` on to `edicts`, up to the first bad one, whose flaw is returned. */
function readEdicts(
  integers: readonly bigint[],
  start: number,
  outputCount: number,
  edicts: RuneEdict[],
): Flaw | undefined {
  let id: AlkaneId = { block: 0n, tx: 0n };
  for (let i = start; i < integers.length; i += 4) {
    if (i + 4 > integers.length) return 'TrailingIntegers';
    const [blockDelta, txDelta, amount, output] = integers.slice(i, i + 4);
    const block = id.block + blockDelta;
    const tx = blockDelta === 0n ? id.tx + txDelta : txDelta;
    if (!isRuneId(block, tx)) return 'EdictRuneId';
    if (output > BigInt(outputCount)) return 'EdictOutput';
    id = { block, tx };
    edicts.push({ id, amount, output: Number(output) });
  }
  return undefined;
}

function isRuneId(block: bigint, tx: bigint): boolean {
  return block <= U64_MAX && tx <= U32_MAX && (block !== 0n || tx === 0n);
}

function isUnicodeScalar(value: bigint): boolean {
  return value <= 0x10ffffn && (value < 0xd800n || value > 0xdfffn);
}
