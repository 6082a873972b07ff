/** Distributions over blocks, for `/metrics`: what an average hides. */
import { Histogram, type Metric } from 'prom-client';
import type { LaneStatistics } from '../lane/statistics.js';

/** Upper bounds in seconds: a phase takes from microseconds of an empty block to minutes of a hostile one. */
const SECONDS = [0.0001, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
/** Upper bounds of counts of a block, which has some thousands of transactions at most. */
const COUNTS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

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
    buckets: COUNTS,
    registers: [],
  });
  readonly #colours = new Histogram({
    name: 'warpshrew_lane_block_colours',
    help: 'Colours of a block that was planned: the longest chain of its conflict graph.',
    buckets: COUNTS,
    registers: [],
  });
  readonly #width = new Histogram({
    name: 'warpshrew_lane_block_width',
    help: 'Lane transactions of a block that was planned, by its colours: how many can run at a time.',
    buckets: COUNTS,
    registers: [],
  });

  /** A block was indexed; `ms`: milliseconds by phase of the service, beside those of the lane. */
  add({ lane, colours, demoted, unclean, ms: ofLane }: LaneStatistics, ms: Readonly<Record<string, number>>): void {
    for (const [phase, took] of [...Object.entries(ofLane), ...Object.entries(ms)]) {
      this.#phases.observe({ phase }, took / 1_000);
    }
    if (lane.txs > 0) this.#transactions.observe(lane.txs);
    if (colours === 0) return;
    this.#colours.observe(colours);
    this.#width.observe((lane.txs - demoted - unclean) / colours);
  }

  get metrics(): readonly Metric[] {
    return [this.#phases, this.#transactions, this.#colours, this.#width];
  }
}
