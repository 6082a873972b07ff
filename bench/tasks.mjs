#!/usr/bin/env node
// Batch tasks, after `npm run build`: the kernel against one core and against all, from columns to answers (packing,
// readback and the check of 2 % included). node bench/tasks.mjs [--only sha256,merkle,schnorr,ecdsa]
// [--widths 1024,65536] [--leaves 1048576] [--rounds 7] [--sweep 256,…] [--json FILE] [--gpu-server ADDRESS (the kernel
// of `warpshrew gpu-server`, not of this process)].
// node bench/tasks.mjs --overlap [--segment-kib 1024,…] [--rounds 15] [--json FILE]: eight segments of hashes one after
// the other and overlapping, when each step of a segment begins and ends, and what a batch of 65,536 messages takes by
// the size of segments. On a machine without a GPU:
// npm run software-gpu -- node bench/tasks.mjs --widths 256 --leaves 4096 --sweep 64,256
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pointFromScalar, sign, signSchnorr, xOnlyPointFromScalar } from 'tiny-secp256k1';

const { Tasks } = await import('../dist/tasks/tasks.js');
const { benchRun } = await import('../dist/selftest/bench/machine.js');

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: 'sha256,merkle,schnorr,ecdsa' },
    widths: { type: 'string', default: '1024,65536' },
    leaves: { type: 'string', default: '1048576' },
    rounds: { type: 'string', default: '7' },
    sweep: { type: 'string', default: '256,512,1024,2048,4096,8192,16384,32768,65536' },
    'gpu-server': { type: 'string' },
    overlap: { type: 'boolean', default: false },
    'segment-kib': { type: 'string', default: '512,1024,2048,4096,8192,16384,32768' },
    json: { type: 'string' },
  },
});
if (options.overlap) {
  const { benchOverlap } = await import('./tasks-overlap.mjs');
  process.exit(await benchOverlap(options));
}
const numbers = (text) => text.split(',').map(Number);
const WIDTHS = numbers(options.widths);
const ROUNDS = Number(options.rounds);
const SWEEP = numbers(options.sweep);
/** Different signatures; a batch repeats them. */
const DISTINCT = 2_048;
/** Bytes of a message: about a payment. */
const MESSAGE = 250;
/** A side is not measured again once its rounds took so long, in milliseconds. */
const ENOUGH_MS = 2_500;
/** What a batch should gain over one core. */
const WANTED = { sha256: 10, merkle: 10, schnorr: 20, ecdsa: 20 };

const seeded = (name) => new Uint8Array(createHash('sha256').update(name).digest());
/** `count` rows of a column of `width` bytes, from fewer. */
function repeated(column, width, count) {
  const all = new Uint8Array(width * count);
  for (let at = 0; at < all.length; at += column.length) all.set(column.subarray(0, all.length - at), at);
  return all;
}
const columnOf = (rows) => new Uint8Array(Buffer.concat(rows));
const distinct = (make) => Array.from({ length: DISTINCT }, (_, i) => make(i));
const secret = (i) => seeded(`secret ${i}`);
const message = (i) => seeded(`message ${i}`);
/** One of sixteen is wrong. */
function maybeWrong(signature, i) {
  const own = new Uint8Array(signature);
  if (i % 16 === 3) own[i % 64] ^= 1;
  return own;
}

/** By task: makes the batch of a width, and asks for it. */
const TASKS = {
  sha256: () => (count) => {
    const bytes = new Uint8Array(count * MESSAGE);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 2_654_435_761) >>> 24;
    const offsets = Uint32Array.from({ length: count + 1 }, (_, i) => i * MESSAGE);
    return (tasks) => tasks.sha256({ bytes, offsets, twice: true });
  },
  merkle: () => (count) => {
    const leaves = repeated(columnOf(distinct((i) => seeded(`leaf ${i}`))), 32, count);
    // No two neighbours are equal, on any level.
    const words = new Uint32Array(leaves.buffer);
    for (let i = 0; i < count; i++) words[8 * i] ^= i;
    return async (tasks) => (await tasks.merkle({ leaves })).root;
  },
  schnorr: () => {
    const messages = columnOf(distinct(message));
    const keys = columnOf(distinct((i) => xOnlyPointFromScalar(secret(i))));
    const signatures = columnOf(distinct((i) => maybeWrong(signSchnorr(message(i), secret(i)), i)));
    return (count) => {
      const batch = {
        messages: repeated(messages, 32, count),
        keys: repeated(keys, 32, count),
        signatures: repeated(signatures, 64, count),
      };
      return (tasks) => tasks.schnorr(batch);
    };
  },
  ecdsa: () => {
    const digests = columnOf(distinct(message));
    const keys = columnOf(distinct((i) => pointFromScalar(secret(i), true)));
    const signatures = columnOf(distinct((i) => maybeWrong(sign(message(i), secret(i)), i)));
    return (count) => {
      const batch = {
        digests: repeated(digests, 32, count),
        keys: repeated(keys, 33, count),
        keyOffsets: Uint32Array.from({ length: count + 1 }, (_, i) => 33 * i),
        signatures: repeated(signatures, 64, count),
      };
      return (tasks) => tasks.ecdsa(batch);
    };
  },
};

const least = { sha256: 1, merkle: 1, schnorr: 1, ecdsa: 1 };
const address = options['gpu-server'];
const gpuServer = address === undefined ? undefined : { address, priority: 'bench' };
const SIDES = {
  kernel: new Tasks({ backend: 'gpu', least, gpuServer, onFailure: (error) => console.error(error) }),
  one: new Tasks({ backend: 'cpu', threads: 0 }),
  all: new Tasks({ backend: 'cpu' }),
};

async function measured(tasks, ask, rounds) {
  const samples = [];
  let answer;
  for (let spent = 0; samples.length < rounds && (samples.length === 0 || spent < ENOUGH_MS); ) {
    const started = performance.now();
    answer = await ask(tasks);
    samples.push(performance.now() - started);
    spent += samples.at(-1);
  }
  const sorted = [...samples].sort((a, b) => a - b);
  return { answer, samples, medianMs: sorted[sorted.length >> 1], minMs: sorted[0], maxMs: sorted.at(-1) };
}

const shown = ({ medianMs, minMs, maxMs }) => `${medianMs.toFixed(2)} (${minMs.toFixed(2)} to ${maxMs.toFixed(2)})`;
const without = ({ answer, ...figures }) => figures;
const started = performance.now();
const report = {
  format: 'warpshrew-tasks-1',
  ...benchRun(undefined),
  rows: [],
  sweeps: {},
};
let differences = 0;
for (const name of options.only.split(',')) {
  const batchOf = TASKS[name]();
  const widths = name === 'merkle' ? [Number(options.leaves)] : WIDTHS;
  /** Microseconds a unit on one core, at the greatest width that was measured. */
  let oneUs;
  // Compiles the kernel, starts threads, and lets submissions grow to what the device bears.
  const warm = batchOf(Math.max(...widths));
  for (let i = 0; i < 3; i++) await warm(SIDES.kernel);
  await batchOf(Math.min(4_096, ...widths))(SIDES.all);
  for (const n of widths) {
    const ask = batchOf(n);
    const figures = {};
    for (const [side, tasks] of Object.entries(SIDES)) figures[side] = await measured(tasks, ask, ROUNDS);
    const { kernel, one, all } = figures;
    for (const side of [kernel, all]) if (Buffer.compare(side.answer, one.answer) !== 0) differences++;
    oneUs = (1_000 * one.medianMs) / n;
    const row = {
      task: name,
      n,
      ...Object.fromEntries(Object.entries(figures).map(([side, figure]) => [side, without(figure)])),
      overOne: one.medianMs / kernel.medianMs,
      overAll: all.medianMs / kernel.medianMs,
    };
    report.rows.push(row);
    console.log(
      `${name} n=${n}: kernel ${shown(kernel)} ms, one core ${shown(one)}, all ${shown(all)}: ` +
        `${row.overOne.toFixed(1)} x one core, ${row.overAll.toFixed(1)} x all`,
    );
  }
  // One core's time grows with the width, so that it is measured once; the kernel's does not.
  const sweep = [];
  for (const n of SWEEP.map((width) => (name === 'merkle' ? 16 * width : width))) {
    const ask = batchOf(n);
    await ask(SIDES.kernel);
    const kernel = await measured(SIDES.kernel, ask, 5);
    const all = await measured(SIDES.all, ask, 3);
    sweep.push({ n, kernel: without(kernel), all: without(all), overOne: (oneUs * n) / 1_000 / kernel.medianMs });
  }
  const from = (holds) => sweep.find((_, i) => sweep.slice(i).every(holds))?.n;
  const wanted = from(({ overOne }) => overOne >= WANTED[name]);
  const beatsAll = from(({ kernel, all }) => kernel.medianMs < all.medianMs);
  report.sweeps[name] = { oneUs, sweep, wanted: WANTED[name], wantedFrom: wanted, beatsAllFrom: beatsAll };
  const width = (n) => (n === undefined ? 'at no width here' : `from ${n} on`);
  console.log(
    `${name}: x one core ${sweep.map(({ n, overOne }) => `${n}: ${overOne.toFixed(1)}`).join(', ')}; ` +
      `${WANTED[name]} x ${width(wanted)}; faster than all cores ${width(beatsAll)}`,
  );
}
const { figures } = SIDES.kernel;
report.machine.adapter = figures.adapter;
report.figures = figures;
report.differences = differences;
report.seconds = Math.round((performance.now() - started) / 1_000);
const { processor, threads, adapter } = report.machine;
console.log(`${adapter ?? 'no kernel'}; ${processor}, ${threads} threads; ${report.seconds} s; run ${report.run}`);
console.log(`kernel ${figures.kernel}: ${figures.kernelBatches} batches, ${figures.fallbacks} fallbacks`);
if (differences > 0 || figures.failures > 0) {
  console.error(`${differences} answers differ, ${figures.failures} failures of the kernel`);
  process.exitCode = 1;
}
for (const tasks of Object.values(SIDES)) await tasks.close();
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
