import { REVERT_REASONS } from '../program/types.js';
import { NONE, PUNTS, RESULT, STATUSES } from './layout.js';
import type { GpuCall, GpuCallResult } from './types.js';

/** Results of a batch from what the kernel left: the words of `status_flags` behind its head, and `output_state`. */
export function unpackResults(calls: readonly GpuCall[], status: Uint32Array, output: Uint8Array): GpuCallResult[] {
  let touchedAt = calls.length * RESULT.words;
  return calls.map((call, i) => {
    const at = i * RESULT.words;
    const word = (field: keyof typeof RESULT.offset): number => status[at + RESULT.offset[field]] ?? 0;
    const touched = call.reads.map((_, r) => (((status[touchedAt + (r >>> 5)] ?? 0) >>> (r & 31)) & 1) === 1);
    touchedAt += (call.reads.length + 31) >>> 5;
    const name = STATUSES[word('STATUS')] ?? 'PUNT';
    const resultAt = word('AT');
    const hasResult = name === 'OK' && resultAt !== NONE;
    return {
      status: name,
      reason: name === 'REVERT' ? (REVERT_REASONS[word('DETAIL')] ?? 'host-error') : 'none',
      fuelLeft: name === 'OUT_OF_FUEL' ? 0 : word('FUEL'),
      result: hasResult ? output.slice(resultAt * 4, resultAt * 4 + word('BYTES')) : undefined,
      touched,
      puntReason: name === 'PUNT' ? (PUNTS[word('DETAIL')] ?? 'unknown') : undefined,
    };
  });
}

/** A call that never reached the kernel. */
export function puntResult(call: GpuCall, puntReason: string): GpuCallResult {
  const touched = call.reads.map(() => false);
  return { status: 'PUNT', reason: 'none', fuelLeft: call.fuel, result: undefined, touched, puntReason };
}
