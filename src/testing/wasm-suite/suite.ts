/** Runs the modules of test scripts through instrumentation on V8 and through the kernel, and counts how their calls end. */

import { WarpshrewError } from '../../errors.js';
import { messageOf } from '../../gpu/device/kernel-failures.js';
import type { GpuCall, GpuExecutor } from '../../gpu/pack/types.js';
import { decodeModule } from '../../program/decode.js';
import type { WasmModule } from '../../program/module.js';
import { prepareProgram } from '../../program/prepare.js';
import { ProgramRunner } from '../../program/runner.js';
import type { Program } from '../../program/types.js';
import { hostOf, V8Comparison } from '../../selftest/fuzz-kernel/compare.js';
import { readScript, type ScriptCall, type ScriptModule, withoutOtherTypes } from './script.js';
import { type Constant, hasState, type Step, wrapSteps } from './wrap.js';

export interface SuiteOptions {
  /** The binary of a module's text; throws for what it cannot read. */
  readonly toBinary: (text: string) => Uint8Array;
  /** V8 alone if there is none. */
  readonly lane?: GpuExecutor;
}

/** Counts of one script. */
export interface SuiteCounts {
  /** Calls whose ending was held against the script's. */
  run: number;
  /** Of these, in the kernel. */
  ranInKernel: number;
  /** Ended otherwise than the script says, or otherwise in the kernel than on V8; the first of them in words. */
  wrong: number;
  readonly wrongs: string[];
  /** Modules on which something threw that should not. */
  thrown: number;
  readonly throws: string[];
  /** Modules that must be refused, and are. */
  refusedRightly: number;
  /** Modules that the rules refuse, by cause. */
  readonly refused: Record<string, number>;
  /** Calls that the kernel left to the CPU, by cause. */
  readonly punts: Record<string, number>;
  /** Calls and forms that are about something else. */
  readonly passedOver: Record<string, number>;
}

/** Calls in one wrapped module: drivers take long over large kernels. */
const CALLS_PER_MODULE = 32;
const FUEL = 20_000_000;
const MAX_TEXTS = 20;

/** Runs script `text`. Throws RangeError if it cannot be read at all. */
export async function runScript(text: string, options: SuiteOptions): Promise<SuiteCounts> {
  return new ScriptRun(options).run(text);
}

class ScriptRun {
  readonly #counts: SuiteCounts = {
    run: 0,
    ranInKernel: 0,
    wrong: 0,
    wrongs: [],
    thrown: 0,
    throws: [],
    refusedRightly: 0,
    refused: {},
    punts: {},
    passedOver: {},
  };
  readonly #runner = new ProgramRunner();
  readonly #comparison = new V8Comparison();

  constructor(readonly options: SuiteOptions) {}

  async run(text: string): Promise<SuiteCounts> {
    const script = readScript(text);
    Object.assign(this.#counts.passedOver, script.passedOver);
    const calls: { readonly call: GpuCall; readonly label: string }[] = [];
    for (const module of script.modules) calls.push(...this.#module(module));
    for (const source of script.invalid) this.#invalid(source);
    if (this.options.lane !== undefined) await this.#inKernel(this.options.lane, calls);
    return this.#counts;
  }

  /** Runs the calls of a module on V8; gives those that the kernel can be given. */
  #module(script: ScriptModule): { call: GpuCall; label: string }[] {
    const { stubs, module } = this.#decoded(script.source) ?? {};
    if (module === undefined || stubs === undefined) return [];
    const steps: Step[] = [];
    const replays = hasState(module);
    for (const call of script.calls) {
      const step = this.#step(module, stubs, call);
      if (step !== undefined) steps.push(step);
      // What the call would have left behind is missing from here on.
      else if (replays) break;
    }
    const calls: { call: GpuCall; label: string }[] = [];
    for (let from = 0; from < steps.length; from += CALLS_PER_MODULE) {
      const to = Math.min(steps.length, from + CALLS_PER_MODULE);
      const program = this.#program(module, steps.slice(0, to), from, replays);
      if (program === undefined) break;
      for (let number = from; number < to; number++) {
        const { expected } = steps[number] as Step;
        const label = `${script.calls[number]?.name} (call ${number} of its module)`;
        const context = new Uint8Array(number);
        const call: GpuCall = { program, context, height: 1, fuel: FUEL, reads: [], writes: [] };
        this.#onV8(call, expected, label);
        calls.push({ call, label });
      }
    }
    return calls;
  }

  #onV8(call: GpuCall, expected: Step['expected'], label: string): void {
    this.#counts.run++;
    try {
      const { status } = this.#runner.run(call.program, hostOf(call), call.fuel);
      const wanted = expected === 'trap' ? 'TRAP' : 'OK';
      if (status !== wanted) this.#wrong(`${label}: ${status} on V8, not ${wanted}`);
    } catch (error) {
      this.#threw(`${label}: ${messageOf(error)}`);
    }
  }

  async #inKernel(lane: GpuExecutor, calls: readonly { call: GpuCall; label: string }[]): Promise<void> {
    const counts = this.#counts;
    const possible = calls.filter(({ call }) => {
      const supported = lane.supports(call.program);
      if (!supported.ok) count(counts.punts, supported.reason);
      return supported.ok;
    });
    try {
      const results = await lane.run(possible.map(({ call }) => call));
      results.forEach((result, i) => {
        const { call, label } = possible[i] as (typeof possible)[number];
        if (result.status === 'PUNT') {
          count(counts.punts, result.puntReason ?? 'none');
          return;
        }
        counts.ranInKernel++;
        const difference = this.#comparison.difference(call, result);
        if (difference !== undefined) this.#wrong(`${label}: ${difference}`);
      });
    } catch (error) {
      this.#threw(`the kernel: ${messageOf(error)}`);
    }
  }

  #decoded(source: string | Uint8Array): { stubs: ReadonlySet<string>; module: WasmModule } | undefined {
    const { stubs, text } =
      typeof source === 'string' ? withoutOtherTypes(source) : { stubs: new Set<string>(), text: undefined };
    let bytes: Uint8Array;
    try {
      bytes = text === undefined ? (source as Uint8Array) : this.options.toBinary(text);
    } catch {
      count(this.#counts.refused, 'the text is of a later version');
      return undefined;
    }
    return this.#ruled(() => ({ stubs, module: decodeModule(bytes) }));
  }

  #program(module: WasmModule, steps: readonly Step[], from: number, replays: boolean): Program | undefined {
    return this.#ruled(() => prepareProgram(wrapSteps(module, steps, from, replays)));
  }

  /** What the rules refuse is counted by its cause; anything else that is thrown should not be. */
  #ruled<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof WarpshrewError && error.code !== 'INTERNAL') count(this.#counts.refused, error.message);
      else this.#threw(messageOf(error));
      return undefined;
    }
  }

  #step(module: WasmModule, stubs: ReadonlySet<string>, call: ScriptCall): Step | undefined {
    const found = module.exports.find(({ kind, name }) => kind === 'func' && name === call.name);
    const { expected } = call;
    const args = call.arguments.filter((a): a is Constant => a !== undefined);
    const results = expected === 'trap' ? expected : expected?.filter((e): e is Constant => e !== undefined);
    const others = args.length < call.arguments.length || (results?.length ?? 0) < (expected?.length ?? 0);
    if (found === undefined || stubs.has(call.name) || (others && expected !== 'trap')) {
      count(this.#counts.passedOver, 'a call with other types');
      return undefined;
    }
    return { function: found.index, arguments: args, expected: results };
  }

  #invalid(source: string | Uint8Array): void {
    let bytes: Uint8Array;
    try {
      bytes = typeof source === 'string' ? this.options.toBinary(source) : source;
    } catch {
      count(this.#counts.passedOver, 'an invalid module without a binary');
      return;
    }
    try {
      prepareProgram(bytes);
    } catch (error) {
      if (error instanceof WarpshrewError && error.code !== 'INTERNAL') this.#counts.refusedRightly++;
      else this.#threw(`an invalid module: ${messageOf(error)}`);
      return;
    }
    this.#wrong('an invalid module is accepted');
  }

  #wrong(text: string): void {
    this.#counts.wrong++;
    if (this.#counts.wrongs.length < MAX_TEXTS) this.#counts.wrongs.push(text);
  }

  #threw(text: string): void {
    this.#counts.thrown++;
    if (this.#counts.throws.length < MAX_TEXTS) this.#counts.throws.push(text);
  }
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
