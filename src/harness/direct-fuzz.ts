/**
 * Random calls by themselves, each over the state as it is: in wide batches of the kernel, or one after the other on
 * V8 where there is none. A share of what the kernel says is held against V8, and V8 runs what the kernel gives back.
 */
import type { ContractName } from '../contract-chain/contract-chain.js';
import { InputError } from '../errors/errors.js';
import { outcomesOf } from '../gpu/pack/outcomes.js';
import type { CallOutcomes, GpuStatus, SharedOutcomes } from '../gpu/pack/types.js';
import { RESULT } from '../gpu/translate/layout.js';
import { finalCode } from '../lane/creation.js';
import { ProgramRunner } from '../program/runner.js';
import type { Program, RunResult } from '../program/types.js';
import { formatId, parseId } from '../protocol/alkane-id.js';
import type { AlkaneId } from '../protocol/types.js';
import { endsAlike, textOf } from '../selftest/tiers.js';
import { EMPTY_BYTES, toHex } from '../util/bytes.js';
import { DirectBatch } from './direct-batch.js';
import { FuzzEnd } from './direct-end.js';
import type { DirectKernel } from './direct-kernel.js';
import { DirectMethod } from './direct-methods.js';
import { FuzzRandom } from './random.js';
import type { FuzzSpec } from './registry.js';
import type { TestChain } from './test-chain.js';

/** Calls of a batch of the kernel. */
const KERNEL_CALLS = 65_536;
/** Calls of a batch on V8. */
const CPU_CALLS = 2_048;
/** One call in so many of the kernel's is run on V8 as well. */
const CHECKED = 1_024;
/** Batches of the kernel before time is taken, with so many calls: it is compiled, perhaps for a larger window. */
const WARM_BATCHES = 2;
const WARM_CALLS = 1_024;
/** Opcodes of a contract whose keys are told apart, and contracts. */
const MOST_METHODS = 64;
const MOST_CONTRACTS = 1_024;

export interface DirectFigures {
  calls: number;
  /** Milliseconds by the clock that so many of them took: kernels were compiled before. */
  ms: number;
  timed: number;
  /** Calls that the kernel ran to their end, and those that it gave back. */
  kernel: number;
  punted: number;
  /** Of the kernel's calls, those that V8 ran as well. */
  compared: number;
  /** Messages that cannot be run by themselves: they are left out. */
  unfit: number;
  /** Why the kernel was not used, if it was there and was not. */
  why: string | undefined;
}

/** A batch that was made, and what V8 says of some of its calls. */
interface Made {
  readonly batch: DirectBatch;
  readonly checks: Map<number, RunResult>;
  readonly outcomes: Promise<SharedOutcomes | string> | undefined;
}

interface Contract {
  readonly id: AlkaneId;
  readonly program: Program;
  /** By opcode; all that have no place of their own share one. */
  readonly methods: Map<number, DirectMethod>;
}

const OTHERS = -2;

export class DirectFuzz<State> {
  readonly figures: DirectFigures = {
    calls: 0,
    ms: 0,
    timed: 0,
    kernel: 0,
    punted: 0,
    compared: 0,
    unfit: 0,
    why: undefined,
  };
  readonly #end = new FuzzEnd();
  readonly #contracts = new Map<string, Contract>();
  /** By what a test has named them with. */
  readonly #named = new WeakMap<object, Contract>();
  readonly #batches: DirectBatch[] = [];
  #warm = 0;
  readonly #runner = new ProgramRunner();
  /** Apart from what the test draws: its calls are the same with the kernel and without. */
  readonly #checks: FuzzRandom;

  constructor(
    readonly spec: FuzzSpec<State>,
    readonly chain: TestChain,
    readonly state: State,
    readonly random: FuzzRandom,
    readonly seed: string,
    readonly kernel: DirectKernel | undefined,
  ) {
    this.#checks = new FuzzRandom(`${seed} checks`);
  }

  /** Runs `calls` calls over the state of the chain. Throws what `each` throws, with the call. */
  async run(calls: number): Promise<void> {
    const { figures } = this;
    let left = calls;
    for (; this.kernel !== undefined && this.#warm < WARM_BATCHES && left > 0; this.#warm++) {
      const first = this.#make(Math.min(left, WARM_CALLS));
      left -= first.batch.count === 0 ? left : first.batch.count;
      await this.#look(first);
    }
    const started = performance.now();
    const before = figures.calls;
    let made: Made | undefined;
    // The next batch is made while the kernel runs one.
    while (left > 0 || made !== undefined) {
      const next = left > 0 ? this.#make(left) : undefined;
      left -= next?.batch.count === 0 ? left : (next?.batch.count ?? 0);
      if (made !== undefined) await this.#look(made);
      made = next;
    }
    figures.ms += performance.now() - started;
    figures.timed += figures.calls - before;
  }

  #make(most: number): Made {
    const usesKernel = this.kernel !== undefined && this.figures.why === undefined;
    const batch = this.#batches.pop() ?? new DirectBatch(this.kernel === undefined ? CPU_CALLS : KERNEL_CALLS);
    batch.clear();
    const checks = new Map<number, RunResult>();
    const count = Math.min(most, batch.most, usesKernel ? KERNEL_CALLS : CPU_CALLS);
    for (let tried = 0; batch.count < count && tried < 2 * count; tried++) {
      const { target, inputs, send } = this.spec.call(this.random, this.state);
      const method = send === undefined ? this.#methodOf(target, inputs[0]) : undefined;
      const call = batch.count;
      if (method === undefined || !batch.add(method, inputs)) {
        this.figures.unfit++;
        continue;
      }
      if (!usesKernel || !(method.isNew || this.#checks.below(CHECKED) === 0)) continue;
      const end = this.#onV8(batch, call);
      if (end !== undefined) checks.set(call, end);
    }
    if (batch.count === 0 || !usesKernel) return { batch, checks, outcomes: undefined };
    const seed = this.#checks.below(2 ** 32);
    const columns = batch.columns(seed, this.chain.height + 1, this.chain.chain);
    const programs = new Map(batch.methods.map(({ program }) => [program.hash, program.source] as const));
    return { batch, checks, outcomes: this.kernel?.run({ seed, columns, programs }) };
  }

  /** Undefined: it cannot be run by itself. */
  #methodOf(target: ContractName, opcode: number | bigint = -1): DirectMethod | undefined {
    const contract = this.#contractOf(target);
    if (contract === undefined) return undefined;
    const { methods, id, program } = contract;
    const name = methods.has(Number(opcode)) || methods.size < MOST_METHODS ? Number(opcode) : OTHERS;
    const known = methods.get(name);
    if (known !== undefined) return known;
    const method = new DirectMethod(id, program);
    methods.set(name, method);
    return method;
  }

  #contractOf(target: ContractName): Contract | undefined {
    const named = typeof target === 'object' ? this.#named.get(target) : this.#contracts.get(target);
    if (named !== undefined) return named;
    const id = typeof target === 'string' ? parseId(target) : 'id' in target ? target.id : target;
    const name = formatId(id);
    const known = this.#contracts.get(name) ?? this.#admitted(id);
    if (known === undefined) return undefined;
    this.#contracts.set(name, known);
    if (typeof target === 'object') this.#named.set(target, known);
    return known;
  }

  #admitted(id: AlkaneId): Contract | undefined {
    if (this.#contracts.size >= MOST_CONTRACTS || (id.block !== 2n && id.block !== 4n)) return undefined;
    const program = finalCode(id, this.chain.chain)?.program;
    return program === undefined || program.makesCalls ? undefined : { id, program, methods: new Map() };
  }

  #onV8(batch: DirectBatch, call: number): RunResult | undefined {
    const { chain } = this;
    // The columns may be written to again while somebody keeps the context.
    const context = batch.context(call).slice();
    return batch.method(call).run(this.#runner, context, batch.fuel, chain.height + 1, chain.chain);
  }

  async #look({ batch, checks, outcomes: pending }: Made): Promise<void> {
    const { figures } = this;
    const shared = await pending;
    if (typeof shared === 'string') figures.why ??= shared;
    const outcomes = typeof shared === 'object' ? shared : undefined;
    const view = outcomes && outcomesOf(outcomes);
    const resultAt = outcomes && { ...outcomes.packed, results: outcomes.readback.results };
    const output = outcomes?.readback.output ?? EMPTY_BYTES;
    for (let call = 0; call < batch.count; call++) {
      const status = view === undefined ? 'PUNT' : kernelStatus(view, call);
      this.#end.of(batch.bytes, batch.contextAt(call));
      if (view === undefined || resultAt === undefined || status === 'PUNT' || status === 'ACCESS_VIOLATION') {
        if (view !== undefined) figures.punted++;
        if (!this.#lookAtV8(batch, call)) continue;
      } else {
        figures.kernel++;
        const packed = resultAt.packedOf[call];
        const bytes = resultAt.results[packed * RESULT.words + RESULT.offset.BYTES] | 0;
        this.#end.set(status, batch.fuel - view.fuelLeft(call), output, 4 * resultAt.outAt[packed], bytes);
      }
      figures.calls++;
      this.#check(batch, call);
    }
    this.#batches.push(batch);
    if (view === undefined) return;
    for (const [call, cpu] of checks) {
      const status = kernelStatus(view, call);
      if (status === 'PUNT' || status === 'ACCESS_VIOLATION') continue;
      const reason = view.status(call) === 'PUNT' ? 'abort' : view.reason(call);
      const kernel = { status, reason, fuelLeft: view.fuelLeft(call), result: view.result(call) };
      figures.compared++;
      if (!endsAlike(cpu, kernel)) throw this.#differ(batch, call, `V8 ${textOf(cpu)}, the kernel ${textOf(kernel)}`);
    }
  }

  /** False: it asks for its transaction or block, and nothing can be said of it. */
  #lookAtV8(batch: DirectBatch, call: number): boolean {
    const end = this.#onV8(batch, call);
    if (end === undefined) {
      this.figures.unfit++;
      return false;
    }
    const { status, fuelLeft, result } = end;
    this.#end.set(status, batch.fuel - fuelLeft, result ?? EMPTY_BYTES, 0, result?.length ?? -1);
    return true;
  }

  #check(batch: DirectBatch, call: number): void {
    try {
      this.spec.each?.(this.#end, this.state);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new InputError('TEST_INVARIANT', `a call ended as it must not: ${why}`, {
        facts: { ...this.#factsOf(batch, call), status: this.#end.status },
        hint: 'The same seed gives the same calls: --seed.',
        cause,
      });
    }
  }

  #differ(batch: DirectBatch, call: number, how: string): InputError {
    return new InputError('TEST_EXECUTORS_DIFFER', `a call ends otherwise in the kernel: ${how}`, {
      facts: this.#factsOf(batch, call),
      hint: 'This is an error of warpshrew: report it with the test and the contract.',
    });
  }

  #factsOf(batch: DirectBatch, call: number): Record<string, string | number> {
    const { id } = batch.method(call);
    const inputs = toHex(batch.context(call).subarray(96));
    return { seed: this.seed, height: this.chain.height, contract: `${id.block}:${id.tx}`, inputs };
  }
}

/** The kernel gives a call back that aborts with a text, for the text: how it ended is known without it. */
function kernelStatus(view: CallOutcomes, call: number): GpuStatus {
  const status = view.status(call);
  return status === 'PUNT' && view.puntReason(call) === 'text' ? 'REVERT' : status;
}
