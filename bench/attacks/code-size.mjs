// What the machine code of programs takes in memory beside what src/program/code-size.ts expects, by kind of
// instruction: each kind in a process of its own that runs modules of 1.9 MB or as much as the limits allow, every
// function called. Exit status 1 if one takes more than was expected and 2 MiB.
//   npm run build && node bench/attacks/code-size.mjs [KIND]
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ProgramInstance } from '../../dist/program/instance.js';
import { buildProgram } from '../../dist/program/prepare.js';
import { refuseCall } from '../../dist/program/run-stop.js';
import { call, end, get, i32, i64, Module, OP, op, opener, set, tee } from './wasm.mjs';

/** What is repeated in each function `(i32, i64)`, and how often at most; `empty` is a function without effect. */
const KINDS = {
  constants: { unit: () => [i32(9_000), op(OP.drop), op(OP.nop)], times: 33_000 },
  additions: { unit: () => [get(1), get(1), op(OP.i64Add), set(1)], times: 28_000 },
  divisions: { unit: () => [get(1), get(1), op(OP.i64Add + 5), op(OP.drop)], times: 32_000 },
  loads: { unit: () => [get(0), op(OP.i64Load, 0, 3), op(OP.drop)], times: 32_000 },
  stores: { unit: () => [get(0), get(1), op(OP.i64Store, 0, 3)], times: 28_000 },
  selects: { unit: () => [get(1), i64(5), get(0), op(OP.select), set(1)], times: 25_000 },
  calls: { unit: (empty) => [i32(0), call(empty)], times: 50_000 },
  branches: { unit: () => [get(0), op(OP.brIf, 0)], times: 9_900 },
  blocks: {
    unit: () => [get(0), opener(OP.if), get(1), i64(3), op(OP.i64Xor), tee(1), op(OP.drop), end],
    times: 4_900,
  },
};
const MODULES = 4;
const FUNCTIONS = 9;

function moduleOf({ unit, times }, seed) {
  const module = new Module();
  module.data(0, Uint8Array.of(20, 0, 0, 0)).data(300, Uint8Array.of(seed));
  const empty = module.function('(i32)->()', []);
  // It is compiled and does not run: the first local is 0.
  const code = [get(0), opener(OP.if), ...Array.from({ length: times }, () => unit(empty)).flat(), end];
  const indices = Array.from({ length: FUNCTIONS }, () => module.function('(i32)->()', code, ['i64']));
  return module.execute([...indices.flatMap((index) => [i32(0), call(index)]), i32(4)]).bytes();
}

/** Bytes that the machine code of a module of this kind takes, as the process grows by it, and as expected. */
function measure(kind) {
  const programs = Array.from({ length: MODULES }, (_, i) => buildProgram(moduleOf(KINDS[kind], i)));
  const modules = programs.map(({ instrumented }) => new Uint8Array(instrumented));
  const host = { context: new Uint8Array(112) };
  const collect = () => {
    for (let i = 0; i < 3; i++) globalThis.gc();
  };
  const kept = programs.map(
    (program, i) => new ProgramInstance(program, new WebAssembly.Module(modules[i]), refuseCall),
  );
  collect();
  const before = process.memoryUsage.rss();
  for (const instance of kept) {
    instance.begin(host, 3_500_000);
    instance.execute();
  }
  collect();
  const measured = Math.max(0, process.memoryUsage.rss() - before) / MODULES;
  const { compiledBytes, instrumented } = programs[0];
  return { measured, expected: compiledBytes - instrumented.length, wasm: instrumented.length };
}

const [kind, child] = process.argv.slice(2);
if (child !== undefined) {
  process.stdout.write(JSON.stringify(measure(kind)));
} else {
  const script = fileURLToPath(import.meta.url);
  for (const name of Object.keys(KINDS)) {
    if (kind !== undefined && kind !== name) continue;
    const flags = ['--expose-gc', '--stack-size=3900'];
    const run = spawnSync(process.execPath, [...flags, script, name, 'child'], { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(`${name}: ${run.stderr}`);
    const { measured, expected, wasm } = JSON.parse(run.stdout);
    if (measured > expected + 2 * 2 ** 20) process.exitCode = 1;
    const [a, b, c] = [wasm, measured, expected].map((bytes) => (bytes / 1e6).toFixed(1).padStart(6));
    console.log(`${name.padEnd(12)} WASM ${a} MB  machine code ${b} MB  expected ${c} MB`);
  }
}
