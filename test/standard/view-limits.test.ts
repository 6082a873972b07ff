import { expect, onTestFinished, test } from 'vitest';
import { limitMemory } from '../../src/standard/memory-limit.js';
import { StandardModule } from '../../src/standard/module.js';
import { StandardIndexer } from '../../src/standard/standard-indexer.js';
import { Store } from '../../src/store/store.js';
import { concatBytes } from '../../src/util/bytes.js';
import { expectSame } from '../helpers/same.js';
import { end, i32, if_, loop, OP, op, store } from '../helpers/wasm-builder.js';
import { OPTIONS, temporaryFolder } from '../store/helpers.js';
import { ascii, drop, GuestBuilder, number, unreachable } from './guest-builder.js';

const MIB = 1 << 20;
const nothing = new Uint8Array(0);
const LIMITS = { memoryBytes: 8 * MIB, answerBytes: MIB };

const grow = (pages: number) => [i32(pages), op(OP.memoryGrow)];
/** Gives a buffer of so many bytes, all zero, at 1 MiB. */
const answerOf = (bytes: number) => [i32(MIB - 4), i32(bytes), store(), i32(MIB)];

async function laneWith(guest: GuestBuilder): Promise<StandardIndexer> {
  const database = await Store.open(temporaryFolder(), OPTIONS);
  guest.start(guest.flush('k', 'v'));
  const lane = new StandardIndexer({
    moduleBytes: guest.bytes(),
    storeHandle: database.handle,
    viewLimits: LIMITS,
    viewThreads: 1,
  });
  onTestFinished(async () => {
    await lane.close();
    await database.close();
  });
  return lane;
}

test('the memory of a view does not grow beyond its limit, and what fails for it has a code of its own', async () => {
  const guest = new GuestBuilder();
  const ok = guest.buffer(ascii('ok'));
  const hungry = [loop(), ...grow(16), i32(-1), op(OP.i32Ne), op(OP.brIf, 0), end];
  guest
    .view('traps', hungry, unreachable, number(0))
    .view('aborts', hungry, guest.host('abort', 0, 0, 0, 0), number(0))
    .view('does without', hungry, number(ok))
    .view('at once', [...grow(65_000), i32(-1), op(OP.i32Eq), if_(), ...number(ok), op(OP.return), end], number(0))
    .view('traps in little', unreachable, number(0))
    .view('long key', grow(64), drop, [i32(0), i32(3 * MIB), store()], guest.host('__get_len', 4));
  const lane = await laneWith(guest);
  const view = (name: string) => lane.view(name, nothing, 0).catch((error: Error) => error);
  for (const name of ['traps', 'aborts']) {
    expect(await view(name)).toMatchObject({
      code: 'VIEW_MEMORY',
      facts: { view: name, memoryBytes: 113 * 65_536, limit: 8 * MIB },
      hint: expect.stringContaining('--view-memory'),
    });
  }
  for (const name of ['does without', 'at once']) expect(await view(name)).toEqual(ascii('ok'));
  expect(await view('traps in little')).toMatchObject({ code: 'VIEW_FAILED' });
  // Blocks are not bounded by what views are.
  expect((await lane.runBlock(nothing, 0)).error).toBeUndefined();
});

test('an answer above the limit is refused with a code of its own before it is copied', async () => {
  const guest = new GuestBuilder();
  for (const bytes of [MIB, MIB + 1, 6 * MIB]) guest.view(`v${bytes}`, grow(112), drop, answerOf(bytes));
  const lane = await laneWith(guest);
  expectSame(await lane.view(`v${MIB}`, nothing, 0), new Uint8Array(MIB));
  for (const bytes of [MIB + 1, 6 * MIB]) {
    await expect(lane.view(`v${bytes}`, nothing, 0)).rejects.toMatchObject({
      code: 'VIEW_ANSWER_TOO_LARGE',
      facts: { bytes, limit: MIB },
      hint: expect.stringContaining('--view-answer-bytes'),
    });
  }
});

test('a view with a key of more than 16 MiB is stopped before the key is copied', () => {
  const guest = new GuestBuilder();
  guest.start(guest.flush());
  guest.view('v', grow(512), drop, [i32(0), i32(17 * MIB), store()], guest.host('__get_len', 4));
  const read = () => {
    throw new Error('it was read');
  };
  const module = StandardModule.load(guest.bytes());
  expect(() => module.runView('v', nothing, 0, read)).toThrow(expect.objectContaining({ code: 'VIEW_MEMORY' }));
});

test('a module that begins with more memory than a view may have is refused with what to do', () => {
  const guest = new GuestBuilder();
  guest.wasm.memory = { minPages: 129, maxPages: undefined };
  guest.start(guest.flush());
  expect(() => limitMemory(guest.bytes(), LIMITS.memoryBytes)).toThrow(
    expect.objectContaining({ code: 'VIEW_MEMORY', hint: expect.stringContaining('--view-memory') }),
  );
});

test('only the limits of memories change, whatever their form', () => {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const custom = [0, 3, 1, 0x78, 9];
  const rest = [10, 1, 0];
  const limited = (...section: number[]): number[] => {
    const wasm = Uint8Array.from([...header, ...custom, 5, section.length, ...section, ...rest]);
    const changed = [...limitMemory(wasm, 256 * 65_536)];
    expect(changed.slice(0, 13)).toEqual([...header, ...custom]);
    expect(changed.slice(-3)).toEqual(rest);
    expect(changed[13]).toBe(5);
    return changed.slice(15, -3);
  };
  // Numbers are LEB128: 0x80 0x02 is 256, 0xff 0xff 0x03 is 65,535.
  expect(limited(1, 0, 1)).toEqual([1, 1, 1, 0x80, 2]);
  expect(limited(1, 1, 1, 3)).toEqual([1, 1, 1, 3]);
  expect(limited(1, 1, 1, 0xff, 0xff, 3)).toEqual([1, 1, 1, 0x80, 2]);
  // Shared, and with addresses of 64 bits.
  expect(limited(1, 3, 0, 0x80, 0x80, 4)).toEqual([1, 3, 0, 0x80, 2]);
  expect(limited(1, 4, 0)).toEqual([1, 5, 0, 0x80, 2]);
  // Several share the limit.
  expect(limited(2, 0, 1, 1, 0, 2)).toEqual([2, 1, 1, 0x80, 1, 1, 0, 2]);
  expect(limited(0)).toEqual([0]);
  expect(() => limited(1, 8, 0)).toThrow(expect.objectContaining({ code: 'VIEW_MEMORY' }));
  const without = concatBytes(Uint8Array.from(header), Uint8Array.from(rest));
  expect(limitMemory(without, 65_536)).toBe(without);
});
