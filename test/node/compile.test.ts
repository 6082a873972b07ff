import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { expect, test } from 'vitest';
import { compileContract } from '../../src/program/compile.js';
import { block, get, i32, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';

setFlagsFromString('--allow-natives-syntax');
const isOptimised = runInThisContext('(run) => %IsTurboFanFunction(run)') as (run: unknown) => boolean;
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** A large function that a call jumps over. `seed` makes another module: V8 knows code again that it has. */
function large(seed: number): Uint8Array<ArrayBuffer> {
  const unit = [get(0), i32(seed), op(OP.i32Add), op(OP.localSet, 0)];
  const code = Array.from({ length: 60_000 }, () => unit).flat();
  const builder = new WasmBuilder();
  const jumps = builder.function('(i32)->()', [block(), get(0), op(OP.brIf, 0), ...code, op(OP.end)]);
  return new Uint8Array(builder.export('run', jumps).bytes());
}

function runOf(module: WebAssembly.Module): (value: number) => void {
  return new WebAssembly.Instance(module).exports.run as (value: number) => void;
}

test('large code that hardly runs is not optimised after a few calls, and what is compiled after it is', async () => {
  const contract = runOf(compileContract(large(1), 2_000_000));
  const small = runOf(compileContract(large(2), 1_000));
  const other = runOf(new WebAssembly.Module(large(3)));
  while (!isOptimised(small) || !isOptimised(other)) {
    small(1);
    other(1);
    contract(1);
    await turn();
  }
  expect(isOptimised(contract)).toBe(false);
  while (!isOptimised(contract)) {
    for (let i = 0; i < 100; i++) contract(1);
    await turn();
  }
});
