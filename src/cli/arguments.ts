/** Parsers of option values. Their errors name the option. */
import { InvalidArgumentError } from 'commander';
import { parseId } from '../protocol/alkane-id.js';
import { Sheet, type SheetEntry } from '../protocol/sheet.js';
import type { AlkaneId, ProtostoneEdict } from '../protocol/types.js';
import type { ContractCall } from '../selftest/bench/contracts/methods.js';
import { fromHex, U128_MAX } from '../util/bytes.js';
import type { WorkFilter } from '../verify/verify-chain.js';
import type { Outpoint, ScriptOutput } from './encode.js';

/** Inputs of a message to a contract, at most. */
const MOST_INPUTS = 1_000;
/** Satoshi per 1,000 virtual bytes: more was never needed. */
const MOST_RATE = 10_000_000n;
/** Highest height of any chain to come in this century. */
const HIGHEST = 100_000_000;

/** Reads a whole number from `least` to `most`. Throws InvalidArgumentError, which says what would be right. */
function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** Height of a block. */
export const height = whole(0, HIGHEST);
/** Height to roll back to: -1 empties a database that begins at height 0. */
export const rollbackHeight = whole(-1, HIGHEST);
/** TCP port; 0: any free one. */
export const port = whole(0, 65_535);
/** Number of an output of a transaction, also one that it does not have. */
export const outputNumber = whole(0, 0xffffffff);
/** Satoshi: as many as there can be. */
const satoshi = whole(0, 2_100_000_000_000_000);
/** Satoshi per virtual byte with up to three decimals, as satoshi per 1,000. */
export function feeRate(text: string): bigint {
  const [, whole_, part = ''] = /^(\d{1,5})(?:\.(\d{1,3}))?$/.exec(text) ?? [];
  const rate = whole_ === undefined ? 0n : BigInt(whole_ + part.padEnd(3, '0'));
  if (rate > 0n && rate <= MOST_RATE) return rate;
  throw new InvalidArgumentError('It must be satoshi per virtual byte, from 0.001 to 10000.');
}

/** Seconds to wait. */
export const seconds = whole(1, 86_400);
/** Share of something. */
export const percent = whole(0, 100);
/** Threads. */
export const workers = whole(1, 256);
/** How often something is done. */
export const times = whole(1, 1_000_000_000);
/** Seed of a generator, or a number in its sequence. */
export const seed = whole(0, 0xffffffff);
/** Messages of a batch or block. */
export const size = whole(1, 1_000_000);

/** Numbers of messages, separated by commas. */
export function sizes(text: string): number[] {
  return text.split(',').map(size);
}

/** One of some words. */
export function oneOf<const T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`It must be one of ${choices.join(', ')}.`);
  };
}

/** Some of these words, separated by commas, each once. */
export function someOf<const T extends string>(choices: readonly T[]): (text: string) => T[] {
  return (text) => {
    const wanted = text.split(',');
    const known = choices.filter((choice) => wanted.includes(choice));
    if (known.length === wanted.length) return known;
    throw new InvalidArgumentError(`It must be some of ${choices.join(',')}, each once.`);
  };
}

/** Bytes in hex, `0x` optional. */
export function hexBytes(text: string): Uint8Array {
  try {
    return fromHex(text);
  } catch {
    throw new InvalidArgumentError('It must be whole bytes of hex.');
  }
}

/** A txid as nodes print it; in lower case. */
export function txid(text: string): string {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('It must be 64 hex digits.');
}

/** A root: 32 bytes in hex. */
export function root(text: string): Uint8Array {
  const bytes = hexBytes(text);
  if (bytes.length === 32) return bytes;
  throw new InvalidArgumentError('It must be 64 hex digits.');
}

/** `block:tx` of a contract or asset. */
export function alkaneId(text: string): AlkaneId {
  try {
    return parseId(text);
  } catch {
    throw new InvalidArgumentError('It must be block:tx, e.g. 2:1.');
  }
}

/** A number from 0 to 2^128 - 1, decimal. */
export function u128(text: string): bigint {
  const value = /^\d{1,39}$/.test(text) ? BigInt(text) : undefined;
  if (value !== undefined && value <= U128_MAX) return value;
  throw new InvalidArgumentError('It must be a decimal number from 0 to 2^128 - 1.');
}

/** One amount of an asset, `block:tx:amount`, behind those `before`. */
export function assets(text: string, before: readonly SheetEntry[] = []): SheetEntry[] {
  const at = text.lastIndexOf(':');
  const entry = { id: alkaneId(text.slice(0, Math.max(0, at))), amount: u128(text.slice(at + 1)) };
  const sheet = new Sheet();
  for (const { id, amount } of [...before, entry]) {
    if (!sheet.add(id, amount)) throw new InvalidArgumentError('The amounts of one asset are over 2^128 - 1.');
  }
  return sheet.entries();
}

/** An edict of a protostone, `block:tx:amount:output`, behind those `before`; the amount 0 is all. */
export function edicts(text: string, before: readonly ProtostoneEdict[] = []): ProtostoneEdict[] {
  const [, id, amount, output] = /^(\d+:\d+):(\d+):(\d+)$/.exec(text) ?? [];
  if (output === undefined) throw new InvalidArgumentError('It must be block:tx:amount:output, e.g. 2:1:500:0.');
  return [...before, { id: alkaneId(id), amount: u128(amount), output: BigInt(outputNumber(output)) }];
}

/** `txid:vout`, behind those `before`; the txid as nodes print it. */
export function outpoints(text: string, before: readonly Outpoint[] = []): Outpoint[] {
  const at = text.lastIndexOf(':');
  return [...before, { txid: txid(text.slice(0, Math.max(0, at))), vout: outputNumber(text.slice(at + 1)) }];
}

/** `script:satoshi`, the script in hex, behind those `before`. */
export function outputs(text: string, before: readonly ScriptOutput[] = []): ScriptOutput[] {
  const at = text.lastIndexOf(':');
  const value = BigInt(satoshi(text.slice(at + 1)));
  return [...before, { script: hexBytes(text.slice(0, Math.max(0, at))), value }];
}

/** `[FILE/]OPCODE[,INPUT…]`: the file counts from 1 and is the first if it is not given. Adds it to those before. */
export function contractCall(text: string, before: readonly ContractCall[] = []): ContractCall[] {
  const [, file, list] = /^(?:(\d{1,3})\/)?(\d{1,39}(?:,\d{1,39})*)$/.exec(text) ?? [];
  const inputs = list?.split(',').map(BigInt) ?? [];
  if (inputs.length === 0 || inputs.length > MOST_INPUTS || inputs.some((input) => input > U128_MAX)) {
    throw new InvalidArgumentError('It must be [FILE/]OPCODE[,INPUT…], e.g. 77 or 2/0,1000: numbers below 2^128.');
  }
  return [...before, { contract: Number(file ?? 1) - 1, inputs, name: text }];
}

/** A share of the blocks of a chain, as `divisor:remainder`. */
export function workFilter(text: string): WorkFilter {
  const [, divisor, remainder] = /^(\d{1,7}):(\d{1,7})$/.exec(text) ?? [];
  const filter = { divisor: Number(divisor), remainder: Number(remainder) };
  if (filter.remainder < filter.divisor) return filter;
  throw new InvalidArgumentError('It must be two whole numbers, the second one smaller, e.g. 4:0 to 4:3.');
}
