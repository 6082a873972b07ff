/** What the engine asks how to run a block, and tells how that went. */
import { availableParallelism, cpus } from 'node:os';
import type { GpuExecutor } from '../../gpu/pack/types.js';
import type { Policy } from '../../lane/policy.js';
import type { StateReader } from '../../lane/types.js';
import type { RehearsalLength, RehearsalProgress } from '../threads/rehearsal.js';
import type { WorkerPool } from '../threads/worker-pool.js';
import type { CallDivider } from './balance.js';
import { ALWAYS_PARALLEL, type BlockMode, type ModeChooser } from './block-mode.js';
import { BlockModes } from './block-modes.js';
import { type BlockView, ContractPrograms, isProgram, type LaneRows, LaneView } from './block-view.js';
import { CostKeeper, type CostPlace } from './cost-keeper.js';
import type { CostModel } from './cost-model.js';
import { type Decision, decide } from './decision.js';
import { couldBeLeft, type KernelPrograms } from './kernel-programs.js';
import { PoolWarmth } from './pool-warmth.js';
import { SequentialWatch } from './sequential-watch.js';

export interface ChoiceOptions {
  readonly policy: Policy;
  readonly modes?: ModeChooser;
  readonly predictReads?: boolean;
  /** There is no kernel yet, and may be one later. */
  readonly awaitsGpu?: boolean;
  readonly costPlace?: CostPlace;
  readonly onCostsLost?: (why: string) => void;
}

/** What the engine has learned, and the choice goes by. */
export interface Learned {
  readonly costs: CostModel;
  readonly programs: KernelPrograms;
  /** Under `balance`. */
  readonly balance?: CallDivider | undefined;
}

export class Choice {
  readonly modes: ModeChooser;
  readonly contracts = new ContractPrograms();
  readonly costs: CostModel;
  readonly programs: KernelPrograms;
  /** The kernel, as long as it may be used. */
  readonly gpu: () => GpuExecutor | undefined;
  /** undefined: blocks run in parallel whatever it costs. */
  readonly warmth: PoolWarmth | undefined;
  readonly #keeper: CostKeeper | undefined;

  /** `threads`: of the pool, 0 if there is none. */
  constructor(
    options: ChoiceOptions,
    { costs, programs, balance }: Learned,
    threads: number,
    gpu: () => GpuExecutor | undefined,
  ) {
    this.costs = costs;
    this.programs = programs;
    this.gpu = gpu;
    const { policy, predictReads = true, costPlace, onCostsLost } = options;
    const fixed = policy === 'auto' ? options.modes : ALWAYS_PARALLEL;
    if (fixed !== ALWAYS_PARALLEL) this.warmth = new PoolWarmth(threads);
    const keeper = (modes?: BlockModes): CostKeeper | undefined => {
      const device = deviceOf(threads, predictReads, gpu());
      return costPlace && new CostKeeper(costPlace, device, { modes, kernel: costs, balance }, onCostsLost);
    };
    if (fixed !== undefined) {
      this.modes = fixed;
      if (balance !== undefined) this.#keeper = keeper();
      return;
    }
    const usesKernel = gpu() !== undefined || options.awaitsGpu === true;
    const kernelCall = (kind: string): number | undefined =>
      gpu() === undefined || !isProgram(kind) ? undefined : costs.callOf(kind);
    const isLeft = (kind: string): boolean => programs.isLeft(kind);
    const modes = new BlockModes({ threads, predictReads, kernelCall: usesKernel ? kernelCall : undefined, isLeft });
    this.modes = modes;
    this.#keeper = keeper(modes);
  }

  get wantsWorkers(): boolean {
    return this.modes.wantsWorkers;
  }

  get losses(): { readonly costLosses: number; readonly lastCostLoss: string | undefined } {
    return { costLosses: this.#keeper?.losses ?? 0, lastCostLoss: this.#keeper?.lastLoss };
  }

  /** `pool`: the threads, if they were started and can read the state before the block. */
  begin(lane: LaneRows, before: StateReader, pool: WorkerPool | undefined): BlockRun {
    return new BlockRun(this, new LaneView(lane, before, this.contracts), pool);
  }

  /** A block has run. */
  ranBlock(): void {
    this.#keeper?.ranBlock();
  }

  /** Writes down what is known. */
  keep(): void {
    this.#keeper?.save();
  }
}

/** One block, from the choice on. */
class BlockRun {
  readonly #choice: Choice;
  readonly #view: BlockView;
  readonly #decision: Decision;
  #started = performance.now();
  #watch: SequentialWatch | undefined;

  constructor(choice: Choice, view: BlockView, pool: WorkerPool | undefined) {
    this.#choice = choice;
    this.#view = view;
    this.#decision = decide(view, choice.modes, pool, choice.warmth);
  }

  get mode(): BlockMode {
    return this.#decision.mode;
  }

  /** What the threads should run of the block meanwhile; undefined: nothing. */
  get rehearsal(): RehearsalLength | undefined {
    return this.#decision.rehearsal;
  }

  /** They have begun to. */
  rehearses(progress: RehearsalProgress): void {
    this.#choice.warmth?.began(this.#view, progress);
  }

  /** For a block that runs one transaction after the other; undefined if nothing need be learned from it. */
  watch(): SequentialWatch | undefined {
    const { modes, contracts } = this.#choice;
    if (modes.watches(this.#view)) this.#watch = new SequentialWatch(contracts, () => performance.now());
    return this.#watch;
  }

  /** The block has run as `mode` says, or was given up and begins again. */
  ended(mode: BlockMode): void {
    const { modes, costs, programs } = this.#choice;
    const gpu = this.#choice.gpu();
    const seen = this.#watch?.kinds;
    if (seen !== undefined && gpu !== undefined) {
      for (const [kind, sight] of seen) {
        const { rows, ms, program } = sight;
        if (ms > 0 && isProgram(kind)) costs.ranAlone(kind, rows, ms);
        if (program === undefined || !isProgram(kind) || !couldBeLeft(sight)) continue;
        // Until its kernel is compiled, which this asks for, threads would run all of its calls twice.
        if (gpu.kernelState(program, rows) === 'ready') programs.expect(kind);
      }
    }
    modes.took(this.#view, mode, performance.now() - this.#started, seen, this.#decision.isDisturbed);
    this.#choice.ranBlock();
    this.#watch = undefined;
    this.#started = performance.now();
  }
}

/** What costs are measured with: on anything else they are others. */
function deviceOf(threads: number, predictReads: boolean, gpu: GpuExecutor | undefined): string {
  const processor = cpus()[0]?.model ?? 'unknown processor';
  const adapter = gpu === undefined ? 'no GPU' : `${gpu.adapter.vendor} ${gpu.adapter.description}`;
  const reads = predictReads ? 'predicted reads' : 'no predicted reads';
  const parts = [processor, `${availableParallelism()} cores`, `${threads} threads`, process.version, adapter, reads];
  return parts.join('; ').slice(0, 512);
}
