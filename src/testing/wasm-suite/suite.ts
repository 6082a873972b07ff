/**
 * Runs the modules of test scripts through instrumentation on V8 and through the kernel, and counts how their calls
 * end.
 */

import { WarpshrewError } from '../../errors/errors.js';
import { messageOf } from '../../gpu/device/kernel-failures.js';
import type { GpuCall, GpuExecutor } from '../../gpu/pack/types.js';
import { decodeModule } from '../../program/decode.js';
import type { WasmModule } from '../../program/module.js';
import { prepareProgram } from '../../program/prepare.js';
import type { Program } from '../../program/types.js';
import { hostOf, V8Comparison } from '../../selftest/fuzz-kernel/compare.js';
import { BothTiers } from '../../selftest/tiers.js';
import { type WithoutOtherTypes, withoutOtherTypes } from './other-types.js';
import { readScript, type ScriptCall, type ScriptModule } from './script.js';
import { type Constant, hasState, runsOf, type Step, type SuiteRun, type Unit, unitsOf, wrapUnits } from './wrap.js';

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
  /** Not run to their end, for the rules make what an instruction is given cost more than all fuel; checked. */
  priced: number;
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

/** Calls in one wrapped module whose calls leave nothing behind. */
const CALLS_PER_MODULE = 64;
const FUEL = 20_000_000;
const MAX_TEXTS = 20;

/** Steps of a module and what they are called in reports. */
interface Steps {
  readonly module: WasmModule;
  /** Each step sees what those before it left behind. */
  readonly ordered: boolean;
  readonly steps: readonly Step[];
  readonly labels: ReadonlyMap<Step, string>;
}

/** A run that the kernel can be given. */
interface KernelRun {
  readonly call: GpuCall;
  /** Calls of the script that it makes. */
  readonly calls: number;
  readonly label: string;
}

/** Runs script `text`. Throws RangeError if it cannot be read at all. */
export async function runScript(text: string, options: SuiteOptions): Promise<SuiteCounts> {
  return new ScriptRun(options).run(text);
}

class ScriptRun {
  readonly #counts: SuiteCounts = {
    run: 0,
    ranInKernel: 0,
    priced: 0,
    wrong: 0,
    wrongs: [],
    thrown: 0,
    throws: [],
    refusedRightly: 0,
    refused: {},
    punts: {},
    passedOver: {},
  };
  readonly #tiers = new BothTiers();
  readonly #comparison = new V8Comparison();

  constructor(readonly options: SuiteOptions) {}

  async run(text: string): Promise<SuiteCounts> {
    const script = readScript(text);
    Object.assign(this.#counts.passedOver, script.passedOver);
    const runs: KernelRun[] = [];
    for (const module of script.modules) runs.push(...this.#module(module));
    for (const source of script.invalid) this.#invalid(source);
    if (this.options.lane !== undefined) await this.#inKernel(this.options.lane, runs);
    return this.#counts;
  }

  /** Runs the calls of a module on V8; gives the runs that ended as the script says. */
  #module(script: ScriptModule): KernelRun[] {
    const { stubs, module } = this.#decoded(script.source) ?? {};
    if (module === undefined || stubs === undefined) return [];
    const ordered = hasState(module) || [...stubs.values()].includes(true);
    const steps: Step[] = [];
    const labels = new Map<Step, string>();
    for (const [number, call] of script.calls.entries()) {
      const step = this.#step(module, stubs, call);
      if (step !== undefined) {
        steps.push(step);
        labels.set(step, `${call.name} (call ${number} of its module)`);
      } else if (ordered && stubs.get(call.name) !== false) {
        // What that call would have left behind is missing from here on.
        count(this.#counts.passedOver, 'a call behind one with other types', script.calls.length - number - 1);
        break;
      }
    }
    const size = ordered ? steps.length : CALLS_PER_MODULE;
    const runs: KernelRun[] = [];
    for (let from = 0; from < steps.length; from += size) {
      runs.push(...this.#settled({ module, ordered, steps: steps.slice(from, from + size), labels }));
    }
    return runs;
  }

  /** Runs steps on V8 until none is left that ends otherwise than the script says: each of those is counted. */
  #settled({ module, ordered, steps, labels }: Steps): KernelRun[] {
    const left = new Set(steps);
    for (;;) {
      const units = unitsOf([...left], ordered);
      const program = this.#program(module, units, ordered);
      if (program === undefined) {
        count(this.#counts.passedOver, 'a call of a program that the rules refuse', left.size);
        return [];
      }
      const runs = runsOf(units, ordered).map((run) => ({ run, call: callOf(program, run.selector) }));
      const failed = runs.filter(({ run, call }) => !this.#holds(run, call));
      if (failed.length === 0) {
        this.#counts.run += left.size;
        return runs.map(({ run, call }) => {
          const label = labels.get(run.steps[0] as Step) ?? '';
          return { call, calls: run.steps.length, label: `the run that begins with ${label}` };
        });
      }
      for (const { run } of failed) {
        const wrong = this.#culprit(module, run, ordered, [...left]);
        this.#judge(module, wrong, labels.get(wrong.step) ?? '');
        left.delete(wrong.step);
      }
    }
  }

  #holds({ traps }: SuiteRun, call: GpuCall): boolean {
    return this.#statusOf(call) === (traps ? 'TRAP' : 'OK');
  }

  #statusOf(call: GpuCall): string {
    try {
      const { result, difference } = this.#tiers.run(call.program, () => hostOf(call), call.fuel);
      return difference ?? result.status;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** The first step of a failed run that fails it, and the steps that lead there. */
  #culprit(module: WasmModule, run: SuiteRun, ordered: boolean, all: readonly Step[]): Culprit {
    if (run.traps) {
      const step = run.steps[0] as Step;
      const before = ordered ? all.slice(0, all.indexOf(step)).filter(({ expected }) => expected !== 'trap') : [];
      return { step, lead: [...before, step], ordered };
    }
    // The run with the first `high` steps fails, that with `low` does not.
    let [low, high] = [0, run.steps.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#endOf(module, { lead: run.steps.slice(0, middle), ordered }) === 'OK') low = middle;
      else high = middle;
    }
    const lead = run.steps.slice(ordered ? 0 : high - 1, high);
    return { step: run.steps[high - 1] as Step, lead, ordered };
  }

  /** How the last run over `lead` ends; with `fuel` as in {@link wrapUnits}. */
  #endOf(module: WasmModule, { lead, ordered }: Pick<Culprit, 'lead' | 'ordered'>, fuel?: number): string | undefined {
    const units = unitsOf(lead, ordered);
    const program = this.#program(module, units, ordered, fuel);
    const last = runsOf(units, ordered).find(({ steps }) => steps.includes(lead.at(-1) as Step));
    return program && last && this.#statusOf(callOf(program, last.selector));
  }

  /**
   * Counts a step that ends otherwise than the script says: priced where the rules make an operand cost more than all
   * fuel.
   */
  #judge(module: WasmModule, culprit: Culprit, label: string): void {
    const status = this.#endOf(module, culprit);
    if (status === 'OUT_OF_FUEL' && this.#endOf(module, culprit, FUEL) === 'REVERT') this.#counts.priced++;
    else if (status === 'REVERT' || status === 'OK' || status === 'TRAP' || status === 'OUT_OF_FUEL') {
      const wanted = culprit.step.expected === 'trap' ? 'TRAP' : 'OK';
      this.#wrong(`${label}: ${status === 'REVERT' ? 'a wrong value' : status} on V8, not ${wanted}`);
    } else this.#threw(`${label}: ${status ?? 'no program'}`);
  }

  async #inKernel(lane: GpuExecutor, runs: readonly KernelRun[]): Promise<void> {
    const counts = this.#counts;
    const possible = runs.filter(({ call, calls }) => {
      const supported = lane.supports(call.program);
      if (!supported.ok) count(counts.punts, supported.reason, calls);
      return supported.ok;
    });
    try {
      const results = await lane.run(possible.map(({ call }) => call));
      results.forEach((result, i) => {
        const { call, calls, label } = possible[i] as KernelRun;
        if (result.status === 'PUNT') {
          count(counts.punts, result.puntReason ?? 'none', calls);
          return;
        }
        counts.ranInKernel += calls;
        const difference = this.#comparison.difference(call, result);
        if (difference !== undefined) this.#wrong(`${label}: ${difference}`);
      });
    } catch (error) {
      this.#threw(`the kernel: ${messageOf(error)}`);
    }
  }

  #decoded(source: string | Uint8Array): (Omit<WithoutOtherTypes, 'text'> & { module: WasmModule }) | undefined {
    const { stubs, text } =
      typeof source === 'string' ? withoutOtherTypes(source) : { stubs: new Map<string, boolean>(), text: undefined };
    let bytes: Uint8Array;
    try {
      bytes = text === undefined ? (source as Uint8Array) : this.options.toBinary(text);
    } catch {
      count(this.#counts.refused, 'the text is of a later version');
      return undefined;
    }
    return this.#ruled(() => ({ stubs, module: decodeModule(bytes) }));
  }

  #program(module: WasmModule, units: readonly Unit[], ordered: boolean, fuel?: number): Program | undefined {
    return this.#ruled(() => prepareProgram(wrapUnits(module, units, ordered, fuel)));
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

  #step(module: WasmModule, stubs: ReadonlyMap<string, boolean>, call: ScriptCall): Step | undefined {
    const found = module.exports.find(({ kind, name }) => kind === 'func' && name === call.name);
    const { expected } = call;
    const results = expected === 'trap' || expected === undefined ? [] : expected;
    const other = [...call.arguments, ...results].find((c) => typeof c === 'string');
    if (found === undefined || stubs.has(call.name) || other !== undefined) {
      const what = other === undefined ? 'a call of what uses other types' : `unsupported: ${other}`;
      count(this.#counts.passedOver, what);
      return undefined;
    }
    const isConstant = (c: Constant | string): c is Constant => typeof c !== 'string';
    return {
      function: found.index,
      arguments: call.arguments.filter(isConstant),
      expected: typeof expected === 'object' ? expected.filter(isConstant) : expected,
    };
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

/** A step that ends otherwise than the script says, and the steps that lead to it and end with it. */
interface Culprit {
  readonly step: Step;
  readonly lead: readonly Step[];
  readonly ordered: boolean;
}

/** The run of a wrapped module with this selector. */
function callOf(program: Program, selector: number): GpuCall {
  return { program, context: new Uint8Array(selector), height: 1, fuel: FUEL, reads: [], writes: [] };
}

function count(counts: Record<string, number>, key: string, by = 1): void {
  if (by > 0) counts[key] = (counts[key] ?? 0) + by;
}
