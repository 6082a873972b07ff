/** Phase 2, routing: which rows the kernel runs, decided for a whole block before any of it runs again. */
import type { GpuExecutor } from '../../gpu/pack/types.js';
import type { Policy } from '../../lane/policy.js';
import type { Plan } from '../../plan/plan.js';
import type { Program } from '../../program/types.js';
import type { CostModel } from '../choose/cost-model.js';

/** Nodes of one colour. */
export interface RoutedColour {
  readonly cpu: readonly number[];
  readonly gpu: readonly number[];
}

/** Some colours that follow each other. No value flows between its CPU side and its GPU side. */
export interface Segment {
  readonly colours: readonly RoutedColour[];
  readonly gpuCalls: number;
}

export interface Route {
  readonly segments: readonly Segment[];
  /** Calls of programs without a kernel, and calls whose kernel is not compiled yet. */
  readonly unsupported: number;
  readonly compiling: number;
}

export interface RouteInputs {
  readonly plan: Plan;
  /** Nodes by colour, in block order. */
  readonly colours: readonly (readonly number[])[];
  readonly policy: Policy;
  readonly gpu: GpuExecutor;
  readonly costs: CostModel;
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
  /** Writes the call of `node` for the kernel; false: it does not take it. */
  write(node: number): boolean;
}

/** Everything on the CPU, in one segment. */
export function withoutKernel(colours: readonly (readonly number[])[]): Segment[] {
  return [{ colours: colours.map((cpu) => ({ cpu, gpu: [] })), gpuCalls: 0 }];
}

/** Assigns every node of the plan to the CPU or the GPU, and cuts the colours into segments. */
export function routeRows(inputs: RouteInputs): Route {
  const { colours, plan } = inputs;
  const chosen = chooseForGpu(inputs);
  for (const nodes of colours) {
    for (const node of nodes) if (chosen.gpu[node] === 1 && !inputs.write(node)) chosen.gpu[node] = 0;
  }
  const { offsets, values } = plan.graph.predecessors;
  const segmentOf = new Int32Array(plan.graph.count).fill(-1);
  const segments: { colours: RoutedColour[]; gpuCalls: number }[] = [];
  for (const nodes of colours) {
    const current = segments.length - 1;
    const crosses = nodes.some((node) => {
      for (let at = offsets[node]; at < offsets[node + 1]; at++) {
        const before = values[at];
        if (segmentOf[before] === current && chosen.gpu[before] !== chosen.gpu[node]) return true;
      }
      return false;
    });
    if (current < 0 || crosses) segments.push({ colours: [], gpuCalls: 0 });
    const segment = segments[segments.length - 1];
    const gpu = nodes.filter((node) => chosen.gpu[node] === 1);
    segment.colours.push({ cpu: nodes.filter((node) => chosen.gpu[node] === 0), gpu });
    segment.gpuCalls += gpu.length;
    for (const node of nodes) segmentOf[node] = segments.length - 1;
  }
  return { segments, unsupported: chosen.unsupported, compiling: chosen.compiling };
}

interface Choice {
  /** 1 for the nodes that go to the kernel. */
  readonly gpu: Uint8Array;
  unsupported: number;
  compiling: number;
}

function chooseForGpu(inputs: RouteInputs): Choice {
  const { plan, colours, gpu, policy, costs, worth, left } = inputs;
  const choice: Choice = { gpu: new Uint8Array(plan.graph.count), unsupported: 0, compiling: 0 };
  if (policy === 'auto') learnShares(inputs);
  if (worth?.size === 0 && left.size === 0) return choice;
  let saving = 0;
  for (const nodes of colours) {
    for (const [program, members] of candidates(inputs, nodes)) {
      const saved = savingOf(inputs, program, members.length);
      // Then its kernel is not requested, so that none is compiled in vain.
      if (policy === 'auto' && saved <= 0) continue;
      const state = gpu.kernelState(program, members.length);
      if (state === 'none') {
        choice.unsupported += members.length;
        costs.noKernel(program.hash);
      } else if (state === 'waiting') choice.compiling += members.length;
      else {
        saving += saved;
        for (const node of members) choice.gpu[node] = 1;
      }
    }
  }
  // The saving would not pay for waking the device.
  if (policy === 'auto' && saving < costs.launch) choice.gpu.fill(0);
  return choice;
}

/** Microseconds that the kernel saves; what was left to it has no other whole run. */
function savingOf({ policy, costs, threads, left }: RouteInputs, { hash }: Program, calls: number): number {
  if (policy !== 'auto') return 0;
  return left.has(hash) ? Number.POSITIVE_INFINITY : costs.saving(hash, calls, threads);
}

/**
 * Nodes that may go to the kernel, by program; without those whose dry run counts, unless the policy wants all there.
 */
function candidates(inputs: RouteInputs, nodes: readonly number[]): Map<Program, number[]> {
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
function isUntouched({ plan, isReusable }: RouteInputs, node: number): boolean {
  const { offsets } = plan.graph.predecessors;
  return offsets[node] === offsets[node + 1] && isReusable(node);
}

/** Tells the cost model how many calls of each program the kernel could have run. */
function learnShares(inputs: RouteInputs): void {
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
