/** Which calls the kernel may be given at all, and which of them it gets under `gpu` and `auto`. */
import type { GpuExecutor } from '../../gpu/pack/types.js';
import type { Policy } from '../../lane/policy.js';
import type { Plan } from '../../plan/plan.js';
import type { Program } from '../../program/types.js';
import type { CallDivider } from '../choose/balance.js';
import type { CostModel } from '../choose/cost-model.js';

export interface ChoiceInputs {
  readonly plan: Plan;
  /** Nodes by colour, in block order. */
  readonly colours: readonly (readonly number[])[];
  readonly policy: Policy;
  readonly gpu: Pick<GpuExecutor, 'kernelState'>;
  readonly costs: CostModel;
  /** How calls are divided under `balance`; undefined under every other policy. */
  readonly balance: CallDivider | undefined;
  /** Threads of the pool, 0 if there is none. */
  readonly threads: number;
  /** Hashes of the programs that may be worth the kernel; undefined: all. */
  readonly worth: ReadonlySet<string> | undefined;
  /** Hashes of the programs whose whole runs are left to the kernel, whatever else is worth it. */
  readonly left: ReadonlySet<string>;
  /** What `node` calls, if the kernel can be asked for it. */
  programOf(node: number): Program | undefined;
  /** Whether the dry run of `node` can stand whatever runs before it in its batch. */
  isReusable(node: number): boolean;
}

export interface KernelChoice {
  /** 1 for the nodes that go to the kernel. */
  readonly gpu: Uint8Array;
  unsupported: number;
  compiling: number;
  /** Calls by hash of the programs that threads and kernel have divided, and batches in which they have. */
  readonly divided: Map<string, number>;
  splits: number;
}

export function noChoice({ plan }: ChoiceInputs): KernelChoice {
  const gpu = new Uint8Array(plan.graph.count);
  return { gpu, unsupported: 0, compiling: 0, divided: new Map(), splits: 0 };
}

export function chooseForGpu(inputs: ChoiceInputs): KernelChoice {
  const { colours, policy, costs, worth, left } = inputs;
  const choice = noChoice(inputs);
  if (policy === 'auto') learnShares(inputs);
  if (worth?.size === 0 && left.size === 0) return choice;
  let saving = 0;
  for (const nodes of colours) {
    for (const [program, members] of candidates(inputs, nodes)) {
      const saved = savingOf(inputs, program, members.length);
      // Then its kernel is not requested, so that none is compiled in vain.
      if (policy === 'auto' && saved <= 0) continue;
      if (!hasKernel(inputs, choice, program, members.length)) continue;
      saving += saved;
      for (const node of members) choice.gpu[node] = 1;
    }
  }
  // The saving would not pay for waking the device.
  if (policy === 'auto' && saving < costs.launch) choice.gpu.fill(0);
  return choice;
}

/** Whether `program`, which is called `calls` times, has a kernel that is compiled; counts the calls if it has not. */
export function hasKernel(
  { gpu, costs }: ChoiceInputs,
  choice: KernelChoice,
  program: Program,
  calls: number,
): boolean {
  const state = gpu.kernelState(program, calls);
  if (state === 'none') {
    choice.unsupported += calls;
    costs.noKernel(program.hash);
  } else if (state === 'waiting') choice.compiling += calls;
  return state === 'ready';
}

/** Microseconds that the kernel saves; what was left to it has no other whole run. */
function savingOf({ policy, costs, threads, left }: ChoiceInputs, { hash }: Program, calls: number): number {
  if (policy !== 'auto') return 0;
  return left.has(hash) ? Number.POSITIVE_INFINITY : costs.saving(hash, calls, threads);
}

/**
 * Nodes that may go to the kernel, by program; without those whose dry run counts, unless the policy wants all there.
 */
export function candidates(inputs: ChoiceInputs, nodes: readonly number[]): Map<Program, number[]> {
  const groups = new Map<Program, number[]>();
  for (const node of nodes) {
    const program = inputs.programOf(node);
    if (program === undefined) continue;
    const { hash } = program;
    if (inputs.worth?.has(hash) === false && !inputs.left.has(hash)) continue;
    if (inputs.policy !== 'gpu' && isUntouched(inputs, node)) continue;
    const group = groups.get(program);
    if (group === undefined) groups.set(program, [node]);
    else group.push(node);
  }
  return groups;
}

/** Whether its dry run counts: no earlier transaction of the block touches what it read. */
function isUntouched({ plan, isReusable }: ChoiceInputs, node: number): boolean {
  const { offsets } = plan.graph.predecessors;
  return offsets[node] === offsets[node + 1] && isReusable(node);
}

/** Tells the cost model how many calls of each program the kernel could have run. */
function learnShares(inputs: ChoiceInputs): void {
  const { plan, costs } = inputs;
  const shares = new Map<string, { calls: number; eligible: number; colours: Set<number> }>();
  for (let node = 0; node < plan.graph.count; node++) {
    const hash = inputs.programOf(node)?.hash;
    if (hash === undefined) continue;
    let share = shares.get(hash);
    if (share === undefined) {
      share = { calls: 0, eligible: 0, colours: new Set() };
      shares.set(hash, share);
    }
    share.calls++;
    if (isUntouched(inputs, node)) continue;
    share.eligible++;
    share.colours.add(plan.colouring.colours[node]);
  }
  for (const [hash, { calls, eligible, colours }] of shares) costs.sawBlock(hash, calls, eligible, colours.size);
}
