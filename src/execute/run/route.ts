/** Phase 2, who runs what: decided for a whole block before anything of it runs, from the plan and the policy. */
import type { GpuExecutor } from '../../gpu/pack/types.js';
import type { Program } from '../../program/types.js';
import type { PlannedBlock } from '../analyse/planned-block.js';
import type { CostModel } from '../choose/cost-model.js';

/**
 * `sequential`: the truth, nothing else. `cpu`: reuse, else workers. `gpu`: every contract call whose kernel is compiled to the
 * kernel, nothing reused.
 * `auto`: reuse where it holds; else the kernel where a hardware GPU is there, its kernel is compiled and it promises to be
 * cheaper; else the CPU.
 */
export type Policy = 'sequential' | 'cpu' | 'gpu' | 'auto';

/** The nodes of some colours that follow each other. Between the two sides of a segment no value flows. */
export interface Segment {
  readonly colours: readonly { readonly cpu: readonly number[]; readonly gpu: readonly number[] }[];
  readonly gpuCalls: number;
}

export interface Route {
  readonly segments: readonly Segment[];
  /** Calls that no kernel takes, and calls whose kernel is not compiled yet. */
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
export function nodesByColour({ plan }: PlannedBlock): number[][] {
  const colours: number[][] = plan.colouring.widths.map(() => []);
  plan.colouring.colours.forEach((colour, node) => {
    colours[colour - 1].push(node);
  });
  return colours;
}

/** Gives every node of the plan a side and cuts the colours into segments. */
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
      // Whether it has a kernel does not matter then: none is made that nobody will use.
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
  // Not worth waking the device for.
  if (policy === 'auto' && saving < costs.launch) choice.gpu.fill(0);
  return choice;
}

/** Nodes that may go to the kernel by program. What needs no run at all is left out, unless the policy reuses nothing. */
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

/** Nothing before the node in the block touches what its dry run, a whole run, has read. */
function isUntouched(block: PlannedBlock, node: number): boolean {
  const { offsets } = block.plan.graph.predecessors;
  return offsets[node] === offsets[node + 1] && block.dryRuns[block.planned[node]]?.askedDryRun === false;
}

/** How much of each program the kernel could have been given, whether it was recorded or not. */
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
