import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bytesEqual } from '../../src/util/bytes.js';
import { PackedMap } from '../../src/util/packed-map.js';
import { sortedByKey } from '../../src/util/sort-packed.js';

const key = fc.uint8Array({ maxLength: 5, max: 2 }).map((bytes) => String.fromCharCode(...bytes));
const value = fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined });
const step = fc.record({ act: fc.constantFrom('set', 'set', 'set', 'delete', 'forget'), key, value });

/** Compared without a call of `expect` for each of many keys. */
function expectSame(packed: PackedMap, plain: ReadonlyMap<string, Uint8Array | undefined>): void {
  expect(packed.size).toBe(plain.size);
  const wrong = (name: string, bytes: Uint8Array | undefined): boolean =>
    !plain.has(name) || !bytesEqual(plain.get(name), bytes);
  expect([...packed].filter(([name, bytes]) => wrong(name, bytes))).toEqual([]);
  expect([...plain.keys()].filter((name) => !packed.has(name) || wrong(name, packed.get(name)))).toEqual([]);
}

it('a packed map is a map, whatever is set, deleted and set again', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const packed = new PackedMap();
      const plain = new Map<string, Uint8Array | undefined>();
      for (const { act, key: name, value: bytes } of steps) {
        if (act === 'set') {
          packed.set(name, bytes);
          plain.set(name, bytes);
        } else if (act === 'delete') expect(packed.delete(name)).toBe(plain.delete(name));
        else packed.forgetIndex();
      }
      expectSame(packed, plain);
    }),
    { numRuns: 500 },
  );
});

it('a packed map takes keys and values where they lie, and finds them again', () => {
  const kind = fc.constantFrom('set', 'set at', 'add at', 'delete', 'delete absent', 'forget' as const);
  const steps = fc.array(fc.record({ act: kind, key, value }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (each) => {
      const packed = new PackedMap();
      const plain = new Map<string, Uint8Array | undefined>();
      const ever = new Set<string>();
      for (const { act, key: name, value: given } of each) {
        const held = given?.length === 0 ? undefined : given;
        const from = Uint8Array.from([9, ...Buffer.from(name, 'latin1'), 8, ...(held ?? []), 7]);
        const [keyEnd, valueStart] = [1 + name.length, 2 + name.length];
        const found = packed.findAt(from, 1, keyEnd);
        expect(found !== undefined).toBe(plain.has(name));
        const value = found && (found.valueEnd < 0 ? undefined : found.bytes.slice(found.keyEnd, found.valueEnd));
        expect(bytesEqual(value, plain.get(name))).toBe(true);
        if (act === 'forget') packed.forgetIndex();
        else if (act === 'delete') expect(packed.delete(name)).toBe(plain.delete(name));
        else if (act === 'delete absent') {
          packed.deleteAbsent((absent) => absent !== name);
          for (const [other, bytes] of plain) if (bytes === undefined && other !== name) plain.delete(other);
        } else {
          if (act === 'set') packed.set(name, held);
          else if (act === 'set at') packed.setAt(from, 1, keyEnd, valueStart, from.length - 1);
          else {
            if (ever.has(name)) continue;
            if (given?.length !== 3) packed.forgetIndex();
            packed.addAt(from, 1, keyEnd, valueStart, from.length - 1);
          }
          plain.set(name, held);
          ever.add(name);
        }
      }
      expectSame(packed, plain);
    }),
    { numRuns: 500 },
  );
});

it('a packed map holds many keys, long ones and long values', () => {
  const plain = new Map<string, Uint8Array | undefined>();
  for (let i = 0; i < 20_000; i++) plain.set(`key ${i}`, i % 7 === 0 ? undefined : new Uint8Array(i % 50).fill(i));
  plain.set('long value', new Uint8Array(3 << 20).fill(7));
  plain.set('x'.repeat(2 << 20), Uint8Array.of(1));
  const packed = PackedMap.from(plain);
  expectSame(packed, plain);
  expect([...packed.keys()].join() === [...plain.keys()].join()).toBe(true);
});

it('values go in and come out as copies', () => {
  const given = Uint8Array.of(1, 2);
  const packed = PackedMap.from([['a', given]]);
  given[0] = 9;
  const got = packed.get('a');
  expect(got).toEqual(Uint8Array.of(1, 2));
  got?.fill(0);
  expect(packed.get('a')).toEqual(Uint8Array.of(1, 2));
});

it('keys are sorted by their bytes, shorter first', () => {
  const names = fc.uniqueArray(
    fc.tuple(fc.constantFrom('', 'shared ', 'shared\xff'), fc.uint8Array({ maxLength: 4, max: 3 })),
    { maxLength: 200, selector: ([prefix, bytes]) => prefix + String.fromCharCode(...bytes) },
  );
  fc.assert(
    fc.property(names, fc.integer({ min: 0, max: 20 }), (pairs, deleted) => {
      const keys = pairs.map(([prefix, bytes]) => prefix + String.fromCharCode(...bytes));
      const packed = PackedMap.from(keys.map((name) => [name, undefined] as const));
      for (const name of keys.slice(0, deleted)) packed.delete(name);
      const addresses = packed.addresses();
      const sorted = [...sortedByKey(packed, addresses)].map((place) => {
        const { bytes, keyStart, keyEnd } = packed.read(addresses[place]);
        return String.fromCharCode(...bytes.subarray(keyStart, keyEnd));
      });
      expect(sorted).toEqual(keys.slice(deleted).sort());
    }),
  );
});

it('keys that each begin with the one before are sorted without a deep stack', () => {
  const keys = Array.from({ length: 2_000 }, (_, i) => 'a'.repeat(i));
  const packed = PackedMap.from([...keys].reverse().map((name) => [name, undefined] as const));
  const addresses = packed.addresses();
  expect([...sortedByKey(packed, addresses)]).toEqual(keys.map((_, i) => keys.length - 1 - i));
});
