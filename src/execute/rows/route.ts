/** Phase 2, routing: which rows the kernel runs, decided for a whole block before any of it runs again. */
import { chooseBalanced } from './balanced-choice.js';
import { type ChoiceInputs, chooseForGpu } from './kernel-choice.js';

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
  /** Batches that threads and kernel divide, and calls of a program in all of them, by its hash. */
  readonly splits: number;
  readonly divided: ReadonlyMap<string, number>;
}

export interface RouteInputs extends ChoiceInputs {
  /** Calls that the kernel may get. */
  readonly mostCalls: number;
  /** Hears the nodes of the first colour that threads run, before any call is written: they can begin. */
  onChosen(nodes: readonly number[]): void;
  /** Writes the call of `node` for the kernel; false: it does not take it. */
  write(node: number): boolean;
}

/** Everything on the CPU, in one segment. */
export function withoutKernel(colours: readonly (readonly number[])[]): Segment[] {
  return [{ colours: colours.map((cpu) => ({ cpu, gpu: [] })), gpuCalls: 0 }];
}

/** Leaves only the first `most` calls of the block to the kernel: nothing of that follows what goes to threads. */
function keepMost(gpu: Uint8Array, most: number): void {
  let calls = 0;
  for (let node = 0; node < gpu.length; node++) if (gpu[node] === 1 && ++calls > most) gpu[node] = 0;
}

/** Assigns every node of the plan to the CPU or the GPU, and cuts the colours into segments. */
export function routeRows(inputs: RouteInputs): Route {
  const { colours, plan } = inputs;
  const { balance } = inputs;
  const chosen = balance === undefined ? chooseForGpu(inputs) : chooseBalanced(inputs, balance);
  keepMost(chosen.gpu, inputs.mostCalls);
  if (chosen.splits > 0) inputs.onChosen(colours[0].filter((node) => chosen.gpu[node] === 0));
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
  const { unsupported, compiling, splits, divided } = chosen;
  return { segments, unsupported, compiling, splits, divided };
}
