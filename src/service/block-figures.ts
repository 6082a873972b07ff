/** Distributions over blocks, for `/metrics`: what an average hides. */
import { Histogram, type Metric } from 'prom-client';
import { COUNTS } from '../lane/distribution.js';
import type { LaneStatistics } from '../lane/statistics.js';

/** Upper bounds in seconds: a phase takes from microseconds of an empty block to minutes of a hostile one. */
const SECONDS = [0.0001, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
/** Upper bounds of what a block sends to a device, or gets back. */
const BYTES = [1e3, 1e4, 1e5, 2.5e5, 5e5, 1e6, 2.5e6, 5e6, 1e7, 2.5e7, 1e8, 1e9];

export class BlockFigures {
  readonly #phases = new Histogram({
    name: 'warpshrew_block_phase_seconds',
    help: 'Time of a block in each phase that it had; phases of both lanes overlap.',
    labelNames: ['phase'],
    buckets: SECONDS,
    registers: [],
  });
  readonly #transactions = new Histogram({
    name: 'warpshrew_lane_block_transactions',
    help: 'Lane transactions of a block that has any.',
    buckets: [...COUNTS],
    registers: [],
  });
  readonly #colours = new Histogram({
    name: 'warpshrew_lane_block_colours',
    help: 'Colours of a block that was planned: the longest chain of its conflict graph.',
    buckets: [...COUNTS],
    registers: [],
  });
  readonly #width = new Histogram({
    name: 'warpshrew_lane_block_width',
    help: 'Lane transactions of a block that was planned, by its colours: how many can run at a time.',
    buckets: [...COUNTS],
    registers: [],
  });
  readonly #gpuBytes = new Histogram({
    name: 'warpshrew_gpu_block_bytes',
    help: 'Bytes that a block which used the kernel sent to the device (up), and that came back (down).',
    labelNames: ['direction'],
    buckets: BYTES,
    registers: [],
  });

  /** A block was indexed; `ms`: milliseconds by phase of the service, beside those of the lane. */
  add(statistics: LaneStatistics, ms: Readonly<Record<string, number>>): void {
    const { lane, colours, demoted, unclean, ms: ofLane, gpuBytesUp, gpuBytesDown } = statistics;
    for (const [phase, took] of [...Object.entries(ofLane), ...Object.entries(ms)]) {
      this.#phases.observe({ phase }, took / 1_000);
    }
    if (gpuBytesUp > 0) {
      this.#gpuBytes.observe({ direction: 'up' }, gpuBytesUp);
      this.#gpuBytes.observe({ direction: 'down' }, gpuBytesDown);
    }
    if (lane.txs > 0) this.#transactions.observe(lane.txs);
    if (colours === 0) return;
    this.#colours.observe(colours);
    this.#width.observe((lane.txs - demoted - unclean) / colours);
  }

  get metrics(): readonly Metric[] {
    return [this.#phases, this.#transactions, this.#colours, this.#width, this.#gpuBytes];
  }
}
