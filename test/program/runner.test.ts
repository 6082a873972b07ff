import { expect, it } from 'vitest';
import { prepareProgram } from '../../src/program/prepare.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { call, i32, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';
import { testHost } from './support.js';

it.each([
  ['a memory of its own', []],
  ['a lent memory', [i32(1), op(OP.memoryGrow, 0), op(OP.drop)]],
])('a result stays as it was while its program runs again, in %s', (_, grow) => {
  const b = new WasmBuilder();
  const height = b.import('__height');
  const program = prepareProgram(b.execute([...grow, i32(104), call(height), i32(104)]).bytes());
  const runner = new ProgramRunner({ compiles: 'everything' });
  const results = [1, 2, 3, 4].map(
    (of) => runner.run(program, testHost({ height: of }).host, 3_500_000).result ?? new Uint8Array(0),
  );
  expect(runner.kept.inLent).toBe(grow.length === 0 ? 0 : 1);
  expect(results.map((result) => result[0])).toEqual([1, 2, 3, 4]);
  expect(results.map((result) => result.length)).toEqual([8, 8, 8, 8]);
});
