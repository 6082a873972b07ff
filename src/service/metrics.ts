import { HEALTH_STATES } from '../execute/health/kernel-health.js';
import { COUNTS, EXECUTION_SECONDS } from '../lane/distribution.js';
import { sinkBehind } from '../sink/sink-status.js';
import type { ViewLoad } from '../views/pool.js';
import { type Labels, MetricsPage, processMetrics, type Sample } from './prometheus.js';
import { addPublishMetrics } from './publish-pages.js';
import type { PublishFigures } from './publishing.js';
import type { ServiceState } from './service-state.js';

export interface MetricsInput {
  readonly state: ServiceState;
  /** Height of the store's tip. */
  readonly height: number | undefined;
  /** Of the block under way, 0 if there is none, and of the slowest one. */
  readonly blockSeconds: number;
  readonly slowestBlockSeconds: number;
  /** Transactions of a batch that wait for the workers. */
  readonly queued: number;
  readonly inKernel: number;
  readonly dbBytes: number;
  readonly views: ViewLoad | undefined;
  readonly laneViews: ViewLoad | undefined;
  readonly publishing: PublishFigures | undefined;
  readonly version: string;
  /** Put on every sample. */
  readonly labels: Labels;
}

/** Every metric of the service, and those of the process. Counters count from the start of the process. */
export function metricsText(input: MetricsInput): Promise<string> {
  const { state, height, dbBytes, views, laneViews, publishing, version, labels } = input;
  const { lanes, sink } = state;
  const { txs, ...byStatus } = lanes.lane;
  const byLabel = (name: string, counts: Readonly<Record<string, number>>): Sample[] =>
    Object.entries(counts).map(([value, count]): Sample => [count, { [name]: value }]);
  const optional = (value: number | undefined): Sample[] => (value === undefined ? [] : [[value]]);
  const requests = [...state.requests].flatMap(([method, counts]): Sample[] => [
    [counts.ok, { method, outcome: 'ok' }],
    [counts.failed, { method, outcome: 'error' }],
  ]);
  const seconds = Object.entries(lanes.ms).map(([phase, ms]): Sample => [ms / 1000, { phase }]);
  const gpuStates = HEALTH_STATES.map((name): Sample => [state.gpu.gpu === name ? 1 : 0, { state: name }]);
  const page = new MetricsPage(labels)
    .gauge('warpshrew_info', 'Version of the program, and the name of this run of it.', [
      1,
      { version, run: state.run },
    ])
    .gauge('warpshrew_indexed_height', 'Height of the last indexed block.', ...optional(height))
    .gauge('warpshrew_source_height', "Height of the source's best chain.", ...optional(state.sourceHeight))
    .gauge(
      'warpshrew_blocks_behind',
      'Blocks of the best chain that are not indexed.',
      ...optional(state.behind(height)),
    )
    .gauge('warpshrew_failed', '1 if indexing stopped for good.', [state.failure === undefined ? 0 : 1])
    .gauge('warpshrew_at_tip', '1 if every block of the best chain is indexed.', [state.phase === 'at-tip' ? 1 : 0])
    .counter('warpshrew_blocks_indexed_total', 'Blocks indexed.', [state.blocks])
    .counter('warpshrew_block_bytes_total', 'Bytes of the blocks indexed.', [state.bytes])
    .gauge('warpshrew_block_seconds', 'What the block under way has taken so far; 0 if there is none.', [
      input.blockSeconds,
    ])
    .gauge('warpshrew_slowest_block_seconds', 'What the slowest block has taken, as far as it was seen.', [
      input.slowestBlockSeconds,
    ])
    .counter('warpshrew_reorgs_total', 'Reorgs followed.', [state.reorgs])
    .counter('warpshrew_blocks_undone_total', 'Blocks rolled back in reorgs.', [state.blocksUndone])
    .counter(
      'warpshrew_trees_remade_total',
      'State trees made from the state because their stored rows did not give them.',
      [state.treesRemade],
    )
    .counter(
      'warpshrew_store_threads_lost_total',
      'Threads that store beside the engine that ended, or did not start: the engine does it itself.',
      [state.storeThreadsLost],
    )
    .counter('warpshrew_snapshots_made_total', 'Snapshots written to the folder for them.', [state.snapshotsMade])
    .counter('warpshrew_snapshots_failed_total', 'Snapshots that failed.', [state.snapshotsFailed])
    .gauge('warpshrew_last_snapshot_height', 'Height of the newest snapshot.', ...optional(state.lastSnapshot))
    .gauge('warpshrew_sink_height', 'Height of the last block in the tables of the sink.', ...optional(sink?.height))
    .gauge(
      'warpshrew_sink_blocks_behind',
      'Indexed blocks that the tables of the sink lack.',
      ...optional(sink && sinkBehind(sink, height)),
    )
    .gauge(
      'warpshrew_sink_in_trouble',
      '1 while the sink cannot be written.',
      ...optional(sink && (sink.trouble === undefined ? 0 : 1)),
    )
    .counter('warpshrew_sink_rows_total', 'Rows written to the sink.', ...optional(sink?.rows))
    .counter('warpshrew_sink_blocks_total', 'Blocks written to the sink.', ...optional(sink?.blocks))
    .counter('warpshrew_sink_blocks_undone_total', 'Blocks taken back in the sink.', ...optional(sink?.undone))
    .counter(
      'warpshrew_sink_failures_total',
      'Failures of the sink, by code.',
      ...byLabel('code', sink?.failures ?? {}),
    )
    .gauge('warpshrew_deepest_reorg_blocks', 'Depth of the deepest reorg followed.', [state.deepestReorg])
    .counter(
      'warpshrew_source_failures_total',
      'Rows of failures of the source that were tried again, by code.',
      ...byLabel('code', Object.fromEntries(state.retries)),
    )
    .counter('warpshrew_lane_transactions_total', 'Lane transactions indexed.', [txs])
    .counter(
      'warpshrew_lane_messages_total',
      'Messages of the parallel lane by outcome.',
      ...byLabel('status', byStatus),
    )
    .counter(
      'warpshrew_lane_executions_total',
      'Lane transactions by what ran them.',
      ...byLabel('executor', lanes.executors),
    )
    .counter('warpshrew_lane_repaired_total', 'Lane transactions run again because a read was stale.', [lanes.repaired])
    .counter('warpshrew_lane_predicted_total', 'Lane transactions that ran with a value which was predicted.', [
      lanes.predicted,
    ])
    .counter('warpshrew_lane_mispredicted_total', 'Those of them for which one was wrong.', [lanes.mispredicted])
    .counter('warpshrew_lane_predicted_reads_total', 'Reads of a value that was predicted.', [lanes.predictedReads])
    .counter('warpshrew_lane_mispredicted_reads_total', 'Those of them for which it was wrong.', [
      lanes.mispredictedReads,
    ])
    .histogram(
      'warpshrew_lane_execution_seconds',
      'What a lane transaction took, by executor: of one in 16; of each call of the kernel its share of a segment.',
      'executor',
      EXECUTION_SECONDS,
      lanes.seconds,
    )
    .histogram(
      'warpshrew_lane_batch_width',
      'Lane transactions of a batch, by what ran it.',
      'executor',
      COUNTS,
      lanes.widths,
    )
    .gauge('warpshrew_lane_queued_transactions', 'Transactions of the batch under way that wait for the workers.', [
      input.queued,
    ])
    .counter('warpshrew_lane_demoted_total', 'Lane transactions that spend lane outputs of their own block.', [
      lanes.demoted,
    ])
    .counter('warpshrew_lane_split_batches_total', 'Batches of one program that threads and kernel divided.', [
      lanes.splits,
    ])
    .counter('warpshrew_lane_unclean_total', 'Lane transactions left to their places: their dry run was not clean.', [
      lanes.unclean,
    ])
    .counter(
      'warpshrew_lane_blocks_too_large_total',
      'Blocks run one transaction at a time because their outcomes took more memory than batches are given.',
      [lanes.tooLarge],
    )
    .counter('warpshrew_gpu_busy_seconds_total', 'Time in which the device ran segments, with the way back.', [
      lanes.gpuMs / 1_000,
    ])
    .counter('warpshrew_gpu_punted_total', 'Messages that the kernel punted.', [lanes.punted])
    .counter('warpshrew_gpu_failures_total', 'Times the kernel failed as a whole.', [state.gpu.gpuFailures])
    .counter('warpshrew_gpu_kernel_failures_total', 'Programs that lost their kernels to a failure.', [
      state.gpu.kernelFailures,
    ])
    .counter('warpshrew_cost_records_lost_total', 'Records of learned costs that were dropped or not kept.', [
      state.gpu.costLosses,
    ])
    .counter('warpshrew_program_files_lost_total', 'Threads that cannot put programs into a file any more.', [
      state.gpu.programFileLosses,
    ])
    .counter('warpshrew_rehearsals_failed_total', 'Times a worker thread gave up a rehearsal that threw.', [
      state.gpu.failedRehearsals,
    ])
    .gauge('warpshrew_gpu_in_use', '1 if the kernel is used.', [
      state.gpu.gpu === 'healthy' || state.gpu.gpu === 'degraded' ? 1 : 0,
    ])
    .gauge('warpshrew_gpu_state', '1 for the state of the kernel, 0 for the others.', ...gpuStates)
    .counter(
      'warpshrew_gpu_failures_by_cause_total',
      'Uses of the kernel that failed, and devices that could not be opened anew, by cause.',
      ...byLabel('cause', state.gpu.kernel.failures),
    )
    .counter('warpshrew_gpu_checked_calls_total', "The kernel's results that the CPU has recomputed.", [
      state.gpu.kernel.checkedCalls,
    ])
    .gauge('warpshrew_gpu_queued_calls', 'Calls that the kernel has been given and has not answered.', [input.inKernel])
    .gauge('warpshrew_gpu_batch_limit', 'Calls of a block that the kernel gets at most (auto, balance).', [
      state.gpu.kernel.batchLimit,
    ])
    .gauge(
      'warpshrew_gpu_use_p99_seconds',
      'Time in which 99 of 100 of the last uses of the kernel were done.',
      ...optional(state.gpu.kernel.p99Ms === undefined ? undefined : state.gpu.kernel.p99Ms / 1_000),
    )
    .counter(
      'warpshrew_gpu_held_back_total',
      'Small blocks at the tip that ran without the kernel (--latency-bound).',
      [state.gpu.kernel.heldBack],
    )
    .counter('warpshrew_gpu_dumps_total', 'Dumps of calls on which kernel and CPU disagree.', [state.gpu.kernel.dumps])
    .counter('warpshrew_gpu_dumps_lost_total', 'Such dumps that could not be kept.', [state.gpu.kernel.lostDumps])
    .counter(
      'warpshrew_gpu_transitions_total',
      "Transitions of the kernel's state, by the new one.",
      ...byLabel('state', state.gpu.kernel.transitions),
    )
    .counter('warpshrew_phase_seconds_total', 'Time by phase of a block; phases of both lanes overlap.', ...seconds)
    .addAll(state.figures.metrics)
    .counter('warpshrew_rpc_requests_total', 'JSON-RPC requests by method and outcome.', ...requests)
    .add(state.latencies)
    .counter(
      'warpshrew_rpc_refused_total',
      'Requests and connections refused before they were read, by code.',
      ...byLabel('code', Object.fromEntries(state.refused)),
    )
    .gauge('warpshrew_views_running', 'Views that a thread runs.', ...optional(views?.running))
    .gauge('warpshrew_views_waiting', 'Views that wait for a thread.', ...optional(views?.waiting))
    .counter('warpshrew_views_refused_total', 'Views refused for want of a thread.', ...optional(views?.refused))
    .counter(
      'warpshrew_views_interrupted_total',
      'Views that gave their thread up to another client.',
      ...optional(views?.interrupted),
    )
    .gauge('warpshrew_lane_views_running', 'Views of the lane that a thread runs.', ...optional(laneViews?.running))
    .gauge('warpshrew_lane_views_waiting', 'Views of the lane that wait.', ...optional(laneViews?.waiting))
    .counter(
      'warpshrew_lane_views_refused_total',
      'Views of the lane refused for want of a thread.',
      ...optional(laneViews?.refused),
    )
    .counter(
      'warpshrew_lane_views_interrupted_total',
      'Views of the lane that gave their thread up to another client.',
      ...optional(laneViews?.interrupted),
    )
    .counter('warpshrew_module_log_left_out_total', "Lines of the module's log that were left out.", [
      state.moduleLinesLeftOut,
    ])
    .counter('warpshrew_contract_log_left_out_total', 'Texts of contracts that the log left out.', [
      state.contractTextsLeftOut,
    ])
    .gauge('warpshrew_database_bytes', 'Bytes of the files of the database.', [dbBytes])
    .gauge('warpshrew_heap_bytes', 'JavaScript heap of the main thread.', [process.memoryUsage().heapUsed])
    .counter('warpshrew_uptime_seconds_total', 'Time since the start.', [state.uptimeSeconds()]);
  return addPublishMetrics(page, publishing, height).text(processMetrics());
}
