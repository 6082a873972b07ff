/** Everything that costs fuel, each as a program that does nothing else (docs/lane-rules.md, sections 5 and 6). */
import { ENV, type EnvName } from '../../program/env.js';
import type { Instruction, WasmModule } from '../../program/module.js';
import { FUNCREF, OP } from '../../program/opcodes.js';
import { call, drop, end, type FuelModule, get, i32, i64, op, opens, repeat, set } from './fuel-modules.js';

export interface FuelClass {
  readonly name: string;
  readonly kind: 'instruction' | 'bulk' | 'frame' | 'host' | 'result';
  readonly module: FuelModule;
}

const UNROLLED = 100;
const PAGE = 65_536;
/** A buffer of 32 bytes, of 64, of 1 KiB and of 60,000 bytes, each after its length word. */
const BUFFER = { id: 1_004, word64: 2_004, kilobyte: 4_004, large: 70_004 } as const;
const OUT = 8_004;

const instruction = (name: string, turn: readonly Instruction[], rest: Partial<FuelModule> = {}): FuelClass => ({
  name,
  kind: 'instruction',
  module: { turn, ...rest },
});
const bulk = (name: string, turn: readonly Instruction[], rest: Partial<FuelModule> = {}): FuelClass => ({
  name,
  kind: 'bulk',
  module: { turn: repeat(20, ...turn), ...rest },
});
const binary = (name: string, code: number): FuelClass =>
  instruction(name, [get(0), ...repeat(UNROLLED, get(1), op(code)), set(0)], {
    first: [i32(0x12345), set(0), i32(77), set(1)],
  });
const binary64 = (name: string, code: number): FuelClass =>
  instruction(name, [get(4), ...repeat(UNROLLED, get(5), op(code)), set(4)], {
    first: [i64(0x7123_4567_89ab_cdefn), set(4), i64(3n), set(5)],
  });

/** x = x * a + c: its top bits cannot be predicted. */
const random = [get(1), i32(1_103_515_245), op(OP.i32Mul), i32(12_345), op(OP.i32Add), op(OP.localTee, 1)];
const bit = [...random, i32(16), op(OP.i32ShrU), i32(1), op(OP.i32And)];
const NOTHING = { params: [], results: [] } as const;
const ADD = { params: ['i32', 'i32'], results: ['i32'] } as const;

function arithmetic(): FuelClass[] {
  return [
    instruction('loop, br', []),
    instruction('block, br_if not taken', [opens(OP.block), ...repeat(UNROLLED, i32(0), op(OP.brIf, 0)), end]),
    instruction('if, random', repeat(20, ...bit, opens(OP.if), i32(1), set(2), end)),
    instruction('br_table, random', [
      ...repeat(4, opens(OP.block)),
      ...[...random, i32(28), op(OP.i32ShrU), { ...op(OP.brTable), targets: [0, 1, 2, 3, 0] }],
      ...repeat(4, end),
    ]),
    binary('i32.add', OP.i32Add),
    binary('i32.mul', OP.i32Mul),
    binary('i32.div_u', OP.i32DivU),
    binary('i32.rotl', 0x77),
    instruction('i32.rem_s', [get(0), ...repeat(UNROLLED, get(1), op(0x6f)), set(0)], {
      first: [i32(1 << 30), set(0), i32(7), set(1)],
    }),
    instruction('i32.popcnt', [get(0), ...repeat(UNROLLED, op(0x69)), set(0)]),
    instruction('i32.eqz', [get(0), ...repeat(UNROLLED, op(OP.i32Eqz)), set(0)]),
    binary64('i64.mul', 0x7e),
    binary64('i64.rotl', 0x89),
    instruction('i64.div_u of large numbers', repeat(50, get(4), get(5), op(0x80), get(4), op(0x85), set(4)), {
      first: [i64(-3n), set(4), i64(3n), set(5)],
    }),
    instruction('i64.rem_s of large numbers', [get(4), ...repeat(UNROLLED, get(5), op(0x81)), set(4)], {
      first: [i64(1n << 62n), set(4), i64((1n << 61n) - 1n), set(5)],
    }),
    instruction('select', [get(0), ...repeat(UNROLLED, get(1), get(2), op(OP.select)), set(0)]),
    instruction('local.set, local.get', repeat(UNROLLED, get(0), set(1), get(1), set(0))),
    instruction('global.set, global.get', repeat(UNROLLED, op(OP.globalGet, 0), op(OP.globalSet, 0))),
    instruction('call of an empty function', repeat(UNROLLED, call(0)), { functions: [{ type: NOTHING, code: [] }] }),
    instruction('call with two parameters', [get(0), ...repeat(UNROLLED, get(1), call(0)), set(0)], {
      functions: [{ type: ADD, code: [get(0), get(1), op(OP.i32Add)] }],
    }),
    instruction('call_indirect', repeat(UNROLLED, i32(0), op(OP.callIndirect, 0, 0)), {
      functions: [{ type: NOTHING, code: [] }],
      ...tableOf(1, 0),
    }),
    instruction('call_indirect in a table that changes', repeat(UNROLLED, i32(0), op(OP.callIndirect, 0, 0)), {
      first: [i32(1), op(OP.refFunc, 0), op(OP.tableSet, 0)],
      functions: [{ type: NOTHING, code: [] }],
      ...tableOf(2, 0),
    }),
    instruction('table.get, table.set', repeat(UNROLLED, i32(0), i32(1), op(OP.tableGet, 0), op(OP.tableSet, 0)), {
      functions: [{ type: NOTHING, code: [] }],
      ...tableOf(2, 0),
    }),
    instruction('ref.func', repeat(UNROLLED, op(OP.refFunc, 0), drop), {
      functions: [{ type: NOTHING, code: [] }],
      ...tableOf(1, 0),
    }),
  ];
}

/** Loads whose addresses depend on each other: a ring of words, `stride` bytes apart, over `pages`. */
function chased(pages: number): FuelClass {
  const words = (pages * PAGE) / 4;
  // Every address comes once, in an order that no processor foresees: x -> (x * 5 + 1) modulo a power of 2.
  const fill = [
    opens(OP.loop),
    ...[
      get(1),
      i32(2),
      op(0x74),
      get(1),
      i32(5),
      op(OP.i32Mul),
      i32(0x3010),
      op(OP.i32Add),
      i32(words - 1),
      op(OP.i32And),
    ],
    ...[i32(2), op(0x74), op(OP.i32Store, 0, 2)],
    ...[get(1), i32(16), op(OP.i32Add), op(OP.localTee, 1), i32(words), op(0x49), op(OP.brIf, 0)],
    end,
  ];
  // Only every sixteenth word is written: a load that finds 0 goes on at word 0.
  const module = { first: fill, turn: [get(2), ...repeat(UNROLLED, op(OP.i32Load, 0, 2)), set(2)], pages };
  return { name: `i32.load, each from where the last points, ${pages} pages`, kind: 'instruction', module };
}

function memory(): FuelClass[] {
  const at = i32(4_096);
  return [
    instruction('i32.load', [get(0), ...repeat(UNROLLED, op(OP.i32Load, 64, 2)), set(0)]),
    instruction('i64.load, not aligned', repeat(UNROLLED, i32(61), op(0x29, 0, 0), set(4))),
    instruction('i32.store', repeat(UNROLLED, at, get(0), op(OP.i32Store, 0, 2))),
    instruction('i64.store, not aligned', repeat(UNROLLED, i32(61), get(4), op(0x37, 0, 0))),
    instruction(
      'i32.store, a line further each',
      [
        ...repeat(
          50,
          get(0),
          get(0),
          op(OP.i32Store, 0, 2),
          get(0),
          i32(64),
          op(OP.i32Add),
          i32(128 * PAGE - 1),
          op(OP.i32And),
          set(0),
        ),
      ],
      { pages: 128 },
    ),
    chased(1),
    chased(16),
    chased(128),
    instruction('memory.size', repeat(UNROLLED, op(OP.memorySize, 0), drop)),
    bulk('memory.grow of 0 pages', [i32(0), op(OP.memoryGrow, 0), drop]),
    {
      name: 'memory.grow of 1 page, over and over',
      kind: 'bulk',
      module: { once: true, first: repeat(500, i32(1), op(OP.memoryGrow, 0), drop), pages: 0 },
    },
    {
      name: 'memory.grow of 1 page, each touched',
      kind: 'bulk',
      module: {
        once: true,
        first: repeat(500, i32(1), op(OP.memoryGrow, 0), i32(16), op(0x74), i32(1), i32(PAGE), op(OP.memoryFill, 0)),
        pages: 0,
      },
    },
    bulk('memory.grow beyond the maximum', [i32(9), op(OP.memoryGrow, 0), drop], { maxPages: 1 }),
    ...[0, 16, 1_024, PAGE].flatMap((bytes) => [
      bulk(`memory.fill of ${bytes} bytes`, [i32(0), i32(7), i32(bytes), op(OP.memoryFill, 0)]),
      bulk(`memory.copy of ${bytes} bytes`, [i32(PAGE), i32(3), i32(bytes), op(OP.memoryCopy, 0, 0)], { pages: 3 }),
      bulk(`memory.init of ${bytes} bytes`, [i32(0), i32(0), i32(bytes), op(OP.memoryInit, 0, 0)], {
        data: [{ mode: 'passive', offset: undefined, bytes: new Uint8Array(PAGE) }],
      }),
    ]),
    bulk('data.drop', [op(OP.dataDrop, 0)], {
      data: [{ mode: 'passive', offset: undefined, bytes: new Uint8Array(9) }],
    }),
  ];
}

/** A table of `elements`, all of them set to `fill`, and a passive segment of as many. */
function tableOf(elements: number, fill: number): Pick<WasmModule, 'table' | 'elements'> {
  const items = Array.from({ length: elements }, () => ({ kind: 'ref.func', index: fill }) as const);
  return {
    table: { min: elements, max: 4_096 },
    elements: [
      { mode: 'active', table: 0, offset: { kind: 'i32', value: 0 }, items },
      { mode: 'passive', table: 0, offset: undefined, items },
    ],
  };
}

function tables(): FuelClass[] {
  const functions = [{ type: NOTHING, code: [] }];
  const none = op(OP.refNull, FUNCREF);
  const sized = [0, 1, 1_000].flatMap((elements) => {
    const rest = { functions, ...tableOf(2_000, 0) };
    return [
      bulk(`table.fill of ${elements} elements`, [i32(0), none, i32(elements), op(OP.tableFill, 0)], rest),
      bulk(
        `table.fill with a function, of ${elements} elements`,
        [i32(0), op(OP.refFunc, 0), i32(elements), op(OP.tableFill, 0)],
        rest,
      ),
      bulk(`table.copy of ${elements} elements`, [i32(9), i32(0), i32(elements), op(OP.tableCopy, 0, 0)], rest),
      bulk(`table.init of ${elements} elements`, [i32(0), i32(0), i32(elements), op(OP.tableInit, 1, 0)], rest),
    ];
  });
  return [
    instruction('table.size', repeat(UNROLLED, op(OP.tableSize, 0), drop), { functions, ...tableOf(1, 0) }),
    ...sized,
    bulk('table.grow of 0 elements', [none, i32(0), op(OP.tableGrow, 0), drop], { functions, ...tableOf(1, 0) }),
    {
      name: 'table.grow of 1 element, over and over',
      kind: 'bulk',
      module: {
        once: true,
        functions,
        ...tableOf(1, 0),
        first: repeat(4_000, none, i32(1), op(OP.tableGrow, 0), drop),
      },
    },
    bulk('elem.drop', [op(OP.elemDrop, 1)], { functions, ...tableOf(1, 0) }),
  ];
}

function frames(): FuelClass[] {
  const functions = [{ type: NOTHING, code: [] }];
  const frame = (name: string, module: FuelModule): FuelClass => ({
    name: `entry: ${name}`,
    kind: 'frame',
    module: { once: true, ...module },
  });
  const touch = (pages: number): Instruction[] => [i32(0), i32(1), i32(pages * PAGE), op(OP.memoryFill, 0)];
  const items = [{ kind: 'ref.func', index: 0 } as const];
  return [
    ...[1, 17, 32, 33, 128, 512].flatMap((pages) => [
      frame(`${pages} pages`, { pages }),
      frame(`${pages} pages, each touched`, { pages, first: touch(pages) }),
    ]),
    frame('1 page that grows', { pages: 1, first: [i32(1), op(OP.memoryGrow, 0), drop] }),
    frame('1 page and a changed table', { functions, ...tableOf(1, 0), first: [op(OP.elemDrop, 1)] }),
    frame('1 MiB of data', { pages: 17, data: [active(0, 16 * PAGE)] }),
    frame('1,000 segments of 1 byte', { data: Array.from({ length: 1_000 }, (_, i) => active(i * 8, 1)) }),
    frame('4,096 elements', { functions, ...tableOf(4_096, 0) }),
    frame('1,000 segments of elements', {
      functions,
      table: { min: 1, max: 1 },
      elements: Array.from(
        { length: 1_000 },
        () => ({ mode: 'active', table: 0, offset: { kind: 'i32', value: 0 }, items }) as const,
      ),
    }),
    frame('300 locals', { first: repeat(10, i32(0), drop) }),
  ];
}

function active(at: number, length: number): WasmModule['dataSegments'][number] {
  return { mode: 'active', offset: { kind: 'i32', value: at }, bytes: new Uint8Array(length).fill(7) };
}

/** The length words of the buffers. */
const lengths = (
  [
    [BUFFER.id, 32],
    [BUFFER.word64, 64],
    [BUFFER.kilobyte, 1_024],
    [BUFFER.large, 60_000],
  ] as const
).flatMap(([at, length]) => [i32(at - 4), i32(length), op(OP.i32Store, 0, 2)]);

/** Arguments of a call, what is special about it, and what comes before it in each turn. */
type HostCase = readonly [args: readonly Instruction[], what?: string, before?: readonly Instruction[]];
type EndsTheRun = 'abort' | '__call' | '__delegatecall' | '__staticcall';

/** The cases of every host function but those that end the run. */
function hostCases(): Readonly<Record<Exclude<EnvName, EndsTheRun>, readonly HostCase[]>> {
  // A new key each time: the first word counts.
  const another = [i32(BUFFER.id), get(1), i32(1), op(OP.i32Add), op(OP.localTee, 1), op(OP.i32Store, 0, 2)];
  const id = i32(BUFFER.id);
  const [out, large] = [i32(OUT), i32(BUFFER.large)];
  const word64 = i32(BUFFER.word64);
  return {
    __request_context: [[[]]],
    __request_transaction: [[[]]],
    __request_block: [[[]]],
    __is_dry_run: [[[]]],
    __sequence: [[[out]]],
    __fuel: [[[out]]],
    __height: [[[out]]],
    __returndatacopy: [[[out]]],
    __load_context: [[[out]]],
    __load_transaction: [[[out]]],
    __load_block: [[[out], 'of 60,000 bytes']],
    __request_storage: [
      [[id], 'one key of 32 bytes'],
      [[id], 'another key each time', another],
      [[large], 'a key of 60,000 bytes'],
    ],
    __load_storage: [
      [[id, out], 'one key of 32 bytes'],
      [[id, out], 'another key each time', another],
      [[word64, out], 'a value of 50,000 bytes'],
    ],
    __balance: [[[id, id, out]], [[id, id, out], 'another id each time', another]],
    __log: [
      [[id], '32 bytes'],
      [[large], '60,000 bytes'],
    ],
    __record_get: [
      [[id], 'one key'],
      [[large], 'a key of 60,000 bytes'],
    ],
    __record_put: [[[id], 'another key each time', another]],
    __sha256: [
      [[id, out], '32 bytes'],
      [[i32(BUFFER.kilobyte), out], '1,024 bytes'],
      [[large, out], '60,000 bytes'],
    ],
    __sha256d: [
      [[id, out], '32 bytes'],
      [[word64, out], '64 bytes'],
      [[large, out], '60,000 bytes'],
    ],
    __u128_mul_div: [[[i32(3_004), i32(3_024), i32(3_044), out], '', MUL_DIV]],
    __schnorr_verify: [[[id, id, word64], 'what no one signed']],
  };
}

function hosts(): FuelClass[] {
  const host = (name: EnvName, [args, what = '', before = []]: HostCase): FuelClass => ({
    name: what === '' ? name : `${name}, ${what}`,
    kind: 'host',
    module: {
      imports: [name],
      first: lengths,
      turn: repeat(10, ...before, ...args, call(0), ...(ENV[name].signature.endsWith('i32') ? [drop] : [])),
      pages: 4,
    },
  });
  return Object.entries(hostCases()).flatMap(([name, cases]) => cases.map((one) => host(name as EnvName, one)));
}

/** Three numbers of 16 bytes, all bits set but of the divisor, which is odd. */
const MUL_DIV = [3_004, 3_024, 3_044].flatMap((at, i) => [
  ...[i32(at - 4), i32(16), op(OP.i32Store, 0, 2)],
  ...[i32(at), i64(-1n), op(0x37, 0, 3), i32(at + 8), i64(i === 2 ? -7n : -9n), op(0x37, 0, 3)],
]);

/** Results: local 0 points at one that memory.fill and a few stores lay out. */
function results(): FuelClass[] {
  const result = (name: string, pages: number, first: readonly Instruction[]): FuelClass => ({
    name: `result: ${name}`,
    kind: 'result',
    module: { once: true, pages, first: [...first, i32(4), set(0)] },
  });
  const word = (at: number, value: number): Instruction[] => [i32(at), i32(value), op(OP.i32Store, 0, 2)];
  // Entries of an empty key and an empty value are zeros; so are transfers of nothing.
  return [
    result('nothing', 1, word(0, 20)),
    result('600 entries', 1, [...word(0, 20 + 600 * 8), ...word(20, 600)]),
    result('1,024 transfers', 1, [...word(0, 20 + 1_024 * 48), ...word(4, 1_024)]),
    result('one value of 25,000 bytes', 1, [...word(0, 28 + 25_000), ...word(20, 1), ...word(28, 25_000)]),
    result('6 MB of data', 100, word(0, 20 + 6_000_000)),
    result('33 MB of data, not paid', 512, word(0, 512 * PAGE - 4)),
    result('33 MB in one value, not paid', 512, [
      ...word(0, 512 * PAGE - 4),
      ...word(20, 1),
      ...word(28, 512 * PAGE - 32),
    ]),
    result('4,096 entries, not paid', 1, [...word(0, 20 + 4_096 * 8), ...word(20, 4_096)]),
  ];
}

/** All classes. */
export function fuelClasses(): FuelClass[] {
  return [...arithmetic(), ...memory(), ...tables(), ...frames(), ...hosts(), ...results()];
}
