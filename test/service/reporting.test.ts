import { Histogram } from 'prom-client';
import { expect, test } from 'vitest';
import { NodeError, StoreError } from '../../src/errors/errors.js';
import { NO_GPU } from '../../src/execute/health/engine-health.js';
import { addValue, COUNTS, EXECUTION_SECONDS } from '../../src/lane/distribution.js';
import { emptyStatistics } from '../../src/lane/statistics.js';
import { BlockFigures } from '../../src/service/block-figures.js';
import { type EngineEvent, errorOf, failureOf } from '../../src/service/events.js';
import { createLogger } from '../../src/service/log.js';
import { metricsText } from '../../src/service/metrics.js';
import { MetricsPage, processMetrics } from '../../src/service/prometheus.js';
import { Reporter, syncFigures } from '../../src/service/reporter.js';
import { ServiceState } from '../../src/service/service-state.js';
import { runFigures, statusText } from '../../src/service/status-text.js';

const roots = { standard: '0', lane: '0', state: '0' };
const gpu = NO_GPU;

function blockEvent(height: number): EngineEvent {
  const statistics = {
    ...emptyStatistics(),
    lane: { txs: 2, ok: 1, revert: 1, trap: 0, outOfFuel: 0, malformed: 0 },
    executors: { reuse: 0, gpu: 0, cpu: 2, sequential: 0 },
    batches: 1,
    colours: 1,
    ms: { scan: 1 },
  };
  return { kind: 'block', height, hash: 'ab', bytes: 1_000_000, roots, statistics, ms: { commit: 2 }, gpu, source: {} };
}

/** A service of which nothing but its state tells anything. */
const IDLE = {
  height: 1,
  blockSeconds: 0,
  slowestBlockSeconds: 0,
  queued: 0,
  inKernel: 0,
  dbBytes: 0,
  views: undefined,
  laneViews: undefined,
  publishing: undefined,
  version: '0',
  labels: {},
};

function setUp(format: 'json' | 'pretty' = 'json') {
  let clock = 0;
  const lines: string[] = [];
  const state = new ServiceState(() => clock);
  const log = createLogger({ level: 'debug', format, label: undefined, write: (line) => lines.push(line) });
  const reporter = new Reporter(log, state);
  const tell = (event: EngineEvent): void => {
    state.apply(event);
    reporter.hear(event);
  };
  const pass = (ms: number): void => {
    clock += ms;
  };
  return { state, reporter, lines, tell, pass };
}

const away = failureOf(
  new NodeError('NODE_UNREACHABLE', 'the node does not answer', { facts: { node: 'n', big: 1n } }),
);

test('speed, time left and counters come from what the engine told', () => {
  const { state, tell, pass } = setUp();
  tell({ kind: 'phase', phase: 'syncing' });
  tell({ kind: 'source-tip', height: 109, statistics: {} });
  for (let height = 0; height < 10; height++) {
    pass(500);
    tell(blockEvent(height));
  }
  expect(syncFigures(state)).toEqual({
    height: 9,
    target: 109,
    blocksPerSecond: 2,
    megabytesPerSecond: 2,
    etaSeconds: 50,
  });
  tell({ kind: 'rollback', from: 9, to: 6 });
  expect(state).toMatchObject({ blocks: 10, bytes: 10_000_000, reorgs: 1, deepestReorg: 3, blocksUndone: 3 });
  tell({ kind: 'tree-remade', namespace: 'S' });
  expect(state.treesRemade).toBe(1);
  tell({ kind: 'store-thread-lost', reason: 'no more threads' });
  expect(state.storeThreadsLost).toBe(1);
  expect(state.lanes.ms).toEqual({ scan: 10, commit: 20 });
  pass(40_000);
  expect(state.speed()).toEqual({ blocks: 0, bytes: 0 });
});

test('what blocks took and how wide they were is told as a distribution', async () => {
  const figures = new BlockFigures();
  const lane = { txs: 30, ok: 30, revert: 0, trap: 0, outOfFuel: 0, malformed: 0 };
  figures.add({ ...emptyStatistics(), lane, colours: 4, demoted: 2, ms: { plan: 3 } }, { commit: 40 });
  figures.add({ ...emptyStatistics(), lane, ms: { sequential: 70 } }, { commit: 300 });
  figures.add(emptyStatistics(), { commit: 0.5 });
  const text = await new MetricsPage().addAll(figures.metrics).text();
  for (const line of [
    'phase_seconds_count{phase="commit"} 3',
    'phase_seconds_bucket{le="0.05",phase="commit"} 2',
    'phase_seconds_sum{phase="sequential"} 0.07',
  ]) {
    expect(text).toContain(`warpshrew_block_${line}\n`);
  }
  // The block that ran one after the other was not planned, and the last one has no lane transaction.
  const lines = ['transactions_count 2', 'transactions_sum 60', 'colours_count 1', 'colours_sum 4', 'width_sum 7'];
  for (const line of lines) {
    expect(text).toContain(`\nwarpshrew_lane_block_${line}\n`);
  }
});

test('times of transactions, widths of batches and what the device did are metrics', async () => {
  const { state, tell } = setUp();
  const statistics = {
    ...emptyStatistics(),
    predictedReads: 9,
    mispredictedReads: 2,
    gpuMs: 1_500,
    gpuBytesUp: 40_000,
    gpuBytesDown: 900,
  };
  addValue(statistics.seconds, 'kernel', EXECUTION_SECONDS, 2e-5, 30);
  addValue(statistics.seconds, 'sequential', EXECUTION_SECONDS, 60);
  addValue(statistics.widths, 'workers', COUNTS, 40);
  const event = blockEvent(1);
  if (event.kind === 'block') for (let n = 0; n < 2; n++) tell({ ...event, statistics });
  const text = await metricsText({ ...IDLE, state, queued: 3 });
  for (const line of [
    `info{version="0",run="${state.run}"} 1`,
    'lane_execution_seconds_bucket{executor="kernel",le="0.00001"} 0',
    'lane_execution_seconds_bucket{executor="kernel",le="0.000025"} 60',
    'lane_execution_seconds_bucket{executor="kernel",le="+Inf"} 60',
    'lane_execution_seconds_bucket{executor="sequential",le="10"} 0',
    'lane_execution_seconds_sum{executor="sequential"} 120',
    'lane_execution_seconds_count{executor="sequential"} 2',
    'lane_batch_width_bucket{executor="workers",le="50"} 2',
    'lane_predicted_reads_total 18',
    'lane_mispredicted_reads_total 4',
    'lane_queued_transactions 3',
    'gpu_busy_seconds_total 3',
    'gpu_block_bytes_sum{direction="up"} 80000',
    'gpu_block_bytes_count{direction="down"} 2',
  ]) {
    expect(text).toContain(`\nwarpshrew_${line}\n`);
  }
});

test('single transactions are told at debug alone, each with its txid, and how many were left out', () => {
  const event = blockEvent(5);
  if (event.kind !== 'block') return;
  const txid = '0f'.repeat(32);
  const notes = { list: [{ index: 2, txid, what: 'repaired' as const }], leftOut: 7 };
  for (const level of ['debug', 'info'] as const) {
    const lines: string[] = [];
    const state = new ServiceState();
    const log = createLogger({ level, format: 'json', label: undefined, write: (line) => lines.push(line) });
    new Reporter(log, state).hear({ ...event, statistics: { ...event.statistics, notes } });
    const told = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg !== 'block indexed');
    if (level === 'info') expect(told).toEqual([]);
    else {
      expect(told).toMatchObject([
        { level, msg: 'transaction', height: 5, index: 2, txid, what: 'repaired' },
        { level, height: 5, leftOut: 7 },
      ]);
    }
  }
});

test('a failure is said once until the source answers again, and is trouble as long', () => {
  const { state, lines, tell } = setUp();
  const retry = { kind: 'retry', note: 'the node cannot be reached', failure: away, leftMs: undefined } as const;
  const phase = (of: 'syncing' | 'waiting-for-node' | 'at-tip'): void => tell({ kind: 'phase', phase: of });
  tell(retry);
  phase('waiting-for-node');
  tell(retry);
  expect(state.trouble?.code).toBe('NODE_UNREACHABLE');
  phase('at-tip');
  expect(state.trouble).toBeUndefined();
  tell(retry);
  const said = lines.map((line) => JSON.parse(line)).filter((line) => line.code === 'NODE_UNREACHABLE');
  expect(said).toHaveLength(2);
  expect(said[0]).toMatchObject({ level: 'warn', node: 'n', big: '1' });
  expect(state.retries).toEqual(new Map([['NODE_UNREACHABLE', 3]]));
});

test('what is being waited out is told with how long already and how long still', () => {
  const { state, lines, tell, pass } = setUp();
  expect(state.waiting()).toBeUndefined();
  tell({ kind: 'retry', note: 'the node cannot be reached', failure: away, leftMs: undefined });
  pass(5_500);
  expect(state.waiting()).toEqual({ code: 'NODE_UNREACHABLE', seconds: 5, givesUpIn: undefined });
  const refused = failureOf(new NodeError('NODE_FORBIDDEN', 'refused'));
  tell({ kind: 'retry', note: 'the node cannot be reached', failure: refused, leftMs: 60_000 });
  pass(4_500);
  expect(state.waiting()).toEqual({ code: 'NODE_FORBIDDEN', seconds: 10, givesUpIn: 56 });
  pass(120_000);
  expect(state.waiting()?.givesUpIn).toBe(0);
  expect(lines.some((line) => line.includes('trying again for 60 s'))).toBe(true);
  tell(blockEvent(1));
  expect(state.waiting()).toBeUndefined();
});

test('blocks at the tip are no news', () => {
  const { lines, tell } = setUp('pretty');
  tell({ kind: 'source-tip', height: 1, statistics: {} });
  for (let height = 0; height < 3; height++) {
    tell({ kind: 'phase', phase: 'syncing' });
    tell({ kind: 'source-tip', height, statistics: {} });
    tell(blockEvent(height));
    tell({ kind: 'phase', phase: 'at-tip' });
  }
  expect(lines.filter((line) => line.includes(' info ')).map((line) => line.slice(9).trim())).toEqual([
    'info  syncing target=1',
    'info  at-tip height=0 target=0',
  ]);
  expect(lines.filter((line) => line.includes('block indexed'))).toHaveLength(3);
});

test('the end of indexing stays the first one, and crosses threads with all that an error says', () => {
  const { state, tell } = setUp();
  const full = new StoreError('STORE_WRITE_FAILED', 'the database refused a write', { hint: 'Make room.' });
  tell({ kind: 'ended', failure: structuredClone(failureOf(full)) });
  tell({ kind: 'crashed', failure: failureOf(new Error('late')) });
  expect(state).toMatchObject({ phase: 'failed', failure: { code: 'STORE_WRITE_FAILED' } });
  expect(errorOf(failureOf(full))).toMatchObject({ code: full.code, exitStatus: 4, hint: 'Make room.' });
  expect(failureOf(new Error('a defect'))).toMatchObject({ code: 'INTERNAL', kind: 'internal' });
});

test('metrics follow the text format', async () => {
  const histogram = new Histogram({ name: 'h', help: 'Seconds.', labelNames: ['x'], buckets: [0.1, 1], registers: [] });
  for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe({ x: 'm' }, value);
  const text = await new MetricsPage({ label: 'a"b\\c\nd' })
    .gauge('g', 'A gauge.', [1.5, { x: 'y' }])
    .counter('c', 'Nothing yet.')
    .gauge('n', 'None.')
    .counter('z', 'Zero.', [0])
    .add(histogram)
    .text();
  const label = 'label="a\\"b\\\\c\\nd"';
  expect(text.split('\n').filter((line) => line !== '')).toEqual([
    '# HELP g A gauge.',
    '# TYPE g gauge',
    `g{x="y",${label}} 1.5`,
    '# HELP c Nothing yet.',
    '# TYPE c counter',
    '# HELP n None.',
    '# TYPE n gauge',
    '# HELP z Zero.',
    '# TYPE z counter',
    `z{${label}} 0`,
    '# HELP h Seconds.',
    '# TYPE h histogram',
    `h_bucket{le="0.1",${label},x="m"} 2`,
    `h_bucket{le="1",${label},x="m"} 3`,
    `h_bucket{le="+Inf",${label},x="m"} 4`,
    `h_sum{${label},x="m"} 7.65`,
    `h_count{${label},x="m"} 4`,
  ]);
});

test('two pages of one process tell its own metrics each, with their own label', async () => {
  const page = (label: string): Promise<string> => new MetricsPage({ label }).text(processMetrics());
  for (const name of ['a', 'b', 'a']) {
    const text = await page(name);
    expect(text).toMatch(new RegExp(`^process_resident_memory_bytes{label="${name}"} \\d{7,}$`, 'm'));
    expect(text).toMatch(new RegExp(`^process_cpu_seconds_total{label="${name}"} [\\d.]+$`, 'm'));
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
  }
});

test('the status line says where indexing is, what it waits for and why it failed; figures of the run follow', () => {
  const { state, tell, pass } = setUp();
  expect(statusText(state)).toBe('starting  no block yet  up 0s');
  tell({ kind: 'phase', phase: 'syncing' });
  tell({ kind: 'source-tip', height: 39, statistics: {} });
  for (let height = 0; height < 10; height++) {
    pass(1_000);
    tell(blockEvent(height));
  }
  expect(statusText(state)).toBe('syncing  block 9 of 39  23%  1 blocks/s  1 MB/s  30s left');
  tell({ kind: 'retry', note: 'asking the node', failure: away, leftMs: undefined });
  tell({ kind: 'phase', phase: 'waiting-for-node' });
  pass(70_000);
  expect(statusText(state)).toBe('waiting-for-node: NODE_UNREACHABLE for 1m10s  block 9');
  tell({ kind: 'phase', phase: 'at-tip' });
  tell({ kind: 'rollback', from: 9, to: 7 });
  expect(statusText(state)).toBe('at-tip  block 9  up 1m20s  1 reorgs');
  expect(runFigures(state)).toEqual({
    height: 9,
    stateRoot: '0',
    blocks: 10,
    megabytes: 10,
    laneTxs: 20,
    reorgs: 1,
    blocksUndone: 2,
    seconds: 80,
  });
  tell({ kind: 'ended', failure: away });
  expect(statusText(state)).toBe('failed: NODE_UNREACHABLE  block 9');
});

test('each transition of the kernel is logged once, and its state and causes are metrics', async () => {
  const { state, lines, tell } = setUp();
  const failures = { ...gpu.kernel.failures, 'device-lost': 1 };
  const kernel = { ...gpu.kernel, failures, why: 'the device is lost', probeAt: '2030-01-01T00:00:00.000Z' };
  const transition = { from: 'healthy', to: 'unhealthy', why: 'the device is lost' } as const;
  tell({ kind: 'kernel-health', transition, gpu: { ...gpu, gpu: 'unhealthy', kernel } });
  tell(blockEvent(1));
  expect(lines.map((line) => JSON.parse(line)).filter(({ to }) => to !== undefined)).toMatchObject([
    { level: 'warn', ...transition, probeAt: kernel.probeAt },
  ]);
  tell({ kind: 'kernel-health', transition, gpu: { ...gpu, gpu: 'unhealthy', kernel } });
  const text = await metricsText({ ...IDLE, state });
  expect(text).toContain('warpshrew_gpu_in_use 0\n');
  expect(text).toContain('warpshrew_gpu_state{state="unhealthy"} 1\n');
  expect(text).toContain('warpshrew_gpu_state{state="healthy"} 0\n');
  expect(text).toContain('warpshrew_gpu_failures_by_cause_total{cause="device-lost"} 1\n');
});
