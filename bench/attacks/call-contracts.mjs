// Contracts whose call trees are as wide, deep and large as the rules let them be, and the messages that begin them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { actorInputs, RandomTrees } from '../../dist/selftest/inputs/actor-script.js';
import { Prng } from '../../dist/selftest/inputs/prng.js';
import { concatBytes, u32Bytes, u128Bytes } from '../../dist/util/bytes.js';
import { call, end, get, i32, i64, Module, OP, op, opener, repeat, set, tee } from './wasm.mjs';

const PAGE = 65_536;
const CALL_AT = 1_000;
const RESULT = 3_004;
const FRAMES = 33;
const sized = (bytes) => concatBytes(u32Bytes(bytes.length), bytes);
const numbers = (...all) => concatBytes(...all.map((number) => u128Bytes(BigInt(number))));

/** Writes to one word of each 4 KiB of memory from `from` pages up to `to` pages; local 0 counts. */
function touching(from, to) {
  if (from >= to) return [];
  return [
    ...[i32(from * PAGE + 8), set(0), opener(OP.loop), get(0), get(0), op(OP.i32Store, 0, 2), get(0), i32(4_096)],
    ...[op(OP.i32Add), tee(0), i32(to * PAGE), op(OP.i32LtU), op(OP.brIf, 0), end],
  ];
}

/**
 * A contract that grows by `grow` pages, writes to every part of what it has, calls `target` `times` times with
 * `inputs` as `kind`, below `recursion` calls of a function of 400 slots, and returns `returns` bytes of zeros.
 * `copies`: it has the return data of each call copied into its memory. `filler`: functions that no one calls, of some
 * 10 KB each.
 */
function contract({ pages = 1, grow = 0, touch = true, target, inputs = [], kind = 'call', ...more }) {
  const { times = 1, recursion = 0, returns = 20, copies = false, filler = 0, salt = 0 } = more;
  const m = new Module();
  m.memory = { minPages: pages, maxPages: undefined };
  const [makeCall, copy] = [m.import(`__${kind}`), m.import('__returndatacopy')];
  const calling = [];
  if (target !== undefined) {
    const cellpack = numbers(...target, ...inputs);
    m.data(CALL_AT, concatBytes(sized(cellpack), sized(numbers(0)), sized(u32Bytes(0))));
    const parcel = CALL_AT + 8 + cellpack.length;
    const one = [i32(CALL_AT + 4), i32(parcel), i32(parcel + 20), i64(0), call(makeCall), op(OP.drop)];
    const copied = copies ? [i32(PAGE), call(copy)] : [];
    calling.push(
      ...[i32(0), set(0), opener(OP.loop), ...one, ...copied, get(0), i32(1), op(OP.i32Add), tee(0)],
      ...[i32(times), op(OP.i32LtU), op(OP.brIf, 0), end],
    );
  }
  const bottom = m.function('()->()', calling, ['i32']);
  const deeper = m.next;
  m.function(
    '(i32)->()',
    [get(0), opener(OP.if), get(0), i32(1), op(OP.i32Sub), call(deeper), op(OP.else), call(bottom), end],
    new Array(380).fill('i64'),
  );
  const turns = repeat(1_500, (i) => [i32(salt + i), op(OP.drop)]);
  for (let i = 0; i < filler; i++) m.function('()->()', turns);
  m.data(RESULT - 4, u32Bytes(returns));
  return m
    .execute(
      [
        ...[i32(grow), op(OP.memoryGrow, 0), op(OP.drop), ...(touch ? touching(0, pages) : [])],
        ...[...(touch ? touching(pages, pages + grow) : []), i32(recursion), call(deeper)],
        // What it touched must not be what it returns.
        ...[i32(RESULT), i32(0), i32(20), op(OP.memoryFill, 0), i32(RESULT - 4), i32(returns), op(OP.i32Store, 0, 2)],
        i32(RESULT),
      ],
      ['i32'],
    )
    .bytes();
}

/** A chain of `FRAMES` contracts from 2:`first` on, each of which calls the next; the last one calls nobody. */
function chain(first, options) {
  return Array.from({ length: FRAMES }, (_, i) => {
    const target = i === FRAMES - 1 ? undefined : [2, first + i + 1];
    return contract({ ...options, target });
  });
}

const LARGE = 395_000;
const actor = () => new Uint8Array(readFileSync(join(import.meta.dirname, '../../dist/wasm/calls/actor.wasm')));
const ACTORS = 3;

/**
 * What to place at 2:first …, and how often messages begin there: `of(first)` gives the contracts; `bytes`: witness of
 * a message that has more fuel for it; `inputs`: those of message i; `share`: per thousand of all messages.
 */
export const TREES = {
  'pages in 33 frames': { share: 100, of: (first) => chain(first, { pages: 15 }) },
  'growing in 33 frames': { share: 100, of: (first) => chain(first, { pages: 1, grow: 14 }) },
  '2,048 pages': { share: 10, bytes: LARGE, of: (first) => chain(first, { pages: 17, grow: 45 }) },
  'large frames, again and again': {
    share: 20,
    bytes: LARGE,
    of: (first) => [contract({ target: [2, first + 1], times: 100 }), contract({ pages: 30, grow: 400 })],
  },
  'one frame of 512 pages': { share: 40, of: () => [contract({ pages: 256, grow: 256 })] },
  'many calls of one contract': {
    share: 100,
    of: (first) => [contract({ target: [2, first + 1], times: 10_000 }), contract({})],
  },
  'many calls of one contract of 17 pages that grows': {
    share: 100,
    of: (first) => [contract({ target: [2, first + 1], times: 10_000 }), contract({ pages: 17, grow: 1 })],
  },
  'slots to the end': { share: 50, of: (first) => chain(first, { recursion: 2 }) },
  'slots in one frame': {
    share: 40,
    of: (first) => [contract({ recursion: 78, target: [2, first + 1] }), contract({})],
  },
  'static calls': { share: 60, of: (first) => chain(first, { kind: 'staticcall' }) },
  'delegate calls': { share: 60, of: (first) => chain(first, { kind: 'delegatecall' }) },
  'a contract that calls itself': { share: 60, of: (first) => [contract({ target: [2, first], pages: 3 })] },
  'two that call each other': {
    share: 60,
    of: (first) => [contract({ target: [2, first + 1], pages: 2 }), contract({ target: [2, first], grow: 2 })],
  },
  'clones by calls': { share: 20, of: (first) => [contract({ target: [5, first + 1], times: 100 }), contract({})] },
  'return data of a MiB, again and again': {
    share: 40,
    of: (first) => [
      contract({ target: [2, first + 1], times: 1_000, pages: 18 }),
      contract({ pages: 17, returns: 1_048_576, touch: false }),
    ],
  },
  'return data that is copied': {
    share: 40,
    of: (first) => [
      contract({ target: [2, first + 1], times: 1_000, pages: 6, copies: true }),
      contract({ pages: 5, returns: 250_000, touch: false }),
    ],
  },
  'return data of 20 MiB': {
    share: 10,
    bytes: LARGE,
    of: (first) => [
      contract({ target: [2, first + 1], times: 1_000 }),
      contract({ pages: 321, returns: 20 * 1_048_576, touch: false }),
    ],
  },
  'random trees': {
    share: 90,
    of: () => new Array(ACTORS).fill(actor()),
    inputs: (first, i) => {
      const actors = Array.from({ length: ACTORS }, (_, n) => ({ block: 2n, tx: BigInt(first + n) }));
      return actorInputs(new RandomTrees(new Prng('trees', String(i)), actors, [{ block: 2n, tx: 1n }]).tree());
    },
  },
};
