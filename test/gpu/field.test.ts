import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OpenDevice, openDevice } from '../../src/gpu/device/device.js';
import { Assembler, type Term } from '../../src/gpu/intrinsics/secp256k1/assembler.js';
import { FIELD, modulo } from '../../src/gpu/intrinsics/secp256k1/curve.js';
import { schnorrData } from '../../src/gpu/intrinsics/secp256k1/data.js';
import { LIMB_BITS, LIMBS, minuendLimbs } from '../../src/gpu/intrinsics/secp256k1/limbs.js';
import { fieldWgsl } from '../../src/gpu/intrinsics/secp256k1/text.js';

/** The largest limbs that a register may hold. No known signature leads to them, so the test sets them. */
const MOST = Array.from({ length: LIMBS }, (_, i) => (i === LIMBS - 1 ? 511 : 2 ** LIMB_BITS));
/** The largest limbs of a y that a pick has negated; it is only used as the first factor of a product. */
const MOST_NEGATED = minuendLimbs(2 ** LIMB_BITS);

const WORDS = LIMBS / 2;
const CASE_WORDS = 4 + 3 * WORDS;

interface Case {
  readonly instruction: readonly number[];
  readonly registers: readonly (readonly number[])[];
  readonly expected: bigint;
}

const numberOf = (limbs: readonly number[]): bigint =>
  limbs.reduce((sum, limb, i) => sum + (BigInt(limb) << BigInt(i * LIMB_BITS)), 0n);

/** Limbs up to `most`, very often `most` or 0. */
function limbsUpTo(most: readonly number[]): fc.Arbitrary<readonly number[]> {
  const all = (pick: (limit: number) => fc.Arbitrary<number>): fc.Arbitrary<number[]> => fc.tuple(...most.map(pick));
  return fc.oneof(
    fc.constant([...most]),
    all((limit) => fc.constantFrom(0, limit)),
    all((limit) => fc.oneof(fc.constantFrom(limit, limit - 1), fc.nat(limit))),
    all((limit) => fc.nat(limit)),
  );
}

let opened: OpenDevice;
beforeAll(async () => {
  opened = await openDevice();
});
afterAll(() => opened?.close());

async function runCases(cases: readonly Case[]): Promise<number[][]> {
  const { device, flags } = opened;
  const wgsl = `
@group(0) @binding(0) var<storage, read> program_data: array<u32>;
@group(0) @binding(1) var<storage, read_write> results: array<u32>;
${fieldWgsl(schnorrData(), '0u')}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < ${cases.length}u) {
    let at = id.x * ${CASE_WORDS}u;
    for (var i = 0u; i < ${3 * WORDS}u; i++) {
      let word = i % ${WORDS}u;
      fe[1u + i / ${WORDS}u][word >> 1u][word & 1u] = program_data[at + 4u + i];
    }
    field_math(program_data[at] & 15u, program_data[at], program_data[at + 1u], at + 2u);
    for (var i = 0u; i < ${WORDS}u; i++) {
      results[id.x * ${WORDS}u + i] = fe[0][i >> 1u][i & 1u];
    }
  }
}`;
  const input = Uint32Array.from(
    cases.flatMap(({ instruction, registers }) => [
      ...instruction,
      ...registers.flatMap((limbs) =>
        Array.from({ length: WORDS }, (_, i) => limbs[2 * i] + limbs[2 * i + 1] * 65_536),
      ),
    ]),
  );
  const bytes = cases.length * WORDS * 4;
  const source = device.createBuffer({ size: input.byteLength, usage: flags.usage.STORAGE | flags.usage.COPY_DST });
  const target = device.createBuffer({ size: bytes, usage: flags.usage.STORAGE | flags.usage.COPY_SRC });
  const staging = device.createBuffer({ size: bytes, usage: flags.usage.MAP_READ | flags.usage.COPY_DST });
  device.queue.writeBuffer(source, 0, input);
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code: wgsl }), entryPoint: 'main' },
  });
  const entries = [source, target].map((buffer, binding) => ({ binding, resource: { buffer } }));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(Math.ceil(cases.length / 64));
  pass.end();
  encoder.copyBufferToBuffer(target, 0, staging, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(flags.mapRead);
  const words = new Uint32Array(staging.getMappedRange().slice(0));
  return cases.map((_, i) =>
    Array.from(words.subarray(i * WORDS, (i + 1) * WORDS)).flatMap((word) => [word & 0xffff, word >>> 16]),
  );
}

/** Result in register 0, operands in 1 to 3. */
function assemble(write: (code: Assembler) => void): number[] {
  const code = new Assembler();
  write(code);
  return code.words();
}

it('field operations are exact with the largest limbs, and give limbs no larger', async () => {
  const cases: Case[] = [];
  const sample = (arbitrary: fc.Arbitrary<readonly number[]>, count: number, seed: number): (readonly number[])[] =>
    fc.sample(arbitrary, { seed, numRuns: count });
  const count = 150;
  const normal = [1, 2, 3].map((seed) => sample(limbsUpTo(MOST), count, seed));
  const negated = sample(limbsUpTo(MOST_NEGATED), count, 4);
  for (let i = 0; i < count; i++) {
    const registers = normal.map((limbs) => limbs[i]);
    const [a, b, c] = registers.map(numberOf);
    const wide = [negated[i], registers[1], registers[2]];
    const add = (instruction: number[], value: bigint, operands: readonly (readonly number[])[] = registers): void => {
      cases.push({ instruction, registers: operands, expected: modulo(value, FIELD) });
    };
    const terms: Term[] = [
      [2, -2],
      [3, -1],
    ];
    add(
      assemble((code) => code.mul(0, 1, 2)),
      a * b,
    );
    add(
      assemble((code) => code.mul(0, 1, 2, { scale: 2 })),
      2n * a * b,
    );
    add(
      assemble((code) => code.mul(0, 1, 2, { terms: [[3, -8]] })),
      a * b - 8n * c,
    );
    add(
      assemble((code) => code.mul(0, 1, 2, { terms: [[3, 7]] })),
      a * b + 7n * c,
    );
    add(
      assemble((code) => code.mul(0, 1, 2, { terms: [[3, -1]] })),
      numberOf(negated[i]) * b - c,
      wide,
    );
    add(
      assemble((code) => code.square(0, 1)),
      a * a,
    );
    add(
      assemble((code) => code.square(0, 1, { scale: 3 })),
      3n * a * a,
    );
    add(
      assemble((code) => code.square(0, 1, { times: 3 })),
      a ** 8n,
    );
    add(
      assemble((code) => code.square(0, 1, { terms })),
      a * a - 2n * b - c,
    );
    add(
      assemble((code) => code.sum(0, [1, 4], [2, -1])),
      4n * a - b,
    );
    add(
      assemble((code) => code.sum(0, [1, 1], [3, -21])),
      a - 21n * c,
    );
    add(
      assemble((code) => code.sum(0, [1, 21])),
      21n * a,
    );
    add(
      assemble((code) => code.sum(0, [1, 1])),
      numberOf(negated[i]),
      wide,
    );
  }
  const results = await runCases(cases);
  results.forEach((limbs, i) => {
    const { expected, instruction } = cases[i];
    expect({ i, instruction, value: modulo(numberOf(limbs), FIELD) }).toEqual({ i, instruction, value: expected });
    expect(limbs.every((limb, k) => limb <= MOST[k])).toBe(true);
  });
});
