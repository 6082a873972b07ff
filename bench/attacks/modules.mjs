// Modules inside the limits of docs/lane-rules.md, section 3, that are the worst for whoever prepares or compiles them.

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

/** For whoever prepares: much to read, or much to write. */
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
    const calling = { type: 0, body: body([], Buffer.concat([repeated([0x10, 0], BODY - 2), Buffer.from([0x0f])])) };
    return moduleOf([[[], results]], [giving, ...new Array(7).fill(calling)]);
  },
};
