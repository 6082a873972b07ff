// The stack needed by the deepest frames that the rules allow (lane rules 4), under every compiler of V8.
//   npm run build && node bench/attacks/stack.mjs [--only "NAME;..."] [--json]
// Each shape calls itself until the slot budget ends it. A thread's stack is made larger until V8 has no overflow
// before that. Exits 1 if one needs more than an eighth of what a thread that runs contracts has.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { GLOBAL_FUEL, GLOBAL_STACK, GLOBAL_WHY, STACK_SLOTS, WHY_STACK } from '../../dist/program/counters.js';
import { prepareProgram } from '../../dist/program/prepare.js';
import { call, end, get, i32, i64, Module, OP, op, opener, repeat, set } from './wasm.mjs';

const FILE = fileURLToPath(import.meta.url);
const MIB = 2 ** 20;
const MOST_MIB = 64;
/** Sizes of stack that are tried, in MiB. */
const SIZES = [0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48, 64];
const WARM_RUNS = 4_000;
const FUEL = 2 ** 31 - 1;
const TIERS = {
  'tiering up': [],
  'Liftoff only': ['--liftoff-only'],
  'TurboFan only': ['--no-liftoff'],
};

const XOR = op(OP.i64Xor);
const ADD = op(OP.i64Add);
const deeper = [get(0), i32(1), op(OP.i32Sub)];
/** A value that costs only its instructions: the compiler needs it again after the call, and keeps it. */
const pure = (i) => [get(1), i64(BigInt(i) * 0x9e3779b97f4an + 1n), op([OP.i64Add, 0x7e, 0x7d, 0x84, 0x89][i % 5])];
const pureAround = (count) => {
  const all = repeat(count, (i) => [...pure(i), XOR]);
  return [...deeper, i64(0), ...all, call(0), ...all];
};
const guarded = (rare) => [
  ...[get(0), i32(-1), op(OP.i32Eq), opener(OP.if, 'i64'), ...rare],
  ...[op(OP.else), ...deeper, get(1), call(0), i64(1), ADD, end],
];

/** Bodies of f: (n i32, x i64) -> i64, which calls itself for n - 1 unless n is 0. */
const SHAPES = {
  smallest: () => [...deeper, get(1), call(0), i64(1), ADD],
  'pure 50': () => pureAround(50),
  'pure 200': () => pureAround(200),
  'pure 1000': () => pureAround(1_000),
  'pure 4000': () => pureAround(4_000),
  'pure 200, path not taken': () => guarded(pureAround(200)),
  'pure 1000, path not taken': () => guarded(pureAround(1_000)),
  'globals 900': (module) => {
    for (let i = 0; i < 900; i++) {
      module.globals.push({ type: 'i64', mutable: false, init: { kind: 'i64', value: BigInt(i) * 0x9e3779b97f4a7n } });
    }
    const all = repeat(900, (i) => [op(OP.globalGet, i), XOR]);
    return [...deeper, get(1), ...all, call(0), ...all];
  },
  'locals 900': (_module, locals) => {
    for (let i = 0; i < 900; i++) locals.push('i64');
    const keep = repeat(900, (i) => [...pure(i), set(i + 2)]);
    return [...keep, ...deeper, get(1), call(0), ...repeat(900, (i) => [get(i + 2), XOR])];
  },
  'operands 900': () => [...repeat(900, pure), ...deeper, get(1), call(0), ...repeat(900, () => [XOR])],
  'loads 900': () => {
    const load = (i) => [i32(8 * i), op(OP.i64Load, 0, 3)];
    return [...repeat(900, load), ...deeper, get(1), call(0), ...repeat(900, () => [XOR])];
  },
  'results 64': (module) => {
    const many = new Array(64).fill('i64').join(',');
    module.function(`(i32,i64)->${many}`, [
      ...[get(0), op(OP.i32Eqz), opener(OP.if), ...repeat(64, () => [get(1)]), op(OP.return), end],
      ...[...deeper, get(1), call(1)],
    ]);
    return [get(0), get(1), call(1), ...repeat(63, () => [XOR])];
  },
  'parameters 900': (module) => {
    const many = new Array(900).fill('i64').join(',');
    module.function(`(i32,${many})->i64`, [
      ...[get(0), op(OP.i32Eqz), opener(OP.if), get(1), op(OP.return), end],
      ...[...deeper, ...repeat(900, (i) => [get(1 + i)]), call(1)],
      ...repeat(900, (i) => [get(1 + i), XOR]),
    ]);
    return [get(0), ...repeat(900, pure), call(1)];
  },
};

/** `__execute` reads how deep to go from a global that the bench sets. */
function moduleOf(shape) {
  const module = new Module();
  const locals = [];
  const first = module.functions.length;
  module.functions.push(undefined);
  const inner = SHAPES[shape](module, locals);
  const [body] = [new Module()];
  body.types = module.types;
  body.function('(i32,i64)->i64', [get(0), op(OP.i32Eqz), opener(OP.if), get(1), op(OP.return), end, ...inner], locals);
  module.functions[first] = body.functions[0];
  module.data(0, Uint8Array.of(4, 0, 0, 0));
  return module.execute([i32(1_000), op(OP.i32Load, 0, 2), i64(12_345), call(first), op(0xa7)]);
}

/** Runs a shape as deep as its slots let it, on this thread: how it ended and how many frames it had. */
function attack(shape, warmRuns) {
  const { instrumented } = prepareProgram(moduleOf(shape).bytes());
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(instrumented)), {});
  const depth = new Uint32Array(exports.memory.buffer, 1_000, 1);
  const run = (frames) => {
    exports[GLOBAL_FUEL].value = FUEL;
    exports[GLOBAL_STACK].value = STACK_SLOTS;
    exports[GLOBAL_WHY].value = 0;
    depth[0] = frames;
    try {
      exports.__execute();
      return 'OK';
    } catch (error) {
      if (error instanceof RangeError) return 'overflow';
      return exports[GLOBAL_WHY].value === WHY_STACK ? 'budget' : `trap ${error.message}`;
    }
  };
  for (let i = 0; i < warmRuns; i++) run(3);
  let least = 1;
  let most = STACK_SLOTS;
  // The deepest that stays within the budget, then one more.
  const deepest = run(STACK_SLOTS);
  if (deepest !== 'budget') return { end: deepest, frames: 0 };
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (run(middle) === 'OK') least = middle;
    else most = middle - 1;
  }
  return { end: run(STACK_SLOTS), frames: least };
}

async function onThread(shape, stackSizeMb, warmRuns) {
  const thread = new Worker(FILE, { workerData: { shape, warmRuns }, resourceLimits: { stackSizeMb } });
  const [result] = await once(thread, 'message');
  await thread.terminate();
  return result;
}

/** Least stack, of those tried, at which the budget comes first. */
async function needed(shape, warmRuns) {
  let least = 0;
  let most = SIZES.length;
  let frames = 0;
  while (least < most) {
    const middle = (least + most) >> 1;
    const result = await onThread(shape, SIZES[middle], warmRuns);
    if (result.end !== 'budget' && result.end !== 'overflow') throw new Error(`${shape}: ${result.end}`);
    if (result.end === 'budget') {
      frames = result.frames;
      most = middle;
    } else least = middle + 1;
  }
  return { shape, mib: SIZES[least], frames };
}

async function main() {
  const { values: args } = parseArgs({
    options: {
      only: { type: 'string', default: Object.keys(SHAPES).join(';') },
      tier: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const shapes = args.only.split(';');
  if (args.tier !== undefined) {
    const rows = [];
    for (const shape of shapes) rows.push(await needed(shape, args.tier === 'tiering up' ? WARM_RUNS : 0));
    process.stdout.write(`${JSON.stringify(rows)}\n`);
    return 0;
  }
  const rows = [];
  for (const [tier, flags] of Object.entries(TIERS)) {
    const again = [...flags, FILE, '--only', shapes.join(';'), '--tier', tier];
    const { stdout, status } = spawnSync(process.execPath, again, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: MIB,
    });
    if (status !== 0) throw new Error(`${tier} ended with status ${status}`);
    for (const row of JSON.parse(stdout)) rows.push({ tier, ...row });
  }
  const worst = Math.max(...rows.map(({ mib }) => mib ?? Number.POSITIVE_INFINITY));
  const line = ({ shape, tier, mib, frames }) => `| ${shape} | ${tier} | ${frames} | ${mib ?? `over ${MOST_MIB}`} |`;
  const sum = `Node ${process.versions.node}: ${STACK_SLOTS} slots need at most ${worst} MiB`;
  const head = `${sum}\n\n| shape | compiler | frames | MiB |`;
  const text = [head, '| --- | --- | ---: | ---: |', ...rows.map(line)].join('\n');
  process.stdout.write(args.json ? `${JSON.stringify({ node: process.versions.node, worst, rows })}\n` : `${text}\n`);
  return worst <= MOST_MIB / 8 ? 0 : 1;
}

if (isMainThread) process.exitCode = await main();
else parentPort.postMessage(attack(workerData.shape, workerData.warmRuns));
