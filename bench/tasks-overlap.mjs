// What `node bench/tasks.mjs --overlap` does: segments of hashes in the kernel, without the check of 2 %.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';

const { KernelBackend } = await import('../dist/tasks/kernel/backend.js');
const { openTaskDevice } = await import('../dist/tasks/kernel/device.js');
const { benchRun } = await import('../dist/selftest/bench/machine.js');

/** Bytes of a message: about a payment. */
const MESSAGE = 250;
const SEGMENTS = 8;
/** Messages of the batch that is measured by the size of segments. */
const WIDE = 65_536;
const KIB = 1_024;
/** Segments are not measured any longer than so many milliseconds a row. */
const ENOUGH_MS = 8_000;

function workOf(count) {
  const bytes = new Uint8Array(count * MESSAGE);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 2_654_435_761) >>> 24;
  return {
    kind: 'sha256',
    bytes,
    offsets: Uint32Array.from({ length: count + 1 }, (_, i) => i * MESSAGE),
    twice: true,
  };
}

const sha = (bytes) => createHash('sha256').update(bytes).digest();

/** How many of 64 digests, the first and the last one among them, are wrong. */
function wrongIn({ bytes, offsets }, answer) {
  const count = offsets.length - 1;
  let wrong = 0;
  for (let k = 0; k < 64; k++) {
    const i = Math.floor(((count - 1) * k) / 63);
    const digest = sha(sha(bytes.subarray(offsets[i], offsets[i + 1])));
    if (!digest.equals(answer.bytes.subarray(32 * i, 32 * i + 32))) wrong++;
  }
  return wrong;
}

const median = (samples) => [...samples].sort((a, b) => a - b)[samples.length >> 1];

/** Takes the ways in turns, so that what changes with time changes for all of them. */
async function inTurns(ways, work, rounds) {
  const samples = ways.map(() => []);
  let wrong = 0;
  const began = performance.now();
  for (let round = 0; round < rounds && (round === 0 || performance.now() - began < ENOUGH_MS); round++) {
    for (const [w, backend] of ways.entries()) {
      const started = performance.now();
      const answer = await backend.run(work);
      samples[w].push(performance.now() - started);
      wrong += wrongIn(work, answer);
    }
  }
  return { samples, wrong };
}

const STEPS = [
  ['pack', 'packStart', 'packEnd'],
  ['submit', 'packEnd', 'submitted'],
  ['upload', 'submitted', 'uploaded'],
  ['compute', 'uploaded', 'computed'],
  ['back', 'computed', 'readStart'],
  ['read', 'readStart', 'readEnd'],
];

/** Start and end of each step, in milliseconds since the first one began. */
function shownTrace(name, traces) {
  const zero = Math.min(...traces.map(({ packStart }) => packStart));
  const lines = [
    `${name}: start-end of each step in ms, as this thread saw it; an upload may wait for the segment before`,
  ];
  lines.push(`segment ${STEPS.map(([step]) => step.padStart(18)).join('')}`);
  for (const [i, trace] of traces.entries()) {
    const cells = STEPS.map(([, from, to]) => `${(trace[from] - zero).toFixed(2)}-${(trace[to] - zero).toFixed(2)}`);
    lines.push(`${String(i).padStart(7)} ${cells.map((cell) => cell.padStart(18)).join('')}`);
  }
  return lines.join('\n');
}

/** The exit status. */
export async function benchOverlap(options) {
  const rounds = Number(options.rounds);
  const traces = [];
  const device = await openTaskDevice();
  // A device of its own: seeing each step's end makes every step a submission.
  const traced = await openTaskDevice({ onSegment: (trace) => traces.push(trace) });
  const report = { format: 'warpshrew-tasks-overlap-1', ...benchRun(undefined), message: MESSAGE, sizes: [] };
  const { vendor, description } = device.adapter;
  report.machine.adapter = `${vendor} ${description}`.trim();
  console.log(`${report.machine.adapter}; ${report.machine.processor}, ${report.machine.threads} threads`);
  let wrong = 0;

  const sizes = options['segment-kib'].split(',').map((kib) => Number(kib) * KIB);
  const wide = workOf(WIDE);
  const ways = sizes.flatMap((segmentBytes) => [
    new KernelBackend(device, { segmentBytes, inFlight: 1 }),
    new KernelBackend(device, { segmentBytes }),
  ]);
  await inTurns(ways, wide, 3);
  const { samples, wrong: wrongWide } = await inTurns(ways, wide, rounds);
  wrong += wrongWide;
  for (const [i, segmentBytes] of sizes.entries()) {
    const [apart, overlapping] = [samples[2 * i], samples[2 * i + 1]];
    report.sizes.push({ segmentBytes, messages: WIDE, apart, overlapping });
    const figures = `one after the other ${median(apart).toFixed(2)} ms, overlapping ${median(overlapping).toFixed(2)}`;
    console.log(`${WIDE} messages in segments of ${segmentBytes / KIB} KiB: ${figures}`);
  }

  const messages = Math.floor((4 * KIB * KIB) / MESSAGE) * SEGMENTS;
  const work = workOf(messages);
  const pair = [new KernelBackend(device, { inFlight: 1 }), new KernelBackend(device)];
  await inTurns(pair, work, 3);
  const eight = await inTurns(pair, work, rounds);
  wrong += eight.wrong;
  const [apart, overlapping] = eight.samples.map(median);
  const rate = (ms) => `${ms.toFixed(2)} ms, ${(work.bytes.length / ms / 1_000).toFixed(0)} MB/s`;
  report.eight = { messages, bytes: work.bytes.length, apart: eight.samples[0], overlapping: eight.samples[1] };
  console.log(`${SEGMENTS} segments one after the other: ${rate(apart)}`);
  console.log(`${SEGMENTS} segments overlapping: ${rate(overlapping)}, ${(apart / overlapping).toFixed(2)} x`);

  report.traces = {};
  for (const [name, inFlight] of [
    ['one after the other', 1],
    ['overlapping', undefined],
  ]) {
    const backend = new KernelBackend(traced, inFlight === undefined ? {} : { inFlight });
    for (let i = 0; i < 3; i++) {
      traces.length = 0;
      wrong += wrongIn(work, await backend.run(work));
    }
    report.traces[name] = [...traces];
    console.log(shownTrace(name, traces));
  }
  report.wrong = wrong;
  await device.close();
  await traced.close();
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  if (wrong > 0) console.error(`${wrong} digests are wrong`);
  return wrong > 0 ? 1 : 0;
}
