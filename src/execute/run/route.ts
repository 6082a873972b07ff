/** Phase 2, routing: which executor runs which transaction, decided for a whole block before any of it runs. */
import type { GpuExecutor } from '../../gpu/pack/types.js';
import type { Policy } from '../../lane/policy.js';
import type { Program } from '../../program/types.js';
import type { PlannedBlock } from '../analyse/planned-block.js';
import type { CostModel } from '../choose/cost-model.js';

/** The nodes of some consecutive colours. No value flows between its CPU side and its GPU side. */
export interface Segment {
  readonly colours: readonly { readonly cpu: readonly number[]; readonly gpu: readonly number[] }[];
  readonly gpuCalls: number;
}

export interface Route {
  readonly segments: readonly Segment[];
  /** Calls of programs without a kernel, and calls whose kernel is not compiled yet. */
  readonly unsupported: number;
  readonly compiling: number;
}

export interface RouteOptions {
  readonly policy: Policy;
  readonly gpu: GpuExecutor | undefined;
  readonly costs: CostModel;
  /** Threads of the pool, 0 if there is none. */
  readonly threads: number;
  /** Program `hash`, which the first call of `node` runs. */
  program(hash: string, node: number): Program | undefined;
}

/** Nodes by colour, in block order. */
function nodesByColour({ plan }: PlannedBlock): number[][] {
  const colours: number[][] = plan.colouring.widths.map(() => []);
  plan.colouring.colours.forEach((colour, node) => {
    colours[colour - 1].push(node);
  });
  return colours;
}

/** Assigns every node of the plan to the CPU or the GPU, and cuts the colours into segments. */
export function routeBlock(block: PlannedBlock, options: RouteOptions): Route {
  const colours = nodesByColour(block);
  const chosen = chooseForGpu(block, colours, options);
  const { offsets, values } = block.plan.graph.predecessors;
  const segmentOf = new Int32Array(block.planned.length).fill(-1);
  const segments: { colours: { cpu: number[]; gpu: number[] }[]; gpuCalls: number }[] = [];
  for (const nodes of colours) {
    const current = segments.length - 1;
    const crosses = nodes.some((node) => {
      for (let at = offsets[node]; at < offsets[node + 1]; at++) {
        const before = values[at];
        if (segmentOf[before] !== current) continue;
        if (chosen.gpu[before] !== chosen.gpu[node] || (chosen.gpu[before] === 1 && isMixed(block, before)))
          return true;
      }
      return false;
    });
    if (current < 0 || crosses) segments.push({ colours: [], gpuCalls: 0 });
    const segment = segments[segments.length - 1];
    const colour = {
      cpu: nodes.filter((node) => chosen.gpu[node] === 0),
      gpu: nodes.filter((node) => chosen.gpu[node] === 1),
    };
    segment.colours.push(colour);
    segment.gpuCalls += colour.gpu.length;
    for (const node of nodes) segmentOf[node] = segments.length - 1;
  }
  return { segments, unsupported: chosen.unsupported, compiling: chosen.compiling };
}

/** Hash of the program of the node's first contract call, if it has one. */
export function programHashOf({ dryRuns, planned }: PlannedBlock, node: number): string | undefined {
  return dryRuns[planned[node]]?.program;
}

/** A transaction of several messages: the kernel runs the first, the CPU the others. */
function isMixed({ dryRuns, planned }: PlannedBlock, node: number): boolean {
  return dryRuns[planned[node]]?.outcome.messages.length !== 1;
}

interface Choice {
  /** 1 for the nodes that go to the kernel. */
  readonly gpu: Uint8Array;
  unsupported: number;
  compiling: number;
}

function chooseForGpu(block: PlannedBlock, colours: readonly (readonly number[])[], options: RouteOptions): Choice {
  const choice: Choice = { gpu: new Uint8Array(block.planned.length), unsupported: 0, compiling: 0 };
  const { gpu, policy, costs } = options;
  if (gpu === undefined) return choice;
  if (policy === 'auto') learnShares(block, costs);
  if (block.recordSeed === undefined) return choice;
  let saving = 0;
  for (const nodes of colours) {
    for (const [hash, members] of candidates(block, nodes, policy)) {
      const saved = policy === 'auto' ? costs.saving(hash, members.length, options.threads) : 0;
      // Then its kernel is not requested, so that none is compiled in vain.
      if (policy === 'auto' && saved <= 0) continue;
      const program = options.program(hash, members[0]);
      const state = program === undefined ? 'none' : gpu.kernelState(program, members.length);
      if (state === 'none') {
        choice.unsupported += members.length;
        if (program !== undefined) costs.noKernel(hash);
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

/**
 * Nodes that may go to the kernel, by program; without those whose dry run counts, unless the policy reuses nothing.
 */
function candidates(block: PlannedBlock, nodes: readonly number[], policy: Policy): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const node of nodes) {
    const hash = programHashOf(block, node);
    const recorded = block.dryRuns[block.planned[node]]?.call !== undefined;
    if (hash === undefined || !recorded || (policy !== 'gpu' && isUntouched(block, node))) continue;
    const group = groups.get(hash);
    if (group === undefined) groups.set(hash, [node]);
    else group.push(node);
  }
  return groups;
}

/** Whether its dry run was a whole run, and no earlier transaction of the block touches what it read. */
function isUntouched(block: PlannedBlock, node: number): boolean {
  const { offsets } = block.plan.graph.predecessors;
  return offsets[node] === offsets[node + 1] && block.dryRuns[block.planned[node]]?.askedDryRun === false;
}

/** Tells the cost model how many calls of each program the kernel could have run, whether recorded or not. */
function learnShares(block: PlannedBlock, costs: CostModel): void {
  const shares = new Map<string, { calls: number; eligible: number; colours: Set<number> }>();
  for (let node = 0; node < block.planned.length; node++) {
    const hash = programHashOf(block, node);
    if (hash === undefined) continue;
    let share = shares.get(hash);
    if (share === undefined) {
      share = { calls: 0, eligible: 0, colours: new Set() };
      shares.set(hash, share);
    }
    share.calls++;
    if (isUntouched(block, node)) continue;
    share.eligible++;
    share.colours.add(block.plan.colouring.colours[node]);
  }
  for (const [hash, { calls, eligible, colours }] of shares) costs.sawBlock(hash, calls, eligible, colours.size);
}
