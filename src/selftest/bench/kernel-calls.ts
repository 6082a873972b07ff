/** The sampled calls as the kernel takes them, and what it says of them against V8. */
import { type CallColumns, CallRecorder, type DeclaredKey } from '../../gpu/pack/records.js';
import type { GpuCall, GpuOutcomes } from '../../gpu/pack/types.js';
import type { RunResult } from '../../program/types.js';
import type { ProgramName } from '../../util/built-wasm.js';
import { bytesEqual, toBinaryString } from '../../util/bytes.js';

/** Bytes of a result of the sampled calls, as their dry runs would tell. */
const RESULT_BYTES: Partial<Record<ProgramName, number>> = {
  claim: 128,
  amm: 288,
  mint: 112,
  ledger: 256,
  names: 160,
  probe: 96,
};

/** Calls in columns. */
export function recordCalls(name: ProgramName, calls: readonly GpuCall[], seed: number): CallColumns {
  const recorder = new CallRecorder(seed);
  for (const call of calls) {
    recorder.add(call.program.hash, call, declaredKeys(call), { bytes: RESULT_BYTES[name] });
  }
  return recorder.take();
}

function declaredKeys({ reads, writes }: GpuCall): DeclaredKey[] {
  const written = new Set(writes.map(toBinaryString));
  const keys: DeclaredKey[] = reads.map(({ key, value }) => ({
    key,
    value,
    read: true,
    written: written.delete(toBinaryString(key)),
  }));
  for (const key of writes)
    if (written.has(toBinaryString(key))) keys.push({ key, value: undefined, read: false, written: true });
  return keys;
}

/** How many outcomes the kernel punted, and how many of the others are not what V8 says. */
export function compareOutcomes(
  outcomes: GpuOutcomes,
  expected: readonly RunResult[],
): { differences: number; punted: number } {
  let differences = 0;
  let punted = 0;
  expected.forEach((other, i) => {
    if (outcomes.status(i) === 'PUNT') {
      punted++;
      return;
    }
    const same =
      outcomes.status(i) === other.status &&
      outcomes.reason(i) === other.reason &&
      outcomes.fuelLeft(i) === other.fuelLeft &&
      bytesEqual(outcomes.result(i), other.result);
    if (!same) differences++;
  });
  return { differences, punted };
}
