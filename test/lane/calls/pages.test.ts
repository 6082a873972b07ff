// The pages of all frames under way (docs/lane-rules.md, section 9).
import { describe, expect, it } from 'vitest';
import type { Instruction } from '../../../src/program/module.js';
import { concatBytes, fromHex, readU32, u128Bytes } from '../../../src/util/bytes.js';
import { call as callFunction, i32, i64, OP, op, store, WasmBuilder } from '../../helpers/wasm-builder.js';
import { call, World } from '../world.js';
import { NO_CHECKPOINT, NO_PARCEL, numberBytes, place, quiet, sized } from './by-hand.js';

/** Fuel for the memory of some frames of 512 pages: 50 for each of these bytes. */
const LARGE = { padding: 400_000 };

/**
 * A contract of `pages` that calls 2:`callee` if there is one, then grows its memory by each of `grows`, and answers
 * what memory.grow gave, 4 bytes each. `erased`: its table is kept as numbers, with a page of its own below its memory.
 */
function grower(pages: number, grows: readonly number[], callee?: number, erased = false): Uint8Array {
  const b = new WasmBuilder();
  const makeCall = callee === undefined ? undefined : b.import('__call');
  b.memory = { minPages: pages, maxPages: undefined };
  b.data(100, sized(new Uint8Array(20 + 4 * grows.length)));
  const calling: Instruction[] = [];
  if (makeCall !== undefined) {
    b.data(1_000, concatBytes(sized(numberBytes(2, callee ?? 0)), sized(NO_PARCEL), sized(NO_CHECKPOINT)));
    calling.push(i32(1_004), i32(1_040), i32(1_060), i64(0n), callFunction(makeCall), op(OP.drop));
  }
  const growing = grows.flatMap((by, i) => [i32(124 + 4 * i), i32(by), op(OP.memoryGrow, 0), store(0)]);
  const f = b.function('()->()', []);
  if (erased) b.tableOf(f);
  const table = erased ? [i32(0), op(OP.refNull), op(OP.tableSet, 0)] : [];
  return b.execute([...table, ...calling, ...growing, i32(104)]).bytes();
}

/** Contracts 2:1, 2:2, … of so many pages, each of which calls the next; the last one is `last`. */
function chain(world: World, pages: readonly number[], last: Uint8Array): void {
  pages.forEach((count, i) => {
    place(world, `2:${i + 1}`, grower(count, [], i + 2));
  });
  place(world, `2:${pages.length + 1}`, last);
}

/** A contract that calls 2:`callee` and answers with its data. */
function relay(pages: number, callee: number): Uint8Array {
  const b = new WasmBuilder();
  const [makeCall, copy] = [b.import('__call'), b.import('__returndatacopy')];
  b.memory = { minPages: pages, maxPages: undefined };
  b.data(1_000, concatBytes(sized(numberBytes(2, callee)), sized(NO_PARCEL), sized(NO_CHECKPOINT)));
  // Count and data of the child stand behind a count and an empty map: 4 bytes of map, then what came back.
  const [at, head] = [2_000, 20];
  return b
    .execute([
      ...[i32(at - 4), i32(1_004), i32(1_040), i32(1_060), i64(0n), callFunction(makeCall), i32(head), op(OP.i32Add)],
      // The host writes the length word of the copy where the map's count stands.
      ...[i32(at + head), callFunction(copy), store(0), i32(at + head - 4), i32(0), store(0), i32(at)],
    ])
    .bytes();
}

const grown = (data: string, skip: number): number[] => {
  const bytes = fromHex(data).subarray(skip);
  return Array.from({ length: bytes.length / 4 }, (_, i) => readU32(bytes, 4 * i) | 0);
};

describe('pages of all frames', () => {
  it('pages at exactly 2,048', () => {
    const world = new World();
    chain(world, [512, 512, 512, 512], quiet(0).bytes());
    expect(world.message(call('2:1', 0), LARGE).messages[0]).toMatchObject({
      error: 'bad result pointer',
      callTotal: 4,
    });
    chain(world, [512, 512, 512, 511], quiet(1).bytes());
    expect(world.message(call('2:1', 0), LARGE).messages[0]).toMatchObject({ status: 'OK', callTotal: 4 });
    chain(world, [512, 512, 512, 511], quiet(2).bytes());
    const [message] = world.message(call('2:1', 0), LARGE).messages;
    expect(message).toMatchObject({ status: 'REJECTED', error: 'more than 2,048 pages of memory', callTotal: 4 });
    // Before its entry charge.
    expect(message.calls[3]).toMatchObject({ status: 'REJECTED', fuelUsed: 0 });
  });

  it('frames that have ended do not count', () => {
    const world = new World();
    place(world, '2:2', grower(512, []));
    place(world, '2:1', caller6());
    expect(world.message(call('2:1', 0), LARGE).messages[0]).toMatchObject({ status: 'OK', callTotal: 6 });
  });

  /** Calls 2:2 six times. */
  function caller6(): Uint8Array {
    const b = new WasmBuilder();
    const makeCall = b.import('__call');
    b.data(100, sized(new Uint8Array(20)));
    b.data(1_000, concatBytes(sized(numberBytes(2, 2)), sized(NO_PARCEL), sized(NO_CHECKPOINT)));
    const one = [i32(1_004), i32(1_040), i32(1_060), i64(0n), callFunction(makeCall), op(OP.drop)];
    return b.execute([...one, ...one, ...one, ...one, ...one, ...one, i32(104)]).bytes();
  }

  it.each([
    ['its own memory', false],
    ['a memory with a hidden page', true],
  ])('memory.grow beyond them gives -1 after it was paid, in %s', (_, erased) => {
    const world = new World();
    // 12 pages are left to the last.
    const grows = [10, 2, 1, 0];
    place(world, '2:5', grower(1, grows, undefined, erased));
    for (const [id, pages] of [
      [1, 512],
      [2, 512],
      [3, 512],
      [4, 500],
    ])
      place(world, `2:${id}`, relay(pages, id + 1));
    const nested = world.message(call('2:1', 0), LARGE).messages[0];
    expect(nested).toMatchObject({ status: 'OK', callTotal: 4 });
    expect(grown(nested.data, 4 * 16)).toEqual([1, -1, 11, 12]);
    // What each refused one cost: as much as one that is granted.
    expect(nested.calls[3].fuelUsed).toBe(used(world, '2:5'));
    // Alone, it has all pages; and again as few as before.
    expect(grown(world.message(call('2:5', 0)).messages[0].data, 0)).toEqual([1, 11, 13, 14]);
    expect(grown(world.message(call('2:1', 0), LARGE).messages[0].data, 4 * 16)).toEqual([1, -1, 11, 12]);
    place(world, '2:4', relay(499, 5));
    expect(grown(world.message(call('2:1', 0), LARGE).messages[0].data, 4 * 16)).toEqual([1, 11, -1, 13]);
    place(world, '2:1', relay(1, 5));
    expect(grown(world.message(call('2:1', 0)).messages[0].data, 16)).toEqual([1, 11, 13, 14]);
  });

  const used = (world: World, id: string): number => world.message(call(id, 0)).messages[0].fuelUsed;

  it('what a child has grown to is free again for its caller', () => {
    const world = new World();
    place(world, '2:2', grower(1, [511]));
    place(world, '2:1', grower(1, [511], 2));
    const [message] = world.message(call('2:1', 0), LARGE).messages;
    expect(grown(message.data, 0)).toEqual([1]);
  });

  it('a memory that the caller has grown counts with its present size', () => {
    const world = new World();
    for (const [id, pages] of [
      [1, 512],
      [2, 512],
      [3, 512],
    ])
      place(world, `2:${id}`, relay(pages, id + 1));
    place(world, '2:5', grower(1, [1, 1]));
    place(world, '2:4', growsThenRelays(500, 10));
    expect(grown(world.message(call('2:1', 0), LARGE).messages[0].data, 4 * 16)).toEqual([1, -1]);
  });

  /** Grows its memory, then calls 2:5 and answers with its data. */
  function growsThenRelays(pages: number, by: number): Uint8Array {
    const b = new WasmBuilder();
    const [makeCall, copy] = [b.import('__call'), b.import('__returndatacopy')];
    b.memory = { minPages: pages, maxPages: undefined };
    b.data(1_000, concatBytes(sized(numberBytes(2, 5)), sized(NO_PARCEL), sized(NO_CHECKPOINT)));
    b.data(2_000 - 4, concatBytes(Uint8Array.of(20, 0, 0, 0), u128Bytes(0n)));
    return b
      .execute([
        ...[i32(by), op(OP.memoryGrow, 0), op(OP.drop)],
        ...[i32(1_996), i32(1_004), i32(1_040), i32(1_060), i64(0n), callFunction(makeCall), i32(20), op(OP.i32Add)],
        ...[i32(2_020), callFunction(copy), store(0), i32(2_016), i32(0), store(0), i32(2_000)],
      ])
      .bytes();
  }
});
