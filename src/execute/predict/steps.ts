/**
 * What a key that many transactions change will hold before each of them, if each adds the same to it as its dry run
 * did: pure arithmetic over bytes. A guess; whoever uses it checks what was read afterwards.
 *
 * A value is a row of unsigned little-endian integers of one width. A step is what an access adds to each of them,
 * modulo 2 to the bits of the width: less is added as well as more. The dry runs all saw the value before the block, so
 * that the k-th access sees it plus the steps of those before it.
 */

import type { Guess } from './step-memory.js';

/** Longer values are not predicted, in bytes: no more than four integers of the greatest width. */
export const MOST_VALUE_BYTES = 64;
/** Widths of integers in bytes, the widest first. */
const WIDTHS = [16, 8, 4, 2, 1] as const;
/** From this width on, a change that reaches its highest byte is taken for a hash or a text, not for a step. */
const LEAST_TOLD_WIDTH = 8;

/** The accesses of one key in block order. */
export interface KeyAccesses {
  /** In which all values lie. */
  readonly bytes: Uint8Array;
  /** The value before the block; equal: absent, which counts as zeros. */
  readonly baseStart: number;
  readonly baseEnd: number;
  /** By access, 1 where it reads and where it writes. */
  readonly isRead: Uint8Array;
  readonly isWrite: Uint8Array;
  /** By access, what its dry run wrote, if it writes; equal: it deleted the key. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** By access, 1 where there was no dry run, and what another access did is given in its place. */
  readonly isAssumed: Uint8Array;
}

/** Widths that divide a value of `length` bytes, the widest first. */
export function widthsOf(length: number): readonly number[] {
  return WIDTHS.filter((width) => length % width === 0);
}

/**
 * Bytes of the value if its changes may be steps: every writer reads it, all values are equally long, and a writer is
 * followed by another access. 0 if they are not.
 */
export function steppedLength({ baseStart, baseEnd, isRead, isWrite, starts, ends }: KeyAccesses): number {
  let length = baseEnd - baseStart;
  let firstWriter = -1;
  for (let i = 0; i < isWrite.length; i++) {
    if (isWrite[i] === 0) continue;
    if (isRead[i] === 0) return 0;
    if (firstWriter < 0) firstWriter = i;
    if (length === 0) length = ends[i] - starts[i];
    if (ends[i] - starts[i] !== length || length === 0) return 0;
  }
  const isFollowed = firstWriter >= 0 && firstWriter < isWrite.length - 1;
  return isFollowed && length <= MOST_VALUE_BYTES ? length : 0;
}

/**
 * The width to start with for a key of which nothing is remembered: the widest at which every change looks like a step.
 * Wide integers hold narrow ones side by side as long as none of these runs over. 0: they look like no steps.
 */
export function firstWidth(accesses: KeyAccesses, length: number): number {
  for (const width of widthsOf(length)) {
    if (width < LEAST_TOLD_WIDTH) return length % LEAST_TOLD_WIDTH === 0 ? 0 : width;
    if (areSmall(accesses, length, width)) return width;
  }
  return 0;
}

function areSmall(accesses: KeyAccesses, length: number, width: number): boolean {
  const { isWrite } = accesses;
  const step = new Uint8Array(length);
  for (let i = 0; i < isWrite.length; i++) {
    if (isWrite[i] === 0) continue;
    step.fill(0);
    addStep(step, 0, accesses, i, length, width);
    for (let top = width - 1; top < length; top += width) if (step[top] !== 0 && step[top] !== 255) return false;
  }
  return true;
}

/**
 * Writes what each access sees to `out` from `at` on, `length` bytes each, and gives the number of the first that may
 * see something else than the value before the block: it and all after it do not see an absent key. `out` may be the
 * bytes of the accesses. Takes a few operations per byte of a value and access.
 */
export function predictValues(
  accesses: KeyAccesses,
  length: number,
  width: number,
  out: Uint8Array,
  at: number,
): number {
  const { bytes, baseStart, baseEnd, isWrite } = accesses;
  const count = isWrite.length;
  let first = count;
  if (baseStart === baseEnd) out.fill(0, at, at + length);
  else for (let i = 0; i < length; i++) out[at + i] = bytes[baseStart + i];
  for (let i = 0; i + 1 < count; i++) {
    const next = at + (i + 1) * length;
    out.copyWithin(next, next - length, next);
    if (isWrite[i] === 0) continue;
    addStep(out, next, accesses, i, length, width);
    if (first === count) first = i + 1;
  }
  return first;
}

/** Adds the step of access `i` to the integers at `at` of `to`. */
function addStep(to: Uint8Array, at: number, accesses: KeyAccesses, i: number, length: number, width: number): void {
  const { bytes, baseStart, baseEnd, starts } = accesses;
  const isAbsent = baseStart === baseEnd;
  let carry = 0;
  for (let k = 0, own = starts[i]; k < length; k++) {
    if (k % width === 0) carry = 0;
    const sum = to[at + k] + bytes[own + k] - (isAbsent ? 0 : bytes[baseStart + k]) + carry;
    to[at + k] = sum & 255;
    carry = sum >> 8;
  }
}

/**
 * The guess under which access `access` sees the `length` bytes from `start` of `bytes`, the widest if there are
 * several; undefined if there is none. Tells how a key steps that was predicted wrongly.
 */
export function guessThatGives(
  accesses: KeyAccesses,
  length: number,
  access: number,
  start: number,
): Guess | undefined {
  const assumed = accesses.isAssumed.subarray(0, access).includes(1) ? [true, false] : [true];
  for (const assumes of assumed) {
    for (const width of widthsOf(length)) {
      if (isSeen(accesses, length, access, start, { width, assumes })) return { width, assumes };
    }
  }
  return undefined;
}

function isSeen(
  accesses: KeyAccesses,
  length: number,
  access: number,
  start: number,
  { width, assumes }: Guess,
): boolean {
  const { bytes, baseStart, baseEnd, isWrite, isAssumed } = accesses;
  const value = new Uint8Array(length);
  if (baseStart < baseEnd) value.set(bytes.subarray(baseStart, baseEnd));
  for (let i = 0; i < access; i++) {
    if (isWrite[i] === 1 && (assumes || isAssumed[i] === 0)) addStep(value, 0, accesses, i, length, width);
  }
  let same = 0;
  while (same < length && value[same] === bytes[start + same]) same++;
  return same === length;
}
