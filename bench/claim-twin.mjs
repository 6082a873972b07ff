#!/usr/bin/env node
// The translated claim kernel against a hand-written twin of its hot loop, on the same claims, after `npm run build`:
//   node bench/claim-twin.mjs [--counts 10000,100000] [--rounds 9] [--warm 250] [--json]
// The twin knows what the program cannot: registers instead of memory, no fuel, no bounds, no keys, no result to build.
// A GPU that waits lowers its clock, so each timed batch follows a load of --warm ms; and the input of either kernel
// has just been uploaded, as it has in a block (`again`: the twin on an input that it has read before).
import { parseArgs } from 'node:util';
import { openDevice } from '../dist/gpu/device/device.js';
import { DawnExecutor } from '../dist/gpu/gpu-executor.js';
import { CallRecorder } from '../dist/gpu/pack/records.js';
import { prepareProgram } from '../dist/program/prepare.js';
import { SAMPLES } from '../dist/selftest/bench/sample-calls.js';
import { builtPrograms } from '../dist/util/built-wasm.js';

const { values: args } = parseArgs({
  options: {
    counts: { type: 'string', default: '10000,100000' },
    rounds: { type: 'string', default: '9' },
    warm: { type: 'string', default: '250' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(args.rounds);
const warmMs = Number(args.warm);
/** Of a claim's context: target, caller, vout, count of assets, then operation, index, amount, siblings. */
const INDEX_WORD = 28;
const AMOUNT_WORD = 32;
const PROOF_WORD = 36;

const opened = await openDevice();
const { device, flags } = opened;
const executor = new DawnExecutor(opened, { measure: true, patient: true });
const program = prepareProgram(builtPrograms().claim);
await executor.prepare(program);
const rows = [];
for (const count of args.counts.split(',').map(Number)) rows.push(await compare(count));
await executor.close();
if (args.json) console.log(JSON.stringify({ adapter: opened.adapter, rows }));
else {
  console.log(`${opened.adapter.vendor} ${opened.adapter.description}; medians (least-most) in ms`);
  for (const row of rows) {
    console.log(
      `n=${row.count}: translated ${show(row.translated)}, twin ${show(row.twin)} (again ${show(row.again)}), ` +
        `ratio ${row.ratio.toFixed(2)}, proofs that hold: ${row.holds}`,
    );
  }
}

async function compare(count) {
  const calls = SAMPLES.claim.calls(program, count);
  const depth = (calls[0].context.length / 4 - PROOF_WORD) / 8;
  const twin = await makeTwin(calls, depth);
  const block = blockOf(calls);
  const samples = { translated: [], twin: [], again: [] };
  let holds = 0;
  let paid = 0;
  for (let round = -1; round < rounds; round++) {
    await twin.warm();
    const before = executor.timings.kernelMs;
    const run = await executor.begin(block);
    const outcomes = await run.run(0);
    paid = 0;
    for (let i = 0; i < count; i++) if (outcomes.status(i) === 'OK') paid++;
    run.close();
    await twin.warm();
    await twin.upload();
    const ms = await twin.run();
    const again = await twin.run();
    if (round < 0) continue;
    samples.translated.push(executor.timings.kernelMs - before);
    samples.twin.push(ms);
    samples.again.push(again);
  }
  holds = await twin.holds();
  // What was claimed before is refused by the program and unknown to the twin.
  const claimed = calls.filter((_, i) => i % 17 === 16 && i % 16 !== 15).length;
  if (holds - claimed !== paid) throw new Error(`the twin finds ${holds} proofs, the program pays ${paid}`);
  const translated = spread(samples.translated);
  const hand = spread(samples.twin);
  const ratio = translated.median / hand.median;
  return { count, translated, twin: hand, again: spread(samples.again), ratio, holds };
}

function blockOf(calls) {
  const recorder = new CallRecorder(1);
  const colour = Uint32Array.from(calls, (call) => {
    const keys = call.reads.map((read, k) => ({ ...read, read: true, written: k === 1 }));
    return recorder.add(program.hash, call, keys, { bytes: 128 });
  });
  return { seed: 1, records: recorder.take(), programs: new Map([[program.hash, program]]), segments: [[colour]] };
}

async function makeTwin(calls, depth) {
  const words = PROOF_WORD + depth * 8;
  const input = new Uint32Array(calls.length * words);
  calls.forEach((call, i) => {
    input.set(new Uint32Array(call.context.slice().buffer), i * words);
  });
  const root = new Uint32Array(calls[0].reads[0].value.slice(0, 32).buffer);
  const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = flags.usage;
  const source = device.createBuffer({ size: input.byteLength, usage: STORAGE | COPY_DST });
  const target = device.createBuffer({ size: calls.length * 4, usage: STORAGE | COPY_SRC });
  const staging = device.createBuffer({ size: calls.length * 4, usage: MAP_READ | COPY_DST });
  const module = device.createShaderModule({ code: twinText(calls.length, words, depth, root) });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [source, target].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const run = async () => {
    await device.queue.onSubmittedWorkDone();
    const started = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(Math.ceil(calls.length / 64));
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - started;
  };
  const upload = async () => {
    device.queue.writeBuffer(source, 0, input);
    await device.queue.onSubmittedWorkDone();
  };
  await upload();
  const warm = async () => {
    const until = performance.now() + warmMs;
    while (performance.now() < until) await run();
  };
  const holds = async () => {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(target, 0, staging, 0, calls.length * 4);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(flags.mapRead);
    const sum = new Uint32Array(staging.getMappedRange()).reduce((a, b) => a + b, 0);
    for (const buffer of [source, target, staging]) buffer.destroy();
    return sum;
  };
  return { run, upload, warm, holds };
}

function twinText(count, words, depth, root) {
  const constants = roundConstants();
  const swapped = [...root].map((word) => `${swap(word)}u`).join(', ');
  // One block, rounds and schedule unrolled, sixteen words of schedule in registers.
  const rounds64 = constants.map((k, i) => {
    const at = (n) => `w${(i + n) & 15}`;
    const next =
      i < 16
        ? ''
        : `${at(0)} = ${at(0)} + (rot(${at(1)}, 7u) ^ rot(${at(1)}, 18u) ^ (${at(1)} >> 3u)) + ${at(9)} + ` +
          `(rot(${at(14)}, 17u) ^ rot(${at(14)}, 19u) ^ (${at(14)} >> 10u));`;
    return [
      `${next} t1 = h + (rot(e, 6u) ^ rot(e, 11u) ^ rot(e, 25u)) + (g ^ (e & (f ^ g))) + ${k}u + ${at(0)};`,
      't2 = (rot(a, 2u) ^ rot(a, 13u) ^ rot(a, 22u)) + ((a & b) | (c & (a | b)));',
      'h = g; g = f; f = e; e = d + t1; d = c; c = b; b = a; a = t1 + t2;',
    ].join(' ');
  });
  const names = Array.from({ length: 16 }, (_, i) => `w${i}`);
  return `
@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(1) var<storage, read_write> held: array<u32>;
const ROOT = array<u32, 8>(${swapped});
fn rot(x: u32, n: u32) -> u32 { return (x >> n) | (x << (32u - n)); }
fn swap(x: u32) -> u32 { return (x >> 24u) | ((x >> 8u) & 0xff00u) | ((x << 8u) & 0xff0000u) | (x << 24u); }
fn compress(s: array<u32, 8>, w: array<u32, 16>) -> array<u32, 8> {
  var a = s[0]; var b = s[1]; var c = s[2]; var d = s[3]; var e = s[4]; var f = s[5]; var g = s[6]; var h = s[7];
  ${names.map((name, i) => `var ${name} = w[${i}];`).join(' ')}
  var t1: u32; var t2: u32;
  ${rounds64.join('\n  ')}
  return array<u32, 8>(s[0] + a, s[1] + b, s[2] + c, s[3] + d, s[4] + e, s[5] + f, s[6] + g, s[7] + h);
}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < ${count}u) {
    let base = id.x * ${words}u;
    let index = source[base + ${INDEX_WORD}u];
    const START = array<u32, 8>(0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
      0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u);
    var node = START;
    // The leaf is one block, every level two: the pair and its padding.
    for (var step = 0u; step < ${1 + 2 * depth}u; step++) {
      var w = array<u32, 16>();
      if (step == 0u) {
        w[0] = swap(index);
        w[1] = swap(source[base + ${INDEX_WORD + 1}u]);
        for (var i = 0u; i < 4u; i++) { w[2u + i] = swap(source[base + ${AMOUNT_WORD}u + i]); }
        w[6] = 0x80000000u;
        w[15] = 192u;
        node = compress(START, w);
      } else if ((step & 1u) == 1u) {
        let level = step >> 1u;
        let own = ((index >> level) & 1u) * 8u;
        for (var i = 0u; i < 8u; i++) {
          w[own + i] = node[i];
          w[(8u - own) + i] = swap(source[base + ${PROOF_WORD}u + level * 8u + i]);
        }
        node = compress(START, w);
      } else {
        w[0] = 0x80000000u;
        w[15] = 512u;
        node = compress(node, w);
      }
    }
    var same = 1u;
    for (var i = 0u; i < 8u; i++) { same = select(0u, same, node[i] == ROOT[i]); }
    held[id.x] = same;
  }
}`;
}

function swap(word) {
  return ((word >>> 24) | ((word >>> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24)) >>> 0;
}

/** First 32 bits of the fractions of the cube roots of the first 64 primes. */
function roundConstants() {
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes.map((prime) => {
    let root = 0n;
    for (let bit = 1n << 34n; bit > 0n; bit >>= 1n) if ((root | bit) ** 3n <= BigInt(prime) << 96n) root |= bit;
    return Number(root & 0xffffffffn);
  });
}

function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], least: sorted[0], most: sorted[sorted.length - 1] };
}

function show({ median, least, most }) {
  return `${median.toFixed(2)} (${least.toFixed(2)}-${most.toFixed(2)})`;
}
