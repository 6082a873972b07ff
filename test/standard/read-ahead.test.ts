import { expect, test } from 'vitest';
import type { Instruction } from '../../src/program/module.js';
import { FlushedPairs } from '../../src/standard/flushed-pairs.js';
import { StandardModule } from '../../src/standard/module.js';
import { UnstoredWrites } from '../../src/standard/unstored-writes.js';
import { else_, end, i32, if_, OP, op } from '../helpers/wasm-builder.js';
import { ascii, drop, GuestBuilder, list, number, unreachable } from './guest-builder.js';

const raw = Uint8Array.of(1, 2, 3);
const STATE: Record<string, string> = { a: 'A', b: 'B', c: 'C' };
const stored = (key: Uint8Array): Uint8Array | undefined => {
  const name = Buffer.from(key).toString();
  return Object.hasOwn(STATE, name) ? ascii(STATE[name]) : undefined;
};

/** Runs a block and tells what was read, singly and together. */
function run(guest: GuestBuilder, readsMany = true) {
  const single: string[] = [];
  const many: string[][] = [];
  const { error, flushes } = StandardModule.load(guest.bytes()).runBlock(
    raw,
    7,
    (key) => {
      single.push(Buffer.from(key).toString());
      return stored(key);
    },
    readsMany
      ? (keys) => {
          many.push(keys.map((key) => Buffer.from(key).toString()));
          return keys.map(stored);
        }
      : undefined,
  );
  return { single, many, code: error?.code, flushes: flushes.length };
}

/** A module whose list is this one in the first round, and empty in the next. */
function listing(listed: Uint8Array): GuestBuilder {
  const guest = new GuestBuilder();
  const rounds = guest.wasm.global('i32', 0);
  const first = [i32(1), op(OP.globalSet, rounds), i32(guest.buffer(listed))];
  const later = i32(guest.buffer(new Uint8Array(0)));
  return guest.view('__read_ahead', [op(OP.globalGet, rounds), if_('i32'), later, else_, ...first, end]);
}

/** A module that lists these keys in its first round, none in the next, and reads `asked` in `_start`. */
function guestOf(listed: Uint8Array, ...asked: string[]): GuestBuilder {
  const guest = listing(listed);
  const reads = asked.flatMap((key): Instruction[][] => [guest.host('__get_len', guest.buffer(ascii(key))), drop]);
  return guest.start(...reads, guest.flush());
}

test('what a module lists is read together, and answers it in whatever order it asks', () => {
  for (const asked of [['a', 'x', 'b'], ['b', 'a', 'x'], ['a', 'a', 'b'], ['b']]) {
    expect(run(guestOf(list('a', 'x', 'b'), ...asked))).toMatchObject({
      single: [],
      many: [['a', 'x', 'b']],
      code: undefined,
      flushes: 1,
    });
  }
});

test('what was not listed is read when the module asks', () => {
  expect(run(guestOf(list('a'), 'c', 'a', 'b'))).toMatchObject({ single: ['c', 'b'], many: [['a']] });
});

test('a host that reads key by key does not ask for a list', () => {
  expect(run(guestOf(list('a'), 'a'), false)).toMatchObject({ single: ['a'], many: [], flushes: 1 });
});

test('a module that never stops listing is started after 16 rounds', () => {
  const guest = new GuestBuilder();
  guest.view('__read_ahead', number(guest.buffer(list('a')))).start(guest.flush());
  expect(run(guest)).toMatchObject({ many: Array.from({ length: 16 }, () => ['a']), code: undefined });
});

test('a list that does not decode or is outside the memory, and a trap, fail the block', () => {
  expect(run(guestOf(Uint8Array.of(0x0a, 5)))).toMatchObject({ code: 'MODULE_BAD_READ_AHEAD', flushes: 0 });
  const outside = new GuestBuilder();
  outside.view('__read_ahead', number(-1)).start(outside.flush());
  expect(run(outside)).toMatchObject({ code: 'MODULE_BAD_READ_AHEAD', flushes: 0 });
  const trap = new GuestBuilder();
  trap.view('__read_ahead', unreachable).start(trap.flush());
  expect(run(trap)).toMatchObject({ code: 'MODULE_TRAPPED', flushes: 0 });
});

test('a list of more than a million keys is refused before it is read', () => {
  const guest = new GuestBuilder();
  const keys = new Uint8Array(2 * 1_000_001);
  for (let i = 0; i < keys.length; i += 2) keys[i] = 0x0a;
  guest.view('__read_ahead', number(guest.buffer(keys))).start(guest.flush());
  guest.wasm.memory = { minPages: 64, maxPages: undefined };
  expect(run(guest)).toMatchObject({ code: 'MODULE_BAD_READ_AHEAD', many: [] });
});

test('large values are not all held: what is left is read when the module asks', () => {
  const guest = listing(list(...Array.from({ length: 200 }, (_, i) => `k${i}`)));
  guest.start(guest.host('__get_len', guest.buffer(ascii('k199'))), drop, guest.flush());
  let together = 0;
  const single: string[] = [];
  const value = new Uint8Array(2 << 20);
  const { error } = StandardModule.load(guest.bytes()).runBlock(
    raw,
    7,
    (key) => {
      single.push(Buffer.from(key).toString());
      return value;
    },
    (names) => {
      together += names.length;
      return names.map(() => value);
    },
  );
  expect(error).toBeUndefined();
  expect(together).toBe(64);
  expect(single).toEqual(['k199']);
});

test("a fault of the store while reading ahead is not the module's", () => {
  const module = StandardModule.load(guestOf(list('a')).bytes());
  const broken = () => {
    throw new Error('the disk is gone');
  };
  expect(() => module.runBlock(raw, 7, stored, broken)).toThrow('the disk is gone');
});

test('the list is no view', () => {
  const module = StandardModule.load(guestOf(list('a')).bytes());
  expect(() => module.runView('__read_ahead', raw, 7, stored)).toThrow('Failed to get view function');
});

test('writes that are not stored yet come before what is stored, one by one or together', () => {
  const writes = new UnstoredWrites();
  writes.keep(6, FlushedPairs.of([list('b', 'new', 'x', '', 'b', 'newer')], 3));
  const asked: string[][] = [];
  const { read, readMany } = writes.over(
    {
      read: stored,
      readMany: (keys) => {
        asked.push(keys.map((key) => Buffer.from(key).toString()));
        return keys.map(stored);
      },
    },
    6,
    1,
  );
  const keys = ['a', 'b', 'x', 'nowhere', 'c'];
  const text = (value: Uint8Array | undefined) => value && Buffer.from(value).toString();
  const expected = ['A', 'newer', '', undefined, 'C'];
  expect(readMany(keys.map(ascii)).map(text)).toEqual(expected);
  expect(keys.map((key) => text(read(ascii(key))))).toEqual(expected);
  expect(asked).toEqual([['a', 'nowhere', 'c']]);
  expect(readMany([ascii('b')]).map(text)).toEqual(['newer']);
  expect(asked.length).toBe(1);
});

test('of several blocks that are not stored the newest write counts, however many they are', () => {
  const none = { read: () => undefined, readMany: (keys: readonly Uint8Array[]) => keys.map(() => undefined) };
  const text = (value: Uint8Array | undefined) => value && Buffer.from(value).toString();
  const writes = new UnstoredWrites();
  const expected = new Map<string, string>();
  for (let height = 0; height < 9; height++) {
    const pairs = {
      [`own${height}`]: `${height}`,
      [`k${height % 4}`]: height === 6 ? '' : `of ${height}`,
      all: `${height}`,
    };
    writes.keep(height, FlushedPairs.of([list(...Object.entries(pairs).flat())], 3));
    for (const [key, value] of Object.entries(pairs)) expected.set(key, value);
    const { read, readMany } = writes.over(none, height, height + 1);
    const keys = [...expected.keys(), 'nowhere'];
    expect(keys.map((key) => text(read(ascii(key))))).toEqual([...expected.values(), undefined]);
    expect(readMany(keys.map(ascii)).map(text)).toEqual([...expected.values(), undefined]);
  }
  // Only those from block 7 on: what went before is stored.
  const { read } = writes.over(none, 8, 2);
  expect(text(read(ascii('own8')))).toBe('8');
  const missing = expect.objectContaining({ code: 'INTERNAL', message: expect.stringContaining('missing') });
  expect(() => writes.over(none, 9, 1)).toThrow(missing);
  expect(() => writes.over(none, 8, 10)).toThrow(missing);
  writes.keep(8, FlushedPairs.of([list('a', 'b')], 1));
  expect(() => writes.over(none, 8, 2)).toThrow(missing);
  writes.clear();
  expect(() => writes.over(none, 8, 1)).toThrow(missing);
});
