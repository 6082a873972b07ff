import { expect } from 'vitest';
import { MESSAGE_FUEL } from '../../src/program/counters.js';
import { ENV, type EnvFunction, HOST_CALL_FUEL } from '../../src/program/env.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { refuseCall } from '../../src/program/run-stop.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { NO_TEXTS, type Program, type RunHost, type RunResult } from '../../src/program/types.js';
import { toBinaryString } from '../../src/util/bytes.js';
import type { WasmBuilder } from '../helpers/wasm-builder.js';

/** A host with a little state; records what it was asked. */
export function testHost(over: Partial<RunHost> & { values?: Record<string, Uint8Array> } = {}) {
  const reads: string[] = [];
  const writes: string[] = [];
  const { values = {}, ...rest } = over;
  const host: RunHost = {
    isDryRun: false,
    height: 7,
    context: Uint8Array.of(1, 2, 3),
    transaction: Uint8Array.of(4, 5),
    block: Uint8Array.of(6),
    storage: (key) => {
      const name = toBinaryString(key);
      reads.push(name);
      return Object.hasOwn(values, name) ? values[name] : undefined;
    },
    sequence: () => {
      reads.push('<sequence>');
      return 1n;
    },
    balance: () => {
      reads.push('<balance>');
      return new Uint8Array(0);
    },
    declareRead: (key) => reads.push(toBinaryString(key)),
    declareWrite: (key) => writes.push(toBinaryString(key)),
    texts: NO_TEXTS,
    call: refuseCall,
    ...rest,
  };
  return { host, reads, writes };
}

const runner = new ProgramRunner({ compiles: 'everything' });
const interpreting = new ProgramRunner({ compiles: 'nothing' });

/**
 * Runs with `fuel` for what follows the entry charge, or with MESSAGE_FUEL for all. Without a host of the caller's own
 * the interpreter must say the same.
 */
export function run(builder: WasmBuilder | Uint8Array, host?: RunHost, fuel?: number): RunResult {
  const program = prepareProgram(builder instanceof Uint8Array ? builder : builder.bytes());
  const given = fuel === undefined ? MESSAGE_FUEL : program.entryFuel + fuel;
  const result = runner.run(program, host ?? testHost().host, given);
  if (host === undefined) expect(interpreting.run(program, testHost().host, given)).toEqual(result);
  return result;
}

/** Fuel that a run used up to its end, without the entry charge. */
export function fuelUsed(builder: WasmBuilder, host?: RunHost): number {
  const fuel = 1_000_000;
  return fuel - run(builder, host, fuel).fuelLeft;
}

/** The price of a host call that works on `bytes`, by its row in docs/lane-rules.md (a test compares the two). */
export function priceOf(name: string, bytes = 0): number {
  const { fuel, perUnit, unit } = (ENV as Readonly<Record<string, EnvFunction>>)[name];
  return HOST_CALL_FUEL + fuel + perUnit * Math.floor((bytes + unit - 1) / unit);
}

/** A run on an instance that no run has used before. */
export function freshRun(program: Program, fuel: number, host: RunHost = testHost().host): RunResult {
  return new ProgramRunner({ compiles: 'everything' }).run(program, host, fuel);
}
