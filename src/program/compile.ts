/** Contracts' machine code: how much work V8 may put into it. */
import { setFlagsFromString } from 'node:v8';

/**
 * V8 optimises a function once it has run so many bytes of its machine code, counted from its beginning to each place
 * where it ends or loops, in a call that leaves at once, too. This is what it takes without being told otherwise: 1.8
 * million in Node 20, 13 million from 22 on.
 */
const USUAL_BUDGET = Number.parseInt(process.versions.v8, 10) >= 12 ? 13_000_000 : 1_800_000;
/**
 * Optimising a byte of machine code takes some 50 ns, and running one a quarter of a nanosecond: optimised code pays
 * after some 200 runs of all of it. With less than that, large code that is hardly run still pays once it is.
 */
const RUNS_BEFORE_OPTIMISING = 40;
const MOST_BUDGET = 2 ** 31 - 1;

/**
 * The module of `code`, whose machine code takes `machineCodeBytes` by an estimate (code-size.ts). Large code must run
 * more before V8 optimises it: else a few calls of a program that no cache holds would cost a second of processor time.
 * The flag is the process's, and a module takes it when it is made. Threads that make theirs at the same moment may get
 * each other's: that changes how fast they run, and nothing else.
 */
export function compileContract(code: Uint8Array, machineCodeBytes: number): WebAssembly.Module {
  const budget = Math.min(MOST_BUDGET, RUNS_BEFORE_OPTIMISING * machineCodeBytes);
  const bytes = new Uint8Array(code);
  if (budget <= USUAL_BUDGET) return new WebAssembly.Module(bytes);
  setFlagsFromString(`--wasm-tiering-budget=${Math.floor(budget)}`);
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    setFlagsFromString(`--wasm-tiering-budget=${USUAL_BUDGET}`);
  }
}
