import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlockState, BlockStateReader } from '../../../src/lane/columns/block-state.js';
import { KeyTable } from '../../../src/lane/columns/key-table.js';
import type { LaneKey } from '../../../src/lane/types.js';

const text = (value: Uint8Array | undefined) => value && Buffer.from(value).toString('latin1');
const bytes = (value: string) => Uint8Array.from(Buffer.from(value, 'latin1'));

describe('the state inside a block', () => {
  test('is what a map in front of the state before it would be, however often it forgets what was read', () => {
    const key = fc.integer({ min: 0, max: 40 }).map((n) => `key ${n}`.padEnd(4 + (n % 7) * 20, 'x'));
    const value = fc.oneof(fc.constant(undefined), fc.string({ minLength: 1, maxLength: 300, unit: 'binary-ascii' }));
    const step = fc.oneof(
      fc.record({ kind: fc.constant('read' as const), key }),
      fc.record({ kind: fc.constant('write' as const), key, value }),
      fc.record({ kind: fc.constant('name' as const), key }),
      fc.record({ kind: fc.constant('many' as const), keys: fc.array(key, { maxLength: 8 }) }),
      fc.record({ kind: fc.constant('settle' as const) }),
    );
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.string({ minLength: 1 })),
        fc.array(step, { maxLength: 200, size: 'max' }),
        fc.boolean(),
        (first, steps, asBytes) => {
          const before = new Map<LaneKey, Uint8Array>(Object.entries(first).map(([name, held]) => [name, bytes(held)]));
          const base = {
            get: (name: LaneKey) => before.get(name),
            ...(asBytes && {
              getAt: (from: Uint8Array, start: number, end: number) =>
                before.get(text(from.subarray(start, end)) ?? ''),
              getManyAt: (from: Uint8Array, starts: Uint32Array, ends: Uint32Array) =>
                Array.from(starts, (start, i) => before.get(text(from.subarray(start, ends[i])) ?? '')),
            }),
          };
          const state = new BlockState(base, 200);
          const reader = new BlockStateReader(state, base);
          const changes = new Map<LaneKey, Uint8Array | undefined>();
          for (const each of steps) {
            if (each.kind === 'settle') state.settle();
            else if (each.kind === 'many') {
              const numbers = Uint32Array.from([...each.keys, 'behind them'], (name) => state.keyOfText(name));
              state.loadMany(numbers, each.keys.length);
            } else if (each.kind === 'name') {
              const named = bytes(each.key);
              expect(state.keyOf(named, 0, named.length)).toBe(state.keyOfText(each.key));
            } else if (each.kind === 'read') {
              const expected = changes.has(each.key) ? changes.get(each.key) : before.get(each.key);
              expect(text(reader.get(each.key))).toBe(text(expected));
              const number = state.keyOfText(each.key);
              state.load(number);
              expect(state.bytes.slice(state.starts[number], state.ends[number])).toEqual(
                expected ?? new Uint8Array(0),
              );
            } else {
              const written = each.value === undefined ? undefined : bytes(each.value);
              changes.set(each.key, written);
              reader.apply(new Map([[each.key, written]]));
            }
          }
          for (const name of [...before.keys(), ...changes.keys()]) {
            const had = state.hasBelow(name);
            if (had !== undefined) expect(had).toBe(before.has(name));
          }
          expect(new Map(state.writes())).toEqual(changes);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('numbers of keys', () => {
  test.each([24, 1])(
    'are found again for many keys, alike in all but a few bytes, %i places from their own',
    (steps) => {
      const table = new KeyTable(steps);
      const keys = Array.from({ length: 20_000 }, (_, n) => `store/${'\0'.repeat(33)}${n}`);
      const kept = bytes(keys.join(''));
      const places: [number, number][] = [];
      let at = 0;
      for (const key of keys) {
        places.push([at, at + key.length]);
        at += key.length;
      }
      for (const [start, end] of places) {
        expect(table.find(kept, start, end, kept)).toBe(-1);
        table.add(kept, start, end);
      }
      expect(table.count).toBe(keys.length);
      const found = places.map(([start, end]) => table.find(kept, start, end, kept));
      expect(found).toEqual(keys.map((_, number) => number));
      const other = bytes('store/nothing');
      expect(table.find(other, 0, other.length, kept)).toBe(-1);
    },
  );
});

test('many keys are read from the state below at once, those that are known or were written not again', () => {
  const asked: string[][] = [];
  const base = {
    get: (name: LaneKey) => {
      throw new Error(`${name} was read alone`);
    },
    getManyAt: (from: Uint8Array, starts: Uint32Array, ends: Uint32Array) => {
      const names = Array.from(starts, (start, i) => text(from.subarray(start, ends[i])) ?? '');
      asked.push(names);
      return names.map((name) => (name === 'there' ? bytes('value') : undefined));
    },
  };
  const state = new BlockState(base, 1_000);
  const numbersOf = (...names: LaneKey[]) => Uint32Array.from(names, (name) => state.keyOfText(name));
  new BlockStateReader(state, base).apply(new Map([['written', bytes('new')]]));
  state.loadMany(numbersOf('there', 'absent', 'written', 'beyond'), 3);
  state.loadMany(numbersOf('absent', 'there'), 2);
  expect(asked).toEqual([['there', 'absent'], []]);
  const [there, absent] = numbersOf('there', 'absent');
  expect([state.load(there), state.load(absent)]).toEqual([5, 0]);
  expect(['there', 'absent', 'written', 'beyond'].map((name) => state.hasBelow(name))).toEqual([
    true,
    false,
    undefined,
    undefined,
  ]);
  // What was put aside is not asked for, either.
  state.keep(new Uint8Array(2_000), 0, 2_000);
  expect(state.settle()).toBe(true);
  state.loadMany(numbersOf('written', 'there'), 2);
  expect(asked.at(-1)).toEqual(['there']);
  expect(state.hasBelow('absent')).toBeUndefined();
});
