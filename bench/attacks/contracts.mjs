// Contracts of the attacks. Each returns at once when its first input is 0, so that it can be created; else it does its
// worst.
import { call, end, get, i32, i64, Module, OP, op, opener, set, tee } from './wasm.mjs';

/** Data of the empty result, its length word before it. */
const EMPTY_RESULT = 4;
const CONTEXT = 1_028;
const INPUTS = CONTEXT + 96;
const [KEY, OUT] = [4_004, 8_004];
const I64_REM_S = 0x81;
const I32_REM_U = 0x70;
const I32_EQ = 0x46;
const STORE_I32 = op(OP.i32Store, 0, 2);
const STORE_I64 = op(OP.i64Store, 0, 3);
const LOAD_I64 = op(OP.i64Load, 0, 3);
const SEED = [i32(INPUTS + 16), LOAD_I64];
/** Local 4 and the top of the stack become the next random number. */
const RANDOM = [i64(6_364_136_223_846_793_005n), op(0x7e), i64(1_442_695_040_888_963_407n), op(OP.i64Add), tee(4)];

/** `body(module, host)` after the opening; `host(name)` gives an import's index. Locals: 0 to 3 i32, 4 to 6 i64. */
function contract(body, { pages = 1, imports = [] } = {}) {
  const module = new Module();
  const hosts = Object.fromEntries(['__load_context', ...imports].map((name) => [name, module.import(name)]));
  module.memory = { minPages: pages, maxPages: undefined };
  module.data(0, Uint8Array.of(20, 0, 0, 0));
  const opening = [
    ...[i32(CONTEXT), call(hosts.__load_context), op(OP.drop), i32(INPUTS), op(OP.i32Load, 0, 2), op(OP.i32Eqz)],
    ...[opener(OP.if), i32(EMPTY_RESULT), op(OP.return), end],
  ];
  const rest = body(module, hosts);
  const locals = ['i32', 'i32', 'i32', 'i32', 'i64', 'i64', 'i64'];
  return module.execute([...opening, ...rest, i32(EMPTY_RESULT)], locals).bytes();
}

/** `code` again and again until the fuel is gone. */
const forever = (code) => [opener(OP.loop), ...code, op(OP.br, 0), end];
const counted = (times, code) => [
  ...[i32(times), set(0), opener(OP.loop), ...code, get(0), i32(1), op(OP.i32Sub), tee(0), op(OP.brIf, 0), end],
];

/** The plain loop that takes longest for its fuel: one unit an iteration. */
export const plainLoop = () => contract(() => forever([]));

const passive = (...functions) => ({
  mode: 'passive',
  table: 0,
  offset: undefined,
  items: functions.map((index) => ({ kind: 'ref.func', index })),
});

export const tableOp = (name) =>
  contract((module) => {
    module.table = { min: 4_096, max: 4_096 };
    const f = module.function('()->()', []);
    module.elements.push(passive(...new Array(4_096).fill(f)));
    const init = [i32(0), i32(0), i32(4_096), op(OP.tableInit, 0, 0)];
    const copy = [i32(0), i32(1), i32(4_095), op(OP.tableCopy, 0, 0)];
    const called = [i32(7), op(OP.callIndirect, module.type('()->()'), 0)];
    const code = {
      fill: [i32(0), op(OP.refNull, 0x70), i32(4_096), op(OP.tableFill, 0)],
      'fill with a function': [i32(0), op(OP.refFunc, f), i32(4_096), op(OP.tableFill, 0)],
      copy,
      init,
      'copy of nothing': [i32(0), i32(0), i32(0), op(OP.tableCopy, 0, 0)],
      'get and set': [i32(0), i32(1), op(OP.tableGet, 0), op(OP.tableSet, 0)],
      // One element at a time, so that there are as many calls as copies.
      'copy and call': [i32(6), i32(7), i32(1), op(OP.tableCopy, 0, 0), ...called],
      'call alone': called,
    };
    return [...init, ...forever(code[name])];
  });

/** Has references of 9,000 functions; each of its results is long. */
export const manyReferences = () =>
  contract(
    (module) => {
      const functions = Array.from({ length: 9_000 }, () => module.function('()->()', []));
      module.table = { min: 1, max: 1 };
      module.elements.push(passive(...functions));
      const result = [i32(OUT - 4), i32(300_000), STORE_I32, i32(OUT + 16), i32(0), STORE_I32, i32(OUT), op(OP.return)];
      return [i32(0), i32(0), i32(1), op(OP.tableInit, 0, 0), ...result];
    },
    { pages: 5 },
  );

export const memoryOp = (name) =>
  contract(
    () => {
      const length = 16 * 65_536;
      const code = {
        fill: [i32(65_536), i32(7), i32(length), op(OP.memoryFill)],
        copy: [i32(65_536), i32(65_537), i32(length), op(OP.memoryCopy)],
        grow: [i32(0), op(OP.memoryGrow, 0), op(OP.drop)],
      };
      return forever(code[name]);
    },
    { pages: 18 },
  );

/** One host function until the fuel is gone. Its buffers are empty, or big enough. */
export const hostCall = (name) =>
  contract(
    (_module, hosts) => {
      const dropped = [call(hosts[name]), op(OP.drop)];
      const code = {
        __log: [i32(KEY), call(hosts[name])],
        __load_block: [i32(OUT), call(hosts[name])],
        __load_transaction: [i32(OUT), call(hosts[name])],
        __returndatacopy: [i32(OUT), call(hosts[name])],
        __load_context: [i32(OUT), ...dropped],
        __fuel: [i32(OUT), call(hosts[name])],
        __request_block: dropped,
        __request_storage: [i32(KEY), ...dropped],
        __sha256: [i32(KEY), i32(OUT), call(hosts[name])],
      };
      return forever(code[name]);
    },
    { pages: name === '__load_block' ? 64 : 1, imports: name === '__load_context' ? [] : [name] },
  );

/** Reads keys of its storage that no other transaction reads: they begin with the second input. */
export const distinctReads = (keyBytes) =>
  contract(
    (_module, { __request_storage: request }) => [
      ...[i32(KEY - 4), i32(keyBytes), STORE_I32, i32(KEY), ...SEED, STORE_I64],
      ...forever([
        ...[i32(KEY + 8), get(4), i64(1), op(OP.i64Add), tee(4), STORE_I64],
        ...[i32(KEY), call(request), op(OP.drop)],
      ]),
    ],
    { imports: ['__request_storage'] },
  );

/** Touches every page of a memory whose pages were all paid at the entry, or that grows until the fuel is gone. */
export const pages = (count) =>
  contract(() => counted(count - 1, [get(0), i32(16), op(0x74), i32(1), STORE_I32]), { pages: count });
export const growing = () =>
  contract(() => forever([i32(1), op(OP.memoryGrow, 0), i32(16), op(0x74), tee(1), i32(1), STORE_I32]));

/**
 * Returns a storage map of `entries` keys of its own (second input), each with a value of `valueBytes` random bytes.
 */
export const storageMap = (entries, valueBytes) => {
  const words = Math.ceil(valueBytes / 8);
  const size = 4 + 8 + 4 + valueBytes;
  const total = 16 + 4 + entries * size;
  const start = OUT;
  return contract(
    () => [
      ...[i32(start - 4), i32(total), STORE_I32, i32(start + 16), i32(entries), STORE_I32, i32(start + 20), set(1)],
      ...[...SEED, set(5), get(5), i64(0x1234567), op(0x84), set(4)],
      ...counted(entries, [
        ...[get(1), i32(8), STORE_I32, get(1), get(5), op(OP.i64Store, 4, 2), get(5), i64(1), op(OP.i64Add), set(5)],
        ...[
          get(1),
          i32(valueBytes),
          op(OP.i32Store, 12, 2),
          get(1),
          i32(16),
          op(OP.i32Add),
          set(2),
          i32(words),
          set(3),
        ],
        ...[opener(OP.loop), get(2), get(4), ...RANDOM, op(OP.i64Store, 0, 0)],
        ...[get(2), i32(8), op(OP.i32Add), set(2), get(3), i32(1), op(OP.i32Sub), tee(3), op(OP.brIf, 0), end],
        ...[get(1), i32(size), op(OP.i32Add), set(1)],
      ]),
      ...[i32(start), op(OP.return)],
    ],
    { pages: Math.ceil((start + total + 16) / 65_536) },
  );
};

/** Cellpack, empty parcel and empty checkpoint of a call, their length words before them. */
const [CELLPACK, PARCEL, CHECKPOINT] = [12_004, 12_104, 12_204];
/** Calls 2:`local 1`, whose first input is local 2. */
const innerCall = (host) => [
  ...[i32(CELLPACK - 4), i32(48), STORE_I32, i32(CELLPACK), i32(2), STORE_I32],
  ...[i32(CELLPACK + 16), get(1), STORE_I32, i32(CELLPACK + 32), get(2), STORE_I32],
  ...[i32(PARCEL - 4), i32(16), STORE_I32, i32(CHECKPOINT - 4), i32(4), STORE_I32],
  ...[i32(CELLPACK), i32(PARCEL), i32(CHECKPOINT), i64(0), call(host), op(OP.drop)],
];

/** Calls 2:1 to 2:`count` one after the other until the fuel is gone; with the first input 1. */
export const callingOthers = (count) =>
  contract(
    (_module, hosts) => [
      ...[i32(1), set(2)],
      ...forever([
        ...[get(3), i32(1), op(OP.i32Add), tee(3), i32(count), op(I32_REM_U), i32(1), op(OP.i32Add), set(1)],
        ...innerCall(hosts.__staticcall),
      ]),
    ],
    { imports: ['__staticcall'] },
  );

/** Calls itself as deep as may be; each frame has before called itself once for `bytes` of data (first input 2). */
export const returningMuch = (self, bytes) =>
  contract(
    (module, hosts) => {
      module.memory = { minPages: 1, maxPages: undefined };
      const pagesOfData = Math.ceil((bytes + OUT + 65_536) / 65_536);
      const giveData = [
        ...[i32(INPUTS), op(OP.i32Load, 0, 2), i32(2), op(I32_EQ), opener(OP.if)],
        ...[i32(pagesOfData), op(OP.memoryGrow, 0), op(OP.drop)],
        // The result: no transfers, no storage map, then data.
        ...[i32(OUT - 4), i32(20 + bytes), STORE_I32, i32(OUT), op(OP.return), end],
      ];
      const callSelf = (input) => [i32(self), set(1), i32(input), set(2), ...innerCall(hosts.__call)];
      return [...giveData, ...callSelf(2), ...callSelf(1)];
    },
    { imports: ['__call'] },
  );

/** Mints 1,000 of its own asset. */
export const minting = () => {
  const total = 16 + 48 + 4;
  return contract(() => [
    ...[i32(OUT - 4), i32(total), STORE_I32, i32(OUT), i32(1), STORE_I32],
    ...[i32(OUT + 16), i32(CONTEXT), i32(32), op(OP.memoryCopy), i32(OUT + 48), i32(1_000), STORE_I32],
    ...[i32(OUT), op(OP.return)],
  ]);
};

/** A module that does nothing, of its own bytes. */
export const small = (seed) =>
  contract((module) => {
    module.data(600, Uint8Array.of(seed, seed >> 8));
    return [];
  });

/**
 * About `bytes` of code that takes a compiler as long as any: divisions, of 3 bytes each. A call enters every function,
 * so that all are compiled, and leaves it at once, so that hardly anything runs.
 */
export const slowToCompile = ({ bytes, seed }) =>
  contract((module) => {
    const perFunction = 240_000;
    const division = [get(1), op(I64_REM_S)];
    const code = (divisions) => [
      ...[get(0), op(OP.brIf, 0), get(1)],
      ...Array.from({ length: divisions }, () => division).flat(),
      op(OP.drop),
    ];
    const sizes = Array.from({ length: Math.ceil(bytes / perFunction) }, (_, i) =>
      Math.min(perFunction, bytes - i * perFunction),
    );
    module.data(600, Uint8Array.of(seed, seed >> 8));
    const indices = sizes.map((size) => module.function('(i32)->()', code(Math.floor(size / 3)), ['i64']));
    return indices.flatMap((index) => [i32(1), call(index)]);
  });

/**
 * About `bytes` of code that nobody calls but its validation reads. `compiled`: it is called and runs through;
 * `refused`: it ends with a function that does not validate. `width`: locals of each function, `control`: one `if` for
 * so many other instructions.
 */
export const large = ({ bytes, seed, compiled = false, refused = false, width = 0, control = 0 }) =>
  contract((module) => {
    const indices = [];
    const perFunction = 200_000;
    for (let left = bytes; left > 0; left -= perFunction) {
      const code = [];
      // 6 bytes each: a constant of 4, drop, nop.
      const units = Math.floor(Math.min(left, perFunction) / 6);
      for (let i = 0; i < units; i++) {
        if (control > 0 && i % control === 0) code.push(get(0), opener(OP.if), end);
        code.push(i32(((seed * 31 + i) % 8_000) + 8_192), op(OP.drop), op(OP.nop));
      }
      indices.push(module.function('(i32)->()', code, new Array(width).fill('i64')));
    }
    if (refused) module.function('()->i32', []);
    return compiled ? indices.flatMap((index) => [i32(1), call(index)]) : [];
  });
