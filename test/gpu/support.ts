import { expect } from 'vitest';
import type { GpuCall, GpuCallResult, GpuExecutor } from '../../src/gpu/pack/types.js';
import { MESSAGE_FUEL } from '../../src/program/counters.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { parseResult } from '../../src/program/result.js';
import { refuseCall } from '../../src/program/run-stop.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { NO_TEXTS, type RunHost } from '../../src/program/types.js';
import { toBinaryString, toHex } from '../../src/util/bytes.js';
import type { WasmBuilder } from '../helpers/wasm-builder.js';

const EMPTY = new Uint8Array(0);

/**
 * A call of `source`, with defaults for everything that a test leaves out; `fuel` is the fuel after the entry charge.
 */
export function gpuCall(source: WasmBuilder | Uint8Array, over: Partial<GpuCall> = {}): GpuCall {
  const bytes = source instanceof Uint8Array ? source : source.bytes();
  const program = prepareProgram(bytes);
  const fuel = over.fuel === undefined ? MESSAGE_FUEL : program.entryFuel + over.fuel;
  return { program, context: EMPTY, height: 7, reads: [], writes: [], ...over, fuel };
}

class Undeclared extends Error {}

/** The result that a call must have: V8's, or ACCESS_VIOLATION where it leaves its declared sets. */
export interface Expected {
  readonly status: string;
  readonly reason: string;
  readonly fuelLeft: number | undefined;
  readonly result: string | undefined;
  /** Per declared read: whether it was read. Part of the transaction's receipt, so it must match to the last key. */
  readonly touched: readonly boolean[] | undefined;
}

const runner = new ProgramRunner();

/** Runs a call on V8 against its declared sets. */
export function expected(call: GpuCall): Expected {
  const values = new Map(call.reads.map(({ key, value }) => [toBinaryString(key), value]));
  const writes = new Set(call.writes.map(toBinaryString));
  const asked = new Set<string>();
  const violation: Expected = {
    status: 'ACCESS_VIOLATION',
    reason: 'none',
    fuelLeft: undefined,
    result: undefined,
    touched: undefined,
  };
  const inside = (set: { has(key: string): boolean }, key: Uint8Array): string => {
    const name = toBinaryString(key);
    if (!set.has(name)) throw new Undeclared();
    return name;
  };
  const host: RunHost = {
    isDryRun: false,
    height: call.height,
    context: call.context,
    transaction: EMPTY,
    block: EMPTY,
    storage: (key) => {
      asked.add(toBinaryString(key));
      return values.get(inside(values, key));
    },
    sequence: () => 1n,
    balance: () => EMPTY,
    declareRead: (key) => void inside(values, key),
    declareWrite: (key) => void inside(writes, key),
    texts: NO_TEXTS,
    call: refuseCall,
  };
  try {
    const { status, reason, fuelLeft, result } = runner.run(call.program, host, call.fuel);
    const written = result === undefined ? undefined : parseResult(result)?.storage;
    if (written !== undefined && [...written.keys()].some((key) => !writes.has(key))) return violation;
    const touched = call.reads.map(({ key }) => asked.has(toBinaryString(key)));
    return { status, reason, fuelLeft, result: result && toHex(result), touched };
  } catch (error) {
    if (error instanceof Undeclared) return violation;
    throw error;
  }
}

function seen({ status, reason, fuelLeft, result, touched }: GpuCallResult): Expected {
  const violation = status === 'ACCESS_VIOLATION';
  return {
    status,
    reason,
    fuelLeft: violation ? undefined : fuelLeft,
    result: result && toHex(result),
    touched: violation ? undefined : touched,
  };
}

/** Runs calls in the kernel, compares every result that is not a PUNT with V8's, and returns the results. */
export async function runAndCompare(executor: GpuExecutor, calls: readonly GpuCall[]): Promise<GpuCallResult[]> {
  const results = await executor.run(calls);
  expect(results.length).toBe(calls.length);
  results.forEach((result, i) => {
    const call = calls[i] as GpuCall;
    if (result.status !== 'PUNT') expect({ call: i, ...seen(result) }).toEqual({ call: i, ...expected(call) });
  });
  return results;
}
