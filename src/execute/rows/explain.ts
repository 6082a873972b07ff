/** Why `auto` would run the batches of a plan where it would: by the same choice that blocks are run by. */
import type { Program } from '../../program/types.js';
import type { CostModel } from '../choose/cost-model.js';
import { type ChoiceInputs, candidates, chooseForGpu } from './kernel-choice.js';
import type { PlannedRows } from './plan-rows.js';

/** The calls of one program in a batch. */
export interface ExplainedCalls {
  /** SHA-256 of the program, hex. */
  readonly program: string;
  readonly calls: number;
  /** Those whose dry runs count: they are not run again. */
  readonly reused: number;
  /** What runs the others; null: there are none. */
  readonly executor: 'threads' | 'kernel' | null;
  /** Estimates for these, in microseconds, without the launch of the kernel. Null: nobody has run the program. */
  readonly threadsUs: number | null;
  readonly kernelUs: number;
  /** Why not the other one. */
  readonly why: string;
}

export interface ExplainedBatch {
  readonly colour: number;
  readonly width: number;
  /** Transactions that the kernel never runs: not of the common kind, or they call no program. */
  readonly others: number;
  readonly programs: readonly ExplainedCalls[];
}

export interface Explained {
  /** Worker threads that the estimates are for. */
  readonly threads: number;
  /** Microseconds that waking the device costs, and what all batches that would be cheaper there save. */
  readonly launchUs: number;
  readonly savedUs: number;
  readonly batches: readonly ExplainedBatch[];
}

/** `costs`: what was learned, which this changes. The kernels of all programs are taken to be compiled. */
export function explainBatches(planned: PlannedRows, costs: CostModel, threads: number): Explained {
  const { plan, rows, programOf, isReusable } = planned;
  const colours: number[][] = plan.colouring.widths.map(() => []);
  for (let node = 0; node < rows.length; node++) colours[plan.colouring.colours[node] - 1].push(node);
  const worth = new Set(costs.worthRecording(rows.length, threads));
  const inputs: ChoiceInputs = {
    plan,
    colours,
    policy: 'auto',
    gpu: { kernelState: () => 'ready' },
    costs,
    balance: undefined,
    threads,
    worth,
    left: new Set(),
    programOf: (node) => programOf(rows[node]),
    isReusable: (node) => isReusable(rows[node]),
  };
  const { gpu } = chooseForGpu(inputs);
  // With all programs, also those that are not worth it.
  const groups = colours.map((nodes) => candidates({ ...inputs, worth: undefined }, nodes));
  let savedUs = 0;
  for (const colour of groups) {
    for (const [{ hash }, members] of colour) {
      if (worth.has(hash)) savedUs += Math.max(0, costs.saving(hash, members.length, threads));
    }
  }
  const reasons = new Reasons(costs, threads, worth, savedUs);
  const batches = colours.map((nodes, i): ExplainedBatch => {
    const programs = new Map<Program, number>();
    for (const node of nodes) {
      const program = inputs.programOf(node);
      if (program !== undefined) programs.set(program, (programs.get(program) ?? 0) + 1);
    }
    const explained = [...programs].map(([program, calls]): ExplainedCalls => {
      const again = groups[i].get(program) ?? [];
      const isKernel = again.some((node) => gpu[node] === 1);
      return {
        program: program.hash,
        calls,
        reused: calls - again.length,
        ...reasons.of(program.hash, again.length, isKernel),
      };
    });
    const others = nodes.length - [...programs.values()].reduce((sum, calls) => sum + calls, 0);
    return { colour: i + 1, width: nodes.length, others, programs: explained };
  });
  return { threads, launchUs: costs.launch, savedUs, batches };
}

class Reasons {
  constructor(
    readonly costs: CostModel,
    readonly threads: number,
    readonly worth: ReadonlySet<string>,
    readonly savedUs: number,
  ) {}

  of(hash: string, calls: number, isKernel: boolean): Omit<ExplainedCalls, 'program' | 'calls' | 'reused'> {
    const { threads: threadsUs, kernel: kernelUs } = this.costs.estimate(hash, calls, this.threads);
    const executor = calls === 0 ? null : isKernel ? 'kernel' : 'threads';
    return { executor, threadsUs: threadsUs ?? null, kernelUs, why: this.#why(hash, calls, isKernel, threadsUs) };
  }

  #why(hash: string, calls: number, isKernel: boolean, threadsUs: number | undefined): string {
    const { costs, threads, worth, savedUs } = this;
    if (calls === 0) return 'no earlier transaction of the block changes what they read';
    if (isKernel) return 'the kernel is a fifth cheaper at least, and the savings of the block pay for waking it';
    if (threadsUs === undefined) return 'nobody has run the program: threads run it first, and tell what it costs';
    if (costs.saving(hash, calls, threads) <= 0) return 'the kernel would have to be a fifth cheaper';
    if (!worth.has(hash)) return 'a block of this size would not pay for waking the kernel if it were all such calls';
    return savedUs < costs.launch
      ? 'the savings of the block do not pay for waking the kernel'
      : 'the kernel is not asked';
  }
}
