/** Runs independent calls in the kernel: records them, cuts them into batches, retries those that need more memory. */
import { randomBytes } from 'node:crypto';
import type { Program } from '../program/types.js';
import { toBinaryString } from '../util/bytes.js';
import { WINDOWS } from './device/kernel-cache.js';
import { type CallColumns, CallRecorder, type DeclaredKey, keyBytes, keyCount } from './pack/records.js';
import type { GpuBlock, GpuBlockRun, GpuCall, GpuCallResult } from './pack/types.js';
import { MAX_CALL_FUEL } from './translate/layout.js';

/** Most calls of one batch, and most bytes of their contexts, keys and values. */
const MAX_BATCH_CALLS = 131_072;
const MAX_BATCH_BYTES = 512 * 1024 * 1024;

/** What running batches needs of the executor. */
export interface BatchExecutor {
  supports(program: Program): boolean;
  /** Compiles the kernel of `program` with memory window `window`; false if there is none. */
  compile(program: Program, window: number): Promise<boolean>;
  firstWindow(program: Program): number;
  skipWindow(program: Program, window: number): void;
  begin(block: GpuBlock, window: number): Promise<GpuBlockRun>;
}

/** Runs `calls`, each with keys of its own; gives results in the same order. */
export async function runIndependent(calls: readonly GpuCall[], executor: BatchExecutor): Promise<GpuCallResult[]> {
  const results = calls.map((call) => puntResult(call, 'unsupported'));
  let waiting = new Map<number, number[]>();
  calls.forEach(({ program, fuel }, i) => {
    if (!(fuel >= 0 && fuel <= MAX_CALL_FUEL)) throw new RangeError('fuel of a call is out of range');
    if (executor.supports(program)) push(waiting, executor.firstWindow(program), i);
  });
  while (waiting.size > 0) {
    const next = new Map<number, number[]>();
    for (const [window, offered] of waiting) {
      const group = await compiled(calls, offered, window, executor);
      for (const chunk of chunks(calls, group)) await runChunk(calls, chunk, window, results, executor);
      const tooSmall = group.filter((i) => results[i].puntReason === 'window');
      skipWindows(calls, group, tooSmall, window, executor);
      if (window + 1 < WINDOWS.length) for (const i of tooSmall) push(next, window + 1, i);
    }
    waiting = next;
  }
  return results;
}

/** A call that never reached the kernel. */
function puntResult(call: GpuCall, puntReason: string): GpuCallResult {
  const touched = call.reads.map(() => false);
  return { status: 'PUNT', reason: 'none', fuelLeft: call.fuel, result: undefined, touched, puntReason };
}

/** The calls of `group` whose program has a kernel with this window. Compiles all those kernels at once. */
async function compiled(
  calls: readonly GpuCall[],
  group: readonly number[],
  window: number,
  executor: BatchExecutor,
): Promise<number[]> {
  const programs = [...new Set(group.map((i) => calls[i].program))];
  const found = await Promise.all(programs.map((program) => executor.compile(program, window)));
  const usable = new Set(programs.filter((_, k) => found[k]));
  return group.filter((i) => usable.has(calls[i].program));
}

function push(groups: Map<number, number[]>, key: number, value: number): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [value]);
  else group.push(value);
}

/** If most calls of a program needed a larger window, its calls start with the next one from now on. */
function skipWindows(
  calls: readonly GpuCall[],
  group: readonly number[],
  tooSmall: readonly number[],
  window: number,
  executor: BatchExecutor,
): void {
  const balance = new Map<Program, number>();
  for (const i of group) balance.set(calls[i].program, (balance.get(calls[i].program) ?? 0) - 1);
  for (const i of tooSmall) balance.set(calls[i].program, (balance.get(calls[i].program) ?? 0) + 2);
  for (const [program, sum] of balance) if (sum > 0) executor.skipWindow(program, window);
}

function* chunks(calls: readonly GpuCall[], group: readonly number[]): Generator<number[]> {
  let chunk: number[] = [];
  let bytes = 0;
  for (const i of group) {
    const { context, reads, writes } = calls[i];
    let more = context.length + 2048;
    for (const { key, value } of reads) more += key.length + (value?.length ?? 0) + 64;
    for (const key of writes) more += key.length + 64;
    if (chunk.length > 0 && (chunk.length >= MAX_BATCH_CALLS || bytes + more > MAX_BATCH_BYTES)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(i);
    bytes += more;
  }
  if (chunk.length > 0) yield chunk;
}

interface Recorded {
  readonly records: CallColumns;
  /** Numbers of the calls that were recorded. */
  readonly members: readonly number[];
  /** Per recorded call: the key number of each declared read. */
  readonly readNumbers: readonly (readonly number[])[];
}

async function runChunk(
  calls: readonly GpuCall[],
  chunk: readonly number[],
  window: number,
  results: GpuCallResult[],
  executor: BatchExecutor,
): Promise<void> {
  const seed = randomBytes(4).readUInt32LE();
  const { records, members, readNumbers } = recordAll(calls, chunk, seed);
  if (members.length === 0) return;
  const colour = Uint32Array.from(members.keys());
  const programs = new Map(members.map((i) => [calls[i].program.hash, calls[i].program]));
  let run: GpuBlockRun | undefined;
  try {
    run = await executor.begin({ seed, records, programs, segments: [[colour]], independent: true }, window);
    const outcomes = await run.run(0);
    members.forEach((i, k) => {
      results[i] = {
        status: outcomes.status(k),
        reason: outcomes.reason(k),
        fuelLeft: outcomes.fuelLeft(k),
        result: outcomes.result(k)?.slice(),
        touched: readNumbers[k].map((key) => outcomes.seen(k, key) !== undefined),
        puntReason: outcomes.puntReason(k),
      };
    });
  } finally {
    run?.close();
  }
}

function recordAll(calls: readonly GpuCall[], chunk: readonly number[], seed: number): Recorded {
  const recorder = new CallRecorder(seed);
  const members = chunk.filter(
    (i) => recorder.add(calls[i].program.hash, calls[i], declaredKeys(calls[i]), {}) !== undefined,
  );
  const records = recorder.take();
  const readNumbers = members.map((i, call) => {
    const numbers = new Map<string, number>();
    for (let k = 0; k < keyCount(records, call); k++) numbers.set(toBinaryString(keyBytes(records, call, k)), k);
    return calls[i].reads.map(({ key }) => numbers.get(toBinaryString(key)) ?? -1);
  });
  return { records, members, readNumbers };
}

function declaredKeys({ reads, writes }: GpuCall): DeclaredKey[] {
  const keys = new Map<string, DeclaredKey>();
  for (const { key, value } of reads) keys.set(toBinaryString(key), { key, read: true, written: false, value });
  for (const key of writes) {
    const name = toBinaryString(key);
    keys.set(name, { ...(keys.get(name) ?? { key, read: false, value: undefined }), written: true });
  }
  return [...keys.values()];
}
