#!/usr/bin/env node
// Rates of the intrinsics in the kernel, after `npm run build`: node bench/schnorr-gpu.mjs [--counts 10000,50000]
// [--rounds 5] [--only schnorr,sha256d,mul-div] [--json FILE]. On a machine without a GPU: npm run software-gpu -- node
// bench/schnorr-gpu.mjs
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { signSchnorr, xOnlyPointFromScalar } from 'tiny-secp256k1';

const { openGpuExecutor } = await import('../dist/gpu/gpu-executor.js');
const { prepareProgram } = await import('../dist/program/prepare.js');
const { schnorrVerify } = await import('../dist/program/schnorr.js');

const { values: options } = parseArgs({
  options: {
    counts: { type: 'string', default: '10000,50000,100000' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: 'schnorr,sha256d,mul-div' },
    json: { type: 'string' },
  },
});
const FUEL = 3_500_000;
const CONTEXT = 1_004;
const RESULT = 600;
const OUT = RESULT + 8;
/** Different inputs; a batch repeats them. */
const DISTINCT = 2_048;

const u32 = (value) => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
};
const join = (...parts) => new Uint8Array(Buffer.concat(parts));
const seeded = (name) => new Uint8Array(createHash('sha256').update(name).digest());

/** A module that calls the import `name` with the first words of its context and returns 64 bytes from RESULT on. */
function callerModule(name, parameters, returns) {
  const unsigned = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >> 7)]);
  const signed = (value) => (value < 64 ? [value] : [(value & 127) | 128, ...signed(value >> 7)]);
  const text = (s) => [s.length, ...Buffer.from(s)];
  const section = (id, body) => [id, ...unsigned(body.length), ...body];
  const constant = (value) => [0x41, ...signed(value)];
  const pushes = Array.from({ length: parameters }, (_, i) => [...constant(CONTEXT), 0x28, 2, 4 * i]).flat();
  const target = [...(returns ? constant(RESULT) : []), ...pushes, 0x10, 1, ...(returns ? [0x36, 2, 0] : [])];
  const body = [0, ...constant(CONTEXT), 0x10, 0, 0x1a, ...target, ...constant(RESULT), 0x0b];
  const i32s = (count) => [count, ...Array(count).fill(0x7f)];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [
      3,
      0x60,
      ...i32s(1),
      ...i32s(1),
      0x60,
      ...i32s(parameters),
      ...i32s(returns ? 1 : 0),
      0x60,
      0,
      ...i32s(1),
    ]),
    ...section(2, [2, ...text('env'), ...text('__load_context'), 0, 0, ...text('env'), ...text(name), 0, 1]),
    ...section(3, [1, 2]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...text('__execute'), 0, 2, ...text('memory'), 2, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
    ...section(11, [1, 0, ...constant(RESULT - 4), 0x0b, 68, 64, ...Array(67).fill(0)]),
  ]);
}

/** Pointers, then the buffers with their length words. */
function contextOf(inputs, outputs) {
  let at = CONTEXT + 16;
  const pointers = inputs.map(({ length }) => {
    at += 4 + length;
    return at - length;
  });
  return join(
    ...[...pointers, ...outputs, 0, 0, 0].slice(0, 4).map(u32),
    ...inputs.flatMap((input) => [u32(input.length), input]),
  );
}

function schnorrCase(i) {
  const secret = seeded(`secret ${i % 97}`);
  const message = seeded(`message ${i}`);
  const signature = new Uint8Array(signSchnorr(message, secret));
  const valid = i % 16 !== 3;
  if (!valid) signature[i % 64] ^= 1;
  const key = new Uint8Array(xOnlyPointFromScalar(secret));
  return { inputs: [message, key, signature], outputs: [], check: (bytes) => bytes[0] === (valid ? 1 : 0) };
}

function hashCase(i) {
  const input = join(seeded(`left ${i}`), seeded(`right ${i}`));
  const once = createHash('sha256').update(input).digest();
  const expected = createHash('sha256').update(once).digest();
  return { inputs: [input], outputs: [OUT], check: (bytes) => expected.equals(bytes.subarray(8, 40)) };
}

function divideCase(i) {
  const number = (name) => seeded(`${name} ${i}`).subarray(0, 16);
  const value = (bytes) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
  const inputs = ['a', 'b', 'c'].map(number);
  const [a, b, c] = inputs.map(value);
  const quotient = (a * b) / c;
  const fits = quotient < 2n ** 128n;
  const check = (bytes) => bytes[0] === (fits ? 1 : 0) && (!fits || value(bytes.subarray(8, 24)) === quotient);
  return { inputs, outputs: [OUT], check };
}

const BENCHES = {
  schnorr: { name: '__schnorr_verify', parameters: 3, returns: true, make: schnorrCase },
  sha256d: { name: '__sha256d', parameters: 2, returns: false, make: hashCase },
  'mul-div': { name: '__u128_mul_div', parameters: 4, returns: true, make: divideCase },
};

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

const executor = await openGpuExecutor({ measure: true, patient: true });
const report = { adapter: executor.adapter, rows: [] };
console.log(`${executor.adapter.vendor} ${executor.adapter.description}`);
for (const only of options.only.split(',')) {
  const { name, parameters, returns, make } = BENCHES[only];
  const program = prepareProgram(callerModule(name, parameters, returns));
  const cases = Array.from({ length: DISTINCT }, (_, i) => make(i));
  const calls = cases.map(({ inputs, outputs }) => ({
    program,
    context: contextOf(inputs, outputs),
    height: 7,
    fuel: FUEL,
    reads: [],
    writes: [],
  }));
  const started = performance.now();
  await executor.run(calls.slice(0, 1));
  const compileMs = Math.round(performance.now() - started);
  console.log(`${only}: first run, which compiles, ${compileMs} ms`);
  for (const count of options.counts.split(',').map(Number)) {
    const batch = Array.from({ length: count }, (_, i) => calls[i % DISTINCT]);
    const kernel = [];
    const total = [];
    let wrong = 0;
    for (let round = 0; round <= Number(options.rounds); round++) {
      const before = executor.timings.kernelMs;
      const start = performance.now();
      const results = await executor.run(batch);
      // The first round makes the buffers.
      if (round > 0) {
        total.push(performance.now() - start);
        kernel.push(executor.timings.kernelMs - before);
      }
      wrong = results.filter(({ status, result }, i) => status !== 'OK' || !cases[i % DISTINCT].check(result)).length;
    }
    const row = {
      bench: only,
      count,
      compileMs,
      kernelMs: median(kernel),
      kernelMinMs: Math.min(...kernel),
      totalMs: median(total),
      kernelPerSecond: Math.round((count / median(kernel)) * 1_000),
      endToEndPerSecond: Math.round((count / median(total)) * 1_000),
      wrong,
    };
    report.rows.push(row);
    console.log(
      `${only} n=${count}: kernel ${row.kernelMs.toFixed(2)} ms (best ${row.kernelMinMs.toFixed(2)}), ` +
        `${row.kernelPerSecond}/s; end to end ${row.endToEndPerSecond}/s; ${wrong} wrong`,
    );
  }
  if (only === 'schnorr') {
    const start = performance.now();
    for (const { inputs } of cases.slice(0, 1_000)) schnorrVerify(...inputs);
    const perSecond = Math.round(1_000 / ((performance.now() - start) / 1_000));
    report.cpuSchnorrPerSecond = perSecond;
    console.log(`libsecp256k1 on one thread: ${perSecond}/s`);
  }
}
await executor.close();
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
