import { setImmediate as turn } from 'node:timers/promises';
import { openSource } from '../bitcoin/sources.js';
import { InputError, InternalError, WarpshrewError } from '../errors/errors.js';
import type { GpuExecutor } from '../gpu/pack/types.js';
import { DEFAULT_CROSS_CHECK, type DependentRule, type DryRunRule, type Policy } from '../lane/policy.js';
import { StatisticsSum } from '../lane/statistics.js';
import { lookAhead } from '../pipeline/look-ahead.js';
import { OpenIndex } from '../pipeline/open-index.js';
import type { StateRoots } from '../store/types.js';
import { defaultIndexer } from '../util/built-wasm.js';
import { toDisplayHash } from '../util/bytes.js';
import { checkRange, checkSameChain } from './checks.js';
import { readExpectedRoots } from './expected-roots.js';
import { type Progress, SILENT } from './progress.js';
import { type GpuEvent, MAX_GPU_EVENTS, type ReplaySummary } from './summary.js';

export interface ReplayOptions {
  /** Fixture chain, folder of raw blocks or one raw block file. */
  readonly path: string;
  readonly dbDir: string;
  readonly policy: Policy;
  /** Which transactions run in batches; DEFAULT_DRY_RUN if not given. */
  readonly dryRun?: DryRunRule;
  /** The standard module; default: the bundled indexer. */
  readonly indexer?: Uint8Array;
  readonly from?: number;
  readonly to?: number;
  readonly gpu?: GpuExecutor;
  /** Opens another one in place of one whose device is lost; without it, the CPU does the rest. */
  readonly reopenGpu?: () => Promise<GpuExecutor>;
  /** Without `gpu`: `reopenGpu` may give one later. */
  readonly awaitsGpu?: boolean;
  /** Per cent of the kernel's results that the CPU recomputes; {@link DEFAULT_CROSS_CHECK} if not given. */
  readonly crossCheck?: number;
  readonly laneStartHeight?: number;
  readonly dependent?: DependentRule;
  /** Whether the database gets an index by address. */
  readonly addresses?: boolean;
  readonly workers?: number;
  readonly progress?: Progress;
  /**
   * Waits for kernels, however long the driver takes; otherwise calls whose kernel is not compiled yet run on the CPU.
   */
  readonly waitForKernels?: boolean;
  /** Called after every commit. */
  readonly onBlock?: (height: number, stateRoot: string) => void;
  /**
   * Called with one line for every program that lost its kernel, for the first failure of the kernel as a whole, and
   * for every transition of its health.
   */
  readonly onGpuFailure?: (line: string) => void;
  /** Hears why what `auto` had learned before was dropped, or could not be kept. */
  readonly onCostsLost?: (why: string) => void;
}

/**
 * Replays blocks from files into a store, from the store's tip on; a second run with the same blocks changes nothing.
 * The parallel lane and the standard module run a block at the same time and are committed together in one synced
 * write.
 *
 * @throws UsageError USAGE_RANGE; InputError for a block that is not valid or does not follow the tip, or a root other
 *   than the fixture's; StoreError, STORE_OTHER_CHAIN among them; ProgramError. The store is left at the last whole
 *   block.
 */
export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  const source = openSource(options.path);
  checkRange(source, options);
  const moduleBytes = options.indexer ?? defaultIndexer();
  const expected = options.indexer ? new Map<number, string>() : readExpectedRoots(options.path);
  const progress = options.progress ?? SILENT;
  const { laneStartHeight, dependent, addresses } = options;
  const sum = new StatisticsSum();
  const gpuEvents: GpuEvent[] = [];
  let at = 0;
  const index = await OpenIndex.open({
    dbDir: options.dbDir,
    moduleBytes,
    store: { network: source.network, laneStartHeight, dependent, addresses },
    engine: {
      policy: options.policy,
      dryRun: options.dryRun,
      workers: options.workers,
      gpu: options.gpu,
      reopenGpu: options.reopenGpu,
      awaitsGpu: options.awaitsGpu,
      crossCheck: options.crossCheck ?? DEFAULT_CROSS_CHECK,
      onDumpLost: options.onGpuFailure,
      onKernelHealth: ({ from, to, why }) =>
        options.onGpuFailure?.(`block ${at}: the kernel is ${to} (${from} before): ${why}`),
      waitForKernels: options.waitForKernels,
      onCostsLost: options.onCostsLost,
      onProgramFileLost: (why) => options.onCostsLost?.(`programs are laid out anew for each run: ${why}`),
      onKernelFailure: ({ program, stage, message }) =>
        options.onGpuFailure?.(`program ${program} has no kernel (${stage}: ${message}); the CPU runs it`),
      onGpuFailure: (error) => {
        const code = error instanceof WarpshrewError ? error.code : 'INTERNAL';
        const message = error instanceof Error ? error.message : String(error);
        if (gpuEvents.length < MAX_GPU_EVENTS) gpuEvents.push({ height: at, code, message });
        // Reported once, always counted.
        if (gpuEvents.length === 1) options.onGpuFailure?.(`block ${at}: ${code}: ${message}; the CPU goes on`);
      },
    },
    check: (store) => checkSameChain(source, store, options.dbDir),
  });
  const { store } = index;
  let blocks = 0;
  let tip: { height: number; hash: string; roots: StateRoots | undefined } | undefined;
  try {
    const first = Math.max(options.from ?? source.firstHeight, (store.tip()?.height ?? -1) + 1);
    const last = Math.min(options.to ?? source.lastHeight, source.lastHeight);
    progress.start(Math.max(0, last - first + 1));
    for await (const { item: block, following } of lookAhead(source.blocks(first, last))) {
      const { height } = block;
      at = height;
      const { roots, statistics, ms } = await index.blocks.index(block, {
        following,
        check: (found) => checkRoot(height, found.state, expected.get(height)),
      });
      if (roots === undefined) throw new InternalError('a replayed block has no roots', { facts: { height } });
      const root = roots.state;
      for (const [phase, took] of Object.entries(ms)) sum.addMs(phase, took);
      sum.add(statistics);
      blocks++;
      options.onBlock?.(height, root);
      progress.update(blocks, { height, laneTxs: sum.lane.txs });
      await turn();
    }
    const stored = store.tip();
    tip = stored && { height: stored.height, hash: toDisplayHash(stored.hash), roots: store.roots(stored.height) };
  } finally {
    progress.stop();
    await index.close();
  }
  return {
    height: tip?.height,
    hash: tip?.hash,
    stateRoot: tip?.roots?.state,
    roots: tip?.roots && { standard: tip.roots.standard, lane: tip.roots.lane },
    blocks,
    policy: options.policy,
    adapter: options.gpu?.adapter.description,
    lane: sum.lane,
    executors: sum.executors,
    batches: sum.batches,
    splits: sum.splits,
    colours: sum.colours,
    repaired: sum.repaired,
    predicted: sum.predicted,
    mispredicted: sum.mispredicted,
    demoted: sum.demoted,
    unclean: sum.unclean,
    punted: sum.punted,
    gpuRuns: sum.gpuRuns,
    gpuFailures: sum.gpuFailures,
    gpuEvents,
    health: index.engine.health,
    accessViolations: sum.accessViolations,
    compiling: sum.compiling,
    tooLarge: sum.tooLarge,
    ms: sum.ms,
  };
}

/** Throws InputError FIXTURE_ROOT_MISMATCH. */
function checkRoot(height: number, computed: string, expected: string | undefined): void {
  if (expected === undefined || expected === computed) return;
  throw new InputError('FIXTURE_ROOT_MISMATCH', 'the state root is not the one stored with the chain', {
    facts: { height, expected, computed },
    hint: 'this build computes another state than the one that made the fixture: report it with both roots',
  });
}
