import { afterAll, beforeAll, expect, it } from 'vitest';
import { openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import type { GpuCall, GpuExecutor } from '../../src/gpu/pack/types.js';
import { u32Bytes } from '../../src/util/bytes.js';
import { wat } from '../helpers/wat.js';
import { gpuCall, runAndCompare } from './support.js';

const PAGE = 65_536;
let executor: GpuExecutor;
beforeAll(async () => {
  executor = await openGpuExecutor({ patient: true });
});
afterAll(() => executor?.close());

/** Loads and stores of whole words: those that the translator writes without checks where the address is constant. */
const LOADS = ['i32.load', 'i64.load', 'i64.load32_s', 'i64.load32_u'];
const STORES = ['i32.store', 'i64.store', 'i64.store32'];

/** One access at a constant address, part of it in `offset=`. */
function access(instruction: string, address: number, offset: number): string {
  const place = `${instruction} offset=${offset} (i32.const ${address - offset})`;
  if (LOADS.includes(instruction)) return `(drop (${place}))`;
  return `(${place} (${instruction === 'i32.store' ? 'i32' : 'i64'}.const 9))`;
}

/**
 * A program that makes one of `accesses`, after memory.grow by some pages where `grows`. The context's length says
 * which and by how many, as `pages * accesses.length + access`: no memory is needed to read it. All accesses are in one
 * kernel, because drivers take long over each.
 */
function chooser(minPages: number, maxPages: number | '', accesses: readonly string[], grows: boolean): Uint8Array {
  const choices = accesses.map((code, i) => `(if (i32.eq (local.get $access) (i32.const ${i})) (then ${code}))`);
  return wat(`
    (module
      (import "env" "__request_context" (func $context_bytes (result i32)))
      (memory (export "memory") ${minPages} ${maxPages})
      (func (export "__execute") (result i32)
        (local $access i32) (local $pages i32)
        (i32.rem_u (local.tee $access (call $context_bytes)) (i32.const ${accesses.length}))
        (local.set $pages (i32.div_u (local.get $access) (i32.const ${accesses.length})))
        local.set $access
        ${grows ? '(drop (memory.grow (local.get $pages)))' : ''}
        ${choices.join('\n')}
        (i32.const 4)))
  `);
}

/** Where the looping program keeps its context, and what it returns. */
const CONTEXT = 200;
const OUT = 104;
/** Loops with parameters and results. A branch must not carry the operands below them on the stack. */
const LOOPS = wat(`
  (module
    (import "env" "__load_context" (func $load_context (param i32) (result i32)))
    (memory (export "memory") 1)

    (func (export "__execute") (result i32)
      (local $value i32) (local $left i32) (local $sum i64) (local $step i64) (local $extra i32)
      (local.set $value (i32.load (call $load_context (i32.const ${CONTEXT}))))

      ;; $left: iterations of the next loop, an odd number below 32 from the second word of the context.
      ;; A loop with a result.
      (local.set $left (i32.or (i32.and (i32.load offset=4 (i32.const ${CONTEXT})) (i32.const 31)) (i32.const 1)))
      (i32.const 1000)
      (loop $again (result i32)
        (local.set $value (i32.add (local.get $value) (i32.const 3)))
        (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))
        (local.get $value))
      i32.add
      local.set $value

      ;; A loop with two results, branched to from blocks inside.
      (local.set $left (i32.or (i32.and (i32.load offset=4 (i32.const ${CONTEXT})) (i32.const 31)) (i32.const 1)))
      (i64.const 5)
      (loop $again (result i32 i64)
        (block $outer
          (block $inner
            (local.set $value (i32.mul (local.get $value) (i32.const 7)))
            (br_table $inner $again $outer $again
              (i32.rem_u (local.tee $left (i32.sub (local.get $left) (i32.const 1))) (i32.const 3))))
          (local.set $value (i32.add (local.get $value) (i32.const 1)))
          (br_if $again
            (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 1))) (i32.const 0))))
        (if (i32.gt_s (local.get $left) (i32.const 0)) (then (br $again)))
        (local.get $value)
        (i64.const 9))
      local.set $sum
      local.set $value
      local.set $step

      ;; A loop with parameters and results, branched to with values.
      (local.set $left (i32.or (i32.and (i32.load offset=4 (i32.const ${CONTEXT})) (i32.const 31)) (i32.const 1)))
      (local.get $value)
      (local.get $step)
      (loop $again (param i32 i64) (result i32 i64)
        local.set $sum
        local.set $value
        (i32.rotr (local.get $value) (i32.const 5))
        (i64.add (local.get $sum) (local.get $step))
        (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 1))) (i32.const 0))
        br_if $again
        (block
          (local.get $value)
          (local.get $sum)
          (i32.lt_u (local.get $extra) (i32.const 2))
          (local.set $extra (i32.add (local.get $extra) (i32.const 1)))
          br_if $again
          drop
          drop))
      local.set $sum
      local.set $value

      (i32.store (i32.const ${OUT - 4}) (i32.const 12))
      (i32.store (i32.const ${OUT}) (local.get $value))
      (i64.store offset=4 (i32.const ${OUT}) (local.get $sum))
      (i32.const ${OUT})))
`);

it('accesses at constant addresses trap outside memory, also if memory.grow failed or was too small', async () => {
  const near = [0, 2_040];
  const edge = [PAGE - 4, PAGE];
  // The address is the constant, or the constant and `offset=` together.
  const all = ([first, second]: readonly number[]) => [
    ...[...LOADS, ...STORES].map((code) => access(code, first, 0)),
    ...[...LOADS, ...STORES].map((code) => access(code, second, 8)),
  ];
  const count = all(near).length;
  const programs = [
    { wasm: chooser(0, '', all(near), false), pages: [0] },
    { wasm: chooser(0, 1, all(near), true), pages: [0, 1, 2] },
    { wasm: chooser(1, 2, all(edge), true), pages: [0, 1, 5] },
  ];
  for (const { wasm, pages } of programs) {
    const { program } = gpuCall(wasm);
    const calls: GpuCall[] = pages.flatMap((grown) =>
      Array.from({ length: count }, (_, i) => ({
        ...gpuCall(wasm, { context: new Uint8Array(grown * count + i) }),
        program,
      })),
    );
    const results = await runAndCompare(executor, calls);
    // No call is a PUNT, and both endings occur wherever memory may grow.
    expect(results.filter(({ status }) => status === 'TRAP').length).toBeGreaterThan(0);
    if (pages.length > 1) expect(results.filter(({ status }) => status !== 'TRAP').length).toBeGreaterThan(0);
  }
});

it('a branch to a loop carries its parameters, never its results: br, br_if, br_table, from every depth', async () => {
  const { program } = gpuCall(LOOPS);
  expect(executor.supports(program)).toEqual({ ok: true });
  const calls = Array.from({ length: 64 }, (_, i) => {
    const context = new Uint8Array([...u32Bytes(i * 0x01234567), ...u32Bytes(i)]);
    return { ...gpuCall(LOOPS, { context, fuel: i % 9 === 0 ? 60 : 10_000 }), program };
  });
  const seen = await runAndCompare(executor, calls);
  expect(new Set(seen.map(({ status }) => status))).toEqual(new Set(['OK', 'OUT_OF_FUEL']));
});
