// Modules inside the limits of docs/lane-rules.md, section 3, that take the longest to prepare or to compile.

const TYPES = { i32: 0x7f, i64: 0x7e };

export function u32(value) {
  const out = [];
  let rest = value >>> 0;
  for (; rest >= 0x80; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
  out.push(rest);
  return out;
}

function section(id, parts) {
  const bytes = Buffer.concat([Buffer.from(u32(parts.length)), ...parts.map((part) => Buffer.from(part))]);
  return Buffer.concat([Buffer.from([id, ...u32(bytes.length)]), bytes]);
}

/** Bytes of a body: declared locals as [count, type] pairs, then code without its last `end`. */
export function body(locals, code) {
  const declared = [...u32(locals.length), ...locals.flatMap(([count, type]) => [...u32(count), TYPES[type]])];
  const inner = Buffer.concat([Buffer.from(declared), Buffer.from(code), Buffer.from([0x0b])]);
  return Buffer.concat([Buffer.from(u32(inner.length)), inner]);
}

/**
 * A module of functions `{ type, body }`; `__execute` is added as the last one and calls the first if that has type 0,
 * () -> (). Types are given as [parameters, results]. `size` pads it with a custom section.
 */
export function moduleOf(types, functions, size = 0) {
  const all = [[[], []], [[], ['i32']], ...types];
  const list = (names) => [...u32(names.length), ...names.map((name) => TYPES[name])];
  const execute = body([], [...(functions[0].type === 0 ? [0x10, 0] : []), 0x41, 4]);
  const name = (text) => [...u32(text.length), ...Buffer.from(text)];
  const parts = [
    Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
    section(
      1,
      all.map(([params, results]) => [0x60, ...list(params), ...list(results)]),
    ),
    section(3, [...functions.map(({ type }) => u32(type)), [1]]),
    section(5, [[0, 1]]),
    section(7, [
      [...name('memory'), 2, 0],
      [...name('__execute'), 0, ...u32(functions.length)],
    ]),
    section(10, [...functions.map((f) => f.body), execute]),
  ];
  const module = Buffer.concat(parts);
  if (size <= module.length) return module;
  const length = size - module.length - 6;
  const custom = Buffer.alloc(size - module.length);
  for (let i = 0; i < 5; i++) custom[1 + i] = ((length >>> (7 * i)) & 0x7f) | (i < 4 ? 0x80 : 0);
  return Buffer.concat([module, custom]);
}

/** `bytes` over and over, up to `size` bytes. */
function repeated(bytes, size) {
  const times = Math.floor(size / bytes.length);
  return Buffer.concat(new Array(times).fill(Buffer.from(bytes)));
}

const BODY = 256 * 1024 - 64;
/** Bodies that fill 2 MiB. */
const full =
  (code, locals = [], control = 0) =>
  () => {
    const size = control > 0 ? Math.min(BODY, Math.floor(9_900 / control) * code.length) : BODY;
    const one = { type: 0, body: body(locals, repeated(code, size)) };
    return moduleOf([], new Array(Math.floor((2 * 1024 * 1024 - 20_000) / (one.body.length + 2))).fill(one));
  };

/** Slow to prepare: much to read, or much to write. */
export const MODULES = {
  nops: full([0x01]),
  'i32.const, drop': full([0x41, 1, 0x1a]),
  'local arithmetic': full([0x20, 0, 0x20, 1, 0x6a, 0x21, 0], [[2, 'i32']]),
  'long constants': full([0x42, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7e, 0x1a]),
  'loads and stores': full([0x20, 0, 0x20, 0, 0x28, 2, 8, 0x36, 2, 16], [[1, 'i32']]),
  'charges: br_if': full([0x41, 0, 0x0d, 0], [], 1),
  'charges: block, br_if, end': full([0x02, 0x40, 0x41, 0, 0x0d, 0, 0x0b], [], 3),
  'dead returns': full([0x0f], [], 1),
  'memory.fill': full([0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0]),
  'empty functions': () => moduleOf([], new Array(9_999).fill({ type: 0, body: body([], []) })),
  'calls with 64 results': () => {
    const results = new Array(64).fill('i32');
    const giving = { type: 2, body: body([], new Array(64).fill([0x41, 1]).flat()) };
    const calling = { type: 0, body: body([], repeated([0x10, 0, ...new Array(64).fill(0x1a)], BODY)) };
    return moduleOf([[[], results]], [giving, ...new Array(7).fill(calling)]);
  },
};

const bytesOf = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const times = (count, make) => Buffer.concat(Array.from({ length: count }, (_, i) => Buffer.from(make(i))));
const sizeFor = (work) => Math.min(2 * 1024 * 1024, Math.ceil((work - 10_000) / 20) + 1_000);
/** A number that no compiler knows: a word of memory. */
const ANY = [0x41, 0, 0x28, 2, 0];
const set = (local) => [0x21, ...u32(local)];
const get = (local) => [0x20, ...u32(local)];

/** `count` ifs one after the other, each of which sets `each` of 990 locals that the body reads again at its end. */
function ifsOverLocals(count, each) {
  const one = (i) => [...ANY, 0x04, 0x40, ...times(each, (k) => [0x42, 1, ...set((i * each + k) % 990)]), 0x0b];
  const sum = times(990, (i) => [...get(i), 0x1a]);
  return { type: 0, body: body([[990, 'i64']], bytesOf(times(count, one), sum)) };
}

/** 32 loops in each other, each with 16 parameters, and in the innermost `tables` br_tables to all of them. */
function loopsAndTables(tables, locals) {
  const results = times(16, () => [0x42, 1]);
  const table = [...ANY, 0x0e, ...u32(31), ...times(32, (i) => u32(i + 2))];
  const inner = times(tables, () => [0x02, 3, ...ANY, 0x04, 3, ...results, ...table, 0x05, ...results, 0x0b, 0x0b]);
  // Types 2 and 3: (i64 x 16) -> () and () -> (i64 x 16).
  const dropped = times(tables * 16, () => [0x1a]);
  const open = times(32, () => [0x03, 2]);
  const taken = times(16, () => [0x1a]);
  return {
    type: 0,
    body: body([[locals, 'i64']], bytesOf(results, open, taken, inner, dropped, new Array(32).fill(0x0b))),
  };
}

/** `depth` blocks in each other, each giving 16 values, and `tables` br_tables with 16 values to all of them. */
function blocksAndTables(depth, tables) {
  const values = times(16, () => [0x42, 1]);
  const table = bytesOf(
    [...ANY, 0x04, 0x40],
    values,
    [...ANY, 0x0e],
    u32(depth - 1),
    times(depth, (i) => u32(i + 1)),
    [0x0b],
  );
  const code = bytesOf(
    times(depth, () => [0x02, 3]),
    times(tables, () => table),
    values,
    times(depth, () => [0x0b]),
  );
  return {
    type: 0,
    body: body(
      [],
      bytesOf(
        code,
        times(16, () => [0x1a]),
      ),
    ),
  };
}

/** `count` loops one after the other, each of which changes `each` of `locals` locals. */
function loopsOverLocals(count, each, locals) {
  const one = (i) => [
    0x03,
    0x40,
    ...times(each, (k) => [...get((i + k) % locals), 0x42, 1, 0x7c, ...set((i + k) % locals)]),
    0x0b,
  ];
  return { type: 0, body: body([[locals, 'i64']], times(count, one)) };
}

/** 32 loops in each other that all change all of 900 locals in the innermost. */
function nestedLoopsOverLocals() {
  const change = times(900, (i) => [...get(i), 0x42, 1, 0x7c, ...set(i)]);
  const again = times(32, (i) => [...ANY, 0x0d, ...u32(i)]);
  return {
    type: 0,
    body: body(
      [[900, 'i64']],
      bytesOf(
        times(32, () => [0x03, 0x40]),
        change,
        again,
        new Array(32).fill(0x0b),
      ),
    ),
  };
}

/** `count` ifs while `depth` operands lie below. */
function ifsOverOperands(count, depth) {
  const pushes = times(depth, (i) => [0x41, i % 64]);
  const ifs = times(count, () => [...ANY, 0x04, 0x40, 0x0b]);
  return {
    type: 0,
    body: body(
      [],
      bytesOf(
        pushes,
        ifs,
        times(depth, () => [0x1a]),
      ),
    ),
  };
}

const SIXTEEN = new Array(16).fill('i64');
const BLOCK_TYPES = [
  [SIXTEEN, []],
  [[], SIXTEEN],
];
const many =
  (work, one, types = []) =>
  () => {
    const { functions, each } = work;
    return moduleOf(types, new Array(functions).fill(one()), sizeFor(functions * each));
  };

/** Slow to compile. `functions` times about `each` of compile work, 5,000,000 in all. */
export const COMPILED = {
  ...MODULES,
  '2,490 ifs, each sets 1 of 990 locals': many({ functions: 1, each: 4_940_000 }, () => ifsOverLocals(2_490, 1)),
  '2,000 ifs, each sets 20 of 990 locals': many({ functions: 1, each: 3_970_000 }, () => ifsOverLocals(2_000, 20)),
  '32 loops of 16, 30 br_tables to all': many(
    { functions: 6, each: 780_000 },
    () => loopsAndTables(30, 1),
    BLOCK_TYPES,
  ),
  '32 loops of 16, 60 locals, 100 br_tables': many(
    { functions: 1, each: 4_800_000 },
    () => loopsAndTables(65, 60),
    BLOCK_TYPES,
  ),
  '500 blocks of 16, 18 br_tables to all': many(
    { functions: 1, each: 4_950_000 },
    () => blocksAndTables(500, 16),
    BLOCK_TYPES,
  ),
  '100 blocks of 16, 90 br_tables to all': many(
    { functions: 4, each: 1_100_000 },
    () => blocksAndTables(100, 89),
    BLOCK_TYPES,
  ),
  '2,500 loops over 990 locals': many({ functions: 1, each: 4_960_000 }, () => loopsOverLocals(2_480, 10, 990)),
  '4,900 loops over 500 locals': many({ functions: 1, each: 4_960_000 }, () => loopsOverLocals(4_900, 5, 500)),
  '32 loops in each other over 900 locals': many({ functions: 20, each: 93_300 }, nestedLoopsOverLocals),
  '500 ifs over 4,900 operands': many({ functions: 1, each: 4_910_000 }, () => ifsOverOperands(500, 4_900)),
  '4,990 ifs over 480 operands': many({ functions: 1, each: 4_810_000 }, () => ifsOverOperands(4_950, 480)),
  divisions: full([0x20, 0, 0x20, 1, 0x7f, 0x21, 0], [[2, 'i64']]),
};
