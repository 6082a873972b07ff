// What hot keys are predicted to hold: arithmetic, and what is remembered of it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Guess, StepMemory } from '../../../src/execute/predict/step-memory.js';
import {
  firstWidth,
  guessThatGives,
  type KeyAccesses,
  MOST_VALUE_BYTES,
  predictValues,
  steppedLength,
  widthsOf,
} from '../../../src/execute/predict/steps.js';
import { concatBytes } from '../../../src/util/bytes.js';

type Value = Uint8Array | undefined;

/** What one access did: undefined: it only read; otherwise what its dry run wrote. */
interface Access {
  readonly wrote?: Value;
  readonly isBlind?: boolean;
}

/** `value` as a little-endian integer of `width` bytes, modulo its size. */
function integer(value: bigint, width: number): Uint8Array {
  const bytes = new Uint8Array(width);
  let left = BigInt.asUintN(8 * width, value);
  for (let i = 0; i < width; i++) {
    bytes[i] = Number(left & 255n);
    left >>= 8n;
  }
  return bytes;
}

const integers = (values: readonly bigint[], width: number) =>
  concatBytes(...values.map((value) => integer(value, width)));

/** Accesses whose values lie in one array, behind some other bytes. */
function accessesOf(base: Value, accesses: readonly Access[]): KeyAccesses {
  const parts = [Uint8Array.of(9, 9, 9), base ?? new Uint8Array(0)];
  let at = 3 + (base?.length ?? 0);
  const starts = new Uint32Array(accesses.length);
  const ends = new Uint32Array(accesses.length);
  accesses.forEach(({ wrote }, i) => {
    if (wrote === undefined) return;
    starts[i] = at;
    parts.push(wrote);
    at += wrote.length;
    ends[i] = at;
  });
  return {
    bytes: concatBytes(...parts),
    baseStart: 3,
    baseEnd: 3 + (base?.length ?? 0),
    isRead: Uint8Array.from(accesses, ({ isBlind }) => (isBlind === true ? 0 : 1)),
    isWrite: Uint8Array.from(accesses, (access) => ('wrote' in access ? 1 : 0)),
    starts,
    ends,
    isAssumed: new Uint8Array(accesses.length),
  };
}

/** What each access is predicted to see. */
function predicted(base: Value, accesses: readonly Access[], width: number): Value[] {
  const given = accessesOf(base, accesses);
  const length = steppedLength(given);
  const out = new Uint8Array(5 + accesses.length * length).fill(7);
  const first = predictValues(given, length, width, out, 5);
  return accesses.map((_, i) => (i < first ? base : out.slice(5 + i * length, 5 + (i + 1) * length)));
}

const write = (wrote: Value): Access => ({ wrote });
const guess = (width: number, assumes = true): Guess => ({ width, assumes });

describe('predicted values', () => {
  it('are those of running steps one after the other, for any width, number of integers and wraps', () => {
    const width = fc.constantFrom(1, 2, 4, 8, 16);
    const wide = fc.bigInt({ min: -(1n << 128n), max: 1n << 128n });
    const small = fc.bigInt({ min: -9n, max: 9n });
    const step = fc.option(fc.array(fc.oneof(wide, small), { minLength: 4, maxLength: 4 }), { nil: undefined });
    const steps = fc.array(step, { minLength: 2, maxLength: 12 });
    const base = fc.option(fc.array(wide, { minLength: 4, maxLength: 4 }), { nil: undefined });
    fc.assert(
      fc.property(width, fc.integer({ min: 1, max: 4 }), base, steps, (bytes, fields, before, changes) => {
        const start = (before ?? [0n, 0n, 0n, 0n]).slice(0, fields);
        const dry = changes.map(
          (change): Access =>
            change === undefined
              ? {}
              : write(
                  integers(
                    start.map((value, i) => value + change[i]),
                    bytes,
                  ),
                ),
        );
        const baseBytes = before === undefined ? undefined : integers(start, bytes);
        fc.pre(steppedLength(accessesOf(baseBytes, dry)) > 0);
        let now = start;
        let state = baseBytes;
        const truth = changes.map((change) => {
          const seen = state;
          if (change !== undefined) {
            now = now.map((value, i) => value + change[i]);
            state = integers(now, bytes);
          }
          return seen;
        });
        expect(predicted(baseBytes, dry, bytes)).toEqual(truth);
      }),
    );
  });

  it('of narrow integers are right at a wider width as long as none runs over', () => {
    const steps = fc.array(fc.tuple(fc.bigInt(-50n, 50n), fc.bigInt(0n, 1n << 40n)), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(steps, (changes) => {
        const base = [5_000n, 7n];
        const dry = changes.map(([a, b]) => write(integers([base[0] + a, base[1] + b], 8)));
        expect(predicted(integers(base, 8), dry, 16)).toEqual(predicted(integers(base, 8), dry, 8));
        expect(firstWidth(accessesOf(integers(base, 8), dry), 16)).toBe(16);
      }),
    );
  });

  it('tell the width of two counters in one value when the first runs over', () => {
    const base = integers([(1n << 64n) - 2n, 10n], 8);
    const dry = Array.from({ length: 5 }, () => write(integers([(1n << 64n) - 1n, 11n], 8)));
    const wraps = Array.from({ length: 5 }, () => write(integers([0n, 11n], 8)));
    expect(predicted(base, dry, 8)[3]).toEqual(integers([1n, 13n], 8));
    expect(predicted(base, dry, 16)[3]).not.toEqual(integers([1n, 13n], 8));
    expect(predicted(base, wraps, 8)[2]).toEqual(integers([2n, 12n], 8));
    const given = accessesOf(base, dry);
    const truth = integers([1n, 13n], 8);
    const bytes = concatBytes(given.bytes, truth);
    expect(guessThatGives({ ...given, bytes }, 16, 3, given.bytes.length)).toEqual(guess(8));
    bytes[bytes.length - 1] ^= 1;
    expect(guessThatGives({ ...given, bytes }, 16, 3, given.bytes.length)).toBeUndefined();
  });

  it('leave out steps of accesses that only read or failed', () => {
    const base = integers([5n], 8);
    const dry = [write(integers([6n], 8)), {}, write(integers([9n], 8)), {}];
    expect(predicted(base, dry, 8)).toEqual([5n, 6n, 6n, 10n].map((value) => integer(value, 8)));
  });

  it('tell whether assumed steps were not made, and prefer that they were', () => {
    const base = integer(5n, 8);
    const dry = Array.from({ length: 4 }, () => write(integer(6n, 8)));
    const given = { ...accessesOf(base, dry), isAssumed: Uint8Array.of(0, 1, 0, 0) };
    const saw = (value: bigint, access: number) =>
      guessThatGives({ ...given, bytes: concatBytes(given.bytes, integer(value, 8)) }, 8, access, given.bytes.length);
    expect([saw(7n, 2), saw(6n, 2), saw(8n, 3), saw(7n, 3)]).toEqual([
      guess(8),
      guess(8, false),
      guess(8),
      guess(8, false),
    ]);
    expect([saw(6n, 1), saw(7n, 1), saw(9n, 3)]).toEqual([guess(8), undefined, undefined]);
  });

  it.each<[string, Value, Access[]]>([
    ['a value of another length', integer(1n, 8), [write(integer(2n, 16)), {}]],
    ['a value that changes its length among writers', undefined, [write(integer(2n, 8)), write(integer(2n, 4)), {}]],
    ['a deletion', integer(1n, 8), [write(undefined), {}]],
    ['a write without a look at the value', integer(1n, 8), [{ wrote: integer(2n, 8), isBlind: true }, {}]],
    ['no writer', integer(1n, 8), [{}, {}]],
    ['nobody behind the only writer', integer(1n, 8), [{}, write(integer(2n, 8))]],
    ['a long value', new Uint8Array(MOST_VALUE_BYTES + 1), [write(new Uint8Array(MOST_VALUE_BYTES + 1)), {}]],
  ])('are not made for %s', (_, base, accesses) => {
    expect(steppedLength(accessesOf(base, accesses))).toBe(0);
  });

  it('are not made for hashes, whatever their neighbours', () => {
    const hash = (i: number) => Uint8Array.from({ length: 32 }, (_, k) => (i * 37 + k * 91 + 60) & 127);
    expect(firstWidth(accessesOf(hash(0), [write(hash(3)), write(hash(4)), {}]), 32)).toBe(0);
  });

  it('start with the widest width that divides the value', () => {
    const first = (length: number) => {
      const base = new Uint8Array(length).fill(3);
      const next = base.slice();
      next[0] = 4;
      return firstWidth(accessesOf(base, [write(next), {}]), length);
    };
    expect([1, 2, 3, 4, 6, 8, 12, 16, 24, 32].map(first)).toEqual([1, 2, 1, 4, 2, 8, 4, 16, 8, 16]);
    expect(widthsOf(24)).toEqual([8, 4, 2, 1]);
  });
});

describe('the memory of predictions', () => {
  const tries = (memory: StepMemory, blocks: number, wrong: number): number[] => {
    const tried: number[] = [];
    for (let block = 0; block < blocks; block++) {
      if (memory.choose('a') === undefined) continue;
      tried.push(block);
      memory.learn('a', guess(16), 100, wrong, undefined);
    }
    return tried;
  };

  it('leaves a shape alone for twice as long each time it was wrong', () => {
    expect(tries(new StepMemory(), 40, 100)).toEqual([0, 2, 6, 14, 30]);
    expect(tries(new StepMemory(), 5_000, 100)).toHaveLength(13);
  });

  it('takes a block with few wrong reads for right, and keeps the width', () => {
    const memory = new StepMemory();
    expect(tries(memory, 5, 12)).toEqual([0, 1, 2, 3, 4]);
    expect(memory.choose('a')).toEqual(guess(16));
  });

  it('tries the guess that would have been right at once, but only once', () => {
    const memory = new StepMemory();
    memory.learn('a', guess(16), 10, 9, guess(8, false));
    expect(memory.choose('a')).toEqual(guess(8, false));
    memory.learn('a', guess(8, false), 10, 9, guess(16));
    expect([memory.choose('a'), memory.choose('a'), memory.choose('a'), memory.choose('a')]).toEqual([
      undefined,
      undefined,
      undefined,
      guess(16),
    ]);
  });

  it('is bounded: the shapes not met for longest are forgotten', () => {
    const memory = new StepMemory();
    memory.learn('kept', guess(4), 1, 0, undefined);
    for (let i = 0; i < 6_000; i++) {
      memory.learn(`${i}`, guess(8), 1, 0, undefined);
      if (i % 1_000 === 0) memory.learn('kept', guess(4), 1, 0, undefined);
    }
    expect(memory.size).toBe(4_096);
    expect([memory.choose('kept'), memory.choose('0'), memory.choose('5999')]).toEqual([guess(4), guess(0), guess(8)]);
  });
});
